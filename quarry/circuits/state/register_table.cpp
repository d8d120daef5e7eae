#include "quarry/circuits/state/register_table.hpp"

#include "quarry/circuits/gadgets.hpp"

namespace quarry::circuits {

void RegisterTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    b.boolean("is_real", row.is_real);
    b.receive("before", kPointBus, row.is_real, point_tuple(row.id, Expr(0), row.before));
    b.receive("after", kPointBus, row.is_real, point_tuple(row.id, Expr(1), row.after));
    b.send("open", kRegisterBus, row.is_real, register_tuple(row.id, Expr(0), row.before));
    b.receive("close", kRegisterBus, row.is_real, register_tuple(row.id, row.last, row.after));
}

std::vector<RegisterRow<KoalaBear>> register_rows(const Timeline& timeline) {
    std::vector<RegisterRow<KoalaBear>> rows(kRegisters);
    for (std::size_t i = 0; i < kRegisters; ++i) {
        const auto id = static_cast<Register>(i + 1);
        const RegisterHistory& history = timeline.registers[i];
        rows[i] = {.is_real = KoalaBear(1),
                   .id = KoalaBear(id),
                   .before = register_values(id, history.before),
                   .after = register_values(id, history.after),
                   .last = KoalaBear(history.last)};
    }
    return rows;
}

}  // namespace quarry::circuits
