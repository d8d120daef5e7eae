#include "quarry/ethereum/transaction.hpp"

#include <algorithm>

#include "quarry/ethereum/rlp.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::uint8_t kFeeMarketType = 0x02;
constexpr std::uint8_t kBlobType = 0x03;
constexpr std::uint8_t kSidecarVersion = 0x01;  // cell proofs
/// Hashes, accounts and keys cost gas: no valid transaction comes near.

std::uint8_t type_byte(const Transaction& transaction) { return transaction.is_blob() ? kBlobType : kFeeMarketType; }

RlpWriter body_items(const Transaction& t) {
    RlpWriter w;
    w.integer(t.chain_id).integer(t.nonce).integer(t.max_priority_fee_per_gas).integer(t.max_fee_per_gas);
    w.integer(t.gas_limit);
    w.string(t.to ? ByteView(t.to->bytes) : ByteView()).integer(t.value).string(t.data);
    RlpWriter entries;
    for (const AccessEntry& entry : t.access_list) {
        RlpWriter keys;
        for (const Hash& key : entry.keys) keys.string(key);
        RlpWriter pair;
        pair.address(entry.address).list(keys);
        entries.list(pair);
    }
    w.list(entries);
    if (t.is_blob()) {
        RlpWriter hashes;
        for (const Hash& hash : t.blob_hashes) hashes.string(hash);
        w.integer(t.max_fee_per_blob_gas).list(hashes);
    }
    return w;
}

RlpWriter signed_items(const SignedTransaction& t) {
    RlpWriter w = body_items(t.body);
    w.integer(t.signature.y_parity).integer(U256::from_bytes(t.signature.r)).integer(U256::from_bytes(t.signature.s));
    return w;
}

Bytes typed(std::uint8_t type, const RlpWriter& items) {
    Bytes r{type};
    const Bytes list = items.as_list();
    r.insert(r.end(), list.begin(), list.end());
    return r;
}

Decoded<std::vector<AccessEntry>> read_access_list(RlpReader list) {
    std::vector<AccessEntry> r;
    while (!list.at_end()) {
        QUARRY_TRY_ASSIGN(RlpReader pair, list.list());
        AccessEntry entry;
        QUARRY_TRY(pair.fixed(entry.address.bytes));
        QUARRY_TRY_ASSIGN(RlpReader keys, pair.list());
        QUARRY_TRY(pair.finish());
        while (!keys.at_end()) QUARRY_TRY(keys.fixed(entry.keys.emplace_back()));
        r.push_back(std::move(entry));
    }
    return r;
}

Decoded<Transaction> read_body(RlpReader& items, bool is_blob) {
    Transaction t;
    QUARRY_TRY_ASSIGN(t.chain_id, items.integer64());
    QUARRY_TRY_ASSIGN(t.nonce, items.integer64());
    QUARRY_TRY_ASSIGN(t.max_priority_fee_per_gas, items.integer());
    QUARRY_TRY_ASSIGN(t.max_fee_per_gas, items.integer());
    QUARRY_TRY_ASSIGN(t.gas_limit, items.integer64());
    QUARRY_TRY_ASSIGN(const ByteView to, items.string());
    if (!to.empty() || is_blob) {
        if (to.size() != 20) return CodecError{CodecCode::bad_length, "decode_transaction"};
        std::copy(to.begin(), to.end(), t.to.emplace().bytes.begin());
    }
    QUARRY_TRY_ASSIGN(t.value, items.integer());
    QUARRY_TRY_ASSIGN(const ByteView data, items.string());
    t.data.assign(data.begin(), data.end());
    QUARRY_TRY_ASSIGN(const RlpReader access_list, items.list());
    QUARRY_TRY_ASSIGN(t.access_list, read_access_list(access_list));
    if (!is_blob) return t;
    QUARRY_TRY_ASSIGN(t.max_fee_per_blob_gas, items.integer());
    QUARRY_TRY_ASSIGN(RlpReader hashes, items.list());
    while (!hashes.at_end()) {
        if (t.blob_hashes.size() == kMaxBlobHashes) return CodecError{CodecCode::limit_exceeded, "decode_transaction"};
        QUARRY_TRY(hashes.fixed(t.blob_hashes.emplace_back()));
    }
    // Without any it would be read as the other type.
    if (t.blob_hashes.empty()) return CodecError{CodecCode::bad_length, "decode_transaction"};
    return t;
}

}  // namespace

Hash signing_digest(const Transaction& transaction) {
    return keccak256(typed(type_byte(transaction), body_items(transaction)));
}

SignedTransaction sign_transaction(const Transaction& transaction, const PrivateKey& key) {
    SignedTransaction r{transaction, key.sign(signing_digest(transaction)), key.address(), {}};
    r.hash = keccak256(encode_transaction(r));
    return r;
}

Bytes encode_transaction(const SignedTransaction& transaction) {
    return typed(type_byte(transaction.body), signed_items(transaction));
}

Bytes encode_with_sidecar(const SignedTransaction& transaction, const BlobSidecar& sidecar) {
    RlpWriter blobs;
    for (const Blob& blob : sidecar.blobs) blobs.string(blob);
    RlpWriter commitments;
    for (const Bytes48& commitment : sidecar.commitments) commitments.string(commitment);
    RlpWriter proofs;
    for (const Bytes48& proof : sidecar.cell_proofs) proofs.string(proof);
    RlpWriter w;
    w.list(signed_items(transaction)).integer(kSidecarVersion).list(blobs).list(commitments).list(proofs);
    return typed(kBlobType, w);
}

Decoded<SignedTransaction> decode_transaction(ByteView bytes) {
    const char* const where = "decode_transaction";
    if (bytes.size() > kMaxTransactionBytes) return CodecError{CodecCode::limit_exceeded, where};
    if (bytes.empty()) return CodecError{CodecCode::truncated, where};
    if (bytes[0] != kFeeMarketType && bytes[0] != kBlobType) {
        return CodecError{CodecCode::unknown_transaction_type, where};
    }
    RlpReader outer(bytes.subspan(1));
    QUARRY_TRY_ASSIGN(RlpReader items, outer.list());
    QUARRY_TRY(outer.finish());
    SignedTransaction r;
    QUARRY_TRY_ASSIGN(r.body, read_body(items, bytes[0] == kBlobType));
    QUARRY_TRY_ASSIGN(const std::uint64_t parity, items.integer64());
    if (parity > 1) return CodecError{CodecCode::out_of_range, where};
    r.signature.y_parity = static_cast<std::uint8_t>(parity);
    QUARRY_TRY_ASSIGN(const U256 sig_r, items.integer());
    QUARRY_TRY_ASSIGN(const U256 sig_s, items.integer());
    QUARRY_TRY(items.finish());
    r.signature.r = sig_r.to_bytes();
    r.signature.s = sig_s.to_bytes();
    const auto sender = recover_address(signing_digest(r.body), r.signature);
    if (!sender) return CodecError{CodecCode::bad_signature, where};
    r.sender = *sender;
    r.hash = keccak256(bytes);
    return r;
}

std::uint64_t minimum_gas(const Transaction& t) {
    const auto num_zero = static_cast<std::uint64_t>(std::count(t.data.begin(), t.data.end(), std::uint8_t{0}));
    const std::uint64_t num_nonzero = t.data.size() - num_zero;
    std::uint64_t intrinsic = 21'000 + 16 * num_nonzero + 4 * num_zero;
    if (!t.to) intrinsic += 32'000 + 2 * ((t.data.size() + 31) / 32);
    for (const AccessEntry& entry : t.access_list) intrinsic += 2'400 + 1'900 * entry.keys.size();
    const std::uint64_t floor = 21'000 + 10 * (4 * num_nonzero + num_zero);
    return std::max(intrinsic, floor);
}

Answer<Done> check_rules(const SignedTransaction& transaction) {
    const Transaction& t = transaction.body;
    const std::size_t size = encode_transaction(transaction).size();
    if (size > kMaxTransactionBytes || (!t.to && t.data.size() > kMaxInitCodeBytes)) {
        return EthereumError{EthereumCode::transaction_too_large, std::to_string(size) + " bytes", {}};
    }
    if (t.gas_limit > kTransactionGasCap || minimum_gas(t) > kTransactionGasCap) {
        return EthereumError{EthereumCode::gas_above_cap, std::to_string(std::max(t.gas_limit, minimum_gas(t))), {}};
    }
    if (t.gas_limit < minimum_gas(t)) {
        return EthereumError{
            EthereumCode::gas_below_floor, std::to_string(t.gas_limit) + " of " + std::to_string(minimum_gas(t)), {}};
    }
    if (t.blob_hashes.size() > kMaxBlobsPerTransaction || (t.is_blob() && !t.to)) {
        return EthereumError{EthereumCode::too_many_blobs, std::to_string(t.blob_hashes.size()), {}};
    }
    return Done{};
}

Address contract_address(const Address& sender, std::uint64_t nonce) {
    const Hash hash = keccak256(RlpWriter().address(sender).integer(nonce).as_list());
    Address r;
    std::copy_n(hash.begin() + 12, 20, r.bytes.begin());
    return r;
}

}  // namespace quarry::ethereum
