#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quarry/ethereum/error.hpp"
#include "quarry/ethereum/types.hpp"
#include "quarry/ethereum/u256.hpp"

/// What Quarry asks an Ethereum node, as typed calls.
namespace quarry::ethereum {

enum class BlockTag { latest, safe, finalized, pending, earliest };
/// A block by number, by hash or by tag.
using BlockId = std::variant<std::uint64_t, Hash, BlockTag>;

struct BlockRef {
    std::uint64_t number = 0;
    Hash hash{};
    friend bool operator==(const BlockRef&, const BlockRef&) noexcept = default;
};

struct BlockHeader {
    std::uint64_t number = 0;
    Hash hash{};
    Hash parent_hash{};
    std::uint64_t timestamp = 0;  ///< seconds
    std::uint64_t gas_used = 0;
    std::uint64_t gas_limit = 0;
    U256 base_fee_per_gas;
    std::uint64_t excess_blob_gas = 0;
    std::optional<Hash> parent_beacon_block_root;
    std::array<std::uint8_t, 256> logs_bloom{};
    [[nodiscard]] BlockRef ref() const noexcept { return {number, hash}; }
};

struct Log {
    Address address;
    std::vector<Hash> topics;
    Bytes data;
    std::uint64_t block_number = 0;
    Hash block_hash{};
    Hash transaction_hash{};
    std::uint64_t transaction_index = 0;
    std::uint64_t log_index = 0;
    friend bool operator==(const Log&, const Log&) = default;
};

struct LogFilter {
    std::vector<Address> addresses;  ///< any of these; empty: all
    std::vector<Hash> topics;        ///< topic 0 is any of these; empty: all
};

struct Receipt {
    Hash transaction_hash{};
    BlockRef block;
    std::uint64_t transaction_index = 0;
    bool is_success = false;
    std::uint64_t gas_used = 0;
    U256 effective_gas_price;
    std::uint64_t blob_gas_used = 0;
    U256 blob_gas_price;
    std::optional<Address> contract_address;
    std::vector<Log> logs;
};

/// A transaction as a node returns it.
struct ChainTransaction {
    Hash hash{};
    std::uint8_t type = 0;
    Address from;
    std::optional<Address> to;
    std::uint64_t nonce = 0;
    U256 value;
    Bytes data;
    std::vector<Hash> blob_hashes;
    std::optional<BlockRef> block;  ///< empty: pending
};

struct CallRequest {
    std::optional<Address> from;
    std::optional<Address> to;
    Bytes data;
    U256 value;
    std::optional<std::uint64_t> gas_limit;
    std::vector<Hash> blob_hashes;
    U256 max_fee_per_blob_gas;  ///< only with blob hashes
};

/// Prices of the next block, in wei per gas.
struct FeeSuggestion {
    U256 base_fee;       ///< of the next block
    U256 priority_fee;   ///< median of what recent blocks paid
    U256 blob_base_fee;  ///< of the next block
};

/// An Ethereum node. Implementations are thread-safe; every failure is a value.
class Chain {
  public:
    Chain() = default;
    Chain(const Chain&) = delete;
    Chain& operator=(const Chain&) = delete;
    virtual ~Chain() = default;

    /// What it said last contradicts itself: where it stands for several nodes, others are asked first for a while.
    virtual void doubt() {}

    virtual Answer<std::uint64_t> chain_id() = 0;
    virtual Answer<std::uint64_t> block_number() = 0;
    /// not_found.
    virtual Answer<BlockHeader> block(const BlockId& id) = 0;
    /// Headers of first .. first + count - 1; ends early where the node has no further block.
    virtual Answer<std::vector<BlockHeader>> blocks(std::uint64_t first, std::size_t count) = 0;
    /// Of all blocks first..last, in order of block and index. too_many_results.
    virtual Answer<std::vector<Log>> logs(const LogFilter& filter, std::uint64_t first, std::uint64_t last) = 0;
    /// Of one block by hash. not_found: the node does not have the block.
    virtual Answer<std::vector<Log>> logs_of(const LogFilter& filter, const Hash& block_hash) = 0;
    /// Empty: not in a block.
    virtual Answer<std::optional<Receipt>> receipt(const Hash& transaction) = 0;
    /// not_found.
    virtual Answer<ChainTransaction> transaction(const Hash& transaction) = 0;
    virtual Answer<std::uint64_t> transaction_count(const Address& account, const BlockId& at) = 0;
    /// The call's result. execution_reverted carries the revert's data.
    virtual Answer<Bytes> call(const CallRequest& request, const BlockId& at) = 0;
    virtual Answer<std::uint64_t> estimate_gas(const CallRequest& request) = 0;
    virtual Answer<FeeSuggestion> suggest_fees() = 0;
    /// The transaction's hash. already_known is an error here.
    virtual Answer<Hash> send_raw(ByteView transaction) = 0;
    virtual Answer<Bytes> code(const Address& account, const BlockId& at) = 0;
    virtual Answer<U256> balance(const Address& account, const BlockId& at) = 0;
};

}  // namespace quarry::ethereum
