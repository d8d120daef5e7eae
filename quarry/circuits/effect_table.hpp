#pragma once
#include <vector>

#include "quarry/circuits/word_table.hpp"

namespace quarry::circuits {

/// One word of an effect a row, in the order of operations.
template <class T>
struct EffectRow {
    T is_real;
    T is_start;  ///< the first word of an effect
    T is_end;    ///< the row behind the last word: holds the accumulator and the count after it
    T time;      ///< of the operation
    T position;  ///< of the word in its effect
    T count;     ///< effects of the batch up to and with this one
    AbsorbCells<T> absorb;
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("is_start", is_start), v("is_end", is_end), v("time", time), v("position", position),
            v("count", count), v("absorb", absorb);
    }
};

/// Takes the words of effects from the operations and absorbs them: effects by rising time, their words by position.
///
/// Why a prover cannot leave out, repeat, split or reorder anything:
/// - A real row is followed by a real row or by an end row ("run"). Where such a row follows one that is not real, the
///   table takes (0, count, digest), and an end row puts (1, count, digest). The statement puts the one and takes the
///   other once: one run, from the start of an effect to the end row. (No circle beside it: around a circle without an
///   end the count rises by the number of starts, so there is none, and then the position rises for ever.)
/// - Every word of an operation is taken exactly once, and every word here was sent by one operation: (time, position)
///   tells the words apart.
/// - Behind a word comes either the next position of the same time, or position 0 of a later time. Times are those of
///   operations, integers below 2^22, and rise by at most 2^16 at once, so they never come back to a value: the words
///   of one time stand together, from position 0 on, in order.
/// - How many words an effect has is the operation's matter: it sends so many.
/// The three flags are bits without further ado. A row whose is_real is neither 0 nor 1 is no start and no end, so the
/// row before it has the same value, and so on around the table, while the position would have to rise all the way. A
/// start other than 1 would be position 0 behind position -1 of the same effect, p rows after a start. An end is 1, or
/// follows a real row and equals it. Rule B2 (at most 256 effects) is checked at each start; counts of a batch start at
/// 0, so 256 - count < 2^16 says it. Byte 0 and the limbs are what the operation sent, which answers for their ranges.
struct EffectTable {
    static constexpr const char* kName = "effect";
    template <class T>
    using Row = EffectRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// One row a word and the end row.
std::vector<EffectRow<KoalaBear>> effect_rows(const Timeline& timeline);

}  // namespace quarry::circuits
