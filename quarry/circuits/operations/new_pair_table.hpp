#pragma once
#include <vector>

#include "quarry/circuits/operations/fields.hpp"

namespace quarry::circuits {

/// The rest of a transfer to a new pair: slot `receiver` = slot count comes into being with the written owner, the
/// sender's token and the amount; pair = H(key hash, address) is the signed payload; fee >= the rollup's minimum.
/// No cell of a used row is free.
template <class T>
struct NewPairRow {
    T is_real;
    T time, slot, receiver, token;
    std::array<T, 6> amount;
    std::array<T, 5> fee;
    DigestOf<T> pair;
    std::array<ElementCells<T>, kDigestSize> key_hash;
    std::array<T, 10> address;  ///< limbs
    std::array<T, 3> split;     ///< gadgets.hpp, require_address_pieces
    T previous;                 ///< of the slot
    T count_previous;           ///< of the register slot_count
    std::array<T, 5> minimum;
    std::array<T, 4> borrow;  ///< of fee - minimum
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("time", time), v("slot", slot), v("receiver", receiver), v("token", token),
            v("amount", amount), v("fee", fee), v("pair", pair), v("key_hash", key_hash), v("address", address),
            v("split", split), v("previous", previous), v("count_previous", count_previous), v("minimum", minimum),
            v("borrow", borrow);
    }
};

struct NewPairTable {
    static constexpr const char* kName = "new_pair";
    template <class T>
    using Row = NewPairRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

std::vector<NewPairRow<KoalaBear>> new_pair_rows(const Timeline& timeline);

}  // namespace quarry::circuits
