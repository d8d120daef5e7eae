#pragma once
#include <optional>
#include <string>
#include <variant>

#include "quarry/ethereum/fee_policy.hpp"
#include "quarry/ethereum/transaction_manager.hpp"

/// What the transaction manager journals: RLP lists that start with their kind.
namespace quarry::ethereum {

/// An intent was taken over.
struct IntentRecord {
    Intent intent;
};
/// A version of an intent's transaction is about to be sent; the first one binds the nonce.
struct AttemptRecord {
    std::string id;
    std::uint64_t nonce = 0;
    std::uint64_t gas_limit = 0;
    Fees fees;
    bool is_cancel = false;  ///< an empty transfer to the own account
};
/// An intent has come to its end.
struct FinalRecord {
    std::string id;
    Hash content{};  ///< hash of the intent's record
    IntentStage stage = IntentStage::failed;
    std::optional<std::uint64_t> nonce;
    std::optional<Hash> transaction;
    EthereumCode error = EthereumCode::rpc_error;  ///< if it failed
};
using ManagerRecord = std::variant<IntentRecord, AttemptRecord, FinalRecord>;

Bytes encode_record(const IntentRecord& record);
Bytes encode_record(const AttemptRecord& record);
Bytes encode_record(const FinalRecord& record);
/// Total.
Decoded<ManagerRecord> decode_record(ByteView bytes);

}  // namespace quarry::ethereum
