#pragma once
#include <array>
#include <span>

#include "quarry/circuits/poseidon_table.hpp"

namespace quarry::circuits {

/// One compression a row: result = H(in) = pi(in)[0..8] + in[0..8], as in PoseidonRow, but with no more of the output
/// than the hash. 93 columns, degree 9.
template <class T>
struct HashRow {
    std::array<T, kPoseidonWidth> in, after_2, after_4;
    std::array<T, 20> cube;
    std::array<T, kPoseidonWidth> after_26;
    std::array<T, kDigestSize> result;
    T uses;  ///< how often the fact is requested
    template <class V>
    void visit(V&& v) {
        v("in", in), v("after_2", after_2), v("after_4", after_4), v("cube", cube), v("after_26", after_26),
            v("result", result), v("uses", uses);
    }
};

/// Provides (left, right, H(left, right)). Every row is a true fact whatever its inputs, so `uses` is free: it only
/// decides how many requests the row meets. Padding is the hash of zeros with no uses.
struct HashTable {
    static constexpr const char* kName = "hash";
    template <class T>
    using Row = HashRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// Fills every row from the 16 `in` columns, which must be set; `uses` is left alone.
inline void fill_hash_rows(Trace& trace, std::size_t table) { fill_compressions(trace, table); }

/// The log heights of two tables that hold num_rows rows together, with the least 2^a + 2^b. `least`: these, if they
/// hold the rows. The second table is absent (height 0) where that is no higher and least[1] is 0.
std::array<unsigned, 2> split_heights(std::size_t num_rows,
                                      std::array<unsigned, 2> least = {kMinLogHeight, kMinLogHeight});
/// Fills two hash tables, the first one first, with one row for each input, used once, and padding. Precondition: they
/// fit. Parallel.
void write_hash_tables(Trace& trace, const std::array<std::size_t, 2>& tables,
                       std::span<const std::array<KoalaBear, kPoseidonWidth>> inputs);

}  // namespace quarry::circuits
