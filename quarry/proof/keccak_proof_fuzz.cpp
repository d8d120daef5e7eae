// Proofs over Keccak from arbitrary bytes: decode_keccak_proof and verify are total, what is decoded has one encoding,
// and nothing but the one valid proof of the one statement is accepted.
//
// The input is edits of the bytes of a valid proof, which is made at start-up: u8 kind, u24 position, u8 argument, as
// long as there are five bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/base/check.hpp"
#include "quarry/proof/keccak_wire.hpp"
#include "quarry/proof/testing_circuit.hpp"

namespace quarry {
namespace {

using ProofBytes = std::vector<std::uint8_t>;

struct Fixture {
    Circuit circuit{"cubes", testing::cube_tables()};
    testing::CubeSystem system = testing::make_cube_system(circuit);
    ProofBytes bytes = encode_keccak_proof(circuit, prove<KeccakPolicy>(circuit, system.trace, system.statement));
};

const Fixture& fixture() {
    static const Fixture f;
    return f;
}

void check(const ProofBytes& bytes) {
    const Fixture& f = fixture();
    const auto decoded = decode_keccak_proof(f.circuit, f.system.trace.heights(), bytes);
    QUARRY_CHECK(!decoded.ok() || bytes.size() == f.bytes.size());
    if (!decoded.ok()) return;
    QUARRY_CHECK(encode_keccak_proof(f.circuit, decoded.value()) == bytes);
    const bool accepted = verify(f.circuit, decoded.value(), f.system.statement).ok();
    QUARRY_CHECK(accepted == (bytes == f.bytes));
    QUARRY_CHECK(!verify(f.circuit, decoded.value(), {}).ok());
}

void edit(ProofBytes& bytes, std::uint8_t kind, std::size_t at, std::uint8_t argument) {
    if (bytes.empty()) return;
    const std::size_t place = at % bytes.size();
    switch (kind % 5) {
        case 0:
            bytes[place] ^= argument;
            break;
        case 1:
            bytes.resize(place);
            break;
        case 2:
            bytes.insert(bytes.end(), argument, std::uint8_t{0});
            break;
        case 3: {  // one digest replaced by others of the same proof
            const std::size_t from = (at * 31 + argument) % bytes.size();
            const std::size_t n = std::min({std::size_t{32}, bytes.size() - place, bytes.size() - from});
            for (std::size_t i = 0; i < n; ++i) bytes[place + i] = bytes[from + i];
            break;
        }
        default: {  // + p: another word for the same element, where it fits
            const std::size_t word = place / 4 * 4;
            if (word + 4 > bytes.size()) break;
            std::uint64_t x = 0;
            for (std::size_t i = 0; i < 4; ++i) x = x << 8 | bytes[word + i];
            x += KoalaBear::kModulus;
            for (std::size_t i = 0; i < 4; ++i) bytes[word + i] = static_cast<std::uint8_t>(x >> (24 - 8 * i));
        }
    }
}

}  // namespace
}  // namespace quarry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    quarry::ProofBytes bytes = quarry::fixture().bytes;
    for (std::span<const std::uint8_t> in(data, size); in.size() >= 5; in = in.subspan(5)) {
        quarry::edit(bytes, in[0], in[1] | (std::size_t{in[2]} << 8) | (std::size_t{in[3]} << 16), in[4]);
    }
    quarry::check(bytes);
    return 0;
}
