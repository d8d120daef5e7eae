#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/ethereum/abi.hpp"
#include "quarry/ethereum/types.hpp"
#include "quarry/ethereum/u256.hpp"
#include "quarry/rollup/types.hpp"

/// The structs of the settlement contracts (contracts/src/settlement/IHub.sol), field by field. Money is in wei.
namespace quarry::node::l1 {

using ethereum::Address;
using ethereum::Bytes;
using ethereum::ByteView;
using ethereum::U256;

/// What a rollup's owner chooses. Times in seconds.
struct Parameters {
    std::uint32_t key = 0;
    std::uint8_t policy = 0;
    std::uint32_t expected_time = 0;
    std::uint32_t proving_window = 0;
    std::uint32_t replace_window = 0;
    std::uint32_t commit_window = 0;
    U256 batch_bond;
    std::uint16_t slash_bps = 0;
    U256 commit_deposit;
    std::uint32_t rebate_gas = 0;
    std::uint16_t max_effects = 0;
    std::uint16_t max_pending = 0;
    std::uint32_t forced_delay = 0;
    std::uint16_t forced_cap = 0;
    U256 forced_fee;
    U256 forced_fee_step;
    friend bool operator==(const Parameters&, const Parameters&) noexcept = default;
};

/// What a sequencer offers for a batch.
struct Terms {
    U256 base;
    U256 max;
    U256 rebate_cap;
    friend bool operator==(const Terms&, const Terms&) noexcept = default;
};

struct Opening {
    Bytes32 l1_hash{};
    Bytes32 point{};
    Bytes32 value{};
    std::array<Bytes32, 3> kzg{};  ///< commitment (48 bytes) and proof (48 bytes)
    friend bool operator==(const Opening&, const Opening&) noexcept = default;
};

/// A batch as a proof's submission says it.
struct Item {
    Bytes header;
    Bytes parent_header;
    Address payee;
    std::uint32_t units = 0;
    Bytes32 work_root{};
    std::uint8_t form = 0;
    std::vector<Opening> data;
    Bytes32 effects_point{};
    Bytes effects;
    friend bool operator==(const Item&, const Item&) = default;
};

struct VerifierSet {
    std::uint16_t version = 0;
    Address one;
    Address four;
    Address sixteen;
    friend bool operator==(const VerifierSet&, const VerifierSet&) noexcept = default;
};

/// In the order of the contract's numbers.
enum class BatchState : std::uint8_t { none, pending, proven, finalised, orphaned, closed };
const char* batch_state_name(BatchState state) noexcept;

struct BatchView {
    BatchState status = BatchState::none;
    std::uint64_t id = 0;
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    Bytes32 header_hash{};
    Bytes32 data_hash{};
    Address sequencer;
    std::uint32_t key = 0;
    std::uint64_t submitted_at = 0;
    std::uint64_t expected_at = 0;
    std::uint64_t deadline = 0;
    std::uint64_t open_at = 0;
    std::uint64_t locked_until = 0;
    U256 base;
    U256 max;
    U256 rebate_cap;
    U256 bond;
    Address payee;
    U256 owed;
    std::uint64_t proven_at = 0;
    friend bool operator==(const BatchView&, const BatchView&) noexcept = default;
};

struct RollupView {
    Address owner;
    Address pending_owner;
    Bytes32 domain{};
    U256 min_new_pair_fee;
    bool is_trusted = false;
    std::uint64_t head = 0;
    std::uint64_t finalised = 0;
    Bytes32 head_hash{};
    Bytes32 finalised_hash{};
    std::uint64_t upgrade_at = 0;
    Parameters parameters;
    friend bool operator==(const RollupView&, const RollupView&) noexcept = default;
};

/// The bridge's QueueState.
struct QueueHead {
    Bytes32 deposit_hash{};
    Bytes32 forced_hash{};
    std::uint64_t deposit_count = 0;
    std::uint64_t forced_count = 0;
    std::uint64_t forced_time = 0;
    friend bool operator==(const QueueHead&, const QueueHead&) noexcept = default;
};

/// Values of the contract interface. Readers: the value has the shape of the struct's type (abi_decode made it so).
ethereum::AbiValue to_abi(const Parameters& x);
ethereum::AbiValue to_abi(const Terms& x);
ethereum::AbiValue to_abi(const Opening& x);
ethereum::AbiValue to_abi(const Item& x);
ethereum::AbiValue to_abi(const VerifierSet& x);
Parameters parameters_of(const ethereum::AbiValue& x);
Terms terms_of(const ethereum::AbiValue& x);
Opening opening_of(const ethereum::AbiValue& x);
Item item_of(const ethereum::AbiValue& x);
VerifierSet verifier_set_of(const ethereum::AbiValue& x);
BatchView batch_view_of(const ethereum::AbiValue& x);
RollupView rollup_view_of(const ethereum::AbiValue& x);
QueueHead queue_head_of(const ethereum::AbiValue& x);

inline rollup::L1Address to_rollup(const Address& x) noexcept { return {x.bytes}; }
inline Address to_ethereum(const rollup::L1Address& x) noexcept { return {x.bytes}; }
/// The sum and the product, or the largest number where they are larger: for prices, which a node may make up.
U256 saturated_sum(const U256& x, const U256& y);
U256 saturated_product(const U256& x, std::uint64_t y);
/// Elements as 4 bytes each, big-endian.
Bytes32 digest_bytes(const Digest& digest) noexcept;
/// Empty: an element is not canonical.
std::optional<Digest> digest_of_bytes(const Bytes32& bytes) noexcept;
U256 to_u256(const rollup::Amount& x);
/// Empty: 2^96 or more.
std::optional<rollup::Amount> amount_of(const U256& x);

}  // namespace quarry::node::l1
