#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "quarry/base/buffer.hpp"
#include "quarry/base/check.hpp"
#include "quarry/field/packed_ext.hpp"
#include "quarry/iop/channel.hpp"
#include "quarry/iop/kernels/gkr.hpp"

namespace quarry {

/// LogUp-GKR: sum over b in {0,1}^m of numerator(b) / denominator(b) + P / Q = 0 for a public fraction P / Q (0 / 1 for
/// none), reduced to one evaluation of each vector. [PH23]
///
/// Layer m holds the leaves, layer j is layer j + 1 with fractions added in pairs, (p0, q0) + (p1, q1) = (p0 q1 + p1
/// q0, q0 q1), layer 0 the one sum. Layer j has the variables gkr_variable(m, i), i = m - j .. m - 1, and is paired
/// from layer j + 1 by v = gkr_variable(m, m - j - 1).
///
///   j = 0     P -> V   "gkr/root": p0, p1, q0, q1 of layer 1       q0 q1 Q != 0 and (p0 q1 + p1 q0) Q + q0 q1 P = 0
///   j > 0     V -> P   lambda
///                      claim := p + lambda q = sum_x eq(rho, x) (p0 q1 + p1 q0 + lambda q0 q1)(x)
///     for i = m - j .. m - 1, u = gkr_variable(m, i):
///             P -> V   "gkr/round": a_1, a_2 of G; a_0 = claim - rho_u (a_1 + a_2) is never sent
///             V -> P   r;   claim := G(r), rho_u := r
///             P -> V   "gkr/layer": p0, p1, q0, q1 at rho          claim = p0 q1 + p1 q0 + lambda q0 q1
///   every j   V -> P   c;   p := p0 + c (p1 - p0), q := q0 + c (q1 - q0), rho_v := c
///
/// Soundness error, for a sum that is not 0 or a denominator that is: <= (m^2 + m - 1) / |F|. Layer j > 0 loses 1/|F|
/// to lambda (p + lambda q right with p or q wrong) and 2/|F| to each of its j rounds (a false claim forces a wrong G,
/// and two polynomials of degree 2 agree in two points; no eq prefix is carried that could vanish); every layer loses
/// 1/|F| to c. That the leaves are what they should be, at random beta and alpha, is the caller's account.

/// The leaf layer: 2^m fractions, m >= 9, padded by the caller with 0/1.
struct FractionLeaves {
    Buffer<KoalaBear> numerators;
    ExtVector denominators;
};

/// Memory of prove_gkr, 40 bytes a leaf, allocated by the first proof of a size and reused by the next: page faults
/// would be a quarter of the time.
struct GkrWorkspace {
    Buffer<GkrFraction> layers;  ///< layer j >= 5 at 2^(j-4)
};

/// What is left to check: the multilinear extensions of the leaf vectors at `point`.
template <class B = NativeBackend>
struct GkrClaim {
    std::vector<typename B::E> point;  ///< index = variable of the leaf layer
    typename B::E numerator, denominator;
};

inline constexpr unsigned kGkrMinLogSize = 9;

/// The order in which layers lose their variables: 4, 5, .., m - 1, 0, 1, 2, 3. Lanes of a SIMD block come last.
constexpr unsigned gkr_variable(unsigned log_size, unsigned i) noexcept {
    return i + kLogLanes < log_size ? i + kLogLanes : i + kLogLanes - log_size;
}

/// Elements that prove_gkr adds to the stream.
constexpr std::size_t gkr_stream_size(unsigned log_size) noexcept {
    return ExtField::kDegree * (std::size_t{4} * log_size + std::size_t{log_size} * (log_size - 1));
}

/// The coefficient a_0 that a round with the factor eq(rho, X) taken out does not send. [Gruen24]
///   claim = (1 - rho) G(0) + rho G(1) = a_0 + rho (a_1 + a_2 + ..)
template <class E>
E eq_round_constant(const E& claim, const E& rho, std::span<const E> higher_coefficients) {
    E sum = higher_coefficients[0];
    for (const E& a : higher_coefficients.subspan(1)) sum = sum + a;
    return claim - rho * sum;
}

/// Precondition: sizes as FractionLeaves says (checked). Cost: about 12 products in E a leaf, 64 bytes of memory a
/// leaf. An unbalanced sum or a zero denominator makes a proof that is refused.
GkrClaim<> prove_gkr(ProverChannel& channel, const FractionLeaves& leaves, GkrWorkspace& workspace);
GkrClaim<> prove_gkr(ProverChannel& channel, const FractionLeaves& leaves);

/// B is the arithmetic, Channel the reader of the messages; see NativeBackend and NativeVerifierChannel.
/// Errors: zero_denominator, bus_imbalance, gkr_mismatch. Precondition: log_size >= kGkrMinLogSize.
/// `open`: the public fraction, (numerator, denominator), made of the statement's tuples.
template <class B, class Channel>
Result<GkrClaim<B>> verify_gkr(B& backend, Channel& channel, unsigned log_size,
                               const std::pair<typename B::E, typename B::E>& open) {
    using E = typename B::E;
    QUARRY_CHECK(log_size >= kGkrMinLogSize);
    GkrClaim<B> claim{std::vector<E>(log_size, backend.constant(ExtField())), backend.constant(ExtField()),
                      backend.constant(ExtField())};
    for (unsigned j = 0; j < log_size; ++j) {
        E lambda = backend.constant(ExtField());
        E expected = backend.constant(ExtField());
        if (j > 0) {
            lambda = channel.challenge();
            expected = claim.numerator + lambda * claim.denominator;
            for (unsigned i = log_size - j; i < log_size; ++i) {
                E& rho = claim.point[gkr_variable(log_size, i)];
                const E a1 = channel.receive_ext();
                const E a2 = channel.receive_ext();
                const E a0 = eq_round_constant<E>(expected, rho, std::array{a1, a2});
                rho = channel.challenge();
                expected = a0 + rho * (a1 + rho * a2);
            }
        }
        const E p0 = channel.receive_ext();
        const E p1 = channel.receive_ext();
        const E q0 = channel.receive_ext();
        const E q1 = channel.receive_ext();
        const E q = q0 * q1;
        const E left = p0 * q1;
        const E right = p1 * q0;
        const E p = left + right;
        if (j == 0) {
            QUARRY_TRY(backend.require_nonzero(q * open.second, Errc::zero_denominator, "gkr/root"));
            const E leaves = p * open.second;
            const E public_part = q * open.first;
            QUARRY_TRY(backend.require_equal(leaves + public_part, expected, Errc::bus_imbalance, "gkr/root"));
        } else {
            QUARRY_TRY(backend.require_equal(p + lambda * q, expected, Errc::gkr_mismatch, "gkr/layer"));
        }
        const E c = channel.challenge();
        claim.numerator = p0 + c * (p1 - p0);
        claim.denominator = q0 + c * (q1 - q0);
        claim.point[gkr_variable(log_size, log_size - j - 1)] = c;
    }
    return claim;
}

/// Without a public fraction.
template <class B, class Channel>
Result<GkrClaim<B>> verify_gkr(B& backend, Channel& channel, unsigned log_size) {
    return verify_gkr(backend, channel, log_size,
                      {backend.constant(ExtField()), backend.constant(ExtField(KoalaBear(1)))});
}

}  // namespace quarry
