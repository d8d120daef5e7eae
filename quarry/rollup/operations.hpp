#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/types.hpp"

/// The operations of a batch and their bytes. Layouts: docs/spec/operations.md.
namespace quarry::rollup {

/// The first byte of an operation. 0 is none: padding of the last blob is not an operation.
enum class Opcode : std::uint8_t {
    transfer = 1,
    transfer_new = 2,
    withdraw = 3,
    change_key = 4,
    publish_key = 5,
    collect = 6,
    deposit = 7,
    forced_withdrawal = 8,
    set_key = 9,
};
inline constexpr std::uint8_t kLastOpcode = 9;

/// What every operation signed by an L2 key has. The nonce, the token and the public key are the slot's: they are
/// signed, but not written.
struct Authorisation {
    SlotIndex slot = 0;
    Timestamp expiry = 0;  ///< the last timestamp of a batch that may hold the operation
    Amount fee;            ///< below 2^72, in the slot's token
    SignatureBytes signature{};
    friend bool operator==(const Authorisation&, const Authorisation&) noexcept = default;
};

/// amount: slot -> receiver, whose pair is in the signed message.
struct Transfer {
    Authorisation auth;
    SlotIndex receiver = 0;
    Amount amount;
    friend bool operator==(const Transfer&, const Transfer&) noexcept = default;
};
/// amount: slot -> a slot created for `owner`. Its number is written, and must be the next one.
struct TransferNew {
    Authorisation auth;
    SlotIndex receiver = 0;
    Amount amount;
    Owner owner;
    friend bool operator==(const TransferNew&, const TransferNew&) noexcept = default;
};
/// amount: slot -> recipient on L1.
struct Withdraw {
    Authorisation auth;
    Amount amount;
    L1Address recipient;
    friend bool operator==(const Withdraw&, const Withdraw&) noexcept = default;
};
/// The slot gets a new key, and publishes it.
struct ChangeKey {
    Authorisation auth;
    AccountKey key;
    friend bool operator==(const ChangeKey&, const ChangeKey&) noexcept = default;
};
/// The preimage of a slot's key hash, so that anyone can check the slot's signatures from L1 data alone. Unsigned: the
/// hash binds it. Once per slot and key, before the first signed operation.
struct PublishKey {
    SlotIndex slot = 0;
    AccountKey key;
    friend bool operator==(const PublishKey&, const PublishKey&) noexcept = default;
};
/// All uncollected fees of the slot's token -> slot, which must be the header's fee receiver's.
struct Collect {
    SlotIndex slot = 0;
    friend bool operator==(const Collect&, const Collect&) noexcept = default;
};
/// The next entry of the L1 deposit queue.
struct Deposit {
    friend bool operator==(const Deposit&, const Deposit&) noexcept = default;
};
/// The next entry of the L1 forced queue, which is a forced withdrawal.
struct ForcedWithdrawal {
    friend bool operator==(const ForcedWithdrawal&, const ForcedWithdrawal&) noexcept = default;
};
/// The next entry of the L1 forced queue, which sets a key.
struct SetKey {
    friend bool operator==(const SetKey&, const SetKey&) noexcept = default;
};

using Operation =
    std::variant<Transfer, TransferNew, Withdraw, ChangeKey, PublishKey, Collect, Deposit, ForcedWithdrawal, SetKey>;

Opcode opcode(const Operation& op) noexcept;
/// 3 transfer, 5 new pair, 4 withdrawal, 5 change key, 3 publish key, 1 the others.
std::size_t word_count(Opcode code) noexcept;
/// The authorisation of a signed operation, or null.
const Authorisation* authorisation(const Operation& op);
Authorisation* authorisation(Operation& op);

/// Appends word_count words. Precondition: slots < 2^30 and fee < 2^72 (check_encodable).
void encode(const Operation& op, std::vector<std::uint8_t>& out);
std::vector<std::uint8_t> encode(std::span<const Operation> ops);
/// Whether `op` has a byte form: for operations that come from elsewhere than parse.
Verdict check_encodable(const Operation& op);

struct ParsedOperation {
    Operation op;
    std::size_t num_bytes = 0;
};
/// The operation at the start of `bytes`. Total; encode(parse(x)) = x for what it accepts.
Checked<ParsedOperation> parse_operation(std::span<const std::uint8_t> bytes);
/// All operations of a batch. Refuses more than kMaxBatchWords words before it looks at them.
Checked<std::vector<Operation>> parse_operations(std::span<const std::uint8_t> bytes);

/// What the signer of `op` signs, given the slot that it spends from and, for a transfer, the receiver's pair.
/// Precondition: op is signed.
Message make_message(const Operation& op, const KeyHash& signer, TokenId token, Nonce nonce,
                     const Digest& receiver_pair);

}  // namespace quarry::rollup
