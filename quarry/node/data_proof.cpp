#include "quarry/node/data_proof.hpp"

#include <algorithm>

#include "quarry/circuits/data/data.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/statement_json.hpp"
#include "quarry/proof/wire.hpp"
#include "quarry/recursion/catalog.hpp"
#include "quarry/rollup/effects.hpp"

namespace quarry::node {
namespace {

constexpr std::uint32_t kInputMagic = 0x51444931;      // "QDI1"
constexpr std::uint32_t kDataProofMagic = 0x51445031;  // "QDP1"
constexpr std::size_t kBlobBytes = rollup::kBlobWords * rollup::kWordBytes;

}  // namespace

std::vector<std::uint8_t> encode(const DataInput& input) {
    std::vector<std::uint8_t> bytes;
    rollup::WordWriter w(bytes);
    w.integer(kInputMagic);
    w.integer(static_cast<std::uint8_t>(input.form));
    w.elements(input.before);
    w.bytes(input.l1_hash);
    w.bytes(input.words);
    return bytes;
}

std::optional<DataInput> parse_data_input(std::span<const std::uint8_t> bytes) {
    rollup::WordReader r(bytes);
    const bool right_kind = r.integer<std::uint32_t>() == kInputMagic;
    DataInput input;
    input.form = r.flag(rollup::RejectCode::bad_flag) ? rollup::DataForm::blob : rollup::DataForm::horner;
    input.before = r.digest();
    input.l1_hash = r.bytes<32>();
    if (!right_kind || !r.verdict() || r.left() % rollup::kWordBytes != 0 || r.left() > kBlobBytes) return std::nullopt;
    const auto words = bytes.last(r.left());
    input.words.assign(words.begin(), words.end());
    return input;
}

std::vector<std::uint8_t> encode(const DataProof& proof) {
    const std::string statement = to_json(proof.statement);
    std::vector<std::uint8_t> bytes;
    rollup::WordWriter w(bytes);
    w.integer(kDataProofMagic);
    w.integer(static_cast<std::uint32_t>(statement.size()));
    w.bytes(as_bytes(statement));
    w.bytes(proof.proof);
    return bytes;
}

std::optional<DataProof> parse_data_proof(std::span<const std::uint8_t> bytes) {
    rollup::WordReader r(bytes);
    const bool right_kind = r.integer<std::uint32_t>() == kDataProofMagic;
    const auto size = r.integer<std::uint32_t>();
    if (!right_kind || size > kMaxStatementBytes || size > r.left()) return std::nullopt;
    const auto rest = bytes.last(r.left());
    const auto statement = parse_data_statement(as_text(rest.first(size)));
    if (!statement) return std::nullopt;
    const auto proof = rest.subspan(size);
    return DataProof{statement.value(), {proof.begin(), proof.end()}};
}

std::optional<std::vector<DataInput>> data_inputs(const BatchFiles& batch, DataPlacement placement,
                                                  std::span<const rollup::Bytes32> l1_hashes) {
    const bool blobs = placement == DataPlacement::blobs;
    if (!blobs && batch.data.size() > kBlobBytes) return std::nullopt;
    std::vector<DataInput> inputs;
    rollup::Accumulator at{rollup::header_hash(batch.header), 0};
    std::size_t first = 0;
    do {  // a batch without words has one binding too
        const std::size_t size = std::min(kBlobBytes, batch.data.size() - first);
        const auto words = std::span(batch.data).subspan(first, size);
        DataInput input{blobs ? rollup::DataForm::blob : rollup::DataForm::horner, at.digest, keccak256(words), {}};
        if (blobs) input.l1_hash[0] = 1;  // the version of EIP-4844's hashes
        if (inputs.size() < l1_hashes.size()) input.l1_hash = l1_hashes[inputs.size()];
        input.words.assign(words.begin(), words.end());
        inputs.push_back(std::move(input));
        for (std::size_t i = 0; i < size; i += rollup::kWordBytes) {
            at.absorb_word(std::span<const std::uint8_t, rollup::kWordBytes>(words.data() + i, rollup::kWordBytes));
        }
        first += size;
    } while (first < batch.data.size());
    if (!l1_hashes.empty() && l1_hashes.size() != inputs.size()) return std::nullopt;
    return inputs;
}

std::optional<DataInput> effects_input(const BatchFiles& batch) {
    if (batch.effects.empty()) return std::nullopt;
    DataInput input{rollup::DataForm::horner, rollup::effects_start().digest, {}, {}};
    for (const rollup::Effect& effect : batch.effects) rollup::encode(effect, input.words);
    input.l1_hash = keccak256(input.words);
    return input;
}

rollup::DataStatement statement_of(const DataInput& input, const rollup::L1Address& payee, std::uint64_t miner_tag) {
    return rollup::make_data_statement(input.form, input.before, input.words, input.l1_hash, payee, miner_tag);
}

Outcome<DataProof> prove_data(const DataInput& input, const rollup::L1Address& payee, std::uint64_t miner_tag,
                              unsigned security_bits) {
    const rollup::DataStatement statement = statement_of(input, payee, miner_tag);
    const auto rows = circuits::make_data_rows(statement, miner_tag, input.words, &recursion::data_heights());
    if (!rows) {
        return Problem{Problem::Kind::refused, errc_name(rows.error().code), "there is no proof of this data",
                       "bind it to another blob"};
    }
    QUARRY_CHECK(rows.value().heights == recursion::data_heights());  // they hold 4096 words
    ProveOptions options;
    options.security_bits = security_bits;
    const Statement input_tuples = circuits::data_public_input(statement);
    const Circuit& circuit = circuits::data_circuit();
    const Proof proof = prove(circuit, circuits::make_data_trace(rows.value()), input_tuples, options);
    return DataProof{statement, encode_proof(circuit, proof, input_tuples)};
}

}  // namespace quarry::node
