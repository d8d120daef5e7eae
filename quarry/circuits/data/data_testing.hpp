#pragma once
/// Shared by the tests of the data circuit: witnesses of small data, and an exact verdict on what a liar makes of them.

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "quarry/air/check.hpp"
#include "quarry/circuits/data/data.hpp"
#include "quarry/circuits/data/evaluation_table.hpp"
#include "quarry/circuits/data/field_table.hpp"
#include "quarry/circuits/data/point_table.hpp"
#include "quarry/circuits/segment_testing.hpp"

namespace quarry::circuits::testing {

inline std::vector<std::uint8_t> random_words(std::size_t n, std::uint64_t seed = 1) {
    std::mt19937_64 rng(seed);
    std::vector<std::uint8_t> words(n * rollup::kWordBytes);
    for (std::uint8_t& byte : words) byte = static_cast<std::uint8_t>(rng());
    return words;
}

inline rollup::DataStatement data_statement(rollup::DataForm form, const std::vector<std::uint8_t>& words) {
    Digest before;
    for (std::size_t i = 0; i < before.size(); ++i) before[i] = KoalaBear(1000 + i);
    rollup::Bytes32 l1_hash;
    for (std::size_t i = 0; i < l1_hash.size(); ++i) l1_hash[i] = static_cast<std::uint8_t>(200 + i);
    return rollup::make_data_statement(form, before, words, l1_hash, rollup::testing::make_address(77), kMinerTag);
}

/// The three tables that ask, as a prover fills them. Tables of facts provide whatever is true.
struct DataWitness {
    explicit DataWitness(rollup::DataForm form, const std::vector<std::uint8_t>& data_words)
        : DataWitness(data_statement(form, data_words), data_words) {}
    DataWitness(rollup::DataStatement of, const std::vector<std::uint8_t>& data_words)
        : statement(std::move(of)), words(data_words), evaluation(evaluation_rows(statement, words)) {
        finish();
    }
    /// The rows of the small tables that follow from the evaluation's end.
    void finish() {
        LimbsOf<KoalaBear> sum{};
        if (!evaluation.empty()) {
            for (std::size_t k = 0; k < kFieldLimbs; ++k) {
                sum[k] = evaluation.back().sum[k] + evaluation.back().acc.limb[k];
            }
        }
        point = point_rows(statement, kMinerTag, sum);
        field = field_rows(statement, sum);
    }

    rollup::DataStatement statement;
    std::vector<std::uint8_t> words;
    std::vector<EvaluationRow<KoalaBear>> evaluation;
    std::vector<PointRow<KoalaBear>> point;
    std::vector<FieldRow<KoalaBear>> field;
};

/// What is wrong with rows: broken constraints ("table.name"), false lookups ("lookup on bus 2"), and what the tables
/// and the statement say to each other.
class DataVerdict {
  public:
    void check_row(const Table& table, const Columns& columns, std::size_t row) {
        const auto atoms = atoms_at(table, columns, row);
        const auto value = [&](const LinearForm& f) { return evaluate_form(f, atoms, [](KoalaBear x) { return x; }); };
        for (const Constraint& c : table.constraints) {
            if (!value(c.form).is_zero()) faults_.insert(table.name + "." + c.name);
        }
        for (const Interaction& interaction : table.interactions) {
            const KoalaBear multiplicity = value(interaction.multiplicity);
            if (multiplicity.is_zero()) continue;
            std::vector<KoalaBear> tuple;
            for (const LinearForm& f : interaction.tuple) tuple.push_back(value(f));
            if (!is_lookup(interaction.bus)) {
                said.add(interaction.bus, tuple, multiplicity);
            } else if (multiplicity != -KoalaBear(1) || !is_fact(interaction.bus, tuple)) {
                faults_.insert("lookup on bus " + std::to_string(interaction.bus));
            }
        }
    }
    /// All rows that are not plain padding, and one that is.
    template <class Row>
    void check_rows(const Table& table, const std::vector<Row>& rows) {
        const Columns columns = columns_of_rows(rows);
        const std::size_t height = columns.front().size();
        for (std::size_t r = 0; r < std::min(rows.size() + 1, height); ++r) check_row(table, columns, r);
        if (rows.size() + 1 < height) check_row(table, columns, height - 1);
    }
    [[nodiscard]] std::set<std::string> faults() const {
        std::set<std::string> r = faults_;
        for (const auto& [key, sum] : said.sums()) r.insert("bus " + std::to_string(key[0]));
        return r;
    }
    [[nodiscard]] const std::set<std::string>& own_faults() const { return faults_; }

    BusSums said;  ///< on the buses that count

  private:
    static bool is_lookup(Bus bus) {
        return bus == kHashBus || bus == kRange16Bus || bus == kSplitBus || bus == kHigh15Bus;
    }
    static bool is_fact(Bus bus, const std::vector<KoalaBear>& tuple) {
        const std::uint32_t v = tuple[0].canonical();
        if (bus == kRange16Bus) return v < 1u << 16;
        if (bus == kSplitBus) return v < 1u << 16 && tuple[1].canonical() == v >> 8;
        if (bus == kHigh15Bus) return v < 0x7f00;
        Digest left, right;
        std::copy_n(tuple.begin(), kDigestSize, left.begin());
        std::copy_n(tuple.begin() + kDigestSize, kDigestSize, right.begin());
        return std::equal(tuple.begin() + 2 * kDigestSize, tuple.end(), poseidon_compress(left, right).begin());
    }
    std::set<std::string> faults_;
};

inline const Table& table_of(DataTable t) { return data_circuit().tables()[static_cast<std::size_t>(t)]; }

/// Nothing if the statement can be proven with these rows.
inline std::set<std::string> faults_of(const DataWitness& w) {
    DataVerdict verdict;
    verdict.check_rows(table_of(DataTable::evaluation), w.evaluation);
    verdict.check_rows(table_of(DataTable::point), w.point);
    verdict.check_rows(table_of(DataTable::field), w.field);
    for (const PublicTuple& t : data_tuples(w.statement)) verdict.said.add(t.bus, t.tuple, t.multiplicity);
    return verdict.faults();
}

/// The cells of `rows` whose change breaks no constraint, asks for nothing false and says nothing else: by column name
/// without index, the rows. To ask for another true fact is no sign.
template <class Row>
std::map<std::string, std::set<std::size_t>> free_data_cells(DataTable t, const std::vector<Row>& rows,
                                                             const std::vector<std::size_t>& where) {
    const Table& table = table_of(t);
    Columns columns = columns_of_rows(rows);
    const std::size_t height = columns.front().size();
    std::map<std::string, std::set<std::size_t>> found;
    std::mt19937_64 rng(7);
    for (const std::size_t row : where) {
        const auto verdict = [&] {
            DataVerdict v;
            v.check_row(table, columns, (row + height - 1) % height);
            v.check_row(table, columns, row);
            return v;
        };
        const DataVerdict honest = verdict();
        for (std::size_t c = 0; c < columns.size(); ++c) {
            const KoalaBear original = columns[c][row];
            bool noticed = true;
            for (const KoalaBear value : {original + KoalaBear(1), original - KoalaBear(1), KoalaBear(rng())}) {
                if (value == original) continue;
                columns[c][row] = value;
                const DataVerdict changed = verdict();
                noticed = noticed && (!changed.own_faults().empty() || changed.said != honest.said);
            }
            columns[c][row] = original;
            if (!noticed) found[table.columns[c].substr(0, table.columns[c].find('['))].insert(row);
        }
    }
    return found;
}

inline std::size_t column_of(const Table& table, const std::string& name) {
    const auto at = std::find(table.columns.begin(), table.columns.end(), name);
    QUARRY_CHECK(at != table.columns.end());
    return static_cast<std::size_t>(at - table.columns.begin());
}

/// The constraints that break on the rows [0, last] and on the row before row 0.
inline std::set<std::string> broken_around(const Table& table, const Columns& columns, std::size_t last) {
    std::set<std::string> broken;
    const std::size_t height = columns.front().size();
    for (std::size_t i = 0; i <= last + 1; ++i) {
        const auto atoms = atoms_at(table, columns, (i + height - 1) % height);
        for (const Constraint& c : table.constraints) {
            if (!evaluate_form(c.form, atoms, [](KoalaBear x) { return x; }).is_zero()) broken.insert(c.name);
        }
    }
    return broken;
}

/// A gate's constraints are name[0 .. 31], its cells cells.quotient and cells.carry.
struct GateNames {
    std::string name, cells;
};
inline KoalaBear gate_residue(const Table& table, const Columns& columns, std::size_t row, const GateNames& gate,
                              std::size_t i) {
    const std::string constraint = indexed(gate.name, i);
    const auto at = std::find_if(table.constraints.begin(), table.constraints.end(),
                                 [&](const Constraint& c) { return c.name == constraint; });
    QUARRY_CHECK(at != table.constraints.end());
    return evaluate_form(at->form, atoms_at(table, columns, row), [](KoalaBear x) { return x; });
}
/// Sets carries, out of range if need be, such that of a gate's equations only number `open` need not hold: those below
/// it follow from the low end, those above from the high end.
inline void close_gate_but(const Table& table, Columns& columns, std::size_t row, const GateNames& gate,
                           std::size_t open) {
    const std::size_t carry = column_of(table, gate.cells + ".carry[0]");
    const KoalaBear shift(1u << 16);
    const auto residue = [&](std::size_t i) { return gate_residue(table, columns, row, gate, i); };
    for (std::size_t i = 0; i < open; ++i) columns[carry + i][row] += residue(i) * shift.inverse();
    for (std::size_t i = 31; i > open; --i) columns[carry + i - 1][row] -= residue(i);
}
/// Makes all equations of a gate hold modulo p, whatever numbers it multiplies, by a quotient and carries that no
/// lookup passes.
inline void close_gate(const Table& table, Columns& columns, std::size_t row, const GateNames& gate) {
    close_gate_but(table, columns, row, gate, 31);
    KoalaBear order;
    for (std::size_t k = kFieldLimbs; k-- > 0;) order = order * KoalaBear(1u << 16) + KoalaBear(order_limbs()[k]);
    // One more in the quotient's upper limb takes 2^240 r off the sum of residue_i 2^(16 i).
    const KoalaBear excess = gate_residue(table, columns, row, gate, 31) * KoalaBear(2).pow(16 * (31 - 15));
    columns[column_of(table, gate.cells + ".quotient.limb[15]")][row] += excess * order.inverse();
    close_gate_but(table, columns, row, gate, 31);
}

}  // namespace quarry::circuits::testing
