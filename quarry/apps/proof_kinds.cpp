#include "quarry/apps/proof_kinds.hpp"

#include <fmt/format.h>

#include <charconv>

#include "quarry/apps/failure.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/circuits/poseidon_table.hpp"
#include "quarry/circuits/segment.hpp"
#include "quarry/node/statement_json.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry::apps {

std::unique_ptr<const Circuit> make_permutation_circuit() {
    std::vector<Table> tables;
    tables.push_back(make_table<PoseidonPermutationTable>());
    return std::make_unique<const Circuit>("permutations", std::move(tables));
}

ProofFile read_proof_file(const std::string& path) {
    ProofFile file;
    file.path = path;
    file.bytes = read_file(path, kMaxProofFileBytes);
    auto header = decode_header(file.bytes);
    if (!header) throw refusal(exit_bad_input, path, header.error());
    file.header = std::move(header).value();
    file.kind = "unknown";
    const auto try_kind = [&](std::shared_ptr<const Circuit> circuit) {
        if (file.circuit || file.header.key_digest != digest_bytes(circuit->digest())) return;
        file.kind = circuit->name();
        file.circuit = std::move(circuit);
    };
    try_kind(make_permutation_circuit());
    if (!file.circuit) try_kind({&circuits::segment_circuit(), [](const Circuit*) {}});
    return file;
}

rollup::SegmentStatement read_statement_file(const std::string& path) {
    const auto bytes = read_file(path, node::kMaxStatementBytes);
    auto statement =
        node::parse_segment_statement(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    if (statement) return std::move(statement).value();
    throw Failure(exit_bad_input, "bad_statement",
                  fmt::format("{}: {}", path,
                              statement.error().field.empty()
                                  ? node::json_code_text(statement.error().code)
                                  : statement.error().field + ": " + node::json_code_text(statement.error().code)),
                  "give the file that `quarry prove` wrote beside the proof");
}

std::optional<rollup::L1Address> parse_address(std::string_view text) {
    rollup::L1Address address;
    if (text.size() != 2 + 2 * address.bytes.size() || !text.starts_with("0x")) return std::nullopt;
    for (std::size_t i = 0; i < address.bytes.size(); ++i) {
        const char* digits = text.data() + 2 + 2 * i;
        const auto parsed = std::from_chars(digits, digits + 2, address.bytes[i], 16);
        if (parsed.ec != std::errc() || parsed.ptr != digits + 2) return std::nullopt;
    }
    if (address.is_zero()) return std::nullopt;
    return address;
}

double provable_bits(unsigned log_size, unsigned security_bits) {
    return minimum_bits(analyse(generate_whir_parameters(log_size, security_target(security_bits))));
}

std::array<std::uint8_t, 32> digest_bytes(const Digest& digest) {
    std::array<std::uint8_t, 32> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(digest[i / 4].canonical() >> (8 * (i % 4)));
    }
    return bytes;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
    std::string text;
    for (const std::uint8_t b : bytes) text += fmt::format("{:02x}", b);
    return text;
}

}  // namespace quarry::apps
