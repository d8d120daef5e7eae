#include "quarry/circuits/data/evaluation_table.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/data/data_testing.hpp"

namespace quarry::circuits {
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

// First, inner and last rows of both forms, with a missing word each. A word that is not there has no middle.
TEST(EvaluationTable, NoCellIsFreeSlow) {
    EXPECT_EQ(testing::free_data_cells(DataTable::evaluation, rows_of(DataForm::blob, 5), {0, 1, 2}),
              (Free{{"word1.mid", {2}}}));
    EXPECT_EQ(testing::free_data_cells(DataTable::evaluation, rows_of(DataForm::horner, 5), {0, 1, 2}),
              (Free{{"word0.mid", {0}}}));
}

// Behind the rows only flags count (and what a last row would hand on is not asked for).
TEST(EvaluationTable, PaddingIsSilent) {
    const Rows rows = rows_of(DataForm::blob, 4);
    const auto free = testing::free_data_cells(DataTable::evaluation, rows, {rows.size()});
    for (const char* held : {"blob", "horner", "is_first", "is_last", "step", "word0.present", "word1.present"}) {
        EXPECT_FALSE(free.contains(held)) << held;
    }
}

struct EvaluationConstraints : public ::testing::Test {
    EvaluationConstraints() {
        for (const Constraint& c : table().constraints) left.insert(c.name);
    }
    void expect_alone(const std::string& name, const Rows& bad) {
        EXPECT_EQ(broken_constraints(table(), testing::columns_of_rows(bad)), std::vector<std::string>{name});
        left.erase(name);
    }
    /// One cell of the flags, words and counts at a time; two of them where named.
    void try_cells(const Rows& rows, const std::vector<std::size_t>& where) {
        Columns columns = testing::columns_of_rows(rows);
        const std::size_t height = columns.front().size();
        for (const std::size_t row : where) {
            for (std::size_t c = 0; c < columns.size(); ++c) {
                const std::string& name = table().columns[c];
                if (name.starts_with("t.") || name.starts_with("g.") || name.find("gate") != std::string::npos)
                    continue;
                const KoalaBear original = columns[c][row];
                for (const KoalaBear value : {KoalaBear(0), kOne, KoalaBear(2), original + kOne}) {
                    columns[c][row] = value;
                    note(columns, row, height);
                }
                columns[c][row] = original;
            }
        }
    }
    void note(const Columns& columns, std::size_t row, std::size_t height) {
        Faults found;
        for (const std::size_t r : {(row + height - 1) % height, row}) {
            const auto atoms = testing::atoms_at(table(), columns, r);
            for (const Constraint& c : table().constraints) {
                if (!evaluate_form(c.form, atoms, [](KoalaBear x) { return x; }).is_zero()) found.insert(c.name);
            }
            if (found.size() > 1) return;
        }
        if (found.size() == 1) left.erase(*found.begin());
    }
    Faults left;
};

// ADVERSARIAL, Tables: for each constraint there are bad rows that only it refuses.
TEST_F(EvaluationConstraints, EachIsNeededSlow) {
    const Rows blob = rows_of(DataForm::blob, 5);
    const Rows horner = rows_of(DataForm::horner, 5);
    try_cells(blob, {0, 1, 2, 3});
    try_cells(horner, {0, 1, 2, 3});
    // A wrong quotient, and carries that hide it in all equations but one.
    for (const char* gate : {"first", "second", "next"}) {
        for (std::size_t open = 0; open < 32; ++open) {
            Columns columns = testing::columns_of_rows(blob);
            const auto quotient =
                std::find(table().columns.begin(), table().columns.end(), std::string(gate) + "_gate.quotient.limb[0]");
            columns[static_cast<std::size_t>(quotient - table().columns.begin())][1] += kOne;
            testing::close_gate_but(table(), columns, 1, gate, std::string(gate) + "_gate", open);
            const std::string name = std::string(gate) + "[" + std::to_string(open) + "]";
            EXPECT_EQ(broken_constraints(table(), columns), std::vector<std::string>{name});
            left.erase(name);
        }
    }
    EXPECT_EQ(left, Faults());
}

// ADVERSARIAL, Tables: "first row, last row, wrap-around, empty table, table of one row, padding that pretends".
TEST(EvaluationRuns, AreOneFromFirstToLast) {
    const auto expect_faults = [](DataForm form, auto change, const Faults& expected) {
        DataWitness w(form, testing::random_words(6));
        change(w.evaluation);
        EXPECT_EQ(testing::faults_of(w), expected);
    };
    // A run that starts at its second row, or ends before its last one, meets neither start nor end.
    expect_faults(DataForm::horner, [](Rows& rows) { rows.erase(rows.begin()); },
                  {"bus 40", "evaluation.next.is_first"});
    expect_faults(DataForm::horner, [](Rows& rows) { rows.pop_back(); }, {"bus 41", "evaluation.first[0]"});
}

}  // namespace
}  // namespace quarry::circuits
