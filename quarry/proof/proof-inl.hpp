// The verifier's text of proof.hpp.
#include "quarry/iop/gkr.hpp"
#include "quarry/iop/zerocheck.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry {

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
                    const StackLayout& layout, const Statement& statement, const Openings& openings,
                    const WhirParameters& parameters) {
    using E = typename B::E;
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
        QUARRY_TRY_ASSIGN(auto gkr,
                          verify_gkr(backend, channel, bus.layout.log_size,
                                     public_fraction(backend, public_tuples(circuit, statement), bus.challenges)));
        bus.point = std::move(gkr.point);
        bus.numerator = gkr.numerator;
        bus.denominator = gkr.denominator;
    }
    QUARRY_TRY_ASSIGN(const auto claims, verify_zerocheck(backend, channel, sorted.tables, sorted.log_heights, bus));

    // now every column of every table is claimed at one point; batch all claims by powers of one challenge.
    const E batching = channel.challenge();
    const std::vector<E> skip = skip_weights(backend, claims.point.skip);
    WhirClaims<B> opening{{}, backend.constant(ExtField())};
    E power = backend.constant(ExtField(KoalaBear(1)));
    for (const HeightGroup& group : group_by_height(sorted.log_heights)) {
        for (const bool next : {false, true}) {
            WhirClaimGroup<B> claim;
            claim.log_chunk = group.log_height;
            for (std::size_t i = group.first; i < group.last; ++i) {
                const std::size_t first_chunk = layout.offset[layout.order[i]] >> group.log_height;
                const std::vector<E>& values = next ? claims.tables[i].next : claims.tables[i].row;
                const auto next_columns = sorted.tables[i]->next_columns();
                for (std::size_t k = 0; k < values.size(); ++k) {
                    claim.weights.emplace_back(first_chunk + (next ? next_columns[k] : k), power);
                    opening.value = opening.value + power * values[k];
                    power = power * batching;
                }
            }
            if (claim.weights.empty()) continue;
            claim.kernel = [&backend, &claims, &skip, next](std::span<const E> p) {
                return next ? next_row_kernel(backend, claims.point, std::span<const E>(skip), p)
                            : row_kernel(backend, claims.point, std::span<const E>(skip), p);
            };
            opening.groups.push_back(std::move(claim));
        }
    }
    QUARRY_TRY(verify_whir(backend, channel, root, layout.used_lanes, opening, openings, parameters));
    return channel.finish();
}

}  // namespace quarry
