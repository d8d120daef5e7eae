// Proof files from arbitrary bytes: decode_header, decode_proof and verify are total, what is accepted has one
// encoding, and nothing but the one valid proof of the one statement is accepted.
//
// The first byte of the input, mod 3, says what the rest is:
//   0   the bytes of a proof file
//   1   edits of the bytes of a valid proof, which is made at start-up (with 170 KiB too large for a kept corpus):
//       u8 kind, u24 position, u8 argument, as long as there are five bytes
//   2   the same edits of the decoded structure: verify() alone
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/base/check.hpp"
#include "quarry/proof/testing_circuit.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry {
namespace {

using FileBytes = std::vector<std::uint8_t>;

struct Fixture {
    Circuit circuit{"cubes", testing::cube_tables()};
    testing::CubeSystem system = testing::make_cube_system(circuit);
    Proof proof = prove(circuit, system.trace, system.statement);
    FileBytes file = encode_proof(circuit, proof, system.statement);
};

const Fixture& fixture() {
    static const Fixture f;
    return f;
}

/// What any input must go through, whatever it is.
void check_file(const FileBytes& file) {
    const Fixture& f = fixture();
    const auto header = decode_header(file);
    const auto decoded = decode_proof(f.circuit, file, f.system.statement);
    QUARRY_CHECK(!decoded.ok() || header.ok());
    const bool accepted = verify_encoded(f.circuit, file, f.system.statement).ok();
    QUARRY_CHECK(accepted == (decoded.ok() && verify(f.circuit, decoded.value(), f.system.statement).ok()));
    if (!decoded.ok()) return;
    QUARRY_CHECK(encode_proof(f.circuit, decoded.value(), f.system.statement) == file);
    const Status verified = verify(f.circuit, decoded.value(), f.system.statement);
    QUARRY_CHECK(!verified.ok() || file == f.file);
    QUARRY_CHECK(verify(f.circuit, decoded.value(), {}).ok() == false);
}

/// The structure behind the bytes: verify() is total on any Proof, also on one that no file decodes to.
void check_struct(std::span<const std::uint8_t> in) {
    const Fixture& f = fixture();
    Proof proof = f.proof;
    bool changed = false;
    for (; in.size() >= 5; in = in.subspan(5)) {
        const std::size_t at = in[1] | (std::size_t{in[2]} << 8) | (std::size_t{in[3]} << 16);
        const std::uint8_t argument = in[4];
        auto& oracles = proof.openings.oracles;
        std::vector<Opening>* oracle = oracles.empty() ? nullptr : &oracles[at % oracles.size()];
        Opening* opening = oracle == nullptr || oracle->empty() ? nullptr : &(*oracle)[at / 8 % oracle->size()];
        changed = true;
        switch (in[0] % 12) {
            case 0:
                if (!proof.stream.empty()) proof.stream[at % proof.stream.size()] = KoalaBear(argument);
                break;
            case 1:
                proof.stream.resize(at % (proof.stream.size() + 16));
                break;
            case 2:
                proof.heights.assign(argument % 4, 9 + static_cast<unsigned>(at % 16));
                break;
            case 3:
                if (!proof.heights.empty()) proof.heights[at % proof.heights.size()] = argument;
                break;
            case 4:
                proof.security_bits = argument;
                break;
            case 5:
                oracles.resize(argument % 5);
                break;
            case 6:
                if (oracle != nullptr) oracle->resize(at % 400);
                break;
            case 7:
                if (opening != nullptr) opening->row.resize(argument);
                break;
            case 8:
                if (opening != nullptr) opening->path.resize(argument);
                break;
            case 9:
                if (opening != nullptr && !opening->row.empty())
                    opening->row[argument % opening->row.size()] += KoalaBear(1);
                break;
            case 10:
                if (opening != nullptr && !opening->path.empty()) {
                    opening->path[argument % opening->path.size()][at % kDigestSize] += KoalaBear(1);
                }
                break;
            default:
                if (oracle != nullptr && !oracle->empty()) (*oracle)[argument % oracle->size()] = (*oracle)[0];
        }
    }
    const Status verified = verify(f.circuit, proof, f.system.statement);
    QUARRY_CHECK(changed || verified.ok());
    if (!verified.ok()) return;
    QUARRY_CHECK(proof.security_bits == f.proof.security_bits && proof.heights == f.proof.heights);
    QUARRY_CHECK(proof.stream == f.proof.stream && encode_proof(f.circuit, proof, f.system.statement) == f.file);
}

/// Edits of the bytes of the valid proof.
void check_edits(std::span<const std::uint8_t> in) {
    FileBytes file = fixture().file;
    for (; in.size() >= 5; in = in.subspan(5)) {
        const std::size_t at = in[1] | (std::size_t{in[2]} << 8) | (std::size_t{in[3]} << 16);
        const std::uint8_t argument = in[4];
        if (file.empty()) break;
        const std::size_t place = at % file.size();
        switch (in[0] % 6) {
            case 0:
                file[place] ^= argument;
                break;
            case 1:
                file[place % 80] = argument;  // the header
                break;
            case 2:
                file.resize(place);
                break;
            case 3:
                file.insert(file.end(), argument, std::uint8_t{0});
                break;
            case 4: {  // one word replaced by another of the same file
                const std::size_t from = (at * 31 + argument) % file.size();
                const std::size_t n = std::min({std::size_t{4}, file.size() - place, file.size() - from});
                for (std::size_t i = 0; i < n; ++i) file[place + i] = file[from + i];
                break;
            }
            default: {  // + p: another word for the same element, where it fits
                const std::size_t word = place / 4 * 4;
                if (word + 4 > file.size()) break;
                std::uint64_t x = KoalaBear::kModulus;
                for (std::size_t i = 0; i < 4; ++i) x += std::uint64_t{file[word + i]} << (8 * i);
                for (std::size_t i = 0; i < 4; ++i) file[word + i] = static_cast<std::uint8_t>(x >> (8 * i));
            }
        }
    }
    check_file(file);
}

}  // namespace
}  // namespace quarry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        quarry::check_file({});
        return 0;
    }
    const std::span<const std::uint8_t> rest(data + 1, size - 1);
    switch (data[0] % 3) {
        case 0:
            quarry::check_file({rest.begin(), rest.end()});
            break;
        case 1:
            quarry::check_edits(rest);
            break;
        default:
            quarry::check_struct(rest);
    }
    return 0;
}
