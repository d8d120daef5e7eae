#include "quarry/apps/proof_kinds.hpp"

#include <fmt/format.h>

#include "quarry/apps/failure.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/circuits/poseidon_table.hpp"
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
    auto circuit = make_permutation_circuit();
    file.kind = "unknown";
    if (file.header.key_digest == digest_bytes(circuit->digest())) {
        file.kind = circuit->name();
        file.circuit = std::move(circuit);
    }
    return file;
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
