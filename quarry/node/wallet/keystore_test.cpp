#include "quarry/node/wallet/keystore.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/development_keys.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/wallet/wallet_folder.hpp"

namespace quarry::node::wallet::keystore_test {
namespace {

constexpr std::string_view kPassphrase = "correct horse battery";
const ScryptCost kCheap{ScryptCost::kMinLogN, 8, 1};

SecretKey<KB11> key() { return DevelopmentKeys(9).secret(4); }

KeyDescription description() {
    return {{key().public_key().hash(), DevelopmentKeys(9).address(4)},
            KeyOrigin::ethereum,
            {31337, DevelopmentKeys(9).address(5), 12, 7}};
}

Entropy counting_entropy() {
    return [next = std::uint8_t{1}](std::span<std::uint8_t> out) mutable {
        for (std::uint8_t& b : out) b = next++;
    };
}

KeystoreFile sealed() { return seal_key(key(), description(), kPassphrase, kCheap, counting_entropy()); }

std::string name_of_problem(std::string_view text, std::string_view passphrase = kPassphrase) {
    const auto file = parse_keystore(text);
    if (!file) return file.error().name;
    const auto opened = open_key(file.value(), passphrase);
    return opened ? "opened" : opened.error().name;
}

/// The file with its checksum made right again.
std::string repaired(std::string text) {
    const auto at = text.find(",\n  \"checksum\"");
    std::string compact;
    for (const char c : text.substr(0, at) + "}") {
        if (c != '\n' && c != ' ') compact += c;
    }
    return text.substr(0, at) + ",\n  \"checksum\": \"" + to_hex(keccak256(as_bytes(compact))) + "\"\n}\n";
}

TEST(WalletKeystore, GivesTheKeyBack) {
    const std::string text = format_keystore(sealed());
    const auto file = parse_keystore(text);
    ASSERT_TRUE(file.ok()) << file.error().cause;
    EXPECT_EQ(file.value().description, description());
    const auto opened = open_key(file.value(), kPassphrase);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened.value().encode(), key().encode());
    EXPECT_EQ(format_keystore(file.value()), text);
    // The secret is nowhere in it, in neither order of its bytes.
    const auto secret = key().encode();
    EXPECT_EQ(text.find(to_hex(std::span(secret).first(8)).substr(2)), std::string::npos);
    // The helper below makes the checksum as the file has it.
    EXPECT_EQ(repaired(text), text);
}

TEST(WalletKeystore, AnotherPassphraseDoesNotOpenIt) {
    const std::string text = format_keystore(sealed());
    for (const std::string_view wrong : {"", "correct horse battery ", "Correct horse battery", "correct horse batter"})
        EXPECT_EQ(name_of_problem(text, wrong), "wrong_passphrase") << wrong;
}

TEST(WalletKeystore, EveryFieldIsProtected) {
    const std::string text = format_keystore(sealed());
    std::size_t num_values = 0;
    for (std::size_t at = text.find("\":"); at != std::string::npos; at = text.find("\":", at + 1)) {
        const std::size_t name_at = text.rfind('"', at - 1) + 1;
        const std::string name = text.substr(name_at, at - name_at);
        // The last character of the value: a digit, or a letter of a word.
        std::size_t last = text.find_first_of(",\n", at) - 1;
        if (text[last] == '"') --last;
        std::string changed = text;
        changed[last] = text[last] == '1' ? '2' : '1';
        ++num_values;
        const std::string damaged = name_of_problem(changed);
        const std::string expected_now = name == "format"                    ? "not_a_keystore"
                                         : name == "version"                 ? "keystore_version"
                                         : name == "kdf" || name == "cipher" ? "keystore_parameters"
                                                                             : "keystore_damaged";
        EXPECT_EQ(damaged, expected_now) << name;
        if (name == "checksum") continue;
        // Somebody who knows how the checksum is made gets no further: nothing opens, and no huge derivation starts.
        const std::string forged = name_of_problem(repaired(changed));
        EXPECT_NE(forged, "opened") << name;
        const bool is_crypto = name == "key_hash" || name == "address" || name == "chain_id" || name == "hub" ||
                               name == "rollup" || name == "key_index" || name == "salt" || name == "iv" ||
                               name == "ciphertext" || name == "tag";
        if (is_crypto) {
            EXPECT_EQ(forged, "wrong_passphrase") << name;
        }
    }
    EXPECT_EQ(num_values, 19u);
}

TEST(WalletKeystore, RefusesDerivationsOutOfBounds) {
    KeystoreFile file = sealed();
    for (const ScryptCost cost : {ScryptCost{9, 8, 1}, ScryptCost{21, 8, 1}, ScryptCost{4'000'000'000, 8, 1},
                                  ScryptCost{10, 7, 1}, ScryptCost{10, 8, 0}, ScryptCost{10, 8, 5}}) {
        file.cost = cost;
        EXPECT_EQ(name_of_problem(format_keystore(file)), "keystore_parameters");
    }
}

TEST(WalletKeystore, RefusesACutFile) {
    const std::string text = format_keystore(sealed());
    for (std::size_t size = 0; size + 3 < text.size(); size += 7)
        EXPECT_NE(name_of_problem(text.substr(0, size)), "opened") << size;
    EXPECT_EQ(name_of_problem(std::string(kMaxKeystoreBytes + 1, ' ')), "not_a_keystore");
}

TEST(WalletFolder, NeverOverwritesAndKeepsOthersOut) {
    const std::string path = testing::TempDir() + "wallet_folder_test";
    std::filesystem::remove_all(path);
    const WalletFolder folder(path);
    EXPECT_TRUE(folder.key_names().empty());
    EXPECT_EQ(folder.read_key("main").error().name, "no_such_key");
    ASSERT_TRUE(folder.add_key("main", sealed()).ok());
    EXPECT_EQ(folder.add_key("main", sealed()).error().name, "key_exists");
    struct stat info{};
    ASSERT_EQ(::stat(folder.key_path("main").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    EXPECT_EQ(info.st_nlink, 1U);
    ASSERT_EQ(::stat((path + "/keys").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700U);
    ASSERT_TRUE(folder.add_key("second", sealed()).ok());
    EXPECT_EQ(folder.key_names(), (std::vector<std::string>{"main", "second"}));
    EXPECT_TRUE(folder.read_key("main").ok());
    // No temporary file stays behind.
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path + "/keys"), {}), 2);
    std::filesystem::remove_all(path);
}

TEST(WalletFolder, NamesCannotLeaveIt) {
    for (const std::string_view bad : {"", "..", "a/b", "A", "-x", "a.json", "a b", "a\n"})
        EXPECT_FALSE(is_key_name(bad));
    EXPECT_FALSE(is_key_name(std::string(33, 'a')));
    EXPECT_TRUE(is_key_name("savings-2_b"));
}

}  // namespace
}  // namespace quarry::node::wallet::keystore_test
