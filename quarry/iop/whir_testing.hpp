#pragma once
// What both WHIR tests share: random statements, and a second prover, written straight from the specification on dense
// vectors, that can lie.
#include <algorithm>
#include <functional>
#include <initializer_list>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "quarry/iop/whir.hpp"

namespace quarry::whir_testing {

using Dense = std::vector<ExtField>;

inline ExtField random_ext(std::mt19937_64& rng) {
    ExtField x;
    for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = KoalaBear(rng());
    return x;
}

inline ExtVector to_vector(const Dense& f) {
    ExtVector v(f.size());
    for (std::size_t i = 0; i < f.size(); ++i) v.set(i, f[i]);
    return v;
}

/// The multilinear extension of f at r, low variable first.
inline ExtField evaluate(Dense f, std::span<const ExtField> r) {
    for (const ExtField& x : r) {
        for (std::size_t b = 0; b < f.size() / 2; ++b) f[b] = f[2 * b] + x * (f[2 * b + 1] - f[2 * b]);
        f.resize(f.size() / 2);
    }
    return f.at(0);
}

inline ExtField dot(std::span<const ExtField> a, std::span<const ExtField> b) {
    ExtField sum;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

inline Dense random_dense(std::mt19937_64& rng, std::size_t size) {
    Dense f(size);
    for (ExtField& x : f) x = random_ext(rng);
    return f;
}

/// eq(rho, .) moved up by one row, cyclically: the kernel of a next-row claim. Not a tensor.
inline Dense next_row_kernel(std::mt19937_64& rng, unsigned log_size) {
    Dense eq{ExtField(1)};
    for (unsigned v = 0; v < log_size; ++v) {
        const ExtField r = random_ext(rng);
        const std::size_t size = eq.size();
        for (std::size_t i = 0; i < size; ++i) {
            eq.push_back(eq[i] * r);
            eq[i] -= eq[size + i];
        }
    }
    std::rotate(eq.begin(), eq.end() - 1, eq.end());
    return eq;
}

struct Group {
    unsigned log_chunk;
    Dense kernel;
    std::vector<std::pair<std::size_t, ExtField>> weights;
};

/// A message, its commitment and claims about it that are true.
struct Instance {
    WhirParameters parameters;
    std::size_t used_lanes = 0;
    std::vector<KoalaBear> message;
    std::vector<Group> groups;
    ExtField value;

    template <class P = PoseidonPolicy>
    [[nodiscard]] BasicCommitment<typename P::Hasher> commit() const {
        return BasicCommitment<typename P::Hasher>::commit(message, used_lanes, parameters.rounds[0]);
    }

    /// V(s) of every chunk that the message reaches.
    [[nodiscard]] Dense values(const Group& group) const {
        Dense v;
        const std::size_t chunk = std::size_t{1} << group.log_chunk;
        for (std::size_t s = 0; s < message.size() / chunk; ++s) {
            ExtField sum;
            for (std::size_t b = 0; b < chunk; ++b) sum += group.kernel[b] * message[s * chunk + b];
            v.push_back(sum);
        }
        return v;
    }
    [[nodiscard]] std::vector<ChunkClaims> prover_claims() const {
        std::vector<ChunkClaims> claims;
        for (const Group& g : groups) claims.push_back({g.log_chunk, to_vector(g.kernel), g.weights, values(g)});
        return claims;
    }
    [[nodiscard]] WhirClaims<NativeBackend> verifier_claims() const {
        WhirClaims<NativeBackend> claims{{}, value};
        for (const Group& g : groups) {
            claims.groups.push_back({g.log_chunk, g.weights,
                                     [kernel = g.kernel](std::span<const ExtField> r) { return evaluate(kernel, r); }});
        }
        return claims;
    }
    /// F and W_0, zeros and all.
    [[nodiscard]] Dense dense_message() const {
        Dense f(std::size_t{1} << parameters.log_size);
        std::copy(message.begin(), message.end(), f.begin());
        return f;
    }
    [[nodiscard]] Dense dense_weight() const {
        Dense w(std::size_t{1} << parameters.log_size);
        for (const Group& g : groups) {
            for (const auto& [s, x] : g.weights) {
                for (std::size_t b = 0; b < g.kernel.size(); ++b) w[s * g.kernel.size() + b] += x * g.kernel[b];
            }
        }
        return w;
    }
};

/// Groups of the given chunk sizes, next-row and random kernels in turn, weights on about half of the used chunks.
inline Instance make_instance(WhirParameters parameters, std::size_t used_lanes, std::span<const unsigned> log_chunks,
                              std::uint64_t seed) {
    std::mt19937_64 rng(seed);
    Instance instance{std::move(parameters), used_lanes, {}, {}, {}};
    instance.message.resize(used_lanes << instance.parameters.rounds[0].log_message);
    for (KoalaBear& x : instance.message) x = KoalaBear(rng());
    for (const unsigned log_chunk : log_chunks) {
        Group group{log_chunk, {}, {}};
        group.kernel = instance.groups.size() % 2 == 0 ? next_row_kernel(rng, log_chunk)
                                                       : random_dense(rng, std::size_t{1} << log_chunk);
        for (std::size_t s = 0; s < instance.message.size() >> log_chunk; ++s) {
            if (rng() % 2 == 0) group.weights.emplace_back(s, random_ext(rng));
        }
        instance.groups.push_back(std::move(group));
    }
    instance.value = dot(instance.dense_message(), instance.dense_weight());
    return instance;
}

/// Sizes follow from log_size and the foldings.
inline WhirParameters make_parameters(unsigned log_size, std::initializer_list<WhirRound> rounds) {
    WhirParameters parameters{log_size, rounds, log_size};
    for (WhirRound& round : parameters.rounds) {
        parameters.log_final -= round.log_lanes;
        round.log_message = parameters.log_final;
    }
    return parameters;
}

template <class P>
struct BasicProof {
    typename P::Stream stream;
    BasicOpenings<P> openings;
};
using Proof = BasicProof<PoseidonPolicy>;

template <class P = PoseidonPolicy>
typename P::Transcript start() {
    typename P::Transcript transcript;
    transcript.absorb(KoalaBear(20261123));
    return transcript;
}

template <class P = PoseidonPolicy>
BasicProof<P> prove(const Instance& instance, const BasicCommitment<typename P::Hasher>& stack,
                    ProverChannel::Tamper tamper = nullptr) {
    BasicProverChannel<P> channel(start<P>(), std::move(tamper));
    channel.send_digest("stack/root", stack.root());
    auto openings = prove_whir(channel, stack, instance.message, instance.prover_claims(), instance.parameters);
    return {std::move(channel).take(), std::move(openings)};
}

/// kFirstPower = 0 is the broken verifier of the gamma bug.
template <unsigned kFirstPower = 1, class P>
Status verify(const Instance& instance, const BasicProof<P>& proof) {
    QUARRY_TRY(validate(instance.parameters));
    if (proof.stream.size() != P::kUnits.digest + whir_stream_length(instance.parameters, P::kUnits)) {
        return Error{Errc::bad_length, "stream"};
    }
    NativeBackend backend;
    BasicVerifierChannel<P> channel(start<P>(), proof.stream);
    const auto root = channel.receive_digest();
    if constexpr (kFirstPower == 1) {
        QUARRY_TRY(verify_whir(backend, channel, root, instance.used_lanes, instance.verifier_claims(), proof.openings,
                               instance.parameters));
    } else {
        whir_detail::Verifier<kFirstPower, NativeBackend, BasicVerifierChannel<P>, BasicOpenings<P>> verifier(
            backend, channel, proof.openings, instance.parameters);
        QUARRY_TRY(verifier.verify({{root, instance.used_lanes}}, instance.verifier_claims()));
    }
    return channel.finish();
}

/// How the second prover departs from the protocol. Nothing set: it does not.
struct Lies {
    ExtField false_value_by = ExtField();  ///< the statement says value + this
    unsigned first_power = 1;              ///< what it takes the weight of the out-of-domain claim to be
    bool false_sample = false;             ///< y makes up for the error of the running claim, as if its weight were 1
    bool false_oracle = false;             ///< commits to an f_1 that makes up for it
    bool false_final = false;              ///< sends an f_M that makes up for it
    bool omit_sample = false;              ///< no y is sent
    bool ignore_sample = false;            ///< sends y = 0 and carries on without that claim
    bool low_variables_first = false;      ///< binds the bottom variables of each round, lanes and all
};

/// The specification's steps on dense vectors. Follows the running claim as the verifier does, so that a lie can be as
/// large as the error at that point.
template <class P = PoseidonPolicy>
class DenseProver {
  public:
    using Tree = BasicCommitment<typename P::Hasher>;

    DenseProver(const Instance& instance, Lies lies)
        : instance_(instance),
          lies_(lies),
          channel_(start<P>()),
          f_(instance.dense_message()),
          w_(instance.dense_weight()) {
        claim_ = instance.value + lies.false_value_by;
    }

    BasicProof<P> prove(const Tree& stack) {
        channel_.send_digest("stack/root", stack.root());
        const auto& rounds = instance_.parameters.rounds;
        std::vector<Tree> oracles;
        const Tree* oracle = &stack;
        BasicProof<P> proof;
        oracles.reserve(rounds.size());
        for (std::size_t i = 0; i < rounds.size(); ++i) {
            bind(rounds[i].log_lanes);
            const bool last = i + 1 == rounds.size();
            ExtField z;
            ExtField y;
            if (last) {
                if (lies_.false_final) f_[0] += error() * w_[0].inverse();
                for (const ExtField& x : f_) channel_.send("whir/final", x);
            } else {
                if (lies_.false_oracle && i == 0) f_[0] += error() * w_[0].inverse();
                oracles.push_back(Tree::commit(to_vector(f_), rounds[i + 1]));
                channel_.send_digest("whir/root", oracles.back().root());
                z = channel_.challenge();
                y = dot(f_, powers(z));
                if (lies_.false_sample) y -= error();
                if (lies_.ignore_sample) y = ExtField();
                if (!lies_.omit_sample) channel_.send("whir/ood", y);
            }
            channel_.grind("whir/nonce", rounds[i].grinding_bits);
            const std::vector<std::size_t> positions = channel_.challenge_indices(rounds[i].num_queries, log_rows(i));
            const unsigned log_cap = std::min(P::log_cap(rounds[i].num_queries), log_rows(i));
            proof.openings.positions.push_back(positions);
            if constexpr (P::kHasCaps) {
                const auto cap = oracle->level(log_cap);
                proof.openings.caps.emplace_back(cap.begin(), cap.end());
            }
            proof.openings.oracles.emplace_back();
            for (const std::size_t j : positions) proof.openings.oracles.back().push_back(oracle->open(j, log_cap));
            if (last) break;
            batch(z, y, positions, i);
            oracle = &oracles.back();
        }
        bind(instance_.parameters.log_final);
        proof.stream = std::move(channel_).take();
        return proof;
    }

  private:
    [[nodiscard]] unsigned log_rows(std::size_t i) const {
        return instance_.parameters.rounds[i].log_message + instance_.parameters.rounds[i].log_inv_rate;
    }
    [[nodiscard]] ExtField error() const { return claim_ - dot(f_, w_); }
    [[nodiscard]] Dense powers(const ExtField& x) const {
        Dense p(f_.size(), ExtField(1));
        for (std::size_t b = 1; b < p.size(); ++b) p[b] = p[b - 1] * x;
        return p;
    }
    void bind(unsigned count) {
        for (; count > 0; --count) {
            const std::size_t half = f_.size() / 2;
            const std::size_t step = lies_.low_variables_first ? 1 : half;  // from a pair's first to its second
            const std::size_t stride = lies_.low_variables_first ? 2 : 1;   // from a pair to the next
            ExtField constant;
            ExtField quadratic;
            for (std::size_t b = 0; b < half; ++b) {
                const std::size_t at = b * stride;
                constant += f_[at] * w_[at];
                quadratic += (f_[at + step] - f_[at]) * (w_[at + step] - w_[at]);
            }
            channel_.send("whir/sumcheck", constant);
            channel_.send("whir/sumcheck", quadratic);
            const ExtField r = channel_.challenge();
            claim_ = constant + r * (claim_ - constant - constant - quadratic + r * quadratic);
            for (Dense* v : {&f_, &w_}) {
                for (std::size_t b = 0; b < half; ++b) {
                    const std::size_t at = b * stride;
                    (*v)[b] = (*v)[at] + r * ((*v)[at + step] - (*v)[at]);
                }
                v->resize(half);
            }
        }
    }
    void batch(const ExtField& z, const ExtField& y, std::span<const std::size_t> positions, std::size_t i) {
        const ExtField gamma = channel_.challenge();
        ExtField weight(1);
        const auto add = [&](const ExtField& x, const ExtField& value) {
            const Dense p = powers(x);
            claim_ += weight * value;
            for (std::size_t b = 0; b < p.size(); ++b) w_[b] += weight * p[b];
            weight *= gamma;
        };
        for (unsigned k = 0; k < lies_.first_power; ++k) weight *= gamma;
        if (lies_.ignore_sample) {
            weight *= gamma;
        } else {
            add(z, y);
        }
        for (const std::size_t j : positions) {
            std::size_t reversed = 0;
            for (unsigned k = 0; k < log_rows(i); ++k) reversed |= ((j >> k) & 1) << (log_rows(i) - 1 - k);
            const ExtField x(KoalaBear::two_adic_root(log_rows(i)).pow(reversed));
            add(x, dot(f_, powers(x)));
        }
    }

    const Instance& instance_;
    Lies lies_;
    BasicProverChannel<P> channel_;
    Dense f_;
    Dense w_;
    ExtField claim_;
};

}  // namespace quarry::whir_testing
