#pragma once
/// Shared by the signature tables' tests: real signatures, what stands for the rest of the segment circuit, and checks
/// of single rows.

#include <random>
#include <string>
#include <vector>

#include "quarry/air/check.hpp"
#include "quarry/circuits/rows.hpp"
#include "quarry/circuits/signature/signature_witness.hpp"

namespace quarry::circuits::testing {

inline SecretKey<SignatureCurve> secret_key(std::uint64_t seed) {
    std::mt19937_64 rng(seed);
    std::array<std::uint8_t, 64> wide{};
    for (auto& byte : wide) byte = static_cast<std::uint8_t>(rng());
    return SecretKey<SignatureCurve>::from_wide(wide);
}
/// Signatures of `count` messages by as many keys, at times 1, 3, 5, ..
inline std::vector<SignatureInput> signed_inputs(std::size_t count) {
    std::vector<SignatureInput> inputs(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto secret = secret_key(i);
        std::mt19937_64 rng(1000 + i);
        SignatureInput& input = inputs[i];
        input.id = static_cast<std::uint32_t>(2 * i + 1);
        input.key = secret.public_key().point();
        for (KoalaBear& x : input.message) x = KoalaBear(rng());
        input.signature = secret.sign(input.message, {});
    }
    return inputs;
}

/// What SignedTable takes: from the input, not from rows.
inline std::vector<KoalaBear> expected_signature(const SignatureInput& input) {
    std::array<KoalaBear, 8> e;
    for (std::size_t j = 0; j < e.size(); ++j) {
        e[j] = KoalaBear(std::uint64_t{input.signature.e[2 * j]} + 256 * std::uint64_t{input.signature.e[2 * j + 1]});
    }
    std::array<KoalaBear, kScalarLimbs> s;
    const auto byte = [&](std::size_t k) { return std::uint64_t{input.signature.s[k]}; };
    for (std::size_t i = 0; i < 15; ++i) s[i] = KoalaBear(byte(2 * i) + 256 * byte(2 * i + 1));
    s[15] = KoalaBear(byte(30));
    for (std::size_t i = 16; i < s.size(); ++i) s[i] = KoalaBear(byte(2 * i - 1) + 256 * byte(2 * i));
    const auto key = PublicKey<SignatureCurve>::from_point(input.key);
    return signature_tuple(KoalaBear(input.id), key.value().hash(), input.message, e, s);
}

/// The rest of the segment circuit as one table: takes the signatures, provides hashes, range checks and comb entries.
template <class T>
struct EnvironmentRow {
    T hashes, ranges, signatures, entries;  ///< multiplicities
    std::array<T, 24> hash;
    T range;
    std::array<T, 47> signature;
    std::array<T, 27> entry;
    template <class V>
    void visit(V&& v) {
        v("hashes", hashes), v("ranges", ranges), v("signatures", signatures), v("entries", entries), v("hash", hash),
            v("range", range), v("signature", signature), v("entry", entry);
    }
};
struct EnvironmentTable {
    static constexpr const char* kName = "environment";
    template <class T>
    using Row = EnvironmentRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
        const auto list = [](const auto& cells) { return std::vector<Expr>(cells.begin(), cells.end()); };
        b.send("hash", kHashBus, row.hashes, list(row.hash));
        b.send("range", kHigh15Bus, row.ranges, {row.range});
        b.receive("signature", kSignatureBus, row.signatures, list(row.signature));
        b.send("entry", kCombBus, row.entries, list(row.entry));
    }
};

/// Only true facts, for whatever the rows ask; and the signatures of `inputs`.
inline std::vector<EnvironmentRow<KoalaBear>> environment(const SignatureWitness& w,
                                                          std::span<const SignatureInput> inputs) {
    std::vector<EnvironmentRow<KoalaBear>> rows;
    const auto add = [&](auto& cells_of, const std::vector<KoalaBear>& tuple, auto multiplicity) {
        EnvironmentRow<KoalaBear> row{};
        row.*multiplicity = KoalaBear(1);
        std::copy(tuple.begin(), tuple.end(), (row.*cells_of).begin());
        rows.push_back(row);
    };
    using Row = EnvironmentRow<KoalaBear>;
    const auto hash = [&](const Digest& left, const Digest& right) {
        auto cells = &Row::hash;
        add(cells, hash_tuple(left, right, poseidon_compress(left, right)), &Row::hashes);
    };
    for (const auto& row : w.signature) {
        if (row.is_real.is_zero()) continue;
        const auto blocks = key_blocks(row.key);
        hash(blocks[0], blocks[1]);
        hash(challenge_start(), commitment_block(row.r, 0));
        hash(row.c1, commitment_block(row.r, 1));
        hash(row.c2, row.message);
        for (std::size_t j = 0; j < kDigestSize; ++j) {
            const KoalaBear high = row.challenge_high[j] - row.challenge_top[j];
            if (high.canonical() >= 0x7f00) continue;
            Row range{};
            range.ranges = KoalaBear(1);
            range.range = high;
            rows.push_back(range);
        }
    }
    for (const auto& row : w.schedule.span()) {
        for (std::size_t i = 0; i < kWindowsPerRow; ++i) {
            const std::size_t window = row.window.canonical() + i;
            const std::size_t digit = row.step[i].digit.canonical();
            if (window >= kWindows || digit >= kDigits) continue;
            auto cells = &Row::entry;
            add(cells, comb_entry_tuple(window, digit), &Row::entries);
        }
    }
    for (const auto& input : inputs) {
        auto cells = &Row::signature;
        add(cells, expected_signature(input), &Row::signatures);
    }
    return rows;
}

/// What is wrong with the signature and schedule tables and their buses: empty if a proof would pass.
struct Findings {
    std::vector<std::string> constraints;  ///< broken ones, by name
    std::vector<Imbalance> imbalances;
    [[nodiscard]] bool none() const { return constraints.empty() && imbalances.empty(); }
    [[nodiscard]] bool on_bus(std::uint32_t bus) const {
        for (const auto& x : imbalances) {
            if (x.bus == bus) return true;
        }
        return false;
    }
};
inline Findings examine(const SignatureWitness& w, std::span<const SignatureInput> inputs) {
    static const Table schedule = make_table<ScheduleTable>();
    static const Table signature = make_table<SignatureTable>();
    static const Table rest = make_table<EnvironmentTable>();
    const std::vector<EnvironmentRow<KoalaBear>> facts = environment(w, inputs);
    const std::vector<Columns> traces{columns_of<ScheduleRow<KoalaBear>>(w.schedule.span(), w.schedule.size()),
                                      columns_of<SignatureRow<KoalaBear>>(w.signature, w.signature.size()),
                                      columns_of<EnvironmentRow<KoalaBear>>(facts, facts.size())};
    const std::vector<const Table*> tables{&schedule, &signature, &rest};
    Findings findings;
    for (std::size_t t = 0; t < tables.size(); ++t) {
        for (const auto& name : broken_constraints(*tables[t], traces[t])) {
            findings.constraints.push_back(tables[t]->name + "." + name);
        }
    }
    findings.imbalances = find_imbalances(tables, traces, 1000);
    return findings;
}

/// The constraints that fail where `row` is followed by `next`.
inline std::vector<std::string> broken_between(const Table& table, const std::vector<KoalaBear>& row,
                                               const std::vector<KoalaBear>& next) {
    const auto lift = [](KoalaBear x) { return x; };
    const auto atoms = evaluate_atoms(table.graph, row, next, lift);
    std::vector<std::string> names;
    for (const Constraint& c : table.constraints) {
        if (!evaluate_form(c.form, atoms, lift).is_zero()) names.push_back(c.name);
    }
    return names;
}
/// What `row` puts on buses: (bus, multiplicity, tuple) where the multiplicity is not 0.
inline std::vector<std::vector<KoalaBear>> tuples_between(const Table& table, const std::vector<KoalaBear>& row,
                                                          const std::vector<KoalaBear>& next) {
    const auto lift = [](KoalaBear x) { return x; };
    const auto atoms = evaluate_atoms(table.graph, row, next, lift);
    std::vector<std::vector<KoalaBear>> tuples;
    for (const Interaction& i : table.interactions) {
        const KoalaBear m = evaluate_form(i.multiplicity, atoms, lift);
        if (m.is_zero()) continue;
        std::vector<KoalaBear> tuple{KoalaBear(i.bus), m};
        for (const LinearForm& f : i.tuple) tuple.push_back(evaluate_form(f, atoms, lift));
        tuples.push_back(std::move(tuple));
    }
    return tuples;
}
template <class Row>
std::vector<KoalaBear> cells_of(const Row& row) {
    std::vector<KoalaBear> cells;
    for (const auto& column : columns_of(std::span<const Row>(&row, 1), 1)) cells.push_back(column[0]);
    return cells;
}

/// ADVERSARIAL, Tables: "mutate every cell of a small valid trace". The columns for which neither a constraint breaks
/// nor a bus tuple changes, around the middle one of three rows.
template <class Row>
std::vector<std::string> free_cells(const Table& table, const Row& before, const Row& row, const Row& after) {
    const auto a = cells_of(before);
    const auto b = cells_of(row);
    const auto c = cells_of(after);
    std::vector<std::string> free;
    const auto tuples_before = tuples_between(table, a, b);
    const auto tuples_after = tuples_between(table, b, c);
    for (std::size_t k = 0; k < b.size(); ++k) {
        auto mutant = b;
        mutant[k] += KoalaBear(1);
        const bool seen = !broken_between(table, a, mutant).empty() || !broken_between(table, mutant, c).empty() ||
                          tuples_between(table, a, mutant) != tuples_before ||
                          tuples_between(table, mutant, c) != tuples_after;
        if (!seen) free.push_back(table.columns[k]);
    }
    return free;
}

/// The names of a table's constraints, each once.
inline std::vector<std::string> constraint_names(const Table& table) {
    std::vector<std::string> names;
    for (const Constraint& c : table.constraints) names.push_back(c.name);
    return names;
}

inline constexpr KoalaBear kLie = KoalaBear(12345);
/// x + kLie z^k.
inline SignatureCurve::Field lie_in(SignatureCurve::Field x, std::size_t k) {
    x[k] += kLie;
    return x;
}

}  // namespace quarry::circuits::testing
