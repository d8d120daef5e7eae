#include "quarry/circuits/word_table.hpp"

#include <algorithm>

#include "quarry/circuits/gadgets.hpp"

namespace quarry::circuits {

namespace {

// The two blocks of a word.
template <class T>
std::array<DigestOf<T>, 2> blocks_of(const WordCells<T>& word) {
    std::array<DigestOf<T>, 2> r;
    r[0][0] = word.byte;
    std::copy_n(word.limb.begin(), kDigestSize - 1, r[0].begin() + 1);
    std::copy_n(word.limb.begin() + kDigestSize - 1, kDigestSize, r[1].begin());
    return r;
}

}  // namespace

void require_absorbed(AirBuilder& b, const Expr& m, const AbsorbCells<Expr>& row, const AbsorbCells<Expr>& next) {
    const auto blocks = blocks_of(row.word);
    require_hash(b, "absorb.first", m, row.acc, blocks[0], row.mid);
    require_hash(b, "absorb.second", m, row.mid, blocks[1], next.acc);
}

Digest absorb_word(AbsorbCells<KoalaBear>& row, std::span<const std::uint8_t, rollup::kWordBytes> word) {
    row.word = word_cells(word);
    const auto blocks = blocks_of(row.word);
    row.mid = poseidon_compress(row.acc, blocks[0]);
    return poseidon_compress(row.mid, blocks[1]);
}

void WordTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
    b.boolean("is_real", row.is_real);
    require_absorbed(b, row.is_real, row.absorb, next.absorb);
    require_range16(b, "limb", row.is_real, row.absorb.word.limb);
    b.send("word", kWordBus, row.is_real, word_tuple(row.index, row.absorb.word));
    b.receive("before", kDataBus, row.is_real, accumulator_tuple(row.index, row.absorb.acc));
    b.send("after", kDataBus, row.is_real, accumulator_tuple(row.index + 1, next.absorb.acc));
}

std::vector<WordRow<KoalaBear>> word_rows(const Timeline& timeline) {
    const rollup::Accumulator& before = timeline.statement.before.data;
    const std::uint32_t num_words = timeline.statement.after.data.count - before.count;
    if (num_words == 0) return {};
    std::vector<WordRow<KoalaBear>> rows;
    rows.reserve(num_words + std::size_t{1});
    Digest acc = before.digest;
    std::vector<std::uint8_t> bytes;
    for (const TimedStep& step : timeline.steps) {
        bytes.clear();
        rollup::encode(step.step->op, bytes);
        for (std::size_t i = 0; i < bytes.size(); i += rollup::kWordBytes) {
            WordRow<KoalaBear>& row = rows.emplace_back();
            row.is_real = KoalaBear(1);
            row.index = KoalaBear(before.count + rows.size() - 1);
            row.absorb.acc = acc;
            acc = absorb_word(row.absorb,
                              std::span<const std::uint8_t, rollup::kWordBytes>(bytes.data() + i, rollup::kWordBytes));
        }
    }
    QUARRY_CHECK(rows.size() == num_words);
    rows.emplace_back().absorb.acc = acc;
    return rows;
}

}  // namespace quarry::circuits
