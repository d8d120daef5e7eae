#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/codegen/verifier_programs.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/recursion/terminal.hpp"

/// The generated part of the contracts that verify terminal proofs: contracts/src/generated.
/// docs/spec/terminal-proof.md, section 5.
namespace quarry::codegen {

struct SourceFile {
    std::string name;
    std::string text;
    friend bool operator==(const SourceFile&, const SourceFile&) = default;
};

/// What one profile's verifier is made from.
struct TerminalDesign {
    unsigned profile = 0;  ///< 1, 4 or 16
    const Circuit* circuit = nullptr;
    Heights heights;
    unsigned security_bits = 0;
    Bytes32 preprocessed_root{};
    std::vector<Bytes32> cap;  ///< the nodes at level KeccakPolicy::kLogKeyCap
};
/// `root` is that of the terminal's key, and the cap leads to it.
TerminalDesign terminal_design(const recursion::Terminal& terminal, const Bytes32& root, std::vector<Bytes32> cap);

/// The name of the file with a profile's data contracts: "code", what creates each, in the order of the verifier's
/// constructor.
std::string data_file_name(unsigned profile);
/// The cap that such a file's text has, if it leads to the root; total.
std::optional<std::vector<Bytes32>> cap_of(std::string_view text, const Bytes32& root);

/// Every generated file. Deterministic.
std::vector<SourceFile> terminal_contracts(std::span<const TerminalDesign> designs);

}  // namespace quarry::codegen
