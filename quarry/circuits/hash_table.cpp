#include "quarry/circuits/hash_table.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/rows.hpp"

namespace quarry::circuits {

void HashTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const auto out = constrain_permutation(b, row.in, row.after_2, row.after_4, row.cube, row.after_26);
    DigestOf<Expr> left, right;
    std::copy_n(row.in.begin(), kDigestSize, left.begin());
    std::copy_n(row.in.begin() + kDigestSize, kDigestSize, right.begin());
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        b.equal(indexed("result", i), row.result[i], out[i] + left[i]);
    }
    b.send("hash", kHashBus, row.uses, hash_tuple(left, right, row.result));
}

std::array<unsigned, 2> split_heights(std::size_t num_rows, std::array<unsigned, 2> least) {
    const auto held = [](unsigned a, unsigned b) { return (std::size_t{1} << a) + (b == 0 ? 0 : std::size_t{1} << b); };
    if (num_rows <= held(least[0], least[1])) return least;
    const unsigned none = least[1] == 0 ? 0 : kMinLogHeight;
    std::array<unsigned, 2> best{log_height_for(num_rows), none};
    for (unsigned a = kMinLogHeight; a <= best[0]; ++a) {
        for (unsigned b = kMinLogHeight; b <= a; ++b) {
            const std::size_t total = held(a, b);
            if (total >= num_rows && total < held(best[0], best[1])) best = {a, b};
        }
    }
    return best;
}

void write_hash_tables(Trace& trace, const std::array<std::size_t, 2>& tables,
                       std::span<const std::array<KoalaBear, kPoseidonWidth>> inputs) {
    std::size_t first = 0;
    for (const std::size_t t : tables) {
        const std::size_t height = trace.column(t, 0).size();
        const std::size_t real = std::min(height, inputs.size() - first);
        parallel_for(height, std::size_t{1} << 12, [&](std::size_t begin, std::size_t end) {
            for (std::size_t c = 0; c < kPoseidonWidth; ++c) {
                KoalaBear* column = trace.column(t, c).data();
                for (std::size_t i = begin; i < end; ++i) column[i] = i < real ? inputs[first + i][c] : KoalaBear();
            }
        });
        const std::span<KoalaBear> uses = trace.column(t, cell_offsets<HashRow<KoalaBear>>().size() - 1);
        for (std::size_t i = 0; i < height; ++i) uses[i] = KoalaBear(i < real ? 1 : 0);
        fill_hash_rows(trace, t);
        first += real;
    }
    QUARRY_CHECK(first == inputs.size());
}

}  // namespace quarry::circuits
