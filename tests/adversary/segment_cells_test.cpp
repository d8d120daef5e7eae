// "For every table, mutate every cell of a small valid trace", in the strict sense: a cell is bound only if its change
// breaks a constraint, asks for something false, or says something else to another table. To ask for another true fact
// is no sign: the liar's tables of facts serve it.

#include "tests/adversary/segment_claim.hpp"

namespace quarry::adversary::segment_cells_test {
namespace {

using Rows = std::set<std::size_t>;

/// The free cells of the rows first, first + step, .. below last, with the rows in which they are free.
std::map<std::string, Rows> free_cells(Witness& w, SegmentTable t, std::size_t last, std::size_t first = 0,
                                       std::size_t step = 1) {
    std::map<std::string, Rows> found;
    for (std::size_t row = first; row < last; row += step) {
        for (const std::string& name : w.free_cells(t, row)) found[name].insert(row);
    }
    return found;
}
using Free = std::map<std::string, Rows>;

class SegmentCells : public ::testing::Test {
  protected:
    RealRollup rollup;
    Claim claim{rollup, every_operation(rollup)};
    Witness w = claim.witness();
};

TEST_F(SegmentCells, OfTheState) {
    for (const SegmentTable t : {SegmentTable::slot, SegmentTable::register_file}) {
        EXPECT_EQ(free_cells(w, t, w.num_real(t)), Free());
    }
    EXPECT_EQ(free_cells(w, SegmentTable::merkle, w.num_real(SegmentTable::merkle), 0, 3), Free());
    // Every sum is 0 on both sides of a whole batch, so its inverse is of nothing. Row 2 ends the run.
    EXPECT_EQ(free_cells(w, SegmentTable::fee, w.num_real(SegmentTable::fee)),
              (Free{{"after.inverse", {0, 1, 2}}, {"before.inverse", {0, 1, 2}}, {"last", {2}}, {"token", {2}}}));
}

// The rows behind the last word hold an accumulator, and nothing else of them counts.
TEST_F(SegmentCells, OfWordsAndEffects) {
    const std::size_t words = w.num_real(SegmentTable::word) - 1;
    EXPECT_EQ(free_cells(w, SegmentTable::word, words + 1, words % 5, 5), (Free{{"absorb.mid", {words}},
                                                                                {"absorb.word.byte", {words}},
                                                                                {"absorb.word.limb", {words}},
                                                                                {"index", {words}}}));
    const std::size_t effects = w.num_real(SegmentTable::effect) - 1;
    EXPECT_EQ(free_cells(w, SegmentTable::effect, effects + 1, effects % 5, 5), (Free{{"absorb.mid", {effects}},
                                                                                      {"absorb.word.byte", {effects}},
                                                                                      {"absorb.word.limb", {effects}},
                                                                                      {"position", {effects}},
                                                                                      {"time", {effects}}}));
}

// Of the header's rows from the one with the timestamp on, of a ledger's end, of domain and work. The uses are counted
// when all requests are known.
TEST_F(SegmentCells, OfChains) {
    EXPECT_EQ(free_cells(w, SegmentTable::chain, 45, 3, 40), (Free{{"count", {43}},
                                                                   {"data_before", {3, 43}},
                                                                   {"domain_uses", {43}},
                                                                   {"fee_uses", {43}},
                                                                   {"is_time", {3}},
                                                                   {"payee", {3, 43}},
                                                                   {"position", {43}},
                                                                   {"receiver_uses", {3}},
                                                                   {"timestamp_uses", {3}}}));
    EXPECT_EQ(free_cells(w, SegmentTable::chain, 45, 10, 34),
              (Free{{"count", {44}}, {"data_before", {10}}, {"payee", {10}}, {"position", {44}}}));
}

// Rows 1, 2, 3 are no transfers, 3 has no amount, 4 pays nothing, 0 and 5 are the first to pay in their token.
TEST_F(SegmentCells, OfSignedOperations) {
    EXPECT_EQ(free_cells(w, SegmentTable::signed_operation, 8), (Free{{"amount_inverse", {3}},
                                                                      {"payment.count", {1, 2, 3, 4, 6, 7}},
                                                                      {"payment.count_previous", {1, 2, 3, 4, 6, 7}},
                                                                      {"payment.fee_inverse", {4}},
                                                                      {"payment.previous", {4}},
                                                                      {"payment.sum_inverse", {0, 4, 5}},
                                                                      {"to.nonce", {1, 2, 3}},
                                                                      {"to.previous", {1, 2, 3}},
                                                                      {"to.published", {1, 2, 3}}}));
    for (const SegmentTable t : {SegmentTable::new_pair, SegmentTable::withdraw, SegmentTable::change_key,
                                 SegmentTable::publish, SegmentTable::collect}) {
        ASSERT_GT(w.num_real(t), 0U);
        EXPECT_EQ(free_cells(w, t, w.num_real(t)), Free()) << table_of(t).name;
    }
}

// In order: created, credited, other token, other pair, overflow, absent. Free are the slot where none is read, and the
// witnesses of differences that are none.
TEST_F(SegmentCells, OfDeposits) {
    ASSERT_EQ(w.num_real(SegmentTable::deposit), 6U);
    EXPECT_EQ(free_cells(w, SegmentTable::deposit, 6), (Free{{"found.nonce", {0, 5}},
                                                             {"found.pair", {0, 5}},
                                                             {"found.previous", {5}},
                                                             {"found.published", {0, 5}},
                                                             {"found.token", {0, 5}},
                                                             {"gap.carry", {0, 1, 2, 3, 4}},
                                                             {"gap.high", {0, 1, 2, 3, 4}},
                                                             {"gap.low", {0, 1, 2, 3, 4}},
                                                             {"pair_difference", {1, 2, 4}},
                                                             {"target_inverse", {0}},
                                                             {"token_inverse", {1, 3, 4}}}));
}

// In order: matched, mismatched, absent of withdrawals (which have no key hash), then of keys.
TEST_F(SegmentCells, OfForcedEntries) {
    ASSERT_EQ(w.num_real(SegmentTable::forced), 6U);
    EXPECT_EQ(free_cells(w, SegmentTable::forced, 6), (Free{{"address_difference", {0, 3}},
                                                            {"found.balance", {2, 5}},
                                                            {"found.nonce", {2, 5}},
                                                            {"found.pair", {2, 5}},
                                                            {"found.previous", {2, 5}},
                                                            {"found.published", {2, 5}},
                                                            {"found.token", {2, 5}},
                                                            {"found_address", {2, 5}},
                                                            {"found_key_hash", {2, 5}},
                                                            {"gap.carry", {0, 1, 3, 4}},
                                                            {"gap.high", {0, 1, 3, 4}},
                                                            {"gap.low", {0, 1, 3, 4}},
                                                            {"key_hash.high", {0, 1, 2}},
                                                            {"key_hash.low", {0, 1, 2}},
                                                            {"new_pair", {0, 1, 2, 4, 5}}}));
}

TEST_F(SegmentCells, OfSignatures) {
    EXPECT_EQ(free_cells(w, SegmentTable::signature, 1), Free());
    EXPECT_EQ(free_cells(w, SegmentTable::schedule, 17, 15), Free());  // the last row of one, the first of the next
}

}  // namespace
}  // namespace quarry::adversary::segment_cells_test
