#include "quarry/circuits/range_table.hpp"

#include "quarry/circuits/gadgets.hpp"

namespace quarry::circuits {

namespace {
constexpr std::uint32_t kLast = (1u << RangeTable::kLogHeight) - 1;
constexpr std::uint32_t kHigh15Bound = 0x7f00;
}  // namespace

void RangeTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
    b.equal("v", next.v, (Expr(1) - row.is_last) * (row.v + 1));

    const Expr inside = Expr(1) - row.is_last;
    const Expr rise = next.high - row.high;
    b.zero("high.step", inside * rise * (rise - 1));
    b.zero("high.where", inside * rise * (row.v - row.high * 256 - 255));
    b.zero("high.last", row.is_last * (row.high - 255));
    b.zero("high.first", row.is_last * next.high);

    b.zero("below.where", inside * (next.below - row.below) * (row.v - constant(kHigh15Bound - 1)));
    b.zero("below.last", row.is_last * row.below);
    b.zero("below.first", row.is_last * (next.below - 1));
    b.zero("high15_uses", row.high15_uses * (Expr(1) - row.below));

    b.send("range16", kRange16Bus, row.range16_uses, {row.v});
    b.send("split", kSplitBus, row.split_uses, {row.v, row.high});
    b.send("high15", kHigh15Bus, row.high15_uses, {row.v});
}

std::vector<RangeRow<KoalaBear>> range_rows() {
    std::vector<RangeRow<KoalaBear>> rows(kLast + 1);
    for (std::uint32_t v = 0; v <= kLast; ++v) {
        rows[v].v = KoalaBear(v);
        rows[v].high = KoalaBear(v >> 8);
        rows[v].below = KoalaBear(v < kHigh15Bound ? 1 : 0);
        rows[v].is_last = KoalaBear(v == kLast ? 1 : 0);
    }
    return rows;
}

void FixedRangeTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row,
                                const Row<Expr>& /*next*/) {
    b.send("range16", kRange16Bus, row.range16_uses, {fixed.v});
    b.send("split", kSplitBus, row.split_uses, {fixed.v, fixed.high});
    b.send("high15", kHigh15Bus, row.high15_uses, {fixed.below});
}

std::vector<RangeFixed<KoalaBear>> fixed_range_rows() {
    std::vector<RangeFixed<KoalaBear>> rows(kLast + 1);
    for (std::uint32_t v = 0; v <= kLast; ++v) {
        rows[v] = {KoalaBear(v), KoalaBear(v >> 8), KoalaBear(v < kHigh15Bound ? v : 0)};
    }
    return rows;
}

}  // namespace quarry::circuits
