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
    T is_real, is_first, is_last;
    T index;  ///< of the word in the batch
    AbsorbCells<T> absorb;
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("is_first", is_first), v("is_last", is_last), v("index", index), v("absorb", absorb);
    }
};

/// Takes a point of the data accumulator, absorbs words, puts the point that it arrives at; each word goes to the
/// operations with its index, once. The row behind a last word holds the accumulator after it.
///
/// Nothing else is possible: a real row that is not last is followed by one that is not first, with the index after its
/// own. A circle of rows without a last one would have indices that rise by the height, which is below p, and come back
/// to themselves. So the real rows are runs from a first to a last row; each run leads from (count, digest) to (count +
/// length, ..), and all points but those of the statement cancel. Runs that meet end to start are one run cut in two:
/// the same words with the same indices. Runs that only meet each other in a circle would again have rising counts that
/// come back. So the words are those that lead from the statement's point before to its point after, and since the
/// counts of a batch's segments start at 0, each index is an integer without aliases.
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
