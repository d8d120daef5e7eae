#pragma once
/// A claim about a segment, true or not, and what the circuit says to it.
///
/// Lies are told in the steps of an executed batch, before rows are made: the makers of rows then lie consistently, in
/// every table and in the statement. What is left to lie about is changed in the rows. Tables of facts serve whatever
/// is true, so a request counts as unmet exactly when it is false.

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "quarry/circuits/chain_table.hpp"
#include "quarry/circuits/effect_table.hpp"
#include "quarry/circuits/operations/change_key_table.hpp"
#include "quarry/circuits/operations/collect_table.hpp"
#include "quarry/circuits/operations/deposit_table.hpp"
#include "quarry/circuits/operations/forced_table.hpp"
#include "quarry/circuits/operations/new_pair_table.hpp"
#include "quarry/circuits/operations/publish_table.hpp"
#include "quarry/circuits/operations/signed_table.hpp"
#include "quarry/circuits/operations/testing.hpp"
#include "quarry/circuits/operations/withdraw_table.hpp"
#include "quarry/circuits/segment.hpp"
#include "quarry/circuits/segment_statement.hpp"
#include "quarry/circuits/segment_testing.hpp"
#include "quarry/circuits/signature/signature_witness.hpp"
#include "quarry/circuits/state/fee_table.hpp"
#include "quarry/circuits/state/merkle_table.hpp"
#include "quarry/circuits/state/register_table.hpp"
#include "quarry/circuits/state/slot_table.hpp"
#include "quarry/circuits/word_table.hpp"
#include "tests/adversary/segment_world.hpp"

namespace quarry::adversary {

using circuits::SegmentTable;

/// Why a claim is refused; both empty: it is accepted.
struct Verdict {
    std::set<std::string> broken;   ///< "table.constraint"
    std::set<std::uint32_t> unmet;  ///< buses that do not balance, lookups of what is not so
    friend bool operator==(const Verdict&, const Verdict&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Verdict& v) {
        for (const auto& name : v.broken) out << "broken: " << name << "\n";
        for (const auto bus : v.unmet) out << "unmet on bus " << bus << "\n";
        return out << (v == Verdict{} ? "accepted\n" : "");
    }
};
inline Verdict accepted() { return {}; }
inline Verdict broken(std::set<std::string> names) { return {std::move(names), {}}; }
inline Verdict unmet(std::set<std::uint32_t> buses) { return {{}, std::move(buses)}; }

inline const Table& table_of(SegmentTable t) {
    return circuits::segment_circuit().tables()[static_cast<std::size_t>(t)];
}

/// The rows of all tables but those of facts. `checked`: as many rows from the first one on; a table that may be
/// checked to the end is also checked around it.
class Witness {
  public:
    Witness(const circuits::Timeline& timeline, const std::vector<circuits::OperationSignature>& signatures)
        : statement(timeline.statement), timeline_(timeline) {
        add(SegmentTable::word, circuits::word_rows(timeline));
        add(SegmentTable::effect, circuits::effect_rows(timeline));
        add(SegmentTable::slot, circuits::slot_rows(timeline));
        add(SegmentTable::merkle, circuits::merkle_rows(timeline));
        add(SegmentTable::register_file, circuits::register_rows(timeline));
        add(SegmentTable::fee, circuits::fee_rows(timeline));
        add(SegmentTable::chain, circuits::chain_rows(timeline));
        add(SegmentTable::signed_operation, circuits::signed_rows(timeline));
        add(SegmentTable::new_pair, circuits::new_pair_rows(timeline));
        add(SegmentTable::withdraw, circuits::withdraw_rows(timeline));
        add(SegmentTable::change_key, circuits::change_key_rows(timeline));
        add(SegmentTable::publish, circuits::publish_rows(timeline));
        add(SegmentTable::collect, circuits::collect_rows(timeline));
        add(SegmentTable::deposit, circuits::deposit_rows(timeline));
        add(SegmentTable::forced, circuits::forced_rows(timeline));
        if (!signatures.empty()) add_signatures(signatures);
    }

    [[nodiscard]] KoalaBear& cell(SegmentTable t, std::size_t row, const std::string& column) {
        const auto& names = table_of(t).columns;
        const auto at = std::find(names.begin(), names.end(), column);
        QUARRY_CHECK(at != names.end());
        return tables_.at(t)[static_cast<std::size_t>(at - names.begin())].at(row);
    }
    /// All columns, to be replaced by another witness's.
    [[nodiscard]] Columns& columns(SegmentTable t) { return tables_.at(t); }
    /// Copies row `from` over row `to`.
    void copy_row(SegmentTable t, std::size_t from, std::size_t to) {
        for (auto& column : tables_.at(t)) column.at(to) = column.at(from);
    }
    void clear_row(SegmentTable t, std::size_t row) {
        for (auto& column : tables_.at(t)) column.at(row) = KoalaBear();
    }

    [[nodiscard]] Verdict verdict() const {
        Verdict v;
        circuits::testing::BusSums sums;
        for (const auto& [t, columns] : tables_) check_table(t, columns, v, sums);
        for (const PublicTuple& p : circuits::segment_tuples(statement)) sums.add(p.bus, p.tuple, p.multiplicity);
        for (const auto& [key, sum] : sums.sums()) {
            if (!is_met(key)) v.unmet.insert(key[0]);
        }
        return v;
    }

    /// How many rows from the first one on are not padding.
    [[nodiscard]] std::size_t num_real(SegmentTable t) const {
        const Columns& columns = tables_.at(t);
        std::size_t n = columns.front().size() - (t == SegmentTable::schedule ? 1 : 0);
        while (n > 0 && std::all_of(columns.begin(), columns.end(), [&](const auto& c) { return c[n - 1].is_zero(); }))
            --n;
        return n;
    }
    /// The columns whose cell in this row can change by one without breaking a constraint, here or in the row before,
    /// and without putting anything else on the buses; asking for another true fact is nothing else. Indices left out.
    [[nodiscard]] std::set<std::string> free_cells(SegmentTable t, std::size_t row) {
        Columns& columns = tables_.at(t);
        Verdict honest;
        circuits::testing::BusSums before;
        say_around(t, row, honest, before);
        QUARRY_CHECK(honest.broken.empty());
        std::set<std::string> found;
        for (std::size_t c = 0; c < columns.size(); ++c) {
            for (const KoalaBear delta : {KoalaBear(1), -KoalaBear(1)}) {
                columns[c][row] += delta;
                Verdict v;
                circuits::testing::BusSums after;
                say_around(t, row, v, after);
                columns[c][row] -= delta;
                if (!v.broken.empty() || !says_the_same(before, after)) continue;
                const std::string& name = table_of(t).columns[c];
                found.insert(name.substr(0, name.ends_with(']') ? name.rfind('[') : name.size()));
            }
        }
        return found;
    }

    rollup::SegmentStatement statement;  ///< what is claimed

  private:
    /// What row `row` and the one before it say. The last row of the schedule is not this witness's.
    void say_around(SegmentTable t, std::size_t row, Verdict& v, circuits::testing::BusSums& sums) const {
        const Columns& columns = tables_.at(t);
        const std::size_t height = columns.front().size();
        const bool open = t == SegmentTable::schedule;
        if (!open || row > 0) say_row(table_of(t), columns, (row + height - 1) % height, v, sums);
        if (!open || row + 1 < height) say_row(table_of(t), columns, row, v, sums);
    }
    /// Up to requests of true facts. Honest requests are true, so those of `before` do not matter.
    [[nodiscard]] bool says_the_same(const circuits::testing::BusSums& before,
                                     const circuits::testing::BusSums& after) const {
        const auto is_lookup = [](const auto& key) {
            return key[0] < circuits::kOddBus || key[0] == circuits::kCombBus;
        };
        const auto& old_sums = before.sums();
        const auto& new_sums = after.sums();
        for (const auto& [key, sum] : new_sums) {
            const auto old = old_sums.find(key);
            if (old != old_sums.end() && old->second == sum) continue;
            if (!is_lookup(key) || !is_met(key)) return false;
        }
        return std::all_of(old_sums.begin(), old_sums.end(),
                           [&](const auto& entry) { return is_lookup(entry.first) || new_sums.contains(entry.first); });
    }
    static void say_row(const Table& table, const Columns& columns, std::size_t row, Verdict& v,
                        circuits::testing::BusSums& sums) {
        const auto atoms = circuits::testing::atoms_at(table, columns, row);
        for (const Constraint& c : table.constraints) {
            if (!evaluate_form(c.form, atoms, [](KoalaBear x) { return x; }).is_zero()) {
                v.broken.insert(table.name + "." + c.name);
            }
        }
        sums.add_row(table, atoms);
    }

    template <class Row>
    void add(SegmentTable t, const std::vector<Row>& rows) {
        tables_[t] = circuits::testing::columns_of_rows(rows);
    }
    void add_signatures(const std::vector<circuits::OperationSignature>& signatures) {
        std::vector<circuits::SignatureInput> inputs;
        for (const auto& s : signatures) {
            inputs.push_back(
                {timeline_.steps[s.step - timeline_.first_step].time(), s.key.point(), s.signature, s.message});
        }
        unsigned log_height = 0;
        while (std::size_t{1} << log_height <= inputs.size()) ++log_height;
        const auto w = circuits::make_signature_witness(inputs, log_height);
        const std::size_t n = inputs.size();
        // Spare rows are on their own: they are left out, but for the first, whose start holds the last R.
        tables_[SegmentTable::signature] = circuits::columns_of(std::span(w.signature).first(n), n);
        tables_[SegmentTable::schedule] = circuits::columns_of(
            std::span<const circuits::ScheduleRow<KoalaBear>>(w.schedule.span()).first(16 * n + 1), 16 * n + 1);
    }

    static void check_table(SegmentTable t, const Columns& columns, Verdict& v, circuits::testing::BusSums& sums) {
        const Table& table = table_of(t);
        const std::size_t height = columns.front().size() - (t == SegmentTable::schedule ? 1 : 0);
        bool padding_seen = false;
        for (std::size_t row = 0; row < height; ++row) {
            const auto is_zero = [&](std::size_t r) {
                return std::all_of(columns.begin(), columns.end(), [&](const auto& c) { return c[r].is_zero(); });
            };
            if (is_zero(row) && is_zero((row + 1) % height)) {
                if (std::exchange(padding_seen, true)) continue;
            }
            say_row(table, columns, row, v, sums);
        }
    }
    [[nodiscard]] bool is_met(const circuits::testing::BusSums::Key& key) const {
        std::vector<KoalaBear> tuple;
        for (std::size_t i = 1; i < key.size(); ++i) tuple.emplace_back(key[i]);
        if (key[0] == circuits::kCombBus) return is_comb_entry(tuple);
        return key[0] < circuits::kOddBus && circuits::testing::is_fact(key[0], tuple, timeline_);
    }
    static bool is_comb_entry(const std::vector<KoalaBear>& tuple) {
        const std::size_t window = tuple[0].canonical();
        const std::size_t digit = tuple[1].canonical();
        if (window >= kWindows || digit >= circuits::kDigits) return false;
        return tuple == circuits::comb_entry_tuple(window, digit);
    }

    const circuits::Timeline& timeline_;
    std::map<SegmentTable, Columns> tables_;
};

/// Who proves, and what is claimed of a batch.
class Claim {
  public:
    Claim(const RealRollup& rollup, rollup::ExecutedBatch executed) : batch(std::move(executed)), rollup_(rollup) {
        domain_ = rollup::domain_hash(rollup.parameters);
        payee = rollup.address(35);
        last_ = batch.steps.size();
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    /// Only the steps [first, last).
    void restrict(std::size_t first, std::size_t last) {
        first_ = first;
        last_ = last;
    }
    /// The owner signs step i as it now is. `domain`: of which rollup.
    void sign(std::size_t i) { sign(i, domain_); }
    void sign(std::size_t i, const Digest& domain) {
        rollup::Step& step = batch.steps[i];
        set_message(i);
        rollup::authorisation(step.op)->signature =
            rollup_.sign(step.message->key_hash, rollup::message_hash(domain, *step.message));
    }
    /// The message of step i as it now is; the signature stays.
    void set_message(std::size_t i) {
        rollup::Step& step = batch.steps[i];
        const rollup::Leaf& sender = *step.access[0].before;
        const bool transfer = std::holds_alternative<rollup::Transfer>(step.op);
        step.message = rollup::make_message(step.op, sender.owner.key_hash, sender.token, sender.nonce,
                                            transfer ? step.access[1].before->pair : Digest{});
    }
    template <class Op>
    Op& op(std::size_t i) {
        return std::get<Op>(batch.steps[i].op);
    }
    rollup::Leaf& after(std::size_t i, std::size_t access = 0) { return *batch.steps[i].access[access].after; }
    rollup::Leaf& before(std::size_t i, std::size_t access = 0) { return *batch.steps[i].access[access].before; }

    /// The rows. Steps must stay as they are while the witness is in use.
    [[nodiscard]] Witness witness() {
        make_timeline();
        return Witness(timeline_, signatures());
    }
    [[nodiscard]] Verdict verdict() { return witness().verdict(); }

    const circuits::Timeline& make_timeline() {
        const auto start = rollup::batch_start(batch.before, rollup::header_hash(batch.header));
        const auto prefix =
            rollup::segment_statement(rollup_.parameters, rollup_.store, batch, 0, first_, start, payee, 9);
        timeline_ = circuits::make_timeline(rollup_.parameters, rollup_.store, batch, first_, last_,
                                            first_ == 0 ? start : prefix.after, payee, 9);
        return timeline_;
    }
    [[nodiscard]] std::vector<circuits::OperationSignature> signatures() const {
        std::vector<circuits::OperationSignature> r;
        for (std::size_t i = first_; i < last_; ++i) {
            const rollup::Step& step = batch.steps[i];
            if (!step.message) continue;
            r.push_back({i, rollup_.point(step.message->key_hash), rollup::message_hash(domain_, *step.message),
                         Signature<KB11>::decode(rollup::authorisation(step.op)->signature).value()});
        }
        return r;
    }

    rollup::ExecutedBatch batch;
    rollup::L1Address payee;

  private:
    const RealRollup& rollup_;
    Digest domain_;
    std::size_t first_ = 0, last_ = 0;
    circuits::Timeline timeline_;
};

}  // namespace quarry::adversary
