#pragma once
#include <vector>

#include "quarry/air/table.hpp"
#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/timeline.hpp"

namespace quarry::circuits {

/// One touched slot a row: what the tree held before the segment and holds after it.
template <class T>
struct SlotRow {
    T is_real, slot;
    LeafCells<T> before, after;
    T last;  ///< time of the last access
    DigestOf<T> digest_before, digest_after;
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("slot", slot), v("before", before), v("after", after), v("last", last),
            v("digest_before", digest_before), v("digest_after", digest_after);
    }
};

/// Opens a slot's memory at time 0 with what the tree holds, closes it with what the last access left, and hands the
/// two digests to the tree. A digest is H(pair, block) if the slot exists, else eight zeros, and then all cells are
/// zero: operations create a slot over exactly that.
///
/// MerkleTable takes each slot at most once, so that a slot has one memory, and gives no slot of 2^30 or more.
///
/// The block's element token + 2^16 (152 + published) must be read in one way only: published is a bit and token has 16
/// bits. (Else a prover could call an unpublished key published and the token 65,536 less.) All other cells are
/// elements of the hash by themselves: they are canonical because the operations that wrote them into the tree, in this
/// segment or any before it, keep balances, nonces and tokens in range, starting from the genesis.
struct SlotTable {
    static constexpr const char* kName = "slot";
    template <class T>
    using Row = SlotRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// One row for each of timeline.slots.
std::vector<SlotRow<KoalaBear>> slot_rows(const Timeline& timeline);

}  // namespace quarry::circuits
