// The verifier's text of proof.hpp.
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
                  unsigned security_bits, const BasicStatement<F>& statement, Constant constant) {
    const auto number = [&](std::size_t x) { sponge.absorb(constant(KoalaBear(x))); };
    sponge.absorb(constant(kProtocolTag));
    number(kProtocolVersion);
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

template <class B, class Channel, class Openings>
Status verify_proof(B& backend, Channel& channel, const Circuit& circuit, const Heights& heights,
                    const StackLayout& layout, const BasicStatement<typename B::F>& statement, const Openings& openings,
                    const WhirParameters& parameters, const std::optional<ChannelDigest<Channel>>& preprocessed_root) {
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
    QUARRY_TRY_ASSIGN(const auto claims, verify_zerocheck(backend, channel, sorted.tables, sorted.log_heights, bus));

    // now every column of every table is claimed at one point; batch all claims by powers of one challenge.
    const E batching = channel.challenge();
    const std::vector<E> skip = skip_weights(backend, claims.point.skip);
    RowKernels<B> kernels(backend, claims.point, skip);
    WhirClaims<B> opening{{}, backend.constant(ExtField())};
    std::vector<E> claimed;  // value i has the weight batching^i
    std::vector<E> ratio_powers{batching};
    E power = backend.constant(ExtField(1));  // of the first value that is not in a finished run
    const auto finish_run = [&](WhirClaimGroup<B>& claim) {
        if (claim.runs.empty()) return;
        for (std::size_t v = 0, count = claim.runs.back().count; count > 0; ++v, count /= 2) {
            if (v == ratio_powers.size()) ratio_powers.push_back(ratio_powers.back() * ratio_powers.back());
            if (count % 2 != 0) power = power * ratio_powers[v];
        }
    };
    for (const HeightGroup& group : group_by_height(sorted.log_heights)) {
        for (const bool next : {false, true}) {
            WhirClaimGroup<B> claim;
            claim.log_chunk = group.log_height;
            for (std::size_t i = group.first; i < group.last; ++i) {
                const std::vector<E>& values = next ? claims.tables[i].next : claims.tables[i].row;
                const auto next_columns = sorted.tables[i]->next_columns();
                for (std::size_t k = 0; k < values.size(); ++k) {
                    const std::size_t column = next ? next_columns[k] : k;
                    const std::size_t chunk =
                        layout.chunk(layout.order[i], *sorted.tables[i], group.log_height, column);
                    if (claim.runs.empty() || chunk != claim.runs.back().first + claim.runs.back().count) {
                        finish_run(claim);
                        claim.runs.push_back({chunk, 0, power});
                    }
                    ++claim.runs.back().count;
                    claimed.push_back(values[k]);
                }
            }
            if (claim.runs.empty()) continue;
            finish_run(claim);
            claim.kernel = [&kernels, next](std::span<const E> p) { return next ? kernels.next(p) : kernels.row(p); };
            opening.groups.push_back(std::move(claim));
        }
    }
    for (WhirClaimGroup<B>& group : opening.groups) group.ratio_powers = ratio_powers;
    for (std::size_t i = claimed.size(); i-- > 0;) opening.value = claimed[i] + opening.value * batching;
    std::vector<StackRoot<ChannelDigest<Channel>>> stack;
    if (preprocessed_root) stack.push_back({*preprocessed_root, layout.preprocessed_lanes});
    stack.push_back({root, layout.witness_lanes()});
    QUARRY_TRY(verify_whir(backend, channel, std::move(stack), opening, openings, parameters));
    return channel.finish();
}

}  // namespace quarry
