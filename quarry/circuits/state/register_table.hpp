#pragma once
#include <vector>

#include "quarry/air/table.hpp"
#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/timeline.hpp"

namespace quarry::circuits {

/// One register a row.
template <class T>
struct RegisterRow {
    T is_real, id;
    std::array<T, 4> before, after;
    T last;  ///< time of the last access
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("id", id), v("before", before), v("after", after), v("last", last);
    }
};

/// Opens and closes each register's memory with the two values that its point says. Each register has one row, because
/// its two point tuples are put once: by the statement, and for kFeeTokens by ChainTable, which counts the blocks of
/// the two ledgers.
struct RegisterTable {
    static constexpr const char* kName = "register";
    template <class T>
    using Row = RegisterRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// Four rows.
std::vector<RegisterRow<KoalaBear>> register_rows(const Timeline& timeline);

}  // namespace quarry::circuits
