#include "quarry/node/state_records.hpp"

namespace quarry::node {

using rollup::Checked;
using rollup::RejectCode;
using rollup::WordReader;
using rollup::WordWriter;

namespace {

/// The reader's verdict at the end of a record that nothing may follow.
rollup::Verdict finish(const WordReader& r) {
    QUARRY_REQUIRE(r.verdict());
    if (r.left() != 0) return RejectCode::bad_length;
    return rollup::Accepted{};
}

}  // namespace

Bytes record_key(RecordKind kind) { return {static_cast<std::uint8_t>(kind)}; }

Bytes leaf_record_key(rollup::SlotIndex slot) {
    Bytes key = record_key(RecordKind::leaf);
    WordWriter(key).integer(slot);
    return key;
}

Bytes account_key_record_key(const rollup::KeyHash& hash) {
    Bytes key = record_key(RecordKind::account_key);
    WordWriter(key).elements(hash);
    return key;
}

Bytes batch_record_key(RecordKind kind, std::uint64_t batch_number) {
    Bytes key = record_key(kind);
    WordWriter(key).integer(batch_number);
    return key;
}

Bytes encode_format() {
    Bytes out;
    WordWriter w(out);
    w.integer(kStateMagic);
    w.integer(kStateVersion);
    return out;
}

rollup::Verdict parse_format(std::span<const std::uint8_t> bytes) {
    WordReader r(bytes);
    if (r.integer<std::uint32_t>() != kStateMagic) return RejectCode::bad_magic;
    if (r.integer<std::uint32_t>() != kStateVersion) return RejectCode::unsupported_version;
    return finish(r);
}

Bytes encode(const rollup::RollupParameters& parameters) {
    Bytes out;
    WordWriter w(out);
    w.integer(parameters.l1_chain_id);
    w.address(parameters.hub);
    w.integer(parameters.rollup_id);
    w.elements(parameters.genesis_root);
    w.amount(parameters.min_new_pair_fee);
    return out;
}

Checked<rollup::RollupParameters> parse_parameters(std::span<const std::uint8_t> bytes) {
    WordReader r(bytes);
    rollup::RollupParameters parameters;
    parameters.l1_chain_id = r.integer<std::uint64_t>();
    parameters.hub = r.address();
    parameters.rollup_id = r.integer<std::uint32_t>();
    parameters.genesis_root = r.digest();
    parameters.min_new_pair_fee = r.amount();
    if (!parameters.min_new_pair_fee.fits_fee()) r.refuse(RejectCode::fee_too_large);
    QUARRY_REQUIRE(finish(r));
    return parameters;
}

Bytes encode(const Head& head) {
    Bytes out;
    WordWriter w(out);
    w.integer(head.batch_number);
    w.integer(head.finalised_number);
    rollup::write_state(w, head.state);
    return out;
}

Checked<Head> parse_head(std::span<const std::uint8_t> bytes) {
    WordReader r(bytes);
    Head head;
    head.batch_number = r.integer<std::uint64_t>();
    head.finalised_number = r.integer<std::uint64_t>();
    head.state = rollup::read_state(r);
    if (head.finalised_number > head.batch_number) r.refuse(RejectCode::limit_exceeded);
    QUARRY_REQUIRE(finish(r));
    return head;
}

Checked<rollup::SlotIndex> parse_leaf_record_key(std::span<const std::uint8_t> key) {
    WordReader r(key);
    r.integer<std::uint8_t>();
    const auto slot = r.slot();
    QUARRY_REQUIRE(finish(r));
    return slot;
}

Checked<std::uint64_t> parse_batch_record_key(std::span<const std::uint8_t> key) {
    WordReader r(key);
    r.integer<std::uint8_t>();
    const auto number = r.integer<std::uint64_t>();
    QUARRY_REQUIRE(finish(r));
    return number;
}

}  // namespace quarry::node
