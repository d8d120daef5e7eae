// The verifier's text of proof.hpp.
#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/iop/gkr.hpp"
#include "quarry/iop/row_kernels.hpp"
#include "quarry/iop/zerocheck.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry {

/// "QRY1" and the layout version: the first element of every transcript.
inline constexpr KoalaBear kProtocolTag = KoalaBear(0x51525931);

/// What shapes a proof beside its circuit, number by number.
template <class Number>
void absorb_sizes(Number number, const Heights& heights, const WhirParameters& parameters, unsigned security_bits) {
    number(security_bits);
    number(parameters.log_size);
    number(parameters.log_final);
    number(parameters.rounds.size());
    for (const WhirRound& round : parameters.rounds) {
        for (const unsigned x :
             {round.log_lanes, round.log_message, round.log_inv_rate, round.num_queries, round.grinding_bits}) {
            number(x);
        }
    }
    number(heights.size());
    for (const unsigned h : heights) number(h);
}

template <class F, class Sponge, class Constant>
void absorb_start(Sponge& sponge, const KeyDigests<F>& key, const Heights& heights, const WhirParameters& parameters,
                  unsigned security_bits, const BasicStatement<F>& statement, Constant constant,
                  const Protocol& protocol) {
    const auto number = [&](std::size_t x) { sponge.absorb(constant(KoalaBear(x))); };
    sponge.absorb(constant(kProtocolTag));
    number(protocol.version());
    for (const F& x : key.circuit) sponge.absorb(x);
    if (key.preprocessed_root) {
        for (const F& x : *key.preprocessed_root) sponge.absorb(x);
    }
    absorb_sizes(number, heights, parameters, security_bits);
    number(statement.tuples.size());
    for (const BasicPublicTuple<F>& tuple : statement.tuples) {
        number(tuple.bus);
        sponge.absorb(tuple.multiplicity);
        number(tuple.tuple.size());
        for (const F& x : tuple.tuple) sponge.absorb(x);
    }
}

template <class F>
Status check_statement(const Circuit& circuit, const BasicStatement<F>& statement) {
    for (const BasicPublicTuple<F>& t : statement.tuples) {
        if (circuit.bus_arity(t.bus) != t.tuple.size()) return Error{Errc::statement_mismatch, "public tuple"};
    }
    return Ok{};
}

template <class B>
std::vector<BasicPublicTuple<typename B::F>> public_tuples(B& backend, const Circuit& circuit,
                                                           const BasicStatement<typename B::F>& statement) {
    std::vector<BasicPublicTuple<typename B::F>> tuples = statement.tuples;
    for (const PublicTuple& t : circuit.constants()) {
        BasicPublicTuple<typename B::F> constant{t.bus, backend.constant(t.multiplicity), {}};
        for (const KoalaBear x : t.tuple) constant.tuple.push_back(backend.constant(x));
        tuples.push_back(std::move(constant));
    }
    return tuples;
}

/// Tables by falling height, as LogUp-GKR and the zerocheck take them.
struct SortedTables {
    std::vector<const Table*> tables;
    std::vector<unsigned> log_heights;
};
SortedTables sort_tables(const Circuit& circuit, const Heights& heights, const StackLayout& layout);

/// Equal heights next to each other: [first, last) of the sorted tables.
struct HeightGroup {
    std::size_t first, last;
    unsigned log_height;
};
std::vector<HeightGroup> group_by_height(const std::vector<unsigned>& log_heights);

/// How many challenges batch claims by eq: over the variables of the smallest chunks, and over the number of a group.
struct EqChallenges {
    unsigned num_chunk, num_group;
};
EqChallenges eq_challenges(std::span<const HeightGroup> heights, unsigned log_size);

/// The claims on the columns, or on the next-row columns, of all tables of one height.
template <class B>
struct ColumnClaims {
    using E = typename B::E;
    bool next = false;
    std::size_t number = 0;  ///< 2 i + next, heights[i] being the height; groups without a claim are left out
    WhirClaimGroup<B> group;
    std::vector<std::pair<std::size_t, E>> values;  ///< (chunk, claimed value)
};

/// Every claim, with the runs of neighbouring chunks, not yet weighed.
template <class B>
std::vector<ColumnClaims<B>> column_claims(const SortedTables& sorted, const StackLayout& layout,
                                           const ZerocheckClaims<typename B::E>& claims) {
    std::vector<ColumnClaims<B>> groups;
    const auto heights = group_by_height(sorted.log_heights);
    for (std::size_t g = 0; g < 2 * heights.size(); ++g) {
        const HeightGroup& height = heights[g / 2];
        ColumnClaims<B> claim{g % 2 != 0, g, {}, {}};
        claim.group.log_chunk = height.log_height;
        auto& runs = claim.group.runs;
        for (std::size_t i = height.first; i < height.last; ++i) {
            const auto& values = claim.next ? claims.tables[i].next : claims.tables[i].row;
            const auto next_columns = sorted.tables[i]->next_columns();
            for (std::size_t k = 0; k < values.size(); ++k) {
                const std::size_t column = claim.next ? next_columns[k] : k;
                const std::size_t chunk = layout.chunk(layout.order[i], *sorted.tables[i], height.log_height, column);
                if (runs.empty() || chunk != runs.back().first + runs.back().count) runs.push_back({chunk, 0, {}});
                ++runs.back().count;
                claim.values.emplace_back(chunk, values[k]);
            }
        }
        if (!runs.empty()) groups.push_back(std::move(claim));
    }
    return groups;
}

/// Claim k of all weighs delta^k. Returns the sum of the claimed values.
template <class B>
typename B::E weigh_by_powers(B& backend, const typename B::E& delta, std::vector<ColumnClaims<B>>& claims) {
    using E = typename B::E;
    std::vector<E> ratio_powers{delta};
    E power = backend.constant(ExtField(1));
    std::vector<E> values;
    for (ColumnClaims<B>& claim : claims) {
        for (auto& run : claim.group.runs) {
            run.weight = power;
            for (std::size_t v = 0, count = run.count; count > 0; ++v, count /= 2) {
                if (v == ratio_powers.size()) ratio_powers.push_back(ratio_powers.back() * ratio_powers.back());
                if (count % 2 != 0) power = power * ratio_powers[v];
            }
        }
        for (const auto& [chunk, value] : claim.values) values.push_back(value);
    }
    for (ColumnClaims<B>& claim : claims) claim.group.ratio_powers = ratio_powers;
    E sum = backend.constant(ExtField());
    for (std::size_t i = values.size(); i-- > 0;) sum = values[i] + sum * delta;
    return sum;
}

/// As few runs as there can be, where the order of the claims does not matter: those of a part of the stack that lie
/// side by side become one.
template <class B>
void merge_runs(ColumnClaims<B>& claim) {
    auto& runs = claim.group.runs;
    std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::size_t last = 0;
    for (std::size_t i = 1; i < runs.size(); ++i) {
        if (runs[last].first + runs[last].count == runs[i].first) {
            runs[last].count += runs[i].count;
        } else {
            runs[++last] = runs[i];
        }
    }
    runs.resize(last + 1);
}

/// The claim on chunk s of group g weighs eq(delta, s) eq(delta', g). delta: the last of the first `num_chunk`
/// challenges, as many as the group's chunks have variables, so that a variable of the stack has one challenge whatever
/// the height; delta': the challenges after them. Returns the sum of the claimed values.
template <class B>
typename B::E weigh_by_eq(B& backend, std::span<const typename B::E> challenges, unsigned num_chunk,
                          std::vector<ColumnClaims<B>>& claims) {
    using E = typename B::E;
    const unsigned smallest = claims.back().group.log_chunk;
    E sum = backend.constant(ExtField());
    for (ColumnClaims<B>& claim : claims) {
        merge_runs(claim);
        const E of_group = eq_at_index(backend, challenges.subspan(num_chunk), claim.number);
        const unsigned unused = claim.group.log_chunk - smallest;
        const auto delta = challenges.subspan(unused, num_chunk - unused);
        claim.group.chunk_point.assign(delta.begin(), delta.end());
        for (auto& run : claim.group.runs) run.weight = of_group;
        sum = sum + of_group * whir_detail::sparse_at(backend, claim.values, delta);
    }
    return sum;
}

template <class B, class Channel, class Openings>
Status verify_proof(B& backend, Channel& channel, const Circuit& circuit, const Heights& heights,
                    const StackLayout& layout, const BasicStatement<typename B::F>& statement, const Openings& openings,
                    const WhirParameters& parameters, const std::optional<ChannelDigest<Channel>>& preprocessed_root,
                    const Protocol& protocol) {
    using E = typename B::E;
    QUARRY_CHECK(preprocessed_root.has_value() == (layout.preprocessed_lanes > 0));
    QUARRY_TRY(check_statement(circuit, statement));
    const SortedTables sorted = sort_tables(circuit, heights, layout);
    const auto root = channel.receive_digest();

    BusClaim<E> bus;
    bus.layout = make_leaf_layout(sorted.tables, sorted.log_heights);
    if (bus.layout.blocks.empty()) {
        for (unsigned v = 0; v < sorted.log_heights.front(); ++v) bus.point.push_back(channel.challenge());
    } else {
        bus.challenges.beta = channel.challenge();
        bus.challenges.alpha = channel.challenge();
        QUARRY_TRY_ASSIGN(
            auto gkr, verify_gkr(backend, channel, bus.layout.log_size,
                                 public_fraction(backend, public_tuples(backend, circuit, statement), bus.challenges)));
        bus.point = std::move(gkr.point);
        bus.numerator = gkr.numerator;
        bus.denominator = gkr.denominator;
    }
    QUARRY_TRY_ASSIGN(const auto claims,
                      verify_zerocheck(backend, channel, sorted.tables, sorted.log_heights, bus, protocol.row_rounds));

    // now every column of every table is claimed at one point
    std::vector<E> challenges;
    const EqChallenges sizes = eq_challenges(group_by_height(sorted.log_heights), layout.log_size);
    const bool by_eq = protocol.batching == ClaimBatching::eq;
    for (unsigned i = by_eq ? sizes.num_chunk + sizes.num_group : 1; i > 0; --i) {
        challenges.push_back(channel.challenge());
    }
    RowKernels<B> kernels(backend, claims.point);
    std::vector<ColumnClaims<B>> columns = column_claims<B>(sorted, layout, claims);
    WhirClaims<B> opening{{},
                          by_eq ? weigh_by_eq<B>(backend, challenges, sizes.num_chunk, columns)
                                : weigh_by_powers<B>(backend, challenges[0], columns)};
    for (ColumnClaims<B>& column : columns) {
        column.group.kernel = [&kernels, next = column.next](std::span<const E> p) {
            return next ? kernels.next(p) : kernels.row(p);
        };
        opening.groups.push_back(std::move(column.group));
    }
    std::vector<StackRoot<ChannelDigest<Channel>>> stack;
    if (preprocessed_root) stack.push_back({*preprocessed_root, layout.preprocessed_lanes});
    stack.push_back({root, layout.witness_lanes()});
    QUARRY_TRY(verify_whir(backend, channel, std::move(stack), opening, openings, parameters));
    return channel.finish();
}

}  // namespace quarry
