#include "quarry/ethereum/intent_records.hpp"

#include <algorithm>

#include "quarry/ethereum/rlp.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::uint64_t kIntent = 1;
constexpr std::uint64_t kAttempt = 2;
constexpr std::uint64_t kFinal = 3;
constexpr const char* kWhere = "decode_record";

ByteView as_bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

template <class T>
void put_list(RlpWriter& w, const std::vector<T>& strings) {
    RlpWriter items;
    for (const T& x : strings) items.string(x);
    w.list(items);
}

Decoded<std::string> read_text(RlpReader& r) {
    QUARRY_TRY_ASSIGN(const ByteView bytes, r.string());
    return std::string(bytes.begin(), bytes.end());
}

/// Zero or one.
Decoded<bool> read_flag(RlpReader& r) {
    QUARRY_TRY_ASSIGN(const std::uint64_t x, r.integer64());
    if (x > 1) return CodecError{CodecCode::out_of_range, kWhere};
    return x == 1;
}

Decoded<BlobSidecar> read_sidecar(RlpReader& r) {
    BlobSidecar s;
    QUARRY_TRY_ASSIGN(RlpReader blobs, r.list());
    while (!blobs.at_end()) {
        QUARRY_TRY_ASSIGN(const ByteView blob, blobs.string());
        s.blobs.emplace_back(blob.begin(), blob.end());
    }
    QUARRY_TRY_ASSIGN(RlpReader commitments, r.list());
    while (!commitments.at_end()) QUARRY_TRY(commitments.fixed(s.commitments.emplace_back()));
    QUARRY_TRY_ASSIGN(RlpReader proofs, r.list());
    while (!proofs.at_end()) QUARRY_TRY(proofs.fixed(s.cell_proofs.emplace_back()));
    return s;
}

Decoded<ManagerRecord> read_intent(RlpReader& r) {
    Intent x;
    QUARRY_TRY_ASSIGN(x.id, read_text(r));
    QUARRY_TRY_ASSIGN(const ByteView to, r.string());
    if (!to.empty()) {
        if (to.size() != 20) return CodecError{CodecCode::bad_length, kWhere};
        std::copy(to.begin(), to.end(), x.to.emplace().bytes.begin());
    }
    QUARRY_TRY_ASSIGN(x.value, r.integer());
    QUARRY_TRY_ASSIGN(const ByteView data, r.string());
    x.data.assign(data.begin(), data.end());
    QUARRY_TRY_ASSIGN(x.gas_limit, r.integer64());
    QUARRY_TRY_ASSIGN(x.max_total_fee, r.integer());
    QUARRY_TRY_ASSIGN(BlobSidecar sidecar, read_sidecar(r));
    if (!sidecar.blobs.empty()) x.sidecar = std::make_shared<const BlobSidecar>(std::move(sidecar));
    return ManagerRecord(IntentRecord{std::move(x)});
}

Decoded<ManagerRecord> read_attempt(RlpReader& r) {
    AttemptRecord x;
    QUARRY_TRY_ASSIGN(x.id, read_text(r));
    QUARRY_TRY_ASSIGN(x.nonce, r.integer64());
    QUARRY_TRY_ASSIGN(x.gas_limit, r.integer64());
    QUARRY_TRY_ASSIGN(x.fees.priority, r.integer());
    QUARRY_TRY_ASSIGN(x.fees.max, r.integer());
    QUARRY_TRY_ASSIGN(x.fees.max_blob, r.integer());
    QUARRY_TRY_ASSIGN(x.is_cancel, read_flag(r));
    return ManagerRecord(std::move(x));
}

Decoded<ManagerRecord> read_final(RlpReader& r) {
    FinalRecord x;
    QUARRY_TRY_ASSIGN(x.id, read_text(r));
    QUARRY_TRY(r.fixed(x.content));
    QUARRY_TRY_ASSIGN(const std::uint64_t stage, r.integer64());
    if (stage < static_cast<std::uint64_t>(IntentStage::confirmed) ||
        stage > static_cast<std::uint64_t>(IntentStage::cancelled)) {
        return CodecError{CodecCode::out_of_range, kWhere};
    }
    x.stage = static_cast<IntentStage>(stage);
    QUARRY_TRY_ASSIGN(const bool has_nonce, read_flag(r));
    QUARRY_TRY_ASSIGN(const std::uint64_t nonce, r.integer64());
    if (has_nonce) x.nonce = nonce;
    QUARRY_TRY_ASSIGN(const ByteView hash, r.string());
    if (!hash.empty()) {
        if (hash.size() != 32) return CodecError{CodecCode::bad_length, kWhere};
        std::copy(hash.begin(), hash.end(), x.transaction.emplace().begin());
    }
    QUARRY_TRY_ASSIGN(const std::string error, read_text(r));
    x.error = find_ethereum_code(error).value_or(EthereumCode::rpc_error);
    return ManagerRecord(std::move(x));
}

}  // namespace

Bytes encode_record(const IntentRecord& record) {
    const Intent& x = record.intent;
    RlpWriter w;
    w.integer(kIntent).string(as_bytes(x.id)).string(x.to ? ByteView(x.to->bytes) : ByteView());
    w.integer(x.value).string(x.data).integer(x.gas_limit).integer(x.max_total_fee);
    const BlobSidecar none;
    const BlobSidecar& sidecar = x.sidecar ? *x.sidecar : none;
    put_list(w, sidecar.blobs);
    put_list(w, sidecar.commitments);
    put_list(w, sidecar.cell_proofs);
    return w.as_list();
}

Bytes encode_record(const AttemptRecord& record) {
    RlpWriter w;
    w.integer(kAttempt).string(as_bytes(record.id)).integer(record.nonce).integer(record.gas_limit);
    w.integer(record.fees.priority).integer(record.fees.max).integer(record.fees.max_blob);
    w.integer(record.is_cancel ? 1 : 0);
    return w.as_list();
}

Bytes encode_record(const FinalRecord& record) {
    RlpWriter w;
    w.integer(kFinal).string(as_bytes(record.id)).string(record.content);
    w.integer(static_cast<std::uint64_t>(record.stage)).integer(record.nonce ? 1 : 0).integer(record.nonce.value_or(0));
    w.string(record.transaction ? ByteView(*record.transaction) : ByteView());
    w.string(as_bytes(ethereum_code_name(record.error)));  // by name: numbers change when causes are added
    return w.as_list();
}

Decoded<ManagerRecord> decode_record(ByteView bytes) {
    RlpReader outer(bytes);
    QUARRY_TRY_ASSIGN(RlpReader items, outer.list());
    QUARRY_TRY(outer.finish());
    QUARRY_TRY_ASSIGN(const std::uint64_t kind, items.integer64());
    const auto read = [&]() -> Decoded<ManagerRecord> {
        if (kind == kIntent) return read_intent(items);
        if (kind == kAttempt) return read_attempt(items);
        if (kind == kFinal) return read_final(items);
        return CodecError{CodecCode::out_of_range, kWhere};
    };
    auto r = read();
    if (r) QUARRY_TRY(items.finish());
    return r;
}

}  // namespace quarry::ethereum
