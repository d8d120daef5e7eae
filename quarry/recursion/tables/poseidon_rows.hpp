#pragma once
#include "quarry/circuits/poseidon_table.hpp"
#include "quarry/recursion/buses.hpp"

namespace quarry::recursion {

/// One permutation of a transcript's sponge a row (quarry/iop/transcript.hpp), rows of a sponge one after the other. A
/// squeeze is the permutation of the row before it. A block that is absorbed takes the capacity off the bus of digests,
/// so that its row may stand in another table.
template <class T>
struct SpongeFixed {
    T start{};                          ///< the capacity is zero
    T gives{};                          ///< the next block's capacity is this row's
    T count{};                          ///< added to it: elements of that block if it is a partial one
    T carries{};                        ///< the next row's input is this row's output: a squeeze
    T absorbs{};                        ///< the rate is absorbed
    T block{};                          ///< address of in[0]
    T write_0{}, write_2{}, write_5{};  ///< in[0..2], in[2..5], in[5..8] are wires, read once; else they are zero
    T hand_0{}, hand_5{};               ///< out[0..5], out[5..8] are wires, read once
    template <class V>
    void visit(V&& v) {
        v("start", start), v("gives", gives), v("count", count), v("carries", carries), v("absorbs", absorbs),
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

/// An inner node of the upper levels of a Merkle tree a row, result = H(in): it takes its tuple off the bus, and puts
/// its children's there, one level further down, as often as they are taken.
///
///   (level, number, result)  -->  (level + 1, 2 number, in[0..8]), (level + 1, 2 number + 1, in[8..16])
///
/// Which node of its level a row opens is the prover's choice: a tuple that is taken was put there by a row of the
/// level above, so that it is the node of this number under the root, whose number is 0. Levels of all trees are
/// different constants that rise from the root down: a tuple cannot be its own ancestor, and numbers do not reach p.
template <class T>
struct UpperRow {
    std::array<T, kPoseidonWidth> in, after_2, after_4;
    std::array<T, 20> cube;
    std::array<T, kPoseidonWidth> after_26;
    std::array<T, kBlock> result;
    T number;         ///< of the node in its level
    T lefts, rights;  ///< how often each child is taken
    template <class V>
    void visit(V&& v) {
        v("in", in), v("after_2", after_2), v("after_4", after_4), v("cube", cube), v("after_26", after_26),
            v("result", result), v("number", number), v("lefts", lefts), v("rights", rights);
    }
};
template <class T>
struct UpperFixed {
    T level{}, used{};
    template <class V>
    void visit(V&& v) {
        v("level", level), v("used", used);
    }
};
struct UpperTable {
    static constexpr const char* kName = "upper";
    template <class T>
    using Row = UpperRow<T>;
    template <class T>
    using Fixed = UpperFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

/// Where a path meets the upper levels of its tree, at its cap, or the root does: the node is a digest wire, read here,
/// and a tuple of the bus of upper nodes. Its number is made of the bits that are read; a root reads none.
inline constexpr std::size_t kCapBits = 8;
template <class T>
struct CapRow {
    std::array<T, kBlock> x;
    std::array<T, kCapBits> bits;  ///< lowest first; 0 where none is read
    template <class V>
    void visit(V&& v) {
        v("x", x), v("bits", bits);
    }
};
template <class T>
struct CapFixed {
    T digest{}, reads{};             ///< the wire
    T level{}, sends{};              ///< the root is put on the bus (1), the end of a path taken off it (-1)
    T bits{};                        ///< address of bit 0
    std::array<T, kCapBits> used{};  ///< which bits are read
    template <class V>
    void visit(V&& v) {
        v("digest", digest), v("reads", reads), v("level", level), v("sends", sends), v("bits_address", bits),
            v("used", used);
    }
};
struct CapTable {
    static constexpr const char* kName = "cap";
    template <class T>
    using Row = CapRow<T>;
    template <class T>
    using Fixed = CapFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

}  // namespace quarry::recursion
