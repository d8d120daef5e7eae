#include "quarry/circuits/hash_table.hpp"

#include <algorithm>

#include "quarry/circuits/buses.hpp"

namespace quarry::circuits {

void HashTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const auto out = constrain_permutation(b, row.in, row.after_2, row.after_4, row.cube, row.after_26);
    DigestOf<Expr> left, right;
    std::copy_n(row.in.begin(), kDigestSize, left.begin());
    std::copy_n(row.in.begin() + kDigestSize, kDigestSize, right.begin());
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        b.equal("result[" + std::to_string(i) + "]", row.result[i], out[i] + left[i]);
    }
    b.send("hash", kHashBus, row.uses, hash_tuple(left, right, row.result));
}

}  // namespace quarry::circuits
