#include "quarry/node/wallet/backup.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "quarry/node/wallet/bech32m.hpp"

namespace quarry::node::wallet {
namespace {

constexpr std::string_view kSecretPrefix = "quarrysecret";
constexpr std::uint8_t kBackupVersion = 1;
constexpr std::size_t kSecretBytes = KB11::kScalarBytes;
constexpr std::size_t kBackupBytes = 1 + kSecretBytes + 20;
constexpr std::size_t kMaxChars = 1024;

}  // namespace

SecretText format_backup(const Backup& backup) {
    SecretBytes<kBackupBytes> bytes;
    auto& b = bytes.bytes();
    b[0] = kBackupVersion;
    std::ranges::copy(backup.secret.bytes(), b.begin() + 1);
    std::ranges::copy(backup.address.bytes, b.begin() + 1 + kSecretBytes);
    return SecretText(encode_bech32m(kSecretPrefix, b));
}

SecretText print_backup(const Backup& backup) {
    constexpr std::size_t kGroup = 6;
    constexpr std::size_t kGroupsOfLine = 5;
    const SecretText text = format_backup(backup);
    std::string lines;
    lines.reserve(2 * text.text().size());  // in one place, so that one place is wiped
    for (std::size_t i = 0; i < text.text().size(); i += kGroup) {
        if (i > 0) lines += i / kGroup % kGroupsOfLine == 0 ? '\n' : ' ';
        lines.append(text.text(), i, kGroup);
    }
    lines += '\n';
    return SecretText(std::move(lines));
}

std::optional<Backup> parse_backup(std::string_view text) {
    if (text.size() > kMaxChars) return std::nullopt;
    std::string compact;
    compact.reserve(text.size());
    for (const char c : text) {
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') compact += c;
    }
    auto bytes = decode_bech32m(kSecretPrefix, compact);
    wipe(compact.data(), compact.size());
    if (!bytes) return std::nullopt;
    Backup backup;
    const bool fits = bytes->size() == kBackupBytes && bytes->front() == kBackupVersion;
    if (fits) {
        std::copy_n(bytes->begin() + 1, kSecretBytes, backup.secret.bytes().begin());
        std::copy(bytes->begin() + 1 + kSecretBytes, bytes->end(), backup.address.bytes.begin());
    }
    wipe(bytes->data(), bytes->size());
    if (!fits || backup.address.is_zero() || !SecretKey<KB11>::decode(backup.secret.bytes())) return std::nullopt;
    return backup;
}

}  // namespace quarry::node::wallet
