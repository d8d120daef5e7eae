#include "quarry/iop/whir.hpp"

#include <algorithm>
#include <bit>
#include <optional>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/poly/dft.hpp"
#include "quarry/poly/kernels/passes.hpp"
#include "quarry/poly/multilinear.hpp"
#include "quarry/poly/passes.hpp"

namespace quarry {

namespace {

constexpr unsigned kMaxGrindingBits = 24;
constexpr unsigned kMaxQueries = 1U << 12;
constexpr unsigned kMaxLogLanes = 12;
constexpr unsigned kMaxLogSize = 40;

}  // namespace

Status validate(const WhirParameters& parameters) {
    if (parameters.rounds.empty()) return Error{Errc::bad_shape, "whir parameters: no round"};
    if (parameters.log_size > kMaxLogSize) return Error{Errc::limit_exceeded, "whir parameters: size"};
    unsigned log_size = parameters.log_size;
    for (const WhirRound& round : parameters.rounds) {
        if (round.log_lanes == 0) return Error{Errc::bad_shape, "whir parameters: a round that folds nothing"};
        if (round.log_lanes > kMaxLogLanes) return Error{Errc::limit_exceeded, "whir parameters: lanes"};
        if (round.log_lanes >= log_size) return Error{Errc::bad_shape, "whir parameters: no variable left"};
        log_size -= round.log_lanes;
        if (log_size < kLogLanes && &round != &parameters.rounds.back()) {
            return Error{Errc::bad_shape, "whir parameters: a committed vector below 16 elements"};
        }
        if (round.log_message != log_size) return Error{Errc::bad_shape, "whir parameters: message size"};
        if (round.log_inv_rate == 0) return Error{Errc::bad_shape, "whir parameters: rate 1"};
        if (round.log_inv_rate > KoalaBear::kTwoAdicity ||
            round.log_message + round.log_inv_rate > KoalaBear::kTwoAdicity) {
            return Error{Errc::limit_exceeded, "whir parameters: domain"};
        }
        if (round.num_queries == 0) return Error{Errc::bad_shape, "whir parameters: no query"};
        if (round.num_queries > kMaxQueries) return Error{Errc::limit_exceeded, "whir parameters: queries"};
        if (round.grinding_bits > kMaxGrindingBits) return Error{Errc::limit_exceeded, "whir parameters: grinding"};
    }
    if (parameters.log_final != log_size) return Error{Errc::bad_shape, "whir parameters: final size"};
    return Ok{};
}

std::size_t whir_stream_length(const WhirParameters& parameters, const StreamUnits& units) {
    const std::size_t challenge_field = ExtField::kDegree * units.element;
    const std::size_t sumcheck_round = 2 * challenge_field;  // s(0) and the coefficient of X^2
    std::size_t length = 0;
    for (const WhirRound& round : parameters.rounds) length += sumcheck_round * round.log_lanes + units.nonce;
    length += (parameters.rounds.size() - 1) * (units.digest + challenge_field);  // root, y
    return length + (challenge_field << parameters.log_final) + sumcheck_round * parameters.log_final;
}

namespace {

/// f_i and W_i: the first `size` elements count, the rest is stale.
struct Pair {
    ExtVector f;
    ExtVector weight;
    std::size_t size = 0;
};

ExtField send_message(ProverChannel& channel, const QuadraticMessage& message) {
    channel.send("whir/sumcheck", message.constant);
    channel.send("whir/sumcheck", message.quadratic);
    return channel.challenge();
}

/// Sumcheck of f W over the top `count` >= 1 variables of `pair`.
void bind_top(ProverChannel& channel, Pair& pair, unsigned count) {
    QuadraticMessage message = product_message(pair.f, pair.weight, pair.size);
    for (; count > 1; --count, pair.size /= 2) {
        message = fold_top_message(pair.f, pair.weight, pair.size, send_message(channel, message));
    }
    const ExtField r = send_message(channel, message);
    fold_top(pair.f, pair.size, r);
    fold_top(pair.weight, pair.size, r);
    pair.size /= 2;
}

ExtVector zeros(std::size_t size) {
    ExtVector v(size);
    for (std::size_t i = 0; i < v.num_blocks(); ++i) v.blocks()[i] = ExtBlock{};
    return v;
}

/// Round 0 on the chunks: claim = sum over groups of sum_s G(s) V(s), so the data itself is not needed.
class ChunkSumcheck {
  public:
    ChunkSumcheck(std::vector<ChunkClaims> groups, const WhirParameters& parameters) {
        for (ChunkClaims& claims : groups) {
            QUARRY_CHECK(claims.log_chunk >= kLogLanes && claims.log_chunk <= parameters.rounds[0].log_message);
            QUARRY_CHECK(claims.kernel.size() == std::size_t{1} << claims.log_chunk);
            const std::size_t size = std::size_t{1} << (parameters.log_size - claims.log_chunk);
            QUARRY_CHECK(claims.values.size() <= size);
            Group group{claims.log_chunk, std::move(claims.kernel), {zeros(size), zeros(size), size}};
            for (std::size_t s = 0; s < claims.values.size(); ++s) group.chunks.f.set(s, claims.values[s]);
            for (const auto& [s, g] : claims.weights) {
                QUARRY_CHECK(s < size);
                group.chunks.weight.set(s, group.chunks.weight.get(s) + g);
            }
            groups_.push_back(std::move(group));
        }
    }

    /// Binds the top `count` variables; their challenges, lowest variable first.
    std::vector<ExtField> bind_top(ProverChannel& channel, unsigned count) {
        std::vector<ExtField> point(count);
        for (; count > 0; --count) {
            QuadraticMessage sum{};
            for (const Group& group : groups_) {
                const QuadraticMessage m = product_message(group.chunks.f, group.chunks.weight, group.chunks.size);
                sum.constant += m.constant;
                sum.quadratic += m.quadratic;
            }
            const ExtField r = send_message(channel, sum);
            for (Group& group : groups_) {
                fold_top(group.chunks.f, group.chunks.size, r);
                fold_top(group.chunks.weight, group.chunks.size, r);
                group.chunks.size /= 2;
            }
            point[count - 1] = r;
        }
        return point;
    }

    /// W_1(s, b) = sum_groups G(s) K(b), G with the top variables bound.
    [[nodiscard]] ExtVector weight(std::size_t size) const {
        ExtVector w(size);
        unsigned log_piece = kMaxLogPiece;  // a piece lies in one chunk of every group
        for (const Group& group : groups_) log_piece = std::min(log_piece, group.log_chunk);
        log_piece = std::min(log_piece, static_cast<unsigned>(std::countr_zero(size)));
        const std::size_t piece_blocks = (std::size_t{1} << log_piece) / kLanes;
        parallel_for(size >> log_piece, 4, [&](std::size_t begin, std::size_t end) {
            for (std::size_t p = begin; p < end; ++p) {
                ExtBlock* const out = w.blocks() + p * piece_blocks;
                std::fill_n(out, piece_blocks, ExtBlock{});
                for (const Group& group : groups_) {
                    const std::size_t pieces = std::size_t{1} << (group.log_chunk - log_piece);  // in one chunk
                    const ExtField g = group.chunks.weight.get(p / pieces);
                    if (g.is_zero()) continue;
                    kernels::add_scaled(out, group.kernel.blocks() + p % pieces * piece_blocks, g, piece_blocks);
                }
            }
        });
        return w;
    }

  private:
    static constexpr unsigned kMaxLogPiece = 10;  ///< 20 KiB: stays in the first-level cache
    struct Group {
        unsigned log_chunk;
        ExtVector kernel;
        Pair chunks;  ///< V and G
    };
    std::vector<Group> groups_;
};

/// f(z) = sum_b f[b] z^b, b < 2^log_size: in two steps, so that the powers are few.
ExtField evaluate_univariate(const ExtVector& f, unsigned log_size, const ExtField& z) {
    const auto powers = [](const ExtField& x, std::size_t count) {
        std::vector<ExtField> p(count, ExtField(1));
        for (std::size_t i = 1; i < count; ++i) p[i] = p[i - 1] * x;
        return p;
    };
    const unsigned log_low = std::min(log_size, (log_size + kLogLanes) / 2);
    const std::vector<ExtField> low = powers(z, std::size_t{1} << log_low);
    const ExtVector columns =
        fold_lanes(f, log_size - log_low, powers(low.back() * z, std::size_t{1} << (log_size - log_low)));
    ExtField sum;
    for (std::size_t b = 0; b < low.size(); ++b) sum += columns.get(b) * low[b];
    return sum;
}

/// The first `size` elements in a vector of their own.
ExtVector trimmed(const ExtVector& f, std::size_t size) {
    ExtVector r(size);
    for (std::size_t i = 0; i < r.num_blocks(); ++i) r.blocks()[i] = f.blocks()[i];
    return r;
}

template <class P>
struct OpenedTree {
    const BasicCommitment<typename P::Hasher>* commitment;
    bool is_known;
};

/// The work, the positions, the rows there of every tree; the positions.
template <class P>
std::vector<std::size_t> answer_queries(BasicProverChannel<P>& channel, const WhirRound& round,
                                        const std::vector<OpenedTree<P>>& trees, BasicOpenings<P>& openings) {
    channel.grind("whir/nonce", round.grinding_bits);
    const unsigned log_rows = round.log_message + round.log_inv_rate;
    const std::vector<std::size_t> positions = channel.challenge_indices(round.num_queries, log_rows);
    for (const OpenedTree<P>& tree : trees) {
        const unsigned log_cap = std::min(tree.is_known ? P::kLogKeyCap : P::log_cap(round.num_queries), log_rows);
        openings.positions.push_back(positions);
        if constexpr (P::kHasCaps) {
            const auto cap = tree.commitment->level(log_cap);
            openings.caps.emplace_back(cap.begin(), cap.end());
        }
        auto& rows = openings.oracles.emplace_back();
        rows.reserve(positions.size());
        for (const std::size_t j : positions) rows.push_back(tree.commitment->open(j, log_cap));
    }
    return positions;
}

/// f_1: all lanes of the stack folded.
ExtVector fold_stack(std::span<const std::span<const KoalaBear>> parts, std::size_t lane,
                     std::span<const ExtField> point) {
    std::size_t num_lanes = 0;
    for (const auto& part : parts) num_lanes += part.size() / lane;
    NativeBackend backend;
    const std::vector<ExtField> weights = whir_detail::eq_weights(backend, point, num_lanes);
    std::span<const ExtField> rest(weights);
    std::optional<ExtVector> sum;
    for (const auto& part : parts) {
        const std::size_t width = part.size() / lane;
        ExtVector folded = fold_lanes(part, width, lane, rest.first(width));
        rest = rest.subspan(width);
        if (sum) {
            add_scaled(*sum, folded, ExtField(1));
        } else {
            sum = std::move(folded);
        }
    }
    return std::move(*sum);
}

}  // namespace

template <class P>
BasicOpenings<P> prove_whir(BasicProverChannel<P>& channel,
                            std::type_identity_t<std::span<const BasicStackPart<P>>> stack,
                            std::vector<ChunkClaims> groups, const WhirParameters& parameters) {
    using Tree = BasicCommitment<typename P::Hasher>;
    QUARRY_CHECK(validate(parameters).ok() && !stack.empty());
    const WhirRound& first = parameters.rounds.front();
    std::vector<OpenedTree<P>> trees;  // of this round
    std::vector<std::span<const KoalaBear>> messages;
    for (const BasicStackPart<P>& part : stack) {
        QUARRY_CHECK(part.message.size() == part.commitment->width() << first.log_message);
        QUARRY_CHECK(part.commitment->log_rows() == first.log_message + first.log_inv_rate);
        trees.push_back({part.commitment, part.is_known});
        messages.push_back(part.message);
    }

    Pair pair;
    {
        ChunkSumcheck chunks(std::move(groups), parameters);
        const std::vector<ExtField> lanes = chunks.bind_top(channel, first.log_lanes);
        pair.size = std::size_t{1} << first.log_message;
        pair.f = fold_stack(messages, pair.size, lanes);
        pair.weight = chunks.weight(pair.size);
    }

    BasicOpenings<P> openings;
    std::optional<Tree> folded;  // the oracle of every round but the first
    for (std::size_t i = 0; i + 1 < parameters.rounds.size(); ++i) {
        const WhirRound& round = parameters.rounds[i];
        if (i > 0) {
            bind_top(channel, pair, round.log_lanes);
            pair.f = trimmed(pair.f, pair.size);
            pair.weight = trimmed(pair.weight, pair.size);
        }
        Tree next = Tree::commit(pair.f, parameters.rounds[i + 1]);
        channel.send_digest("whir/root", next.root());
        const ExtField z = channel.challenge();
        channel.send("whir/ood", evaluate_univariate(pair.f, round.log_message, z));
        const std::vector<std::size_t> positions = answer_queries(channel, round, trees, openings);

        const ExtField gamma = channel.challenge();
        std::vector<WeightedPosition> queries;
        ExtField weight = gamma;
        for (const std::size_t j : positions) queries.emplace_back(j, weight *= gamma);
        ExtVector added = query_weights(queries, round.log_message + round.log_inv_rate, round.log_message);
        add_scaled(added, pow_table(z, round.log_message), gamma);
        add_scaled(added, pair.weight, ExtField(1));
        pair.weight = std::move(added);
        folded = std::move(next);
        trees = {{&*folded, false}};
    }

    const WhirRound& last = parameters.rounds.back();
    if (parameters.rounds.size() > 1) bind_top(channel, pair, last.log_lanes);
    for (std::size_t b = 0; b < pair.size; ++b) channel.send("whir/final", pair.f.get(b));
    answer_queries(channel, last, trees, openings);
    bind_top(channel, pair, parameters.log_final);
    return openings;
}

template WhirOpenings prove_whir<PoseidonPolicy>(PoseidonProverChannel&, std::span<const StackPart>,
                                                 std::vector<ChunkClaims>, const WhirParameters&);
template KeccakOpenings prove_whir<KeccakPolicy>(KeccakProverChannel&, std::span<const BasicStackPart<KeccakPolicy>>,
                                                 std::vector<ChunkClaims>, const WhirParameters&);

}  // namespace quarry
