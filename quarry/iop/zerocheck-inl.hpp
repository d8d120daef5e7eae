// The verifier of zerocheck.hpp.
#include "quarry/iop/eq_prefixes.hpp"
#include "quarry/iop/zerocheck.hpp"

namespace quarry {

/// A table's constraints and interactions at given values of its columns.
template <class E>
struct TableValues {
    std::vector<E> constraints;
    std::vector<E> multiplicities;       ///< by interaction
    std::vector<std::vector<E>> tuples;  ///< by interaction
};
/// A circuit backend brings its own: a plain reading of the graph costs it more rows than it must.
template <class B>
TableValues<typename B::E> evaluate_table(B& backend, const Table& table, const std::vector<typename B::E>& row,
                                          const std::vector<typename B::E>& next) {
    const auto lift = [&](KoalaBear x) { return backend.constant(ExtField(x)); };
    const auto atoms = evaluate_atoms(table.graph, row, next, lift);
    TableValues<typename B::E> values;
    for (const Constraint& c : table.constraints) values.constraints.push_back(evaluate_form(c.form, atoms, lift));
    for (const Interaction& interaction : table.interactions) {
        values.multiplicities.push_back(evaluate_form(interaction.multiplicity, atoms, lift));
        values.tuples.emplace_back();
        for (const LinearForm& x : interaction.tuple) values.tuples.back().push_back(evaluate_form(x, atoms, lift));
    }
    return values;
}

/// The sum that the zerocheck shows, sum_t sum_x eq(rho, x) (bus_t + constraints_t)(x), as the GKR claims say it.
/// Sets the weight of each block of leaves, eq(rho_high, block).
template <class B>
typename B::E bus_and_constraints_claim(B& backend, std::span<const unsigned> log_heights,
                                        const BusClaim<typename B::E>& bus, const typename B::E& batching,
                                        std::vector<typename B::E>& block_weights) {
    using E = typename B::E;
    E padding = backend.constant(ExtField(KoalaBear(1)));
    EqPrefixes<B> prefixes(backend, bus.point);
    for (const LeafBlock& block : bus.layout.blocks) {
        const unsigned h = log_heights[block.table];
        block_weights.push_back(prefixes.at(h, block.offset >> h));
        padding = padding - block_weights.back();
    }
    E claim = backend.constant(ExtField(KoalaBear()));
    if (!bus.layout.blocks.empty()) claim = bus.numerator + batching * (bus.denominator - padding);
    return claim;
}

/// sum_t bus_t + constraints_t at the values of the columns.
template <class B>
typename B::E bus_and_constraints_at(B& backend, std::span<const Table* const> tables,
                                     std::span<const ColumnValues<typename B::E>> values_of,
                                     const BusClaim<typename B::E>& bus, const typename B::E& batching,
                                     const std::vector<typename B::E>& block_weights) {
    using E = typename B::E;
    const auto lift = [&](KoalaBear x) { return backend.constant(ExtField(x)); };
    E expected = lift(KoalaBear());
    std::vector<E> constraints;
    std::size_t block = 0;
    std::vector<E> beta_powers{bus.challenges.beta};
    for (std::size_t t = 0; t < tables.size(); ++t) {
        const Table& table = *tables[t];
        std::vector<E> next(table.num_columns(), lift(KoalaBear()));
        const auto next_columns = table.next_columns();
        for (std::size_t i = 0; i < next_columns.size(); ++i) next[next_columns[i]] = values_of[t].next[i];
        const TableValues<E> values = evaluate_table(backend, table, values_of[t].row, next);
        constraints.insert(constraints.end(), values.constraints.begin(), values.constraints.end());
        for (std::size_t i = 0; i < table.interactions.size(); ++i) {
            E fingerprint = lift(KoalaBear(table.interactions[i].bus));
            for (std::size_t k = 0; k < values.tuples[i].size(); ++k) {
                if (k == beta_powers.size()) beta_powers.push_back(beta_powers.back() * bus.challenges.beta);
                fingerprint = fingerprint + beta_powers[k] * values.tuples[i][k];
            }
            expected = expected + block_weights[block++] *
                                      (values.multiplicities[i] + batching * (bus.challenges.alpha - fingerprint));
        }
    }
    // Constraint i weighs batching^(i + 2).
    E sum_of_constraints = lift(KoalaBear());
    for (std::size_t i = constraints.size(); i-- > 0;) {
        sum_of_constraints = constraints[i] + sum_of_constraints * batching;
    }
    expected = expected + batching * batching * sum_of_constraints;
    return expected;
}

/// The message of the skip: checks that v has the sum `claim` over D, sets the skip point z, returns v(z).
template <class B, class Channel>
Result<typename B::E> verify_skip(B& backend, Channel& channel, const BusClaim<typename B::E>& bus, unsigned degree,
                                  const typename B::E& claim, RowPoint<typename B::E>& point) {
    using E = typename B::E;
    const E zero = backend.constant(ExtField());
    // v by its coefficients; its values on D depend on them modulo X^32 - 1 only.
    std::vector<E> v;
    for (std::size_t i = 0; i < (kSkipSize - 1) * degree + 1; ++i) v.push_back(channel.receive_ext());
    const auto eq_skip = eq_all(backend, std::span<const E>(bus.point).subspan(kLogLanes, kLogSkip));
    std::vector<E> folded(kSkipSize, zero);
    for (std::size_t i = 0; i < v.size(); ++i) folded[i % kSkipSize] = folded[i % kSkipSize] + v[i];
    E sum = zero;
    for (std::size_t j = 0; j < kSkipSize; ++j) {
        const KoalaBear step = KoalaBear::two_adic_root(kLogSkip).pow(j);
        E weight = zero;
        KoalaBear power(1);
        for (std::size_t i = 0; i < kSkipSize; ++i, power *= step) weight = weight + eq_skip[i] * power;
        sum = sum + folded[j] * weight;
    }
    QUARRY_TRY(backend.require_equal(sum, claim, Errc::skip_sum_mismatch, "zerocheck/skip"));
    const E z = channel.challenge();
    point.skip = z;
    E value = v.back();
    for (std::size_t i = v.size() - 1; i-- > 0;) value = value * z + v[i];
    return value;
}

template <class B, class Channel>
Result<ZerocheckClaims<typename B::E>> verify_zerocheck(B& backend, Channel& channel,
                                                        std::span<const Table* const> tables,
                                                        std::span<const unsigned> log_heights,
                                                        const BusClaim<typename B::E>& bus, RowRounds rounds) {
    using E = typename B::E;
    const auto lift = [&](KoalaBear x) { return backend.constant(ExtField(x)); };
    unsigned degree = 1;
    unsigned max_log_height = 0;
    for (std::size_t t = 0; t < tables.size(); ++t) {
        degree = std::max(degree, tables[t]->max_degree());
        max_log_height = std::max(max_log_height, log_heights[t]);
    }
    const E batching = channel.challenge();

    // now claim = sum_t sum_x eq(rho, x) (bus_t + constraints_t)(x)
    std::vector<E> block_weights;
    E claim = bus_and_constraints_claim(backend, log_heights, bus, batching, block_weights);

    ZerocheckClaims<E> claims{{std::nullopt, std::vector<E>(max_log_height, lift(KoalaBear()))}, {}};
    if (rounds == RowRounds::skip) {
        QUARRY_TRY_ASSIGN(claim, verify_skip(backend, channel, bus, degree, claim, claims.point));
    }
    for (const unsigned u : zerocheck_variables(max_log_height, rounds)) {
        std::vector<E> higher;
        for (unsigned i = 0; i < degree; ++i) higher.push_back(channel.receive_ext());
        const E constant = eq_round_constant<E>(claim, bus.point[u], higher);
        const E r = channel.challenge();
        claims.point.r[u] = r;
        claim = higher.back();
        for (std::size_t i = higher.size() - 1; i-- > 0;) claim = claim * r + higher[i];
        claim = claim * r + constant;
    }

    for (const Table* table : tables) {
        ColumnValues<E> values;
        for (std::size_t c = 0; c < table->num_columns(); ++c) values.row.push_back(channel.receive_ext());
        for (std::size_t c = 0; c < table->next_columns().size(); ++c) values.next.push_back(channel.receive_ext());
        claims.tables.push_back(std::move(values));
    }

    // The constraints and bus leaves at the values.
    const E expected = bus_and_constraints_at<B>(backend, tables, claims.tables, bus, batching, block_weights);
    QUARRY_TRY(backend.require_equal(expected, claim, Errc::constraint_mismatch, "zerocheck/values"));
    return claims;
}

}  // namespace quarry
