#include "quarry/iop/zerocheck.hpp"

#include <algorithm>
#include <memory>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/iop/table_prover.hpp"

namespace quarry {
namespace {

NativeBackend arithmetic;

/// The message of the skip; returns the skip point z, and has every prover bound to it.
ExtField prove_skip(ProverChannel& channel, std::span<const std::unique_ptr<TableProver>> provers, unsigned degree) {
    std::vector<Coefficients> parts;
    Coefficients v((kSkipSize - 1) * degree + 1);
    for (const auto& prover : provers) {
        parts.push_back(prover->skip_polynomial());
        // A false witness may leave coefficients above the degree bound: they are cut off, and the proof is refused.
        for (std::size_t i = 0; i < std::min(v.size(), parts.back().size()); ++i) v[i] += parts.back()[i];
    }
    channel.send("zerocheck/skip", v);
    const ExtField z = channel.challenge();
    const auto lagrange = skip_weights(arithmetic, z);
    for (std::size_t t = 0; t < provers.size(); ++t) {
        provers[t]->bind_skip(lagrange);
        provers[t]->set_claim(evaluate(parts[t], z));
    }
    return z;
}

}  // namespace

std::vector<unsigned> zerocheck_variables(unsigned max_log_height, RowRounds rounds) {
    std::vector<unsigned> r;
    for (unsigned u = rounds == RowRounds::skip ? kLogChunkRows : kLogLanes; u < max_log_height; ++u) r.push_back(u);
    for (unsigned u = 0; u < kLogLanes; ++u) r.push_back(u);
    return r;
}

std::size_t zerocheck_stream_length(std::span<const Table* const> tables, std::span<const unsigned> log_heights,
                                    RowRounds rounds) {
    unsigned degree = 1;
    unsigned max_log_height = 0;
    std::size_t values = 0;
    for (std::size_t t = 0; t < tables.size(); ++t) {
        degree = std::max(degree, tables[t]->max_degree());
        max_log_height = std::max(max_log_height, log_heights[t]);
        values += tables[t]->num_columns() + tables[t]->next_columns().size();
    }
    const std::size_t skip = rounds == RowRounds::skip ? (kSkipSize - 1) * degree + 1 : 0;
    return ExtField::kDegree * (skip + zerocheck_variables(max_log_height, rounds).size() * degree + values);
}

ZerocheckClaims<ExtField> prove_zerocheck(ProverChannel& channel, std::span<const TableInstance> tables,
                                          const BusClaim<ExtField>& bus, RowRounds rounds) {
    unsigned degree = 1;
    unsigned max_log_height = 0;
    for (const TableInstance& t : tables) {
        QUARRY_CHECK(t.log_height >= kLogChunkRows);
        degree = std::max(degree, t.table->max_degree());
        max_log_height = std::max(max_log_height, t.log_height);
    }
    QUARRY_CHECK(bus.point.size() >= max_log_height);
    const std::span<const ExtField> rho(bus.point);
    const ExtField batching = channel.challenge();
    const auto lift = [](KoalaBear x) { return ExtField(x); };

    std::vector<std::unique_ptr<TableProver>> provers;
    ExtField power = batching * batching;
    std::size_t block = 0;
    for (const TableInstance& t : tables) {
        std::vector<ExtField> weights;
        for (std::size_t j = 0; j < t.table->constraints.size(); ++j, power *= batching) weights.push_back(power);
        BusWeights<ExtField> b{
            {}, std::vector<ExtField>(t.table->num_columns()), std::vector<ExtField>(t.table->num_columns())};
        for (const Interaction& interaction : t.table->interactions) {
            const ExtField w =
                eq_at_index(arithmetic, rho.subspan(t.log_height), bus.layout.blocks[block++].offset >> t.log_height);
            add_interaction(*t.table, interaction, bus.challenges, w, w * batching, lift, b);
        }
        provers.push_back(
            std::make_unique<TableProver>(t, distribute(*t.table, *t.program, weights), std::move(b), rho));
    }

    ZerocheckClaims<ExtField> claims{{std::nullopt, std::vector<ExtField>(max_log_height)}, {}};
    if (rounds == RowRounds::skip) {
        claims.point.skip = prove_skip(channel, provers, degree);
    } else {
        for (auto& prover : provers) prover->lift_columns();
    }

    for (const unsigned u : zerocheck_variables(max_log_height, rounds)) {
        std::vector<Coefficients> messages;
        Coefficients g(degree + 1);
        for (auto& prover : provers) {
            messages.push_back(prover->round(u));
            add_to(g, messages.back());
        }
        channel.send("zerocheck/round", std::span<const ExtField>(g).subspan(1, degree));
        const ExtField r = channel.challenge();
        claims.point.r[u] = r;
        for (std::size_t t = 0; t < provers.size(); ++t) {
            provers[t]->set_claim(evaluate(messages[t], r));
            provers[t]->bind(u, r);
        }
    }
    for (auto& prover : provers) {
        claims.tables.push_back(prover->values(claims.point));
        channel.send("zerocheck/values", claims.tables.back().row);
        channel.send("zerocheck/values", claims.tables.back().next);
    }
    return claims;
}

ExtVector row_weights(const RowPoint<ExtField>& point, unsigned log_height, bool next) {
    const std::span<const ExtField> r(point.r);
    const auto lanes = eq_all(arithmetic, r.first(kLogLanes));
    const auto middle =
        point.skip ? skip_weights(arithmetic, *point.skip) : eq_all(arithmetic, r.subspan(kLogLanes, kLogSkip));
    const auto high = eq_all(arithmetic, r.subspan(kLogChunkRows, log_height - kLogChunkRows));
    std::vector<ExtField> chunk;
    for (const ExtField& m : middle) {
        for (const ExtField& l : lanes) chunk.push_back(m * l);
    }
    const std::size_t height = std::size_t{1} << log_height;
    ExtVector weights(height);
    parallel_for(high.size(), 16, [&](std::size_t begin, std::size_t end) {
        for (std::size_t h = begin; h < end; ++h) {
            for (std::size_t i = 0; i < kChunkRows; ++i) {
                const std::size_t row = h * kChunkRows + i;
                weights.set(next ? (row + 1) % height : row, high[h] * chunk[i]);
            }
        }
    });
    return weights;
}

}  // namespace quarry
