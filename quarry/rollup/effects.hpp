#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/types.hpp"
#include "quarry/rollup/words.hpp"

/// What comes from L1 (queue entries) and what L1 must see (effects). Layouts: docs/spec/operations.md.
namespace quarry::rollup {

/// Target of a deposit that creates a slot.
inline constexpr std::uint32_t kNewSlot = 0xffffffff;

/// An entry of the deposit queue. L1 refuses a key hash that is not canonical, so that every entry has this form.
struct DepositEntry {
    Owner owner;
    L1Address depositor;  ///< who gets the money back when the entry does not apply
    TokenId token = 0;
    Amount amount;
    std::uint32_t target = kNewSlot;  ///< any 32 bits
    friend bool operator==(const DepositEntry&, const DepositEntry&) noexcept = default;
};

/// An entry of the forced queue: `sender` is the L1 account that made it.
struct ForcedWithdrawalEntry {
    std::uint32_t slot = 0;
    L1Address sender;
    friend bool operator==(const ForcedWithdrawalEntry&, const ForcedWithdrawalEntry&) noexcept = default;
};
struct SetKeyEntry {
    std::uint32_t slot = 0;
    L1Address sender;
    KeyHash key_hash{};
    friend bool operator==(const SetKeyEntry&, const SetKeyEntry&) noexcept = default;
};
using ForcedEntry = std::variant<ForcedWithdrawalEntry, SetKeyEntry>;

/// The queues as L1 shows them. A rolling hash is a function of the entries before the cursor.
class L1Queues {
  public:
    virtual ~L1Queues() = default;
    [[nodiscard]] virtual std::optional<DepositEntry> deposit(std::uint64_t index) const = 0;
    [[nodiscard]] virtual std::optional<ForcedEntry> forced(std::uint64_t index) const = 0;
    [[nodiscard]] virtual Bytes32 deposit_hash(std::uint64_t cursor) const = 0;
    [[nodiscard]] virtual Bytes32 forced_hash(std::uint64_t cursor) const = 0;
};

/// Queues in memory, for development networks and tests; their rolling hashes are zero.
class MemoryQueues final : public L1Queues {
  public:
    std::vector<DepositEntry> deposits;
    std::vector<ForcedEntry> forced_entries;
    [[nodiscard]] std::optional<DepositEntry> deposit(std::uint64_t index) const override {
        if (index >= deposits.size()) return std::nullopt;
        return deposits[index];
    }
    [[nodiscard]] std::optional<ForcedEntry> forced(std::uint64_t index) const override {
        if (index >= forced_entries.size()) return std::nullopt;
        return forced_entries[index];
    }
    [[nodiscard]] Bytes32 deposit_hash(std::uint64_t) const override { return {}; }
    [[nodiscard]] Bytes32 forced_hash(std::uint64_t) const override { return {}; }
};

struct WithdrawalEffect {
    L1Address recipient;
    TokenId token = 0;
    Amount amount;
    friend bool operator==(const WithdrawalEffect&, const WithdrawalEffect&) noexcept = default;
};
/// A consumed deposit. Not applied: the amount goes back to the depositor.
struct DepositEffect {
    bool applied = false;
    std::uint64_t index = 0;
    DepositEntry entry;
    friend bool operator==(const DepositEffect&, const DepositEffect&) noexcept = default;
};
/// A consumed forced withdrawal. Applied: `amount`, the slot's whole balance, goes to the sender. Else token and amount
/// are 0.
struct ForcedWithdrawalEffect {
    bool applied = false;
    std::uint64_t index = 0;
    ForcedWithdrawalEntry entry;
    TokenId token = 0;
    Amount amount;
    friend bool operator==(const ForcedWithdrawalEffect&, const ForcedWithdrawalEffect&) noexcept = default;
};
struct SetKeyEffect {
    bool applied = false;
    std::uint64_t index = 0;
    SetKeyEntry entry;
    friend bool operator==(const SetKeyEffect&, const SetKeyEffect&) noexcept = default;
};
using Effect = std::variant<WithdrawalEffect, DepositEffect, ForcedWithdrawalEffect, SetKeyEffect>;

/// First byte of an effect. Entries of the queues: even = applied, odd = not.
enum class EffectKind : std::uint8_t {
    withdrawal = 1,
    deposit_applied = 2,
    deposit_refunded = 3,
    forced_withdrawal_applied = 4,
    forced_withdrawal_void = 5,
    set_key_applied = 6,
    set_key_void = 7,
};
inline constexpr std::uint8_t kLastEffectKind = 7;

EffectKind effect_kind(const Effect& effect) noexcept;
/// 2 withdrawals, forced or not; 3 set-key; 4 deposit.
std::size_t effect_word_count(EffectKind kind) noexcept;

/// Appends effect_word_count words.
void encode(const Effect& effect, std::vector<std::uint8_t>& out);
/// All effects of a batch, at most kMaxEffects. Total and canonical.
Checked<std::vector<Effect>> parse_effects(std::span<const std::uint8_t> bytes);

/// Where the effects accumulator starts: chain_start("quarry/effects/v1").
Accumulator effects_start();
/// Absorbs the words of one effect; the count rises by one.
void absorb(Accumulator& accumulator, const Effect& effect);

}  // namespace quarry::rollup
