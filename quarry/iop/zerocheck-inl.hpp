// The verifier of zerocheck.hpp.
#include "quarry/iop/zerocheck.hpp"

namespace quarry {

template <class B>
typename B::E row_kernel(B& backend, const RowPoint<typename B::E>& point, std::span<const typename B::E> skip,
                         std::span<const typename B::E> p) {
    using E = typename B::E;
    const E one = backend.constant(ExtField(KoalaBear(1)));
    const auto middle = eq_all(backend, p.subspan(kLogLanes, kLogSkip));
    E r = backend.constant(ExtField());
    for (std::size_t i = 0; i < kSkipSize; ++i) r = r + skip[i] * middle[i];
    for (unsigned v = 0; v < p.size(); ++v) {
        if (v >= kLogLanes && v < kLogChunkRows) continue;
        r = r * (point.r[v] * p[v] + (one - point.r[v]) * (one - p[v]));
    }
    return r;
}

template <class B>
typename B::E next_row_kernel(B& backend, const RowPoint<typename B::E>& point, std::span<const typename B::E> skip,
                              std::span<const typename B::E> p) {
    using E = typename B::E;
    const E one = backend.constant(ExtField(KoalaBear(1)));
    const E zero = backend.constant(ExtField());
    // Adding 1 from the lowest variable up: carry[c] = the sum over the variables seen so far with carry c.
    E none = zero;
    E carry = one;
    auto bit = [&](const E& r, const E& q) {
        const E r0 = one - r;
        const E q0 = one - q;
        // x = 0: b = carry, no carry out. x = 1: b = 1 - carry, carry out as it came in.
        const E next_none = none * (r0 * q0 + r * q) + carry * (r0 * q);
        const E next_carry = carry * (r * q0);
        none = next_none;
        carry = next_carry;
    };
    for (unsigned v = 0; v < kLogLanes; ++v) bit(point.r[v], p[v]);
    const auto middle = eq_all(backend, p.subspan(kLogLanes, kLogSkip));
    E stay = zero;
    E step = zero;
    for (std::size_t i = 0; i < kSkipSize; ++i) stay = stay + skip[i] * middle[i];
    for (std::size_t i = 0; i + 1 < kSkipSize; ++i) step = step + skip[i] * middle[i + 1];
    none = none * stay + carry * step;
    carry = carry * (skip[kSkipSize - 1] * middle[0]);
    for (unsigned v = kLogChunkRows; v < p.size(); ++v) bit(point.r[v], p[v]);
    return none + carry;  // cyclic: the last row is followed by the first
}

template <class B, class Channel>
Result<ZerocheckClaims<typename B::E>> verify_zerocheck(B& backend, Channel& channel,
                                                        std::span<const Table* const> tables,
                                                        std::span<const unsigned> log_heights,
                                                        const BusClaim<typename B::E>& bus) {
    using E = typename B::E;
    const auto lift = [&](KoalaBear x) { return backend.constant(ExtField(x)); };
    const E one = lift(KoalaBear(1));
    unsigned degree = 1;
    unsigned max_log_height = 0;
    for (std::size_t t = 0; t < tables.size(); ++t) {
        degree = std::max(degree, tables[t]->max_degree());
        max_log_height = std::max(max_log_height, log_heights[t]);
    }
    const E batching = channel.challenge();

    // now claim = sum_t sum_x eq(rho, x) (bus_t + constraints_t)(x)
    std::vector<E> block_weights;
    E padding = one;
    for (const LeafBlock& block : bus.layout.blocks) {
        const unsigned h = log_heights[block.table];
        block_weights.push_back(eq_at_index(backend, std::span<const E>(bus.point).subspan(h), block.offset >> h));
        padding = padding - block_weights.back();
    }
    E claim = lift(KoalaBear());
    if (!bus.layout.blocks.empty()) claim = bus.numerator + batching * (bus.denominator - padding);

    // Round 0: v by its coefficients; its values on D depend on them modulo X^32 - 1 only.
    std::vector<E> v;
    for (std::size_t i = 0; i < (kSkipSize - 1) * degree + 1; ++i) v.push_back(channel.receive_ext());
    const auto eq_skip = eq_all(backend, std::span<const E>(bus.point).subspan(kLogLanes, kLogSkip));
    std::vector<E> folded(kSkipSize, lift(KoalaBear()));
    for (std::size_t i = 0; i < v.size(); ++i) folded[i % kSkipSize] = folded[i % kSkipSize] + v[i];
    E sum = lift(KoalaBear());
    for (std::size_t j = 0; j < kSkipSize; ++j) {
        const KoalaBear step = KoalaBear::two_adic_root(kLogSkip).pow(j);
        E weight = lift(KoalaBear());
        KoalaBear power(1);
        for (std::size_t i = 0; i < kSkipSize; ++i, power *= step) weight = weight + eq_skip[i] * power;
        sum = sum + folded[j] * weight;
    }
    QUARRY_TRY(backend.require_equal(sum, claim, Errc::skip_sum_mismatch, "zerocheck/skip"));
    ZerocheckClaims<E> claims{{channel.challenge(), std::vector<E>(max_log_height, lift(KoalaBear()))}, {}};
    claim = v.back();
    for (std::size_t i = v.size() - 1; i-- > 0;) claim = claim * claims.point.skip + v[i];

    for (const unsigned u : zerocheck_variables(max_log_height)) {
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
    E expected = lift(KoalaBear());
    E power = batching * batching;
    std::size_t block = 0;
    std::vector<E> beta_powers{bus.challenges.beta};
    for (std::size_t t = 0; t < tables.size(); ++t) {
        const Table& table = *tables[t];
        std::vector<E> next(table.num_columns(), lift(KoalaBear()));
        const auto next_columns = table.next_columns();
        for (std::size_t i = 0; i < next_columns.size(); ++i) next[next_columns[i]] = claims.tables[t].next[i];
        const auto atoms = evaluate_atoms(table.graph, claims.tables[t].row, next, lift);
        for (const Constraint& c : table.constraints) {
            expected = expected + power * evaluate_form(c.form, atoms, lift);
            power = power * batching;
        }
        for (const Interaction& interaction : table.interactions) {
            E fingerprint = lift(KoalaBear(interaction.bus));
            for (std::size_t k = 0; k < interaction.tuple.size(); ++k) {
                if (k == beta_powers.size()) beta_powers.push_back(beta_powers.back() * bus.challenges.beta);
                fingerprint = fingerprint + beta_powers[k] * evaluate_form(interaction.tuple[k], atoms, lift);
            }
            expected = expected + block_weights[block++] * (evaluate_form(interaction.multiplicity, atoms, lift) +
                                                            batching * (bus.challenges.alpha - fingerprint));
        }
    }
    QUARRY_TRY(backend.require_equal(expected, claim, Errc::constraint_mismatch, "zerocheck/values"));
    return claims;
}

}  // namespace quarry
