#include "quarry/codegen/terminal_contracts.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "quarry/base/check.hpp"
#include "quarry/hash/merkle.hpp"
#include "quarry/proof/keccak_wire.hpp"

namespace quarry::codegen {
namespace {

/// Of a contract's code, which stays under EIP-170's 24,576 bytes, less the zero byte before data.
constexpr std::size_t kMaxData = 24'576 - 2;
constexpr std::size_t kMaxProgramParts = 4;
constexpr std::uint8_t kPrefixBytes = 10;

constexpr std::string_view kHeader =
    "// SPDX-License-Identifier: Apache-2.0\n"
    "pragma solidity 0.8.37;\n"
    "\n"
    "// Made by `quarry codegen`; not to be changed by hand.\n"
    "\n";

std::string hex(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string r;
    for (const std::uint8_t b : bytes) r += {kDigits[b >> 4], kDigits[b & 15]};
    return r;
}

std::optional<std::uint8_t> digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    return std::nullopt;
}

std::string number(std::size_t x) { return std::to_string(x); }

/// The code of a contract that is data, behind a zero byte, which no call gets past.
std::vector<std::uint8_t> data_code(std::span<const std::uint8_t> data) {
    QUARRY_CHECK(data.size() <= kMaxData);
    std::vector<std::uint8_t> code{0};
    code.insert(code.end(), data.begin(), data.end());
    return code;
}

/// What a transaction that creates it has as its data: ten bytes that return all behind them.
std::vector<std::uint8_t> creation_code(const std::vector<std::uint8_t>& code) {
    const auto size = static_cast<std::uint16_t>(code.size());
    // PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN
    std::vector<std::uint8_t> r{0x61,
                                static_cast<std::uint8_t>(size >> 8),
                                static_cast<std::uint8_t>(size),
                                0x80,
                                0x60,
                                kPrefixBytes,
                                0x3d,
                                0x39,
                                0x3d,
                                0xf3};
    QUARRY_CHECK(r.size() == kPrefixBytes);
    r.insert(r.end(), code.begin(), code.end());
    return r;
}

/// In the order of the verifier's constructor: the cap, then the programs in as many parts as they need.
std::vector<std::vector<std::uint8_t>> data_codes(const TerminalDesign& design,
                                                  std::span<const std::uint8_t> programs) {
    std::vector<std::uint8_t> cap;
    for (const Bytes32& node : design.cap) cap.insert(cap.end(), node.begin(), node.end());
    std::vector<std::vector<std::uint8_t>> codes{data_code(cap)};
    for (; !programs.empty(); programs = programs.subspan(std::min(kMaxData, programs.size()))) {
        codes.push_back(data_code(programs.first(std::min(kMaxData, programs.size()))));
    }
    QUARRY_CHECK(codes.size() <= 1 + kMaxProgramParts);
    return codes;
}

std::string data_text(const std::vector<std::vector<std::uint8_t>>& codes) {
    std::string s = "{\n  \"made by\": \"quarry codegen\",\n  \"code\": [";
    for (std::size_t i = 0; i < codes.size(); ++i) {
        s += std::string(i == 0 ? "\n" : ",\n") + "    \"0x" + hex(creation_code(codes[i])) + "\"";
    }
    return s + "\n  ]\n}\n";
}

/// Where the words of the public input stand does not matter, only their number.
Statement empty_statement(unsigned profile) {
    const std::vector<KoalaBear> limbs(rollup::kTerminalHeadLimbs + profile * rollup::kTerminalItemLimbs);
    return recursion::terminal_statement(limbs);
}

/// A function that the contract has as a constant.
std::string constant_text(const std::string& head, const std::string& type, const std::string& value) {
    return "\n    function " + head + " pure override returns (" + type + ") {\n        return " + value + ";\n    }\n";
}

/// Numbers of so many bits each, the first one lowest.
std::string packed(std::span<const std::size_t> numbers, std::size_t bits) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = numbers.size(); i-- > 0;) {
        QUARRY_CHECK(numbers[i] >> bits == 0);
        for (std::size_t shift = bits; shift > 0; shift -= 8) {
            bytes.push_back(static_cast<std::uint8_t>(numbers[i] >> (shift - 8)));
        }
    }
    QUARRY_CHECK(bytes.size() <= sizeof(Bytes32));
    return "0x" + hex(bytes);
}

std::string opening_text(const TerminalDesign& design, const WhirParameters& parameters) {
    const StackLayout layout =
        make_stack_layout(*design.circuit, design.heights, kTerminalProtocol.log_stack_lanes).value();
    std::vector<std::size_t> rounds;
    for (const WhirRound& r : parameters.rounds) {
        rounds.insert(rounds.end(), {r.log_lanes, r.log_message, r.log_inv_rate, r.num_queries, r.grinding_bits});
    }
    return "Opening.Shape(" + number(parameters.log_size) + ", " + number(layout.preprocessed_lanes) + ", " +
           number(layout.witness_lanes()) + ", " + number(parameters.log_final) + ", " +
           number(parameters.rounds.size()) + ", " + packed(rounds, 8) + ")";
}

/// What contracts/src/Opening.sol takes for granted.
static_assert(KeccakPolicy::kLogKeyCap == 9);  // Opening.PREPROCESSED_CAP
void check_opening(const WhirParameters& parameters) {
    QUARRY_CHECK(parameters.rounds.size() >= 2);
    for (std::size_t i = 0; i < parameters.rounds.size(); ++i) {
        const WhirRound& r = parameters.rounds[i];
        QUARRY_CHECK(r.log_message + r.log_inv_rate <= 24 && r.num_queries >= 2);
        QUARRY_CHECK(r.grinding_bits > 0);         // Transcript.checkWork takes any nonce for none, verifiers only 0
        QUARRY_CHECK(i == 0 || r.log_lanes <= 5);  // Poly.rowDotInE
        QUARRY_CHECK(i + 1 == parameters.rounds.size() || r.log_message % 2 == 0);  // Poly.powAt
    }
}

std::string constants_text(const TerminalDesign& design, const VerifierPrograms& v) {
    const WhirParameters parameters = generate_parameters(kTerminalProtocol, v.log_size, design.security_bits);
    check_opening(parameters);
    QUARRY_CHECK(v.log_rows >= 4);  // TerminalVerifier binds variables 0 to 3 last
    KeccakVerifyingKey key;
    key.circuit_digest = design.circuit->digest();
    key.preprocessed_root = design.preprocessed_root;
    const Bytes32 digest = keccak_key_digest(*design.circuit, design.heights, parameters, design.security_bits,
                                             empty_statement(design.profile), &key, kTerminalProtocol);
    const std::size_t stream =
        proof_stream_length(*design.circuit, design.heights, parameters, kTerminalProtocol, KeccakPolicy::kUnits);
    std::string s = constant_text("profile() public", "uint256", number(design.profile)) +
                    constant_text("keyDigest() public", "bytes32", "0x" + hex(digest));
    const std::vector<std::pair<const char*, std::size_t>> numbers{
        {"proofBytes", keccak_proof_size(*design.circuit, design.heights, parameters, kTerminalProtocol)},
        {"streamBytes", stream},
        {"logFractions", v.log_fractions},
        {"logRows", v.log_rows},
        {"degree", v.degree},
        {"numValues", v.num_values},
        {"numDeltas", v.num_deltas},
        {"rhoSlot", v.rho},
        {"fractionSlot", v.fraction},
        {"zSlot", v.z},
        {"valuesSlot", v.values},
        {"deltasSlot", v.deltas},
        {"pointSlot", v.point},
        {"endOfSlots", v.programs.end_of_slots},
    };
    for (const auto& [name, value] : numbers) {
        s += constant_text("_" + std::string(name) + "() internal", "uint256", number(value));
    }
    std::vector<std::size_t> slots;
    for (const auto& of_stage : v.programs.outputs) slots.push_back(of_stage.at(0));
    s += constant_text("_programEnds() internal", "uint256", packed(v.programs.ends, 32));
    s += constant_text("_resultSlots() internal", "uint256", packed(slots, 32));
    return s + constant_text("_opening() internal", "Opening.Shape memory", opening_text(design, parameters));
}

std::string verifier_text(const TerminalDesign& design, const VerifierPrograms& programs,
                          const std::vector<Bytes32>& hashes) {
    const std::string name = "TerminalVerifier" + number(design.profile);
    std::string s(kHeader);
    s += "import {Opening} from \"../Opening.sol\";\nimport {TerminalVerifier} from \"../TerminalVerifier.sol\";\n\n";
    s += "/// Verifies terminal proofs with room for " + number(design.profile) +
         (design.profile == 1 ? " batch.\n" : " batches.\n");
    s += "contract " + name + " is TerminalVerifier {\n";
    s += "    constructor(address[] memory data) TerminalVerifier(data) {}\n\n";
    s += "    function dataHashes() public pure override returns (bytes32[] memory hashes) {\n";
    s += "        hashes = new bytes32[](" + number(hashes.size()) + ");\n";
    for (std::size_t i = 0; i < hashes.size(); ++i) {
        s += "        hashes[" + number(i) + "] = 0x" + hex(hashes[i]) + ";\n";
    }
    return s + "    }\n" + constants_text(design, programs) + "}\n";
}

}  // namespace

TerminalDesign terminal_design(const recursion::Terminal& terminal, const Bytes32& root, std::vector<Bytes32> cap) {
    return {1U << terminal.log_profile(),
            &terminal.circuit(),
            recursion::heights_of(terminal.shape_heights()),
            terminal.security_bits(),
            root,
            std::move(cap)};
}

std::string data_file_name(unsigned profile) { return "TerminalData" + number(profile) + ".json"; }

std::optional<std::vector<Bytes32>> cap_of(std::string_view text, const Bytes32& root) {
    constexpr std::string_view kBegin = "\"0x";
    std::size_t at = text.find(kBegin);
    if (at == std::string_view::npos) return std::nullopt;
    std::vector<std::uint8_t> bytes;
    for (at += kBegin.size(); at + 1 < text.size() && text[at] != '"'; at += 2) {
        const auto high = digit(text[at]);
        const auto low = digit(text[at + 1]);
        if (!high || !low) return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(*high << 4 | *low));
    }
    std::vector<Bytes32> nodes(std::size_t{1} << KeccakPolicy::kLogKeyCap);
    constexpr std::size_t kBehind = kPrefixBytes + 1;
    if (bytes.size() != kBehind + nodes.size() * sizeof(Bytes32)) return std::nullopt;
    auto from = bytes.begin() + kBehind;
    for (Bytes32& node : nodes) {
        std::copy_n(from, node.size(), node.begin());
        from += static_cast<std::ptrdiff_t>(node.size());
    }
    if (merkle_root_over<KeccakHasher>(nodes) != root) return std::nullopt;
    return nodes;
}

std::vector<SourceFile> terminal_contracts(std::span<const TerminalDesign> designs) {
    std::vector<SourceFile> files;
    for (const TerminalDesign& design : designs) {
        QUARRY_CHECK(merkle_root_over<KeccakHasher>(design.cap) == design.preprocessed_root);
        const VerifierPrograms programs = trace_verifier(*design.circuit, design.heights);
        const auto codes = data_codes(design, programs.programs.code);
        std::vector<Bytes32> hashes;
        for (const auto& code : codes) hashes.push_back(keccak256(code));
        files.push_back({data_file_name(design.profile), data_text(codes)});
        files.push_back(
            {"TerminalVerifier" + number(design.profile) + ".sol", verifier_text(design, programs, hashes)});
    }
    return files;
}

}  // namespace quarry::codegen
