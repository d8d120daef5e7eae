#include "quarry/circuits/state/fee_table.hpp"

#include "quarry/circuits/gadgets.hpp"

namespace quarry::circuits {

namespace {

// first: whether the next row is the first of all.
void constrain_side(AirBuilder& b, const std::string& name, std::uint32_t side, const FeeRow<Expr>& row,
                    const Expr& first, const FeeCells<Expr>& cells, const FeeCells<Expr>& next) {
    Expr limbs;
    for (const Expr& limb : cells.sum) limbs += limb;
    b.equal(name + ".inverse", limbs * cells.inverse, cells.exists);
    for (std::size_t i = 0; i < cells.sum.size(); ++i) {
        b.zero(indexed(name + ".none", i), (Expr(1) - cells.exists) * cells.sum[i]);
    }
    b.zero(name + ".real", cells.exists * (Expr(1) - row.is_real));
    b.zero(name + ".rank.first", first * next.rank);
    b.zero(name + ".rank", row.is_real * (next.rank - cells.rank - cells.exists));
    b.send(name + ".block", kFeeBlockBus, cells.exists,
           fee_block_tuple(constant(side), cells.rank, fee_block(cells.sum, row.token)));
}

}  // namespace

void FeeTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
    b.boolean("is_real", row.is_real);
    b.zero("is_end.not_real", row.is_end * row.is_real);
    // Whether the next row is the first of the run: 0 or 1, and never behind a real row.
    const Expr in_run = next.is_real + next.is_end;
    const Expr first = in_run - row.is_real;
    b.zero("run", first * (Expr(1) - in_run));
    b.receive("start", kFeeBlockBus, first, fee_block_tuple(Expr(2), Expr(0), DigestOf<Expr>{}));

    require_range16(b, "token", row.is_real, row.token);
    require_range16(b, "token.order", row.is_real, next.token - row.token - 1);
    constrain_side(b, "before", 0, row, first, row.before, next.before);
    constrain_side(b, "after", 1, row, first, row.after, next.after);
    b.send("open", kFeeBus, row.is_real, fee_tuple(row.token, Expr(0), row.before.sum));
    b.receive("close", kFeeBus, row.is_real, fee_tuple(row.token, row.last, row.after.sum));
}

std::vector<FeeRow<KoalaBear>> fee_rows(const Timeline& timeline) {
    std::vector<FeeRow<KoalaBear>> rows;
    std::uint32_t rank_before = 0;
    std::uint32_t rank_after = 0;
    const auto side = [](rollup::Amount sum, std::uint32_t& rank) {
        FeeCells<KoalaBear> cells;
        cells.sum = amount_limbs(sum);
        cells.exists = KoalaBear(sum.is_zero() ? 0 : 1);
        KoalaBear limbs;
        for (const KoalaBear limb : cells.sum) limbs += limb;
        cells.inverse = inverse_or_zero(limbs);
        cells.rank = KoalaBear(rank);
        rank += sum.is_zero() ? 0 : 1;
        return cells;
    };
    KoalaBear token;
    for (const FeeHistory& history : timeline.fees) {
        token = KoalaBear(history.token);
        rows.push_back({.is_real = KoalaBear(1),
                        .is_end = KoalaBear(),
                        .token = token,
                        .before = side(history.before, rank_before),
                        .after = side(history.after, rank_after),
                        .last = KoalaBear(history.last)});
    }
    FeeRow<KoalaBear>& end = rows.emplace_back();
    end.is_end = KoalaBear(1);
    end.token = token + KoalaBear(1);
    end.before = side(rollup::Amount(), rank_before);
    end.after = side(rollup::Amount(), rank_after);
    return rows;
}

}  // namespace quarry::circuits
