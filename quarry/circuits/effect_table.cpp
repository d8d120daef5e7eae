#include "quarry/circuits/effect_table.hpp"

#include "quarry/circuits/gadgets.hpp"

namespace quarry::circuits {

void EffectTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
    b.zero("is_start.real", row.is_start * (Expr(1) - row.is_real));
    b.zero("is_end.not_real", row.is_end * row.is_real);
    // Whether the next row is the first of the run: 0 or 1, and then a start or the end. Behind a real row it is 0,
    // since -1 would ask for a start or an end; so is_end is a bit as well.
    const Expr first = next.is_real + next.is_end - row.is_real;
    b.zero("run", first * (Expr(1) - next.is_start - next.is_end));

    // Whether the next row is the next word of the same effect.
    const Expr same = next.is_real - next.is_start;
    b.zero("position", same * (next.position - row.position - 1));
    b.zero("position.start", row.is_start * row.position);
    b.zero("time", same * (next.time - row.time));
    require_range16(b, "time.order", row.is_real - same, next.time - row.time - 1);
    b.zero("count", row.is_real * (next.count - row.count - next.is_start));
    require_range16(b, "count.limit", row.is_start, constant(rollup::kMaxEffects) - row.count);

    require_absorbed(b, row.is_real, row.absorb, next.absorb);
    b.receive("word", kEffectWordBus, row.is_real, effect_word_tuple(row.time, row.position, row.absorb.word));
    // The first row's count has the effect that begins there.
    b.receive("before", kEffectsBus, first, effects_tuple(Expr(0), next.count - next.is_start, next.absorb.acc));
    b.send("after", kEffectsBus, row.is_end, effects_tuple(Expr(1), row.count, row.absorb.acc));
}

std::vector<EffectRow<KoalaBear>> effect_rows(const Timeline& timeline) {
    const rollup::Accumulator& before = timeline.statement.before.effects;
    std::vector<EffectRow<KoalaBear>> rows;
    Digest acc = before.digest;
    std::uint32_t count = before.count;
    std::uint32_t time = 0;
    std::vector<std::uint8_t> bytes;
    for (const TimedStep& step : timeline.steps) {
        if (!step.step->effect) continue;
        bytes.clear();
        rollup::encode(*step.step->effect, bytes);
        time = step.time();
        ++count;
        for (std::size_t i = 0; i < bytes.size() / rollup::kWordBytes; ++i) {
            EffectRow<KoalaBear>& row = rows.emplace_back();
            row.is_real = KoalaBear(1);
            row.is_start = KoalaBear(i == 0 ? 1 : 0);
            row.time = KoalaBear(time);
            row.position = KoalaBear(i);
            row.count = KoalaBear(count);
            row.absorb.acc = acc;
            acc = absorb_word(row.absorb, std::span<const std::uint8_t, rollup::kWordBytes>(
                                              bytes.data() + i * rollup::kWordBytes, rollup::kWordBytes));
        }
    }
    EffectRow<KoalaBear>& end = rows.emplace_back();
    end.is_end = KoalaBear(1);
    end.time = KoalaBear(time + 1);
    end.count = KoalaBear(count);
    end.absorb.acc = acc;
    return rows;
}

}  // namespace quarry::circuits
