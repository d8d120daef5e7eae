#pragma once
#include <vector>

#include "quarry/circuits/operations/fields.hpp"

namespace quarry::circuits {

/// The rest of a withdrawal: its recipient is the signed payload, and token, amount and recipient leave as an effect.
/// No cell of a used row is free.
template <class T>
struct WithdrawRow {
    T is_real;
    T time, slot, token;
    std::array<T, 6> amount;
    std::array<T, 5> fee;
    std::array<T, 10> recipient;  ///< limbs
    std::array<T, 3> split;       ///< gadgets.hpp, require_address_pieces
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("time", time), v("slot", slot), v("token", token), v("amount", amount), v("fee", fee),
            v("recipient", recipient), v("split", split);
    }
};

struct WithdrawTable {
    static constexpr const char* kName = "withdraw";
    template <class T>
    using Row = WithdrawRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

std::vector<WithdrawRow<KoalaBear>> withdraw_rows(const Timeline& timeline);

}  // namespace quarry::circuits
