#pragma once
#include <vector>

#include "quarry/circuits/operations/fields.hpp"

namespace quarry::circuits {

/// The rest of a key change. SignedTable debits the slot at `time`; here, at time + 1, its pair becomes
/// H(hash of the written key = the signed payload, the same L1 address). The key is published before and after.
/// No cell of a used row is free.
template <class T>
struct ChangeKeyRow {
    T is_real;
    T time, slot, token;
    std::array<T, 5> fee;
    KeyCells<T> key;           ///< the new one
    DigestOf<T> new_key_hash;  ///< the payload
    DigestOf<T> key_hash;      ///< with `address`: preimage of the pair
    std::array<T, 7> address;  ///< pieces
    DigestOf<T> pair, new_pair;
    std::array<T, 6> balance;
    T nonce;
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("time", time), v("slot", slot), v("token", token), v("fee", fee), v("key", key),
            v("new_key_hash", new_key_hash), v("key_hash", key_hash), v("address", address), v("pair", pair),
            v("new_pair", new_pair), v("balance", balance), v("nonce", nonce);
    }
};

struct ChangeKeyTable {
    static constexpr const char* kName = "change_key";
    template <class T>
    using Row = ChangeKeyRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

std::vector<ChangeKeyRow<KoalaBear>> change_key_rows(const Timeline& timeline);

}  // namespace quarry::circuits
