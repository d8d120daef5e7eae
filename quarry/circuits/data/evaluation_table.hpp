#pragma once
#include <span>
#include <vector>

#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/data/data_buses.hpp"
#include "quarry/circuits/data/field_cells.hpp"
#include "quarry/rollup/data_statement.hpp"

namespace quarry::circuits {

inline constexpr std::size_t kPairBits = 11;  ///< a blob is 2^11 pairs of words

/// A word with the upper byte of each limb.
template <class T>
struct DataWordCells {
    T present;  ///< 0: the pair has no such word; it counts as zero and no accumulator sees it
    WordCells<T> word;
    std::array<T, 15> high;
    DigestOf<T> mid, after;  ///< the accumulator between the word's two steps, and behind it
    template <class V>
    void visit(V&& v) {
        v("present", present), v("word", word), v("high", high), v("mid", mid), v("after", after);
    }
};

/// Two words a row: they enter the accumulator and the polynomial's value.
template <class T>
struct EvaluationRow {
    T blob, horner;  ///< the form; at most one is 1, and one on real rows
    T is_first, is_last;
    T count;                        ///< words up to this row
    std::array<T, kPairBits> bit;   ///< blob: of the pair's number, least significant first
    std::array<T, kPairBits> step;  ///< blob: step[k] = 1 if a row follows and bits 0 .. k - 1 are 1
    DigestOf<T> before;             ///< the accumulator before the row
    std::array<DataWordCells<T>, 2> word;
    FieldCells<T> t;    ///< blob: z / omega of the pair's first word; horner: z
    FieldCells<T> g;    ///< between the two products
    FieldCells<T> acc;  ///< blob: the pair's share of the sum; horner: the value of the words so far
    LimbsOf<T> sum;     ///< blob: the shares of the pairs before, limb by limb
    GateCells<T> first_gate, second_gate, next_gate;
    template <class V>
    void visit(V&& v) {
        v("blob", blob), v("horner", horner), v("is_first", is_first), v("is_last", is_last), v("count", count),
            v("bit", bit), v("step", step), v("before", before), v("word0", word[0]), v("word1", word[1]), v("t", t),
            v("g", g), v("acc", acc), v("sum", sum), v("first_gate", first_gate), v("second_gate", second_gate),
            v("next_gate", next_gate);
    }
};

/// One run of rows, from the point that PointTable puts to the one that it takes: docs/spec/data-proof.md, section 5.
///
/// Runs. A row that is real and not last is followed by a real row of the same form, which is not first; any other real
/// row is first. So rows are runs from a first to a last row (or one circle around the whole table, which meets nobody:
/// only first and last rows speak of points). The start is put once, so there is one run.
///
/// blob, with A = w_0 + w_1 and B = w_0 - w_1 at the points omega and -omega, t = z / omega:
///     g = t acc - B,   acc = t g - A   (mod r),   that is   acc = w_0 omega / (z - omega) - w_1 omega / (z + omega).
/// It has one solution unless t^2 = 1. Then z is omega or -omega, and it has one only if the word there is 0; whatever
/// acc is, the field table multiplies the sum by z^4096 - 1 = 0, and y = 0 is right. The next pair's t is t times the
/// constant of the bit that its number sets. At the last of 2^11 pairs step would go on: no 2^11 + 1st.
///
/// horner: next.g = t acc + next.w_0,   acc = t g + w_1. An odd number of words starts with a pair without the first.
struct EvaluationTable {
    static constexpr const char* kName = "evaluation";
    template <class T>
    using Row = EvaluationRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// One row a pair of words. Precondition: the statement is that of the words; z of a blob is no root
/// with a word other than 0.
std::vector<EvaluationRow<KoalaBear>> evaluation_rows(const rollup::DataStatement& statement,
                                                      std::span<const std::uint8_t> words);

}  // namespace quarry::circuits
