#pragma once
#include "quarry/air/table.hpp"
#include "quarry/recursion/buses.hpp"

/// Rows that turn wires of one kind into another, and that make wires of nothing: witnesses and constants.
namespace quarry::recursion {

/// Five base wires in a row as one extension wire; or one, lifted; or none: then the wire is the prover's choice.
template <class T>
struct PackRow {
    std::array<T, kDegree> x;
    template <class V>
    void visit(V&& v) {
        v("x", x);
    }
};
template <class T>
struct PackFixed {
    T base{};  ///< address of the first base wire
    T reads_first{}, reads_rest{};
    T lifts{};              ///< x[1..5] are zero
    T result{}, results{};  ///< -1: compared with what is there
    template <class V>
    void visit(V&& v) {
        v("base", base), v("reads_first", reads_first), v("reads_rest", reads_rest), v("lifts", lifts),
            v("result", result), v("results", results);
    }
};
struct PackTable {
    static constexpr const char* kName = "pack";
    template <class T>
    using Row = PackRow<T>;
    template <class T>
    using Fixed = PackFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

/// A digest of the prover's choice, or eight base wires in a row; as two wires, either of which may be a comparison;
/// and its elements as extension wires in a row, made for one reader or read.
template <class T>
struct DigestRow {
    std::array<T, kBlock> x;
    template <class V>
    void visit(V&& v) {
        v("x", x);
    }
};
template <class T>
struct DigestFixed {
    T base{}, reads{};
    T first{}, firsts{}, second{}, seconds{};  ///< addresses and readers
    T elements{}, lifts{};                     ///< address of element 0; 1 if they are made
    template <class V>
    void visit(V&& v) {
        v("base", base), v("reads", reads), v("first", first), v("firsts", firsts), v("second", second),
            v("seconds", seconds), v("elements", elements), v("lifts", lifts);
    }
};
struct DigestTable {
    static constexpr const char* kName = "digest";
    template <class T>
    using Row = DigestRow<T>;
    template <class T>
    using Fixed = DigestFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

/// Constants: eight elements as a digest, the first five as an extension element.
template <class T>
struct ConstantFixed {
    std::array<T, kBlock> value{};
    T extension{}, extensions{}, digest{}, digests{};
    template <class V>
    void visit(V&& v) {
        v("value", value), v("extension", extension), v("extensions", extensions), v("digest", digest),
            v("digests", digests);
    }
};
struct ConstantTable {
    static constexpr const char* kName = "constant";
    template <class T>
    using Row = DigestRow<T>;
    template <class T>
    using Fixed = ConstantFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
};

/// A base wire x, or a base element on an extension wire, as the canonical sum of bits 2^i; and the point of the low
/// bits that are used: product over them of (1 + bit (two_adic_root(i + 1) - 1)).
inline constexpr std::size_t kElementBits = 31;
inline constexpr std::size_t kIndexBitLimit = 24;
inline constexpr std::size_t kPointStep = 2;  ///< factors between two committed products
template <class T>
struct IndexRow {
    T x;
    std::array<T, kElementBits> bits;
    T top;  ///< all bits from 24 up are set
    std::array<T, kIndexBitLimit / kPointStep> products;
    template <class V>
    void visit(V&& v) {
        v("x", x), v("bits", bits), v("top", top), v("products", products);
    }
};
template <class T>
struct IndexFixed {
    T base{}, reads{}, lifted{};           ///< where x is; on a base wire, or on an extension wire
    T small{};                             ///< x < 2^24
    T bits{};                              ///< address of bit 0
    std::array<T, kIndexBitLimit> used{};  ///< readers of the bit, 0 to 2; if any, it is a factor of the point
    T point{}, points{};                   ///< the point's address and readers
    template <class V>
    void visit(V&& v) {
        v("base", base), v("reads", reads), v("lifted", lifted), v("small", small), v("bits_address", bits),
            v("used", used), v("point", point), v("points", points);
    }
};
struct IndexTable {
    static constexpr const char* kName = "index";
    template <class T>
    using Row = IndexRow<T>;
    template <class T>
    using Fixed = IndexFixed<T>;
    static void constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next);
    /// The row for x with the first `num_used` bits used.
    static Row<KoalaBear> make_row(KoalaBear x, unsigned num_used);
};

}  // namespace quarry::recursion
