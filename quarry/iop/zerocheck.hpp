#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "quarry/iop/channel.hpp"
#include "quarry/iop/kernels/constraint_kernels.hpp"
#include "quarry/iop/logup.hpp"

namespace quarry {

/// How the variables 4 .. 8 of a row are bound: by one univariate skip, or by a round each like all others. A message
/// of the skip is 31 d + 1 elements, where five rounds have 5 d; the prover's work is the other way round.
enum class RowRounds { skip, plain };

/// The constraints of all tables and the leaves of LogUp-GKR in one sumcheck, with a univariate skip. [Gruen24]
/// docs/spec/proof-system.md, section 5. H: the largest log height; d: the largest degree; D: the skip domain, 32
/// points.
///
///     sum_t sum_(x < 2^h_t) eq(rho, x) (bus_t(x) + sum_j a^(2 + j) c_j(x)) = num + a (den - padding)
///   bus_t = sum over the table's interactions of eq(rho_high, block) (multiplicity + a denominator); j numbers the
///   constraints of all tables; num, den are the GKR claims; padding = 1 - sum of eq(rho_high, block).
///
///                     V -> P   a
///   zerocheck/skip    P -> V   v, 31 d + 1 coefficients       sum_(i < 32) eq(rho_4..8, i) v(g^i) = claim
///                     V -> P   z;  claim := v(z)
///   for u = 9, .., H - 1, 0, 1, 2, 3:
///   zerocheck/round   P -> V   a_1 .. a_d of G                a_0 = claim - rho_u (a_1 + .. + a_d)
///                     V -> P   r_u;  claim := G(r_u)
///   zerocheck/values  P -> V   every column, then every next-row column, table by table
///                                                             claim = sum_t bus_t + constraints_t at the values
/// A table without the variable u contributes the constant of its own claim. With RowRounds::plain zerocheck/skip is
/// left out and u = 4, .., H - 1, 0, 1, 2, 3.
/// Soundness error: a: number of constraints + 1; skip: (d + 1) 31; each round: d + 1; all over |E|.

/// The point at which the columns are claimed: variable v of a row at r[v], the variables 4..8 at the skip point z by
/// the Lagrange polynomials of D if there is one.
template <class E>
struct RowPoint {
    std::optional<E> skip;
    std::vector<E> r;  ///< H entries; with a skip point 4..8 are unused
};

template <class E>
struct ColumnValues {
    std::vector<E> row;   ///< by column
    std::vector<E> next;  ///< by position in Table::next_columns()
};

template <class E>
struct ZerocheckClaims {
    RowPoint<E> point;
    std::vector<ColumnValues<E>> tables;
};

/// The bus side of the claim.
template <class E>
struct BusClaim {
    LeafLayout layout;
    BusChallenges<E> challenges;
    std::vector<E> point;  ///< rho over the leaf variables; at least H entries
    E numerator, denominator;
};

/// The order in which rounds bind variables, for the largest log height H.
std::vector<unsigned> zerocheck_variables(unsigned max_log_height, RowRounds rounds = RowRounds::skip);
std::size_t zerocheck_stream_length(std::span<const Table* const> tables, std::span<const unsigned> log_heights,
                                    RowRounds rounds = RowRounds::skip);

/// Plain rounds lift every column to E before the first one: 20 bytes a cell, for tables that are small.
ZerocheckClaims<ExtField> prove_zerocheck(ProverChannel& channel, std::span<const TableInstance> tables,
                                          const BusClaim<ExtField>& bus, RowRounds rounds = RowRounds::skip);

/// L_i(z) for i < 32: the Lagrange polynomials of D.  L_i(z) = (z^32 - 1) g^i / (32 (z - g^i)); z is outside of D
/// except with probability 32/|E|, when the verifier refuses.
template <class B>
std::vector<typename B::E> skip_weights(B& backend, const typename B::E& z);

/// eq(point[from + v], bits of index) over `bits` variables.
template <class B>
typename B::E eq_at_index(B& backend, std::span<const typename B::E> point, std::size_t index) {
    typename B::E r = backend.constant(ExtField(KoalaBear(1)));
    const typename B::E one = r;
    for (std::size_t v = 0; v < point.size(); ++v) r = r * ((index >> v & 1) != 0 ? point[v] : one - point[v]);
    return r;
}

/// eq over all 2^m indices, by doubling.
template <class B>
std::vector<typename B::E> eq_all(B& backend, std::span<const typename B::E> point) {
    std::vector<typename B::E> t{backend.constant(ExtField(KoalaBear(1)))};
    for (const auto& r : point) {
        const std::size_t n = t.size();
        t.resize(2 * n, t[0]);
        for (std::size_t i = 0; i < n; ++i) {
            t[n + i] = t[i] * r;
            t[i] = t[i] - t[n + i];
        }
    }
    return t;
}

template <class B>
std::vector<typename B::E> skip_weights(B& backend, const typename B::E& z) {
    using E = typename B::E;
    E power = z;
    for (unsigned i = 0; i < kLogSkip; ++i) power = power * power;
    const E scale = (power - backend.constant(ExtField(KoalaBear(1)))) * KoalaBear(kSkipSize).inverse();
    std::vector<E> r;
    KoalaBear g(1);
    for (std::size_t i = 0; i < kSkipSize; ++i, g *= KoalaBear::two_adic_root(kLogSkip)) {
        const E scaled = scale * g;
        r.push_back(scaled * backend.inverse(z - backend.constant(ExtField(g))));
    }
    return r;
}

/// The weight row(x) that `point` gives to row x, for all rows of height 2^log_height; or with `next` row(x - 1): for
/// the prover. The verifier's: quarry/iop/row_kernels.hpp.
ExtVector row_weights(const RowPoint<ExtField>& point, unsigned log_height, bool next);

template <class B, class Channel>
Result<ZerocheckClaims<typename B::E>> verify_zerocheck(B& backend, Channel& channel,
                                                        std::span<const Table* const> tables,
                                                        std::span<const unsigned> log_heights,
                                                        const BusClaim<typename B::E>& bus,
                                                        RowRounds rounds = RowRounds::skip);

}  // namespace quarry

#include "quarry/iop/zerocheck-inl.hpp"
