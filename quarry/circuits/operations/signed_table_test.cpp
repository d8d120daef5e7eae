#include "quarry/circuits/operations/signed_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/operations/testing.hpp"

namespace quarry::circuits::signed_table_test {
namespace {

using namespace testing;
using Row = SignedRow<KoalaBear>;

constexpr std::uint32_t kLimb = 1u << 16;

/// Rows of every_kind(), by what they are good for.
constexpr std::size_t kFirstFee = 0;
constexpr std::size_t kNoFee = 1;
constexpr std::size_t kNew = 2;
constexpr std::size_t kWithdrawal = 3;
constexpr std::size_t kKeyChange = 4;

struct SignedTableTest : ::testing::Test {
    std::unique_ptr<Segment> segment = every_kind();
    const Timeline& timeline = segment->timeline;
    Judge<SignedTable> judge{timeline};
    std::vector<Row> rows = signed_rows(timeline);

    /// What an adversary can always do: the pair, the inverses and the hashes that belong to the row's fields.
    static Row& complete(Row& row) {
        row.amount_inverse = inverse_or_zero(sum_of(row.amount));
        row.payment.fee_inverse = inverse_or_zero(sum_of(row.fee));
        row.payment.sum_inverse = inverse_or_zero(sum_of(row.payment.before)) * (row.payment.pays - row.payment.opens);
        rehash(row, 0);
        return row;
    }
    static void rehash(Row& row, std::size_t first) {
        const KoalaBear opcode =
            row.kind[0] + row.kind[1] * KoalaBear(2) + row.kind[2] * KoalaBear(3) + row.kind[3] * KoalaBear(4);
        const auto slot = row.slot[0] + row.slot[1] * KoalaBear(kLimb);
        const std::array<Digest, 4> blocks{row.sender.key_hash, row.payload,
                                           Digest{row.sender.token + opcode * KoalaBear(kLimb), slot, row.sender.nonce,
                                                  row.expiry[0], row.expiry[1], row.fee[0], row.fee[1], row.fee[2]},
                                           Digest{row.fee[3], row.fee[4], row.amount[0], row.amount[1], row.amount[2],
                                                  row.amount[3], row.amount[4], row.amount[5]}};
        for (std::size_t k = first; k < 4; ++k) {
            row.chain[k] = poseidon_compress(k == 0 ? row.domain : row.chain[k - 1], blocks[k]);
        }
    }
    template <class Edit>
    Forgery<Row> forge(const std::string& obstacle, std::size_t sample, Edit&& edit) const {
        Row row = rows[sample];
        edit(row);
        return {obstacle, complete(row)};
    }
};

TEST_F(SignedTableTest, HonestRowsHold) {
    ASSERT_EQ(rows.size(), 6U);
    EXPECT_EQ(judge(rows).faults, std::vector<std::string>());
    const Columns columns = columns_of<Row>(rows, 512);
    const auto violation = find_violation(judge.table(), columns);
    EXPECT_FALSE(violation.has_value()) << violation->constraint;
    EXPECT_LE(judge.table().num_columns(), 180U);
    EXPECT_LE(judge.table().max_degree(), 3U);
}

// ADVERSARIAL, Tables: "padding that pretends to be real", "free multiplicity on padding rows".
TEST_F(SignedTableTest, PaddingDoesNothing) {
    const Judgement judgement = judge(Row{});
    EXPECT_EQ(judgement.faults, std::vector<std::string>());
    EXPECT_TRUE(judgement.exchange.empty());
    // Cells that hold anything on a row without a kind still put nothing on a bus.
    Row row = rows[kNoFee];
    row.kind = {};
    row.amount_inverse = {};
    EXPECT_EQ(judge(row).faults, std::vector<std::string>());
    EXPECT_TRUE(judge(row).exchange.empty());
}

// ADVERSARIAL, Tables: "mutate every cell of a small valid trace".
TEST_F(SignedTableTest, EveryCellIsBound) {
    using Names = std::vector<std::string>;
    // An inverse of zero is free.
    const Names first{"payment.sum_inverse"};
    EXPECT_EQ(judge.free_cells(rows[kFirstFee]), first);
    const Names no_open{"payment.count", "payment.count_previous"};
    const Names no_receiver{"to.previous", "to.published", "to.nonce"};
    const Names no_fee{"payment.fee_inverse", "payment.previous", "payment.sum_inverse", "payment.count",
                       "payment.count_previous"};
    const auto joined = [](Names a, const Names& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
    };
    EXPECT_EQ(judge.free_cells(rows[kNoFee]), no_fee);
    EXPECT_EQ(judge.free_cells(rows[kNew]), joined(no_open, no_receiver));
    EXPECT_EQ(judge.free_cells(rows[kWithdrawal]), joined(first, no_receiver));
    EXPECT_EQ(judge.free_cells(rows[kKeyChange]), joined(joined({"amount_inverse"}, no_open), no_receiver));
}

std::vector<Forgery<Row>> sums_and_ranges(const std::vector<Row>& rows, Row& (*complete)(Row&)) {
    std::vector<Forgery<Row>> r;
    const auto forge = [&](const std::string& obstacle, std::size_t sample, const auto& edit) {
        Row row = rows[sample];
        edit(row);
        r.push_back({obstacle, complete(row)});
    };
    for (std::size_t i = 0; i < rollup::Amount::kLimbs; ++i) {
        // Money out of nothing: balances and sums that do not add up, by a carry that is none ..
        forge(carry_name("sender.balance", i), kFirstFee, [i](Row& row) { forge_carry(row.sender.balance, i); });
        forge(carry_name("fees.sum", i), kNew, [i](Row& row) { forge_carry(row.payment.before, i); });
        forge(carry_name("to.balance", i), kFirstFee, [i](Row& row) { forge_carry(row.to.balance, i); });
        // .. or by limbs that are none: underflow and overflow of the last one, T5, S5, S7.
        forge(indexed("sender.rest", i), kFirstFee, [i](Row& row) {
            row.sender.rest[i] += KoalaBear(kLimb);
            row.sender.balance[i] += KoalaBear(kLimb);
        });
        forge(indexed("fees.after", i), kNew, [i](Row& row) {
            row.payment.after[i] += KoalaBear(kLimb);
            row.payment.before[i] += KoalaBear(kLimb);
        });
        forge(indexed("to.credited", i), kFirstFee, [i](Row& row) {
            row.to.credited[i] += KoalaBear(kLimb);
            row.to.balance[i] += KoalaBear(kLimb);
        });
    }
    return r;
}

TEST_F(SignedTableTest, NothingCanBeDropped) {
    std::vector<Forgery<Row>> f = sums_and_ranges(rows, &complete);
    const auto add = [&](const std::string& obstacle, std::size_t sample, const auto& edit) {
        f.push_back(forge(obstacle, sample, edit));
    };
    const KoalaBear minus_one = -KoalaBear(1);
    // Kinds that add up to one operation, but a receiver is debited or an extension is taken back.
    add("kind[0]", kWithdrawal, [&](Row& row) { row.kind = {minus_one, KoalaBear(1), KoalaBear(1), {}}; });
    add("kind[1]", kWithdrawal, [&](Row& row) { row.kind = {KoalaBear(1), minus_one, KoalaBear(1), {}}; });
    add("kind[2]", kWithdrawal, [&](Row& row) { row.kind = {KoalaBear(1), KoalaBear(1), minus_one, {}}; });
    add("kind.exclusive", kNoFee, [](Row& row) { row.kind[kKindTransferNew] = KoalaBear(1); });
    f.back().row.amount_inverse *= KoalaBear(2);

    add("slot.upper", kNoFee, [](Row& row) { row.slot[1] = KoalaBear(1u << 14); });
    add("receiver.upper", kNoFee, [](Row& row) { row.receiver[1] = KoalaBear(1u << 14); });
    add("fee.top", kNew, [](Row& row) {
        row.fee[4] += KoalaBear(256);
        row.sender.balance[4] += KoalaBear(256);
        row.payment.after[4] += KoalaBear(256);
    });
    // T1: amount 0 ..
    add("amount.positive", kNoFee, [](Row& row) {
        row.amount = {};
        row.sender.rest = row.sender.balance;
        row.to.credited = row.to.balance;
    });
    // .. and an amount that leaves the sender with a change of key.
    add("amount.none", kKeyChange, [](Row& row) {
        row.amount[0] = KoalaBear(1);
        row.sender.balance[0] += KoalaBear(1);
        row.to.credited[0] = KoalaBear(1);
    });
    f.back().row.amount_inverse = {};
    add("receiver.none", kWithdrawal, [](Row& row) { row.receiver[0] = KoalaBear(3); });

    add("timestamp", kNoFee, [](Row& row) { row.timestamp[0] -= KoalaBear(1); });
    // S3: expired by a second, by less than a limb's worth, and by 2^16 seconds with a borrow of -127 2^8 = 1 / 2^16.
    add("expiry.low", kNoFee, [](Row& row) { row.expiry[0] -= KoalaBear(1); });
    add("expiry.high", kNoFee, [](Row& row) {
        row.expiry[0] -= KoalaBear(1);
        row.borrow = KoalaBear(1);
    });
    add("expiry.borrow", kNoFee, [](Row& row) {
        row.expiry[1] -= KoalaBear(1);
        row.borrow = KoalaBear(kLimb).inverse();
    });

    add("sender.pair", kNoFee, [](Row& row) { row.sender.key_hash[0] += KoalaBear(1); });  // someone else's key
    // A read from the future, or from its own time.
    add("sender.order", kNoFee, [](Row& row) { row.sender.previous = row.word + KoalaBear(1); });
    add("to.order", kNoFee, [](Row& row) { row.to.previous = row.word + KoalaBear(1); });
    add("fees.order", kFirstFee, [](Row& row) { row.payment.previous = row.word + KoalaBear(1); });
    add("fee_tokens.order", kFirstFee, [](Row& row) { row.payment.count_previous = row.word + KoalaBear(1); });
    // S4: the nonce after the last.
    add("sender.nonce.high.upper", kNoFee, [](Row& row) {
        row.sender.nonce = KoalaBear(rollup::kMaxNonce);
        row.sender.nonce_high = KoalaBear(1u << 14);
    });
    add("sender.nonce.high", kNoFee, [](Row& row) {
        row.sender.nonce = KoalaBear((1u << 14) - 1);
        row.sender.nonce_high = KoalaBear(4).inverse();
    });
    add("sender.nonce.low", kNoFee, [](Row& row) { row.sender.nonce = KoalaBear(kLimb); });

    // A fee that the sender pays and the ledger does not get; an access of the ledger without a fee or an operation.
    add("fee.free", kFirstFee, [](Row& row) {
        row.payment.pays = {};
        row.payment.opens = {};
    });
    f.back().row.payment.fee_inverse = {};
    add("fee.pays", kNoFee, [](Row& row) {
        row.payment.pays = KoalaBear(1);
        row.payment.opens = KoalaBear(1);
    });
    f.push_back({"fee.real", Row{}});
    f.back().row.fee[0] = f.back().row.sender.balance[0] = f.back().row.payment.after[0] = KoalaBear(1);
    f.back().row.payment.fee_inverse = f.back().row.payment.pays = f.back().row.payment.opens = KoalaBear(1);
    // A token that is not counted, and one that is counted twice.
    add("fees.opens", kFirstFee, [](Row& row) { row.payment.opens = {}; });
    add("fees.open", kNew, [](Row& row) { row.payment.opens = KoalaBear(1); });
    add("fee_tokens.limit", kFirstFee, [](Row& row) { row.payment.count = KoalaBear(16); });  // S6

    // Another rollup's message; hashes that are none.
    add("domain", kNoFee, [](Row& row) { row.domain[0] += KoalaBear(1); });
    for (std::size_t k = 0; k < 4; ++k) {
        add(indexed("message", k), kNoFee, [](Row&) {});
        f.back().row.chain[k][7] += KoalaBear(1);
        rehash(f.back().row, k + 1);
    }
    expect_all_needed(judge, f);
}

// The sender's published key is not a cell: the leaf that is read has exists = published = 1, whatever the row says.
TEST_F(SignedTableTest, ReadsAnExistingPublishedSender) {
    auto leaf = leaf_cells(segment->batch.steps[0].access[0].before);
    const auto taken = [&](const LeafCells<KoalaBear>& l) {
        std::vector<std::uint32_t> key{kMemoryBus};
        for (const KoalaBear x : memory_tuple(KoalaBear(2), KoalaBear(0), l)) key.push_back(x.canonical());
        const Exchange exchange = judge(rows[kFirstFee]).exchange;
        return exchange.contains(key) && exchange.at(key) == -KoalaBear(1);
    };
    EXPECT_TRUE(taken(leaf));
    leaf.published = {};
    EXPECT_FALSE(taken(leaf));
}

// ADVERSARIAL, Tables: "self-transfer", "two touches of one account in one transaction". The second access would have
// to come after the first at the same time.
TEST_F(SignedTableTest, SelfTransferHasNoOrder) {
    Row row = rows[kNoFee];
    row.receiver = row.slot;
    row.to.nonce = row.sender.nonce + KoalaBear(1);
    row.to.published = KoalaBear(1);
    row.payload = row.sender.pair;
    row.to.balance = row.sender.rest;
    row.to.credited = row.sender.balance;
    complete(row);
    // Chained: slot 3 is read once as before and written once as after, but the second read is of its own time.
    row.to.previous = row.word + KoalaBear(1);
    EXPECT_EQ(judge(row).faults, std::vector<std::string>{"to.order"});
    // In parallel: both read an earlier state; two writes remain that nobody reads before the next time.
    row.to.previous = row.sender.previous;
    const Exchange exchange = judge(row).exchange;
    std::size_t reads = 0;
    for (const auto& [key, total] : exchange) {
        if (key[0] == kMemoryBus && total == -KoalaBear(1)) ++reads;
    }
    EXPECT_EQ(reads, 2U);
}

// ADVERSARIAL, Tables: "a payment to a slot whose pair is not the signed one": what the memory must hold in the
// receiving slot is what the message contains.
TEST_F(SignedTableTest, TheReceiversPairIsTheSignedOne) {
    Row row = rows[kNoFee];
    row.payload = rollup::pair_hash(rollup::testing::make_owner(33));
    EXPECT_EQ(judge(row).faults, std::vector<std::string>{"message[1]"});
    // With the payload left as signed, the slot that is read has the signed pair: the payload is that cell.
    complete(row);
    const auto signature_of = [&](const Row& r) {
        std::vector<std::uint32_t> key{kSignatureBus};
        for (const KoalaBear x : signature_tuple(r.word + KoalaBear(1), r.sender.key_hash, r.chain[3], r.e, r.s)) {
            key.push_back(x.canonical());
        }
        return key;
    };
    EXPECT_FALSE(judge(row).exchange.contains(signature_of(rows[kNoFee])));
    EXPECT_TRUE(judge(rows[kNoFee]).exchange.contains(signature_of(rows[kNoFee])));
}

}  // namespace
}  // namespace quarry::circuits::signed_table_test
