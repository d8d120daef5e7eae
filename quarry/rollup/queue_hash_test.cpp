#include "quarry/rollup/queue_hash.hpp"

#include <gtest/gtest.h>

#include "quarry/hash/keccak.hpp"

namespace quarry::rollup::queue_hash_test {
namespace {

// What a contract does: it hashes the effect, its kind made even and what was taken blanked.
TEST(QueueHash, IsThatOfTheEffectAsIfItApplied) {
    const Bytes32 before = keccak256({});
    DepositEntry deposit;
    deposit.amount = Amount(5);
    deposit.depositor.bytes[3] = 9;
    std::vector<std::uint8_t> bytes(before.begin(), before.end());
    encode(DepositEffect{.applied = false, .index = 7, .entry = deposit}, bytes);
    bytes[32] = static_cast<std::uint8_t>(EffectKind::deposit_applied);
    EXPECT_EQ(roll_queue(before, 7, deposit), keccak256(bytes));

    const ForcedWithdrawalEntry withdrawal{12, deposit.depositor};
    bytes.assign(before.begin(), before.end());
    encode(ForcedWithdrawalEffect{true, 8, withdrawal, 3, Amount(1000)}, bytes);
    std::fill_n(bytes.begin() + 32 + 13, 14, std::uint8_t{0});
    EXPECT_EQ(roll_queue(before, 8, ForcedEntry(withdrawal)), keccak256(bytes));
}

TEST(QueueHash, DependsOnEverything) {
    const SetKeyEntry entry{5, {}, {}};
    const Bytes32 hash = roll_queue({}, 3, ForcedEntry(entry));
    EXPECT_NE(hash, roll_queue(hash, 3, ForcedEntry(entry)));
    EXPECT_NE(hash, roll_queue({}, 4, ForcedEntry(entry)));
    EXPECT_NE(hash, roll_queue({}, 3, ForcedEntry(ForcedWithdrawalEntry{5, {}})));
    SetKeyEntry other = entry;
    other.key_hash[7] = KoalaBear(1u);
    EXPECT_NE(hash, roll_queue({}, 3, ForcedEntry(other)));
}

}  // namespace
}  // namespace quarry::rollup::queue_hash_test
