#pragma once
#include <vector>

#include "quarry/air/table.hpp"
#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/timeline.hpp"

namespace quarry::circuits {

/// A word that enters an accumulator (docs/spec/hashing.md, section 6):
///   mid = H(acc, (byte, limb_0 .. limb_6)),   acc of the next row = H(mid, limb_7 .. limb_14).
template <class T>
struct AbsorbCells {
    DigestOf<T> acc;
    WordCells<T> word;
    DigestOf<T> mid;
    template <class V>
    void visit(V&& v) {
        v("acc", acc), v("word", word), v("mid", mid);
    }
};
/// Requests both hashes.
void require_absorbed(AirBuilder& b, const Expr& m, const AbsorbCells<Expr>& row, const AbsorbCells<Expr>& next);
/// Sets word and mid of a row whose acc is set; returns the next row's acc.
Digest absorb_word(AbsorbCells<KoalaBear>& row, std::span<const std::uint8_t, rollup::kWordBytes> word);

/// One word of batch data a row, in order.
template <class T>
struct WordRow {
    T is_real;
    T index;  ///< of the word in the batch
    AbsorbCells<T> absorb;
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("index", index), v("absorb", absorb);
    }
};

/// Each real row takes a point of the data accumulator, (index, acc), absorbs its word, and puts the point after it,
/// (index + 1, acc of the next row); the word goes to the operations with its index, once. The row behind the last word
/// holds the accumulator after it.
///
/// So rows are steps from point to point, and all points cancel but the two of the statement. A circle of steps would
/// have counts that rise by at most the height, which is below p, and come back. Hence the steps are one path from the
/// point before to the point after: every word on it has its own index, and whatever the order of rows, the accumulator
/// saw them by rising index. The counts of a batch's segments start at 0, so an index is an integer without aliases.
///
/// Limbs are checked here, byte 0 by the operation that takes the word: it is an opcode, a byte of E or S, or zero.
struct WordTable {
    static constexpr const char* kName = "word";
    template <class T>
    using Row = WordRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// One row a word and one more for the accumulator at the end; empty without words. Cost: two compressions a word, in
/// sequence.
std::vector<WordRow<KoalaBear>> word_rows(const Timeline& timeline);

}  // namespace quarry::circuits
