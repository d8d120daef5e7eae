#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/node/node_proof.hpp"
#include "quarry/recursion/terminal.hpp"

/// The proof that a contract verifies, as a file: docs/spec/terminal-proof.md, section 4.
namespace quarry::node {

inline constexpr std::size_t kMaxTerminalProofBytes = std::size_t{1} << 20;

struct TerminalProofFile {
    unsigned log_profile = 0;  ///< room for 2^log_profile batches: 0, 2 or 4
    Digest keys{};             ///< the key table's digest
    BundleContent bundle;
    std::vector<std::uint8_t> proof;  ///< what the contract reads: prove_terminal
};

std::vector<std::uint8_t> encode(const TerminalProofFile& file);
/// Whether bytes begin like such a file.
bool is_terminal_proof(std::span<const std::uint8_t> bytes) noexcept;
/// Total. bad_input: no such file, or one with a statement that nobody can mean. The proof is not looked at.
Outcome<TerminalProofFile> parse_terminal_proof(std::span<const std::uint8_t> bytes);

/// The smallest profile with room for so many batches; no value: more than 16.
std::optional<unsigned> terminal_profile(std::size_t batches) noexcept;
/// The public input, as limbs. refused: the batches are not those of a bundle (the rule's code), or too many.
Outcome<std::vector<KoalaBear>> terminal_limbs(const BundleContent& bundle, unsigned log_profile);

/// The terminal proof of a bundle's. bad_input: not the proof of a bundle, or one that cannot be read; refused: as for
/// terminal_limbs. Precondition: a proof that verify() accepts.
Outcome<TerminalProofFile> prove_terminal(const recursion::Terminal& terminal, const NodeProofFile& bundle);
/// Ok iff the proof shows the statement. wrong_key: another key table or profile than `terminal`'s. `key`: of it.
Status verify(const recursion::Terminal& terminal, const KeccakVerifyingKey& key, const TerminalProofFile& file);

}  // namespace quarry::node
