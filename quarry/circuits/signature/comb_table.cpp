#include "quarry/circuits/signature/comb_table.hpp"

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/circuits/signature/scalar_layout.hpp"
#include "quarry/curve/comb.hpp"

namespace quarry::circuits {
namespace {

constexpr std::size_t kRowsPerWindow = kDigits / kCombRowEntries;
static_assert(kWindows * kRowsPerWindow == std::size_t{1} << CombTable::kLogHeight);

CombFixed<KoalaBear> comb_row(std::size_t window, std::size_t base) {
    const auto& comb = comb_table<SignatureCurve>();
    const std::uint64_t order = scalar_digit(SignatureCurve::kOrder, window);
    CombFixed<KoalaBear> row{};
    row.window = KoalaBear(window);
    row.base = KoalaBear(base);
    row.less_before = KoalaBear(base <= order ? 1 : 0);
    for (std::size_t j = 0; j < kCombRowEntries; ++j) {
        const std::size_t digit = base + j;
        row.entry[j] = {point_cells(comb.entry(window, digit)), KoalaBear(digit < order ? 1 : 0),
                        KoalaBear(digit >> cut_bits(window))};
    }
    return row;
}

}  // namespace

void CombTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    Expr less_before = fixed.less_before;
    for (std::size_t j = 0; j < kCombRowEntries; ++j) {
        const auto& entry = fixed.entry[j];
        b.send(indexed("entry", j), kCombBus, row.uses[j],
               comb_tuple(fixed.window, fixed.base + static_cast<int>(j), entry.high, entry.less,
                          less_before - entry.less, entry.point));
        less_before = entry.less;
    }
}

const std::vector<CombFixed<KoalaBear>>& comb_rows() {
    static const std::vector<CombFixed<KoalaBear>> rows = [] {
        (void)comb_table<SignatureCurve>();
        std::vector<CombFixed<KoalaBear>> r(kWindows * kRowsPerWindow);
        parallel_for(r.size(), 256, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                r[i] = comb_row(i / kRowsPerWindow, i % kRowsPerWindow * kCombRowEntries);
            }
        });
        return r;
    }();
    return rows;
}

std::vector<KoalaBear> comb_entry_tuple(std::size_t window, std::size_t digit) {
    QUARRY_CHECK(window < kWindows && digit < kDigits);
    const CombFixed<KoalaBear>& row = comb_rows()[window * kRowsPerWindow + digit / kCombRowEntries];
    const std::size_t j = digit % kCombRowEntries;
    const auto& entry = row.entry[j];
    const KoalaBear less_before = j == 0 ? row.less_before : row.entry[j - 1].less;
    return comb_tuple(row.window, KoalaBear(digit), entry.high, entry.less, less_before - entry.less, entry.point);
}

}  // namespace quarry::circuits
