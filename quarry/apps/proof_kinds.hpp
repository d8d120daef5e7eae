#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/proof/circuit.hpp"
#include "quarry/proof/wire.hpp"
#include "quarry/rollup/statement.hpp"

/// The kinds of proof that this program makes and verifies, and their files.
namespace quarry::apps {

inline constexpr const char* kSegmentKind = "segment";
inline constexpr std::size_t kMaxProofFileBytes = std::size_t{16} << 20;

/// Poseidon permutations on no bus, without a statement: `quarry bench permutations`.
std::unique_ptr<const Circuit> make_permutation_circuit();

struct ProofFile {
    std::string path;
    std::vector<std::uint8_t> bytes;
    ProofHeader header;
    std::string kind;                        ///< "permutations", "segment", or "unknown"
    std::shared_ptr<const Circuit> circuit;  ///< null iff the kind is unknown
    [[nodiscard]] bool is_segment() const { return kind == kSegmentKind; }
};

/// The statement of a segment's proof, as `quarry prove` writes it. Throws Failure(exit_bad_input).
rollup::SegmentStatement read_statement_file(const std::string& path);

/// Reads a file and its header. Throws Failure(exit_bad_input): unreadable, or no proof of this format.
ProofFile read_proof_file(const std::string& path);

/// The level that analyse() gives to proofs of 2^log_size stacked cells made for `security_bits`.
double provable_bits(unsigned log_size, unsigned security_bits);

/// The element-wise bytes of a digest, as a proof's header has them.
std::array<std::uint8_t, 32> digest_bytes(const Digest& digest);
std::string to_hex(std::span<const std::uint8_t> bytes);
/// "0x" and 40 hexadecimal digits; no value for anything else, and for the zero address.
std::optional<rollup::L1Address> parse_address(std::string_view text);

}  // namespace quarry::apps
