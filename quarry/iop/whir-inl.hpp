#pragma once
// The verifier's text; see whir.hpp for the messages.
#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <utility>

#include "quarry/iop/eq_prefixes.hpp"
#include "quarry/iop/whir.hpp"

namespace quarry::whir_detail {

// A circuit backend brings its own query_point, pow_at, fold_rows and evaluate_at: rows made for them are cheaper than
// one for every product.

/// two_adic_root(i) at index i.
inline constexpr std::array<KoalaBear, KoalaBear::kTwoAdicity + 1> kRoots = [] {
    std::array<KoalaBear, KoalaBear::kTwoAdicity + 1> roots{};
    for (unsigned i = 0; i <= KoalaBear::kTwoAdicity; ++i) roots[i] = KoalaBear::two_adic_root(i);
    return roots;
}();

/// x_j = w^brev(j), w of order 2^bits: bit i of j multiplies by a root of order 2^(i+1), whatever the domain's size.
template <class B, class Index>
typename B::F query_point(B& backend, const Index& index) {
    const auto one = backend.constant(KoalaBear(1));
    typename B::F x = one;
    for (std::size_t i = 0; i < index.bits.size(); ++i) {
        x = x * (one + index.bits[i] * backend.constant(kRoots[i + 1] - KoalaBear(1)));
    }
    return x;
}

/// pow(x, r) = prod_v (1 - r_v + r_v x^(2^v)), x in F or E.
template <class B, class X>
typename B::E pow_at(B& backend, X x, const X& one, std::span<const typename B::E> r) {
    typename B::E product = backend.constant(ExtField(1));
    for (std::size_t v = 0; v < r.size(); ++v) {
        if (v > 0) x = x * x;
        product = product + product * (r[v] * (x - one));
    }
    return product;
}

/// sum_a weights[a] row[a] for every row: an element a lane in the first round, five after it.
template <class B, class Row>
std::vector<typename B::E> fold_rows(B& backend, const std::vector<Row>& rows, std::span<const typename B::E> weights) {
    std::vector<typename B::E> folded;
    for (const Row& row : rows) {
        auto sum = backend.constant(ExtField());
        for (std::size_t a = 0; a < weights.size(); ++a) {
            if (row.size() == weights.size()) {
                sum = sum + weights[a] * row[a];
            } else {
                sum = sum + weights[a] * pack_extension(backend, row.subspan(ExtField::kDegree * a, ExtField::kDegree));
            }
        }
        folded.push_back(std::move(sum));
    }
    return folded;
}

/// sum_b f[b] x^b at every point.
template <class B>
std::vector<typename B::E> evaluate_at(B& /*backend*/, std::span<const typename B::E> f,
                                       const std::vector<typename B::F>& points) {
    std::vector<typename B::E> values;
    for (const auto& x : points) {
        auto value = f.back();
        for (std::size_t b = f.size() - 1; b-- > 0;) value = value * x + f[b];
        values.push_back(std::move(value));
    }
    return values;
}

/// eq(r, a) for a < count <= 2^r.size(). Cost: about `count` multiplications.
template <class B>
std::vector<typename B::E> eq_weights(B& backend, std::span<const typename B::E> r, std::size_t count) {
    std::vector<typename B::E> table{backend.constant(ExtField(1))};
    for (std::size_t v = r.size(); v-- > 0;) {
        const std::size_t size = ((count - 1) >> v) + 1;  // prefixes a >> v that occur
        std::vector<typename B::E> next;
        next.reserve(size);
        for (std::size_t i = 0; i < size; i += 2) {
            const auto high = table[i / 2] * r[v];
            next.push_back(table[i / 2] - high);
            if (i + 1 < size) next.push_back(high);
        }
        table = std::move(next);
    }
    return table;
}

/// sum_s G(s) eq(r, s), G sparse: folds variable after variable, about 2 |G| multiplications when the s are neighbours.
template <class B>
typename B::E sparse_at(B& backend, const std::vector<std::pair<std::size_t, typename B::E>>& weights,
                        std::span<const typename B::E> r) {
    using E = typename B::E;
    std::map<std::size_t, E> level;
    const auto add_to = [](std::map<std::size_t, E>& to, std::size_t key, const E& x) {
        if (const auto [it, fresh] = to.try_emplace(key, x); !fresh) it->second = it->second + x;
    };
    for (const auto& [s, g] : weights) add_to(level, s, g);
    for (const E& challenge : r) {
        std::map<std::size_t, E> next;
        for (auto it = level.begin(); it != level.end(); ++it) {
            const auto& [s, g] = *it;
            const auto odd = std::next(it);
            if (s % 2 == 0 && odd != level.end() && odd->first == s + 1) {
                next.try_emplace(s / 2, g + challenge * (odd->second - g));
                it = odd;
            } else {
                const E high = challenge * g;
                next.try_emplace(s / 2, s % 2 == 0 ? g - high : high);
            }
        }
        level = std::move(next);
    }
    return level.empty() ? backend.constant(ExtField()) : level.begin()->second;
}

/// The same sum over a group's runs, r over the chunks. An aligned piece of 2^l chunks from s on contributes
///   G(s) eq(r_l, r_(l+1), .. ; s >> l) prod_(v < l) (1 - r_v + r_v ratio^(2^v)),
/// and a run of n chunks is at most 2 log2(n) such pieces.
template <class B>
typename B::E runs_at(B& backend, const WhirClaimGroup<B>& group, std::span<const typename B::E> r) {
    using E = typename B::E;
    const E one = backend.constant(ExtField(1));
    E sum = backend.constant(ExtField());
    std::vector<E> within{one};  // the product, by l
    EqPrefixes<B> prefixes(backend, r);
    for (const auto& run : group.runs) {
        E weight = run.weight;
        const std::size_t end = run.first + run.count;
        for (std::size_t s = run.first; s < end;) {
            const auto size = static_cast<unsigned>(std::bit_width(end - s) - 1);
            const unsigned l = s == 0 ? size : std::min(size, static_cast<unsigned>(std::countr_zero(s)));
            while (within.size() <= l) {
                const std::size_t v = within.size() - 1;
                within.push_back(within[v] + within[v] * (r[v] * (group.ratio_powers[v] - one)));
            }
            sum = sum + weight * (within[l] * prefixes.at(l, s >> l));
            s += std::size_t{1} << l;
            if (s < end) weight = weight * group.ratio_powers[l];
        }
    }
    return sum;
}

/// The same sum where chunk s of a run weighs eq(chunk_point, s). Up to, and without, chunk t it is
///   sum over the ones t_v = 1 of  prod_(u > v) m_u(t_u)  m_v(0)  prod_(u < v) (m_u(0) + m_u(1)),
/// m_u(1) = chunk_point_u r_u, m_u(0) = (1 - chunk_point_u) (1 - r_u).
template <class B>
typename B::E eq_runs_at(B& backend, const WhirClaimGroup<B>& group, std::span<const typename B::E> r) {
    using E = typename B::E;
    const E one = backend.constant(ExtField(1));
    const E zero = backend.constant(ExtField());
    std::vector<E> ones, zeros, within{one};
    for (std::size_t v = 0; v < r.size(); ++v) {
        ones.push_back(group.chunk_point[v] * r[v]);
        zeros.push_back(one - group.chunk_point[v] - r[v] + ones[v]);
        within.push_back(within[v] * (zeros[v] + ones[v]));
    }
    const auto below = [&](std::size_t t) {
        if (t >> r.size() != 0) return within.back();
        E sum = zero;
        E above = one;
        for (std::size_t v = r.size(); v-- > 0 && (t & ((std::size_t{2} << v) - 1)) != 0;) {
            if ((t >> v & 1) != 0) sum = sum + above * (zeros[v] * within[v]);
            above = above * ((t >> v & 1) != 0 ? ones[v] : zeros[v]);
        }
        return sum;
    };
    E sum = zero;
    for (const auto& run : group.runs) {
        const E to_end = below(run.first + run.count);
        const E to_begin = below(run.first);
        sum = sum + run.weight * (to_end - to_begin);
    }
    return sum;
}

/// What all groups weigh at r: sum over groups of their chunks' weights times their kernel.
template <class B>
typename B::E groups_at(B& backend, const WhirClaims<B>& claims, std::span<const typename B::E> r) {
    using E = typename B::E;
    E sum = backend.constant(ExtField());
    for (const auto& group : claims.groups) {
        const auto high = r.subspan(group.log_chunk);
        const E single = sparse_at(backend, group.weights, high);
        const E runs = group.chunk_point.empty() ? runs_at(backend, group, high) : eq_runs_at(backend, group, high);
        const E chunks = single + runs;
        sum = sum + chunks * group.kernel(r.first(group.log_chunk));
    }
    return sum;
}

/// Every length that the parameters fix, before anything is read.
template <class B, class Openings>
Status check_shapes(std::span<const std::size_t> lanes_of_parts, const WhirClaims<B>& claims, const Openings& openings,
                    const WhirParameters& parameters) {
    QUARRY_TRY(validate(parameters));
    const WhirRound& first = parameters.rounds.front();
    if (lanes_of_parts.empty()) return Error{Errc::bad_shape, "no stack"};
    std::size_t lanes_left = std::size_t{1} << first.log_lanes;
    for (const std::size_t lanes : lanes_of_parts) {
        if (lanes == 0 || lanes > lanes_left) return Error{Errc::bad_shape, "used lanes"};
        lanes_left -= lanes;
    }
    for (const auto& group : claims.groups) {
        if (group.log_chunk > first.log_message) return Error{Errc::bad_shape, "claim group"};
        for (const auto& [s, g] : group.weights) {
            if (s >> (parameters.log_size - group.log_chunk) != 0) return Error{Errc::bad_shape, "claim chunk"};
        }
        const std::size_t num_chunks = std::size_t{1} << (parameters.log_size - group.log_chunk);
        for (const auto& run : group.runs) {
            if (run.count > num_chunks || run.first > num_chunks - run.count) {
                return Error{Errc::bad_shape, "claim run"};
            }
        }
        if (!group.chunk_point.empty() && group.chunk_point.size() != parameters.log_size - group.log_chunk) {
            return Error{Errc::bad_shape, "claim point"};
        }
    }
    const std::vector<OracleShape> oracles = whir_oracles(parameters, lanes_of_parts);
    if (openings.num_oracles() != oracles.size()) return Error{Errc::bad_length, "whir/openings"};
    if constexpr (requires { openings.cap(0); }) {
        if (openings.caps.size() != oracles.size()) return Error{Errc::bad_length, "whir/caps"};
    }
    for (std::size_t o = 0; o < oracles.size(); ++o) {
        const std::size_t num_queries = parameters.rounds[oracles[o].round].num_queries;
        if (openings.num_queries(o) != num_queries) return Error{Errc::bad_length, "whir/queries"};
        std::size_t log_cap = 0;  // any level will do: rows and caps are bound to the root alike
        if constexpr (requires { openings.cap(o); }) {
            if (!std::has_single_bit(openings.cap(o).size())) return Error{Errc::bad_length, "whir/cap"};
            log_cap = static_cast<std::size_t>(std::countr_zero(openings.cap(o).size()));
        }
        for (std::size_t j = 0; j < num_queries; ++j) {
            if (openings.row(o, j).size() != oracles[o].width) return Error{Errc::bad_length, "whir/row"};
            if (openings.path(o, j).size() + log_cap != oracles[o].log_rows) {
                return Error{Errc::bad_length, "whir/path"};
            }
        }
    }
    return Ok{};
}

/// The new claims of a round, recorded for the end: weight * pow(point, .) over the low log_size variables.
template <class B>
struct PowClaims {
    unsigned log_size;
    typename B::E sample_weight;
    typename B::E sample;
    std::vector<std::pair<typename B::E, typename B::F>> queries;  ///< (weight, x_j)
};

/// kFirstPower: gamma^kFirstPower is the weight of the first new claim. 1, always: with 0 the running claim and the
/// out-of-domain claim share a weight, and a false opening is repaired by a false y. The attack is in
/// whir_adversary_test.
template <unsigned kFirstPower, class B, class Channel, class Openings>
class Verifier {
  public:
    using F = typename B::F;
    using E = typename B::E;
    using Root = StackRoot<ChannelDigest<Channel>>;

    Verifier(B& backend, Channel& channel, const Openings& openings, const WhirParameters& parameters)
        : backend_(backend),
          channel_(channel),
          openings_(openings),
          parameters_(parameters),
          claim_(backend.constant(ExtField())) {}

    /// `trees`: what the next queries open; at first the parts of the stack.
    Status verify(std::vector<Root> trees, const WhirClaims<B>& claims) {
        std::vector<std::size_t> lanes_of_parts;
        for (const Root& part : trees) lanes_of_parts.push_back(part.lanes);
        QUARRY_TRY(check_shapes(std::span<const std::size_t>(lanes_of_parts), claims, openings_, parameters_));
        claim_ = claims.value;
        point_.assign(parameters_.log_size, backend_.constant(ExtField()));
        unbound_ = parameters_.log_size;

        for (std::size_t i = 0; i + 1 < parameters_.rounds.size(); ++i) {
            const WhirRound& round = parameters_.rounds[i];
            bind(round.log_lanes);
            const auto next_root = channel_.receive_digest();
            const E z = channel_.challenge();
            const E y = channel_.receive_ext();
            QUARRY_TRY(query(i, trees));

            const E gamma = channel_.challenge();
            E weight = backend_.constant(ExtField(1));
            for (unsigned k = 0; k < kFirstPower; ++k) weight = weight * gamma;
            PowClaims<B> claimed{unbound_, weight, z, {}};
            claim_ = claim_ + weight * y;
            for (std::size_t j = 0; j < points_.size(); ++j) {
                weight = weight * gamma;
                claimed.queries.emplace_back(weight, points_[j]);
                claim_ = claim_ + weight * answers_[j];
            }
            claimed_.push_back(std::move(claimed));
            trees = {Root{next_root, std::size_t{1} << parameters_.rounds[i + 1].log_lanes}};
        }

        const std::size_t last = parameters_.rounds.size() - 1;
        const WhirRound& round = parameters_.rounds[last];
        bind(round.log_lanes);
        std::vector<E> f;
        for (std::size_t b = 0; b < std::size_t{1} << unbound_; ++b) f.push_back(channel_.receive_ext());
        QUARRY_TRY(query(last, trees));
        const std::vector<E> values = evaluate_at(backend_, std::span<const E>(f), points_);
        for (std::size_t j = 0; j < points_.size(); ++j) {
            QUARRY_TRY(backend_.require_equal(values[j], answers_[j], Errc::query_mismatch, "whir/final"));
        }

        bind(unbound_);
        // f(r), low variable first.
        for (std::size_t v = 0, size = f.size() / 2; size > 0; ++v, size /= 2) {
            for (std::size_t b = 0; b < size; ++b) f[b] = f[2 * b] + point_[v] * (f[2 * b + 1] - f[2 * b]);
        }
        return backend_.require_equal(f[0] * weight_at_point(claims), claim_, Errc::final_mismatch, "whir/claim");
    }

  private:
    using Positions = decltype(std::declval<Channel&>().challenge_indices(0, 0));

    /// Sumcheck of the top `count` unbound variables; claim_ := s(r) each time.
    void bind(unsigned count) {
        for (; count > 0; --count) {
            const E constant = channel_.receive_ext();
            const E quadratic = channel_.receive_ext();
            const E r = channel_.challenge();
            const E linear = claim_ - constant - constant - quadratic;  // claim = s(0) + s(1)
            claim_ = constant + r * (linear + r * quadratic);
            point_[--unbound_] = r;
        }
    }

    /// Draws the positions of a round, checks the rows of every tree there, sets points_ to x_j and answers_ to q_j.
    Status query(std::size_t i, const std::vector<Root>& trees) {
        const WhirRound& round = parameters_.rounds[i];
        QUARRY_TRY(channel_.check_grinding(round.grinding_bits, "whir/nonce"));
        const Positions positions =
            channel_.challenge_indices(round.num_queries, round.log_message + round.log_inv_rate);
        std::size_t num_lanes = 0;
        for (const Root& tree : trees) num_lanes += tree.lanes;
        const auto lanes = std::span<const E>(point_).subspan(round.log_message, round.log_lanes);
        const std::vector<E> weights = eq_weights<B>(backend_, lanes, num_lanes);
        points_.clear();
        for (const auto& position : positions) points_.push_back(query_point(backend_, position));
        answers_.assign(positions.size(), backend_.constant(ExtField()));
        std::span<const E> rest(weights);
        for (const Root& tree : trees) {
            QUARRY_TRY(open(tree.root, positions, rest.first(tree.lanes)));
            rest = rest.subspan(tree.lanes);
        }
        return Ok{};
    }

    /// Checks the rows of the next tree, and adds what they contribute to answers_.
    Status open(const ChannelDigest<Channel>& root, const Positions& positions, std::span<const E> weights) {
        const std::size_t o = num_opened_++;
        // Openings that are read from bytes can be read only now that their positions are known.
        if constexpr (requires { openings_.open(o, root, positions); }) {
            QUARRY_TRY(openings_.open(o, root, positions));
        }
        std::vector<decltype(openings_.row(0, 0))> rows;
        std::vector<decltype(openings_.path(0, 0))> paths;
        for (std::size_t j = 0; j < positions.size(); ++j) {
            rows.push_back(openings_.row(o, j));
            paths.push_back(openings_.path(o, j));
        }
        if constexpr (requires { openings_.cap(o); }) {
            QUARRY_TRY(require_merkle(backend_, root, openings_.cap(o), positions, rows, paths));
        } else {
            QUARRY_TRY(require_merkle(backend_, root, positions, rows, paths));
        }
        const std::vector<E> folded = fold_rows(backend_, rows, weights);
        for (std::size_t j = 0; j < positions.size(); ++j) answers_[j] = answers_[j] + folded[j];
        return Ok{};
    }

    /// W_M(r): groups_at, and every recorded claim over its own low variables.
    E weight_at_point(const WhirClaims<B>& claims) {
        const std::span<const E> r(point_);
        E sum = groups_at(backend_, claims, r);
        const F one = backend_.constant(KoalaBear(1));
        for (const PowClaims<B>& claimed : claimed_) {
            const auto low = r.first(claimed.log_size);
            sum = sum + claimed.sample_weight * pow_at(backend_, claimed.sample, backend_.constant(ExtField(1)), low);
            for (const auto& [weight, x] : claimed.queries) sum = sum + weight * pow_at(backend_, x, one, low);
        }
        return sum;
    }

    B& backend_;
    Channel& channel_;
    const Openings& openings_;
    const WhirParameters& parameters_;
    E claim_;
    std::vector<E> point_;        ///< r_v at index v
    unsigned unbound_ = 0;        ///< variables unbound_ .. n-1 have their challenge
    std::size_t num_opened_ = 0;  ///< oracles so far
    std::vector<F> points_;
    std::vector<E> answers_;
    std::vector<PowClaims<B>> claimed_;
};

}  // namespace quarry::whir_detail

namespace quarry {

template <class B, class Channel, class Openings>
Status verify_whir(B& backend, Channel& channel, std::vector<StackRoot<ChannelDigest<Channel>>> stack,
                   const WhirClaims<B>& claims, const Openings& openings, const WhirParameters& parameters) {
    return whir_detail::Verifier<1, B, Channel, Openings>(backend, channel, openings, parameters)
        .verify(std::move(stack), claims);
}

template <class B, class Channel, class Openings>
Status verify_whir(B& backend, Channel& channel, const ChannelDigest<Channel>& root, std::size_t used_lanes,
                   const WhirClaims<B>& claims, const Openings& openings, const WhirParameters& parameters) {
    return verify_whir(backend, channel, std::vector{StackRoot<ChannelDigest<Channel>>{root, used_lanes}}, claims,
                       openings, parameters);
}

}  // namespace quarry
