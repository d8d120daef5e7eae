#pragma once
#include <vector>

#include "quarry/circuits/operations/fields.hpp"

namespace quarry::circuits {

/// One collection of fees: a slot of the header's fee receiver gets the whole sum of its token, which is above 0 before
/// and 0 after. No cell of a used row is free.
template <class T>
struct CollectRow {
    T is_real;
    T word;                 ///< index of the operation's word
    std::array<T, 2> slot;  ///< limbs
    T previous;
    DigestOf<T> pair;
    std::array<T, 6> balance, credited;
    T token, published, nonce;
    T fees_previous;
    std::array<T, 6> sum;
    T sum_inverse;            ///< of the sum of its limbs
    T count, count_previous;  ///< register fee_tokens
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("word", word), v("slot", slot), v("previous", previous), v("pair", pair),
            v("balance", balance), v("credited", credited), v("token", token), v("published", published),
            v("nonce", nonce), v("fees_previous", fees_previous), v("sum", sum), v("sum_inverse", sum_inverse),
            v("count", count), v("count_previous", count_previous);
    }
};

struct CollectTable {
    static constexpr const char* kName = "collect";
    template <class T>
    using Row = CollectRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

std::vector<CollectRow<KoalaBear>> collect_rows(const Timeline& timeline);

}  // namespace quarry::circuits
