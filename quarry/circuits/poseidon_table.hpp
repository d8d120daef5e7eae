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

/// Constrains out = pi(in); to be shared by the tables that hash.
void constrain_permutation(AirBuilder& b, const PoseidonRow<Expr>& row);

/// Permutations alone, on no bus: knowledge of inputs and outputs. What `quarry bench permutations` proves.
struct PoseidonPermutationTable {
    static constexpr const char* kName = "poseidon_permutation";
    template <class T>
    using Row = PoseidonRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// Fills every row of table `table` from the 16 `in` columns, which must be set. Parallel, 16 rows at a time.
void fill_permutations(Trace& trace, std::size_t table);

}  // namespace quarry
