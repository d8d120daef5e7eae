#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "quarry/circuits/operations/queue_cells.hpp"

namespace quarry::circuits {

/// One consumed entry of the L1 forced queue a row: a forced withdrawal or a set key. Exactly one of six cases holds:
///
///   *_matched      the slot exists and its L1 address is the sender's   applied
///   *_mismatched   the slot exists and its L1 address differs           void; read, and written unchanged
///   *_absent       slot >= count                                        void; no access
///
/// withdrawal_matched: the whole balance leaves. key_matched: pair := H(entry's key hash, same address), not published.
/// The leaf's address is what its pair hides: found.pair = H(found_key_hash, found_address), and every pair in the
/// state was made that way.
template <class T>
struct ForcedRow {
    T withdrawal_matched, withdrawal_mismatched, withdrawal_absent;
    T key_matched, key_mismatched, key_absent;
    T word;  ///< index of the operation's word in the batch
    CursorCells<T> cursor;
    CountCells<T> count;
    // The entry.
    std::array<T, 2> slot;  ///< low and high 16 bits of any number of 32 bits
    AddressCells<T> sender;
    DigestLimbs<T> key_hash;  ///< of set key; else free
    // The slot, if it exists; else free.
    FoundCells<T> found;
    DigestOf<T> found_key_hash;
    std::array<T, 7> found_address;  ///< in the pieces that are hashed
    DigestOf<T> new_pair;            ///< key_matched: the pair after
    // Witnesses.
    GapCells<T> gap;                      ///< *_absent: slot - count
    std::array<T, 7> address_difference;  ///< *_mismatched: sum_k (found_address_k - sender_k) u_k = 1
    template <class V>
    void visit(V&& v) {
        v("withdrawal_matched", withdrawal_matched), v("withdrawal_mismatched", withdrawal_mismatched);
        v("withdrawal_absent", withdrawal_absent), v("key_matched", key_matched);
        v("key_mismatched", key_mismatched), v("key_absent", key_absent), v("word", word), v("cursor", cursor);
        v("count", count), v("slot", slot), v("sender", sender), v("key_hash", key_hash), v("found", found);
        v("found_key_hash", found_key_hash), v("found_address", found_address), v("new_pair", new_pair);
        v("gap", gap), v("address_difference", address_difference);
    }
};

struct ForcedTable {
    static constexpr const char* kName = "forced";
    template <class T>
    using Row = ForcedRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

enum class ForcedCase : std::uint8_t { matched, mismatched, absent };
inline constexpr std::size_t kForcedCases = 3;

/// What a row is made from.
struct ForcedFacts {
    std::uint32_t word = 0;
    RegisterAccess cursor, count;
    rollup::ForcedEntry entry;
    std::optional<rollup::Leaf> found;
    std::uint32_t found_previous = 0;  ///< time of the slot's access before
};
ForcedCase forced_case(const ForcedFacts& facts);
/// The row that claims `claim`: with every cell as it should be if the claim is true.
ForcedRow<KoalaBear> forced_row(const ForcedFacts& facts, ForcedCase claim);
/// One row for each forced withdrawal and set key of the segment, in order.
std::vector<ForcedRow<KoalaBear>> forced_rows(const Timeline& timeline);

}  // namespace quarry::circuits
