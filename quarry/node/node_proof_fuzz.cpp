/// Proofs of nodes and of data as anyone may hand them over: whatever the parsers accept is written again so that it
/// reads the same, and verifying it ends in a verdict.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/node/data_proof.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/node_proof.hpp"

namespace {

using namespace quarry;
using namespace quarry::node;

void check_statement(std::string_view text) {
    const auto statement = parse_node_statement(text);
    if (!statement) return;
    const auto again = parse_node_statement(to_text(statement.value()));
    QUARRY_CHECK(again && again.value() == statement.value());
    (void)digest_of(statement.value());
}

void check_node(std::span<const std::uint8_t> bytes) {
    auto file = parse_node_proof(bytes);
    if (!file) return;
    const auto again = parse_node_proof(encode(file.value()));
    QUARRY_CHECK(again && again.value().statement == file.value().statement &&
                 again.value().proof == file.value().proof && again.value().keys == file.value().keys);
    // The verifier is beyond the digest of the key table, which no fuzzer guesses.
    QUARRY_CHECK(find_catalog() != nullptr);
    file.value().keys = find_catalog()->keys().digest();
    (void)verify(*find_catalog(), file.value());
}

void check_data(std::span<const std::uint8_t> bytes) {
    if (const auto input = parse_data_input(bytes)) {
        const auto again = encode(*input);
        QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    }
    if (const auto proof = parse_data_proof(bytes)) {
        const auto again = parse_data_proof(encode(*proof));
        QUARRY_CHECK(again && again->statement == proof->statement && again->proof == proof->proof);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> bytes(data, size);
    check_statement(as_text(bytes));
    check_node(bytes);
    check_data(bytes);
    return 0;
}
