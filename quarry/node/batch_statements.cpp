#include <algorithm>

#include "quarry/base/parallel.hpp"
#include "quarry/hash/poseidon_batch.hpp"
#include "quarry/node/batch_files.hpp"

namespace quarry::node {
namespace {

using rollup::Accumulator;
using rollup::kWordBytes;

/// From here on the batch kernel is faster than the scalar one on two cores.
constexpr std::size_t kFillsTheLanes = 12;

/// Words to absorb into an accumulator.
struct Chain {
    Digest digest{};
    std::span<const std::uint8_t> bytes;
};

Digest half_of_word(std::span<const std::uint8_t> bytes, std::size_t half_index) {
    const std::span<const std::uint8_t, kWordBytes> word(bytes.data() + half_index / 2 * kWordBytes, kWordBytes);
    const auto limbs = rollup::word_limbs(word);
    Digest block;
    std::copy_n(limbs.begin() + kDigestSize * (half_index % 2), kDigestSize, block.begin());
    return block;
}

/// Few chains: each on its own, a permutation after the other.
void absorb_apart(std::span<Chain> chains) {
    parallel_for(chains.size(), 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            Accumulator accumulator{chains[i].digest, 0};
            for (std::size_t at = 0; at < chains[i].bytes.size(); at += kWordBytes)
                accumulator.absorb_word(
                    std::span<const std::uint8_t, kWordBytes>(chains[i].bytes.data() + at, kWordBytes));
            chains[i].digest = accumulator.digest;
        }
    });
}

/// Many chains: they fill the lanes of the batch kernel, step by step.
void absorb_side_by_side(std::span<Chain> chains) {
    std::vector<Chain*> active;
    for (Chain& chain : chains) active.push_back(&chain);
    std::vector<Digest> inputs;
    std::vector<Digest> outputs;
    for (std::size_t step = 0;; ++step) {
        std::erase_if(active, [&](const Chain* chain) { return step >= 2 * (chain->bytes.size() / kWordBytes); });
        if (active.empty()) return;
        inputs.clear();
        for (const Chain* chain : active) {
            inputs.push_back(chain->digest);
            inputs.push_back(half_of_word(chain->bytes, step));
        }
        outputs.resize(active.size());
        poseidon_compress_pairs(inputs, outputs);
        for (std::size_t i = 0; i < active.size(); ++i) active[i]->digest = outputs[i];
    }
}

}  // namespace

std::vector<rollup::SegmentStatement> batch_statements(const rollup::RollupParameters& parameters,
                                                       std::span<const BatchFiles> batches) {
    std::vector<rollup::SegmentStatement> statements;
    std::vector<std::vector<std::uint8_t>> effects(batches.size());
    std::vector<Chain> chains;
    for (std::size_t i = 0; i < batches.size(); ++i) {
        const BatchFiles& batch = batches[i];
        const Digest header = rollup::header_hash(batch.header);
        const auto start = rollup::batch_start(batch.before, header);
        auto end = start;
        end.state = batch.header.post_state();
        end.data.count = static_cast<std::uint32_t>(batch.data.size() / kWordBytes);
        end.effects.count = static_cast<std::uint32_t>(batch.effects.size());
        statements.push_back({.domain = rollup::domain_hash(parameters),
                              .header = header,
                              .payee = {},
                              .before = start,
                              .after = end,
                              .work = rollup::leaf_work(0, end.data.count)});
        for (const rollup::Effect& effect : batch.effects) rollup::encode(effect, effects[i]);
        chains.push_back({start.data.digest, batch.data});
        chains.push_back({start.effects.digest, effects[i]});
    }
    if (batches.size() >= kFillsTheLanes) {
        absorb_side_by_side(chains);
    } else {
        absorb_apart(chains);
    }
    for (std::size_t i = 0; i < batches.size(); ++i) {
        statements[i].after.data.digest = chains[2 * i].digest;
        statements[i].after.effects.digest = chains[2 * i + 1].digest;
    }
    return statements;
}

rollup::Verdict check_part(const rollup::RollupParameters& parameters, const BatchFiles& batch,
                           const rollup::SegmentStatement& s) {
    using rollup::RejectCode;
    const Digest header = rollup::header_hash(batch.header);
    if (s.domain != rollup::domain_hash(parameters)) return RejectCode::domain_mismatch;
    if (s.header != header) return RejectCode::header_mismatch;
    QUARRY_REQUIRE(rollup::check_counts(s.before, s.after));
    const std::size_t num_words = batch.data.size() / kWordBytes;
    if (s.after.data.count > num_words) return RejectCode::data_gap;
    if (s.after.effects.count > batch.effects.size()) return RejectCode::effects_gap;

    const rollup::BatchPoint start = rollup::batch_start(batch.before, header);
    rollup::BatchPoint at = start;
    for (const rollup::BatchPoint* point : {&s.before, &s.after}) {
        for (; at.data.count < point->data.count; ++at.data.count) {
            at.data.absorb_word(
                std::span<const std::uint8_t, kWordBytes>(batch.data.data() + at.data.count * kWordBytes, kWordBytes));
        }
        while (at.effects.count < point->effects.count) absorb(at.effects, batch.effects[at.effects.count]);
        if (at.data != point->data) return RejectCode::data_gap;
        if (at.effects != point->effects) return RejectCode::effects_gap;
    }
    if (s.before.data.count == 0 && s.before != start) return RejectCode::not_at_start;
    if (s.after.data.count < num_words) return rollup::Accepted{};
    return rollup::check_whole(header, start, s.after, batch.header);
}

}  // namespace quarry::node
