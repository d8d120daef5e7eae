#include "quarry/circuits/data/evaluation_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/data/data_testing.hpp"

namespace quarry::circuits::evaluation_table_test {
namespace {

using rollup::DataForm;
using testing::DataWitness;
using Faults = std::set<std::string>;
using Free = std::map<std::string, std::set<std::size_t>>;
using Row = EvaluationRow<KoalaBear>;
using Rows = std::vector<Row>;
const KoalaBear kOne(1);

const Table& table() { return testing::table_of(DataTable::evaluation); }
Rows rows_of(DataForm form, std::size_t n) {
    const auto words = testing::random_words(n);
    return evaluation_rows(testing::data_statement(form, words), words);
}

// First, inner and last rows, with a missing word in each form. A word that is not there has no middle.
TEST(EvaluationTable, NoCellIsFreeSlow) {
    EXPECT_EQ(testing::free_data_cells(DataTable::evaluation, rows_of(DataForm::blob, 5), {1, 2}),
              (Free{{"word1.mid", {2}}}));
    EXPECT_EQ(testing::free_data_cells(DataTable::evaluation, rows_of(DataForm::horner, 5), {0, 2}),
              (Free{{"word0.mid", {0}}}));
}

// Behind the rows only flags count.
TEST(EvaluationTable, PaddingIsSilent) {
    const Rows rows = rows_of(DataForm::blob, 4);
    const auto free = testing::free_data_cells(DataTable::evaluation, rows, {rows.size()});
    for (const char* held : {"blob", "horner", "is_first", "is_last", "step", "word0.present", "word1.present"}) {
        EXPECT_FALSE(free.contains(held)) << held;
    }
}

// ADVERSARIAL, Tables: for each constraint there are bad rows that only it refuses. Two words a row, 5 words or, where
// one is taken away, 6: always three rows.
struct EvaluationConstraints : public ::testing::Test {
    static constexpr std::size_t kLast = 2, kPadding = 3;

    EvaluationConstraints() {
        for (const Constraint& c : table().constraints) left.insert(c.name);
    }
    void expect_alone(const std::string& name, const Columns& bad) {
        EXPECT_EQ(testing::broken_around(table(), bad, kPadding + 1), Faults{name});
        left.erase(name);
    }
    void expect_alone(const std::string& name, const Rows& bad) { expect_alone(name, testing::columns_of_rows(bad)); }
    /// Rows whose gates of row `at` hold modulo p again.
    static Columns closed(const Rows& rows, std::size_t at, const std::vector<std::string>& gates) {
        Columns columns = testing::columns_of_rows(rows);
        for (const std::string& gate : gates) testing::close_gate(table(), columns, at, {gate, gate + "_gate"});
        return columns;
    }
    static KoalaBear& word_limb(DataWordCells<KoalaBear>& w, std::size_t k) {
        return k < 15 ? w.word.limb[14 - k] : w.word.byte;
    }

    Rows blob = rows_of(DataForm::blob, 5);
    Rows horner = rows_of(DataForm::horner, 5);
    Faults left;
};

TEST_F(EvaluationConstraints, EachIsNeededSlow) {
    // Runs and flags.
    Rows bad = blob;
    bad.resize(kPadding + 2);
    bad[kPadding].blob = bad[kPadding].step[0] = -kOne;  // with the order that blob rows add
    bad[kPadding].horner = kOne;
    bad[kPadding].first_gate.quotient.limb[0] = bad[kPadding].second_gate.quotient.limb[0] = -kOne;
    expect_alone("blob", bad);
    bad[kPadding].blob = bad[kPadding].step[0] = kOne;
    bad[kPadding].horner = -kOne;
    bad[kPadding].first_gate.quotient.limb[0] = bad[kPadding].second_gate.quotient.limb[0] = kOne;
    expect_alone("horner", bad);
    bad = blob;
    bad.resize(kPadding + 2);
    bad[kPadding + 1].is_first = kOne;
    expect_alone("next.is_first", bad);
    bad[kPadding].is_last = kOne;
    expect_alone("is_last.where", bad);
    bad = horner;
    bad[kLast].horner = KoalaBear();
    bad[kLast].blob = kOne;
    expect_alone("next.blob", closed(bad, kLast, {"first", "second"}));

    for (std::size_t k = 0; k < kPairBits; ++k) {
        bad = horner;
        for (Row& row : bad) row.bit[k] = kOne;
        expect_alone(indexed("first.bit", k), bad);
        bad[0].bit[k] = bad[1].bit[k] = KoalaBear();
        expect_alone(indexed("next.bit", k), bad);
        bad = horner;
        bad.resize(kPadding + 1);
        bad[kPadding].step[k] = kOne;
        expect_alone(indexed("step", k), bad);
    }

    // Words.
    bad = horner;
    bad[0].word[0].present = KoalaBear(2);
    for (Row& row : bad) row.count += KoalaBear(2);
    expect_alone("word0.present", bad);
    bad = blob;
    bad[kLast].word[1].present = KoalaBear(2);
    bad[kLast].count += KoalaBear(2);
    expect_alone("word1.present", bad);
    const auto without_word = [&](DataForm form, std::size_t row, std::size_t word) {
        auto words = testing::random_words(6);
        std::fill_n(words.begin() + static_cast<std::ptrdiff_t>((2 * row + word) * rollup::kWordBytes),
                    rollup::kWordBytes, std::uint8_t{0});
        Rows rows = evaluation_rows(testing::data_statement(form, words), words);
        auto& w = rows[row].word[word];
        w.present = KoalaBear();
        w.after = word == 0 ? rows[row].before : rows[row].word[0].after;
        if (word == 1 && row < kLast) rows[row + 1].before = w.after;
        for (std::size_t j = row; j < rows.size(); ++j) rows[j].count -= kOne;
        return rows;
    };
    expect_alone("word0.missing.form", without_word(DataForm::blob, 0, 0));
    expect_alone("word1.missing.form", without_word(DataForm::horner, kLast, 1));
    expect_alone("word0.missing.where", without_word(DataForm::horner, 1, 0));
    expect_alone("word1.missing.where", without_word(DataForm::blob, 1, 1));
    for (std::size_t k = 0; k < kFieldLimbs; ++k) {
        bad = horner;
        word_limb(bad[0].word[0], k) = bad[0].g.limb[k] = kOne;
        expect_alone(indexed("word0.missing", k), closed(bad, 0, {"second"}));
        bad = blob;
        word_limb(bad[kLast].word[1], k) = kOne;
        expect_alone(indexed("word1.missing", k), closed(bad, kLast, {"first", "second"}));
    }
    for (std::size_t k = 0; k < kDigestSize; ++k) {
        bad = horner;
        bad[0].word[0].after[k] += kOne;
        expect_alone(indexed("word0.skipped", k), bad);
        bad = blob;
        bad[kLast].word[1].after[k] += kOne;
        expect_alone(indexed("word1.skipped", k), bad);
        bad = blob;
        bad[1].before[k] += kOne;
        expect_alone(indexed("next.before", k), bad);
    }
    bad = horner;
    for (Row& row : bad) row.count += kOne;
    expect_alone("first.count", bad);
    bad = horner;
    bad[kLast].count += kOne;
    expect_alone("next.count", bad);

    // Numbers.
    for (std::size_t k = 0; k < kFieldLimbs; ++k) {
        bad = horner;
        bad[0].g.limb[k] += kOne;
        expect_alone(indexed("first.g", k), closed(bad, 0, {"second"}));
        bad = horner;
        for (Row& row : bad) row.sum[k] = kOne;
        expect_alone(indexed("first.sum", k), bad);
        bad[0].sum[k] = bad[1].sum[k] = KoalaBear();
        expect_alone(indexed("next.sum", k), bad);
    }
    // A wrong quotient, and carries that hide it in all equations but one.
    for (const std::string gate : {"first", "second", "next"}) {
        for (std::size_t open = 0; open < 32; ++open) {
            Columns columns = testing::columns_of_rows(blob);
            columns[testing::column_of(table(), gate + "_gate.quotient.limb[0]")][1] += kOne;
            testing::close_gate_but(table(), columns, 1, {gate, gate + "_gate"}, open);
            expect_alone(indexed(gate, open), columns);
        }
    }
    // too_many: below. The other three are implied, and shorten the argument: a row of both forms, or one that is last
    // twice, needs a successor that is more than real, or one that is first with the count of another, and so on around
    // the table, where counts do not come back.
    EXPECT_EQ(left, (Faults{"is_first", "is_last", "one_form", "too_many"}));
}

// 4097 words of a blob: everything goes on as before, but the number of the pair has no more bits.
TEST_F(EvaluationConstraints, ABlobHasNoMoreThan4096WordsSlow) {
    const auto words = testing::random_words(rollup::kMaxDataWords);
    Rows rows = evaluation_rows(testing::data_statement(DataForm::blob, words), words);
    Row& full = rows.back();
    full.is_last = KoalaBear();
    full.step.fill(kOne);
    Row more;
    more.blob = more.is_last = more.word[0].present = kOne;
    more.count = full.count + kOne;
    more.before = more.word[0].after = more.word[1].after = full.word[1].after;
    more.bit[kPairBits - 1] = KoalaBear(2);
    for (std::size_t k = 0; k < kFieldLimbs; ++k) more.sum[k] = full.sum[k] + full.acc.limb[k];
    more.t = full.t;
    more.first_gate.quotient.limb[0] = more.second_gate.quotient.limb[0] = kOne;  // w_0 = w_1 = 0, plus the order
    rows.push_back(more);
    const std::size_t row = rows.size() - 2;
    Columns columns = testing::columns_of_rows(Rows(rows.end() - 2, rows.end()));
    testing::close_gate(table(), columns, 0, {"next", "next_gate"});
    Faults broken = testing::broken_around(table(), columns, 1);
    broken.erase("next.is_first");  // the first row here has its predecessor cut off
    EXPECT_EQ(row, 2047U);
    EXPECT_EQ(broken, Faults{"too_many"});
}

// ADVERSARIAL, Tables: "first row, last row, wrap-around, empty table, table of one row, padding that pretends".
TEST(EvaluationRuns, AreOneFromFirstToLast) {
    DataWitness w(DataForm::horner, testing::random_words(6));
    const Rows honest = w.evaluation;
    w.evaluation.erase(w.evaluation.begin());
    EXPECT_EQ(testing::faults_of(w), (Faults{"bus 40", "evaluation.next.is_first"}));
    w.evaluation = honest;
    w.evaluation.pop_back();
    const auto cut = testing::faults_of(w);
    EXPECT_TRUE(cut.contains("bus 41") && cut.contains("evaluation.next.is_first"));
    w.evaluation.clear();
    EXPECT_EQ(testing::faults_of(w), (Faults{"bus 40", "bus 41"}));
    // The run twice: the second one has no start and no end to meet.
    w.evaluation = honest;
    w.evaluation.insert(w.evaluation.end(), honest.begin(), honest.end());
    EXPECT_EQ(testing::faults_of(w), (Faults{"bus 40", "bus 41"}));
}

// Rows that hold, of something else: other words, another order, start, point or form.
TEST(EvaluationRuns, OfOtherDataDoNotMeetTheStatement) {
    for (const DataForm form : {DataForm::blob, DataForm::horner}) {
        const auto words = testing::random_words(4);
        const DataWitness honest(form, words);
        const auto faults_with = [&](const rollup::DataStatement& s, const std::vector<std::uint8_t>& of) {
            DataWitness w = honest;
            w.evaluation = evaluation_rows(s, of);
            return testing::faults_of(w);
        };
        const rollup::DataStatement& s = honest.statement;
        EXPECT_EQ(faults_with(s, words), Faults());
        auto other = words;
        other[40] ^= 1;
        EXPECT_EQ(faults_with(s, other), Faults{"bus 41"});
        other = words;
        std::swap_ranges(other.begin(), other.begin() + rollup::kWordBytes, other.begin() + rollup::kWordBytes);
        EXPECT_EQ(faults_with(s, other), Faults{"bus 41"});
        rollup::DataStatement t = s;
        t.words = 3;
        EXPECT_EQ(faults_with(t, testing::random_words(3)), Faults{"bus 41"});
        t = s;
        t.before[0] += kOne;
        EXPECT_EQ(faults_with(t, words), (Faults{"bus 40", "bus 41"}));
        t = s;
        t.point[0] += kOne;
        EXPECT_EQ(faults_with(t, words), (Faults{"bus 40", "bus 41"}));
        t = s;
        t.form = form == DataForm::blob ? DataForm::horner : DataForm::blob;
        EXPECT_EQ(faults_with(t, words), (Faults{"bus 40", "bus 41"}));
    }
}

}  // namespace
}  // namespace quarry::circuits::evaluation_table_test
