#include "quarry/iop/logup.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/iop/chunk_sources.hpp"
#include "quarry/iop/kernels/constraint_kernels.hpp"

namespace quarry {

LeafLayout make_leaf_layout(std::span<const Table* const> tables, std::span<const unsigned> log_heights) {
    LeafLayout layout;
    std::size_t offset = 0;
    for (std::size_t t = 0; t < tables.size(); ++t) {
        QUARRY_CHECK(t == 0 || log_heights[t] <= log_heights[t - 1]);
        for (std::size_t i = 0; i < tables[t]->interactions.size(); ++i) {
            layout.blocks.push_back({t, i, offset});
            offset += std::size_t{1} << log_heights[t];
        }
    }
    if (layout.blocks.empty()) return layout;
    // The point must have a coordinate for every row variable, also when the tallest table has no interaction.
    layout.log_size = std::max(kGkrMinLogSize, log_heights.front());
    while ((std::size_t{1} << layout.log_size) < offset) ++layout.log_size;
    return layout;
}

FractionLeaves make_leaves(std::span<const TableInstance> tables, const LeafLayout& layout,
                           const BusChallenges<ExtField>& challenges) {
    const std::size_t size = std::size_t{1} << layout.log_size;
    FractionLeaves leaves{Buffer<KoalaBear>(size), ExtVector(size)};
    const auto lift = [](KoalaBear x) { return ExtField(x); };
    std::size_t end = 0;
    for (std::size_t first = 0; first < layout.blocks.size();) {
        // All interactions of one table in one pass over its chunks.
        const TableInstance& instance = tables[layout.blocks[first].table];
        const Table& table = *instance.table;
        const std::size_t count = table.interactions.size();
        std::vector<BusWeights<ExtField>> weights;
        for (const Interaction& interaction : table.interactions) {
            BusWeights<ExtField> w{
                {}, std::vector<ExtField>(table.num_columns()), std::vector<ExtField>(table.num_columns())};
            add_interaction(table, interaction, challenges, ExtField(), ExtField(KoalaBear(1)), lift, w);
            weights.push_back(std::move(w));
        }
        parallel_for(
            std::size_t{1} << (instance.log_height - kLogChunkRows), 4, [&](std::size_t begin, std::size_t stop) {
                ChunkSources sources(instance);
                std::vector<ExtField> w;
                std::vector<const std::uint32_t*> from;
                for (std::size_t chunk = begin; chunk < stop; ++chunk) {
                    sources.aim(chunk);
                    for (std::size_t i = 0; i < count; ++i) {
                        const std::size_t at = layout.blocks[first + i].offset + chunk * kChunkRows;
                        const LinearForm& m = table.interactions[i].multiplicity;
                        linear_form_base(m.terms, m.constant, sources.atoms(),
                                         reinterpret_cast<std::uint32_t*>(leaves.numerators.data() + at), kSkipSize);
                        w.clear();
                        from.clear();
                        for (std::uint32_t c = 0; c < table.num_columns(); ++c) {
                            if (!weights[i].column[c].is_zero()) {
                                w.push_back(weights[i].column[c]);
                                from.push_back(sources.column(c));
                            }
                            if (!weights[i].next_column[c].is_zero()) {
                                w.push_back(weights[i].next_column[c]);
                                from.push_back(sources.next_column(c));
                            }
                        }
                        ExtBlock* sums = leaves.denominators.blocks() + at / kLanes;
                        for (std::size_t v = 0; v < kSkipSize; ++v) {
                            for (std::size_t k = 0; k < ExtField::kDegree; ++k) {
                                std::fill_n(sums[v].c[k], kLanes, weights[i].constant[k].montgomery());
                            }
                        }
                        accumulate_base(w, from.data(), ExtField(KoalaBear(1)), sums, kSkipSize);
                    }
                }
            });
        end = layout.blocks[first + count - 1].offset + (std::size_t{1} << instance.log_height);
        first += count;
    }
    for (std::size_t i = end; i < size; ++i) {
        leaves.numerators[i] = KoalaBear();
        leaves.denominators.set(i, ExtField(KoalaBear(1)));
    }
    return leaves;
}

}  // namespace quarry
