#include "quarry/circuits/range_table.hpp"

#include "quarry/base/check.hpp"
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

namespace {

// The number k of row v.
constexpr std::uint32_t number_of(std::uint32_t v, std::size_t k) {
    return v + (static_cast<std::uint32_t>(k) << FixedRangeTable::kLogHeight);
}
constexpr std::uint32_t kFixedRows = 1u << FixedRangeTable::kLogHeight;
constexpr std::size_t kPartlyBelow = kHigh15RowNumbers - 1;  // this number is below the bound in some of the rows
static_assert(kFixedRows * kRangeRowNumbers == kLast + 1 && kFixedRows % 256 == 0);
static_assert(number_of(0, kPartlyBelow) < kHigh15Bound && kHigh15Bound < number_of(0, kHigh15RowNumbers));

}  // namespace

void FixedRangeTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row,
                                const Row<Expr>& /*next*/) {
    for (std::size_t k = 0; k < kRangeRowNumbers; ++k) {
        const std::string at = "[" + std::to_string(k) + "]";
        const Expr v = fixed.v + constant(number_of(0, k));
        b.send("range16" + at, kRange16Bus, row.range16_uses[k], {v});
        b.send("split" + at, kSplitBus, row.split_uses[k], {v, fixed.high + constant(number_of(0, k) >> 8)});
        if (k < kHigh15RowNumbers) {
            b.send("high15" + at, kHigh15Bus, row.high15_uses[k], {k == kPartlyBelow ? fixed.below : v});
        }
    }
}

std::vector<RangeFixed<KoalaBear>> fixed_range_rows() {
    std::vector<RangeFixed<KoalaBear>> rows(kFixedRows);
    for (std::uint32_t v = 0; v < kFixedRows; ++v) {
        const std::uint32_t highest = number_of(v, kPartlyBelow);
        rows[v] = {KoalaBear(v), KoalaBear(v >> 8), KoalaBear(highest < kHigh15Bound ? highest : 0)};
    }
    return rows;
}

std::vector<RangeUses<KoalaBear>> range_uses_rows(std::span<const std::uint32_t> range16,
                                                  std::span<const std::uint32_t> split,
                                                  std::span<const std::uint32_t> high15) {
    QUARRY_CHECK(range16.size() == kLast + 1 && split.size() == kLast + 1 && high15.size() == kHigh15Bound);
    std::vector<RangeUses<KoalaBear>> rows(kFixedRows);
    for (std::uint32_t v = 0; v < kFixedRows; ++v) {
        for (std::size_t k = 0; k < kRangeRowNumbers; ++k) {
            const std::uint32_t number = number_of(v, k);
            rows[v].range16_uses[k] = KoalaBear(range16[number]);
            rows[v].split_uses[k] = KoalaBear(split[number]);
            if (number < kHigh15Bound) rows[v].high15_uses[k] = KoalaBear(high15[number]);
        }
    }
    return rows;
}

}  // namespace quarry::circuits
