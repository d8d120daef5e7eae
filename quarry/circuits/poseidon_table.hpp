#pragma once
#include <array>
#include <cstddef>
#include <span>

#include "quarry/air/table.hpp"
#include "quarry/hash/poseidon.hpp"
#include "quarry/proof/circuit.hpp"

namespace quarry {

/// One Poseidon permutation a row, constraint degree 9, 100 columns.
///
///   in --2 rounds--> after_2 --2 rounds--> after_4 --20 partial rounds, cubes committed--> --2 rounds--> after_26
///      --2 rounds--> out
///
/// Two full rounds between committed states are a map of degree 9. In a partial round only element 0 goes through the
/// S-box: its input is a linear form of after_4 and the cubes before it, so each round costs one column, and the state
/// after all 20 is a linear form again. [GKRRS21]
template <class T>
struct PoseidonRow {
    std::array<T, kPoseidonWidth> in, after_2, after_4;
    std::array<T, 20> cube;  ///< S-box output of each partial round
    std::array<T, kPoseidonWidth> after_26, out;
    template <class V>
    void visit(V&& v) {
        v("in", in), v("after_2", after_2), v("after_4", after_4), v("cube", cube), v("after_26", after_26),
            v("out", out);
    }
};

/// Constrains all but the last two rounds, and returns pi(in) as expressions of degree 9: for the tables that hash.
std::array<Expr, kPoseidonWidth> constrain_permutation(AirBuilder& b, const std::array<Expr, kPoseidonWidth>& in,
                                                       const std::array<Expr, kPoseidonWidth>& after_2,
                                                       const std::array<Expr, kPoseidonWidth>& after_4,
                                                       const std::array<Expr, 20>& cube,
                                                       const std::array<Expr, kPoseidonWidth>& after_26);

/// Permutations alone, on no bus: knowledge of inputs and outputs. What `quarry bench permutations` proves.
struct PoseidonPermutationTable {
    static constexpr const char* kName = "poseidon_permutation";
    template <class T>
    using Row = PoseidonRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// Fills every row of table `table` from the 16 `in` columns, which must be set. Parallel, 16 rows at a time.
void fill_permutations(Trace& trace, std::size_t table);

/// The same for a table whose last columns are not pi(in) but the 8 elements of H(in) = pi(in)[0..8] + in[0..8]
/// (circuits/hash_table.hpp). Columns behind these are left alone.
void fill_compressions(Trace& trace, std::size_t table);

}  // namespace quarry
