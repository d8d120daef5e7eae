#pragma once
#include "quarry/circuits/poseidon_table.hpp"
#include "quarry/recursion/buses.hpp"

namespace quarry::recursion {

/// One permutation of a transcript's sponge a row (quarry/iop/transcript.hpp), rows of a sponge one after the other.
/// The capacity runs from row to row; the rate is absorbed (new wires) or carried.
template <class T>
struct SpongeFixed {
    T start{};    ///< the capacity is zero
    T feeds{};    ///< the next row goes on with this row's capacity
    T count{};    ///< added to the next row's capacity: elements of its block if that is a partial one
    T carries{};  ///< the next row's rate is this row's output: a squeeze
    T absorbs{};  ///< the rate is absorbed
    T block{};    ///< address of in[0]
    T write_0{}, write_2{}, write_5{};  ///< in[0..2], in[2..5], in[5..8] are wires, read once; else they are zero
    T hand_0{}, hand_5{};               ///< out[0..5], out[5..8] are wires, read once
    template <class V>
    void visit(V&& v) {
        v("start", start), v("feeds", feeds), v("count", count), v("carries", carries), v("absorbs", absorbs),
            v("block", block), v("write_0", write_0), v("write_2", write_2), v("write_5", write_5), v("hand_0", hand_0),
            v("hand_5", hand_5);
    }
};
struct SpongeTable {
    static constexpr const char* kName = "sponge";
    template <class T>
    using Row = PoseidonRow<T>;
    template <class T>
    using Fixed = SpongeFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

/// One compression a row, result = H(in): alone, as a step of the hash of a row of elements, or as a step of a Merkle
/// path, from which it takes its own input:
///   leaf   next.in[0..8] = result, next.in[8..16] = the next block, on wires
///   path   the half of next.in that next.bit names = result, the other is the sibling, which nothing else reads
template <class T>
struct TreeRow {
    std::array<T, kPoseidonWidth> in, after_2, after_4;
    std::array<T, 20> cube;
    std::array<T, kPoseidonWidth> after_26;
    std::array<T, kBlock> result;
    T bit;  ///< of a step of a path: the node is a right child
    template <class V>
    void visit(V&& v) {
        v("in", in), v("after_2", after_2), v("after_4", after_4), v("cube", cube), v("after_26", after_26),
            v("result", result), v("bit", bit);
    }
};
template <class T>
struct TreeFixed {
    T left{}, reads_left{};  ///< in[0..8] is that digest
    T operand{};             ///< address of the right digest, of the block or of the bit
    T reads_right{}, reads_bit{}, writes_block{};
    T result{}, results{};  ///< the result's address; its readers, or -1 if it is compared with what is there
    T leaf{}, path{};       ///< how the next row goes on
    template <class V>
    void visit(V&& v) {
        v("left", left), v("reads_left", reads_left), v("operand", operand), v("reads_right", reads_right),
            v("reads_bit", reads_bit), v("writes_block", writes_block), v("result_address", result),
            v("results", results), v("leaf", leaf), v("path", path);
    }
};
struct TreeTable {
    static constexpr const char* kName = "tree";
    template <class T>
    using Row = TreeRow<T>;
    template <class T>
    using Fixed = TreeFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

}  // namespace quarry::recursion
