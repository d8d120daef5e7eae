#include "tests/evm/terminal_fixture.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "quarry/codegen/terminal_contracts.hpp"
#include "quarry/recursion/pinned_keys.hpp"

namespace quarry::evm {

ByteString read_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const ByteString& bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file) throw std::runtime_error("cannot write " + path);
}

ByteString pack_limbs(const std::vector<KoalaBear>& limbs) {
    ByteString bytes;
    for (const KoalaBear x : limbs) {
        bytes.push_back(static_cast<std::uint8_t>(x.canonical() >> 8));
        bytes.push_back(static_cast<std::uint8_t>(x.canonical()));
    }
    return bytes;
}

std::vector<KoalaBear> unpack_limbs(const ByteString& bytes) {
    std::vector<KoalaBear> limbs;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        limbs.emplace_back(std::uint64_t{bytes[i]} << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0U));
    }
    return limbs;
}

Verifier::Verifier(std::shared_ptr<const recursion::Wrap> wrap, unsigned log_profile, const std::string& source_folder)
    : terminal_(std::move(wrap), log_profile) {
    const std::string profile = std::to_string(1U << log_profile);
    const auto& last = recursion::pinned_keys().last;
    const auto pinned = std::ranges::find(last, "terminal of " + profile, &recursion::LastKey::name);
    if (pinned == last.end()) throw std::runtime_error("no key of the terminal is pinned");
    const std::string path = source_folder + "/contracts/src/generated/" + codegen::data_file_name(1U << log_profile);
    const ByteString text = read_bytes(path);
    auto cap = codegen::cap_of(std::string(text.begin(), text.end()), pinned->root);
    if (!cap) throw std::runtime_error(path + " has not the cap of the pinned key: run `quarry codegen`");
    key_.circuit_digest = terminal_.circuit().digest();
    key_.security_bits = terminal_.security_bits();
    key_.log_size = make_stack_layout(terminal_.circuit(), recursion::heights_of(terminal_.shape_heights()),
                                      kTerminalProtocol.log_stack_lanes)
                        .value()
                        .log_size;
    key_.preprocessed_root = pinned->root;
    key_.preprocessed_cap = std::move(*cap);
}

Status Verifier::verify(const ByteString& limbs, const ByteString& proof) const {
    if (limbs.size() % 2 != 0) return Error{Errc::bad_length, "public input"};
    return recursion::verify_terminal(terminal_, key_, unpack_limbs(limbs), proof);
}

std::string fixture_path(const std::string& source_folder, unsigned profile, const char* ending) {
    return source_folder + "/contracts/test/vectors/terminal-" + std::to_string(profile) + "." + ending;
}

Fixture read_fixture(const std::string& source_folder, unsigned profile) {
    return {read_bytes(fixture_path(source_folder, profile, "limbs")),
            read_bytes(fixture_path(source_folder, profile, "proof"))};
}

}  // namespace quarry::evm
