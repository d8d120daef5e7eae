#pragma once
#include <vector>

#include "quarry/circuits/operations/fields.hpp"

namespace quarry::circuits {

/// One publication of a key: slot.published 0 -> 1, where the slot's pair = H(H(written key), L1 address).
/// No cell of a used row is free.
template <class T>
struct PublishRow {
    T is_real;
    T word;                 ///< index of the operation's first word
    std::array<T, 2> slot;  ///< limbs
    KeyCells<T> key;
    DigestOf<T> key_hash;
    std::array<T, 7> address;  ///< pieces
    T previous;
    DigestOf<T> pair;
    std::array<T, 6> balance;
    T token, nonce;
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("word", word), v("slot", slot), v("key", key), v("key_hash", key_hash),
            v("address", address), v("previous", previous), v("pair", pair), v("balance", balance), v("token", token),
            v("nonce", nonce);
    }
};

struct PublishTable {
    static constexpr const char* kName = "publish_key";
    template <class T>
    using Row = PublishRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

std::vector<PublishRow<KoalaBear>> publish_rows(const Timeline& timeline);

}  // namespace quarry::circuits
