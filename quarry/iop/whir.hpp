#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "quarry/base/result.hpp"
#include "quarry/field/packed_ext.hpp"
#include "quarry/iop/channel.hpp"
#include "quarry/iop/commitment.hpp"
#include "quarry/iop/whir_openings.hpp"
#include "quarry/iop/whir_parameters.hpp"

namespace quarry {

/// WHIR over interleaved Reed-Solomon codes: linear claims about one committed vector F of 2^n elements.
/// [ACFY24, Construction 5.1]; docs/spec/proof-system.md, section 6.
///
///   Running claim: sum_b f_i(b) W_i(b) = c, with f_0 = F and W_0(s, b) = sum_groups G(s) K(b).
///   for each round i = 0 .. M-1
///     whir/sumcheck  P -> V  l_i times: s(0) and the coefficient of X^2; V -> P one r each, top variable first
///                            now f_(i+1) = f_i with its top l_i variables bound, W_(i+1) likewise, c = s(r)
///     whir/root      P -> V  commitment to f_(i+1)                              (not in the last round)
///                    V -> P  z
///     whir/ood       P -> V  y = sum_b f_(i+1)(b) z^b                           (not in the last round)
///     whir/final     P -> V  f_M, all of it                                     (last round only)
///     whir/nonce     P -> V  g_i bits of work
///                    V -> P  t_i positions; q_j = sum_b f_(i+1)(b) x_j^b, the folded rows that are opened there
///                    V -> P  gamma                                              (not in the last round)
///                            now c := c + gamma y + sum_j gamma^(j+2) q_j;
///                            W_(i+1) gains the same powers of gamma times those of z and x_j
///   In the last round q_j is checked against f_M itself.
///   whir/sumcheck    P -> V  n_M more rounds; check f_M(r) W_M(r) = c.
///
/// The running claim alone has weight 1. Soundness: docs/soundness.md.

/// Claims on F with one kernel: sum_s G(s) V(s), where V(s) = sum_b K(b) F(s, b), b the low log_chunk variables and s
/// the others. What the prover must know.
struct ChunkClaims {
    unsigned log_chunk = 0;                                 ///< 4 <= log_chunk <= n - l_0
    ExtVector kernel;                                       ///< K, 2^log_chunk values; any vector, not only a tensor
    std::vector<std::pair<std::size_t, ExtField>> weights;  ///< (s, G(s)), zero elsewhere; an s twice counts twice
    std::vector<ExtField> values;  ///< V(s) for *every* chunk, also those without weight; missing ones at the end are 0
};

/// The same, as the verifier knows them.
template <class B>
struct WhirClaimGroup {
    using E = typename B::E;
    unsigned log_chunk = 0;
    std::vector<std::pair<std::size_t, E>> weights;
    /// The multilinear extension of K at (r_0, .., r_(log_chunk-1)).
    std::function<E(std::span<const E> point)> kernel;
    /// More chunks: `first` + i has the weight `weight` ratio^i, i < count. ratio_powers[v] = ratio^(2^v) for all 2^v
    /// up to the largest count.
    struct Run {
        std::size_t first, count;
        E weight;
    };
    std::vector<Run> runs{};
    std::vector<E> ratio_powers{};
    /// If not empty, a point over the chunk's variables that takes the place of the powers: chunk s of a run has the
    /// weight `weight` eq(chunk_point, s).
    std::vector<E> chunk_point{};
};
template <class B>
struct WhirClaims {
    std::vector<WhirClaimGroup<B>> groups;
    typename B::E value;  ///< the sum over all groups of sum_s G(s) V(s)
};

/// Ok iff the protocol is defined for these parameters: every round folds at least one variable, has a rate below 1, a
/// domain inside the field's 2-adic subgroup and at least one query, the sizes fit together and a variable remains.
/// Says nothing about the security level: that is the business of their generator.
Status validate(const WhirParameters& parameters);

/// How many symbols the prover sends: the exact length of its part of the stream. Precondition: validate is ok.
std::size_t whir_stream_length(const WhirParameters& parameters, const StreamUnits& units = PoseidonPolicy::kUnits);

/// The stack may be committed to in parts, each some of its lanes, in the order of the lanes: a query of round 0 opens
/// the same position of every part. What the prover has of one.
template <class P>
struct BasicStackPart {
    const BasicCommitment<typename P::Hasher>* commitment;
    std::span<const KoalaBear> message;  ///< its lanes, end to end
    bool is_known = false;               ///< the verifier has its cap beforehand
};
using StackPart = BasicStackPart<PoseidonPolicy>;
/// What the verifier has of one. D: a digest, or wires.
template <class D>
struct StackRoot {
    D root;
    std::size_t lanes = 0;
};

/// Proves the groups' claims about the vector that the parts commit to.
/// Preconditions: every commitment was made from its message under parameters.rounds[0]; all were absorbed before the
/// weights were drawn. Cost: one pass over the messages; everything else is smaller by 2^l_0.
template <class P>
BasicOpenings<P> prove_whir(BasicProverChannel<P>& channel,
                            std::type_identity_t<std::span<const BasicStackPart<P>>> stack,
                            std::vector<ChunkClaims> groups, const WhirParameters& parameters);
/// The same for a stack in one part.
template <class P>
BasicOpenings<P> prove_whir(BasicProverChannel<P>& channel, const BasicCommitment<typename P::Hasher>& stack,
                            std::span<const KoalaBear> message, std::vector<ChunkClaims> groups,
                            const WhirParameters& parameters) {
    const BasicStackPart<P> whole{&stack, message};
    return prove_whir<P>(channel, std::span(&whole, 1), std::move(groups), parameters);
}
/// Checks claims about the vector under the roots, of which only the lanes of these parts may be non-zero.
///   B         the arithmetic: NativeBackend, or a circuit
///   Channel   where the prover's messages come from
///   Openings  BasicOpenings, or wires with the same members
/// Needs the hooks require_merkle(B&, ..), called for every oracle, with the cap if the openings have caps, and
/// pack_extension(B&, ..) of commitment.hpp.
/// Errors, before any arithmetic: bad_shape and limit_exceeded (parameters, claims), bad_length (openings);
/// then bad_grinding, merkle_mismatch, query_mismatch (f_M is not what was opened), final_mismatch (all else).
template <class B, class Channel, class Openings>
Status verify_whir(B& backend, Channel& channel, std::vector<StackRoot<ChannelDigest<Channel>>> stack,
                   const WhirClaims<B>& claims, const Openings& openings, const WhirParameters& parameters);
/// The same for a stack in one part.
template <class B, class Channel, class Openings>
Status verify_whir(B& backend, Channel& channel, const ChannelDigest<Channel>& root, std::size_t used_lanes,
                   const WhirClaims<B>& claims, const Openings& openings, const WhirParameters& parameters);

}  // namespace quarry

#include "quarry/iop/whir-inl.hpp"
