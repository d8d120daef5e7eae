#include "quarry/recursion/tables/public_rows.hpp"

#include <string>

namespace quarry::recursion {

void PublicTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    std::vector<Expr> tuple{fixed.number};
    Expr sum;
    for (const Expr& x : row.x) {
        tuple.push_back(x);
        sum += x;
    }
    b.receive("row", kPublicBus, fixed.used, tuple);
    for (std::size_t i = 0; i < kPublicValues; ++i) {
        b.send(indexed("x", i), kExtensionBus, i < kFirstPublicValues ? fixed.used : fixed.more,
               lifted_tuple(fixed.first + static_cast<int>(i), row.x[i]));
    }
    b.send("sum", kExtensionBus, fixed.sums, lifted_tuple(fixed.sum, sum));
}

}  // namespace quarry::recursion
