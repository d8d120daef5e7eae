#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "quarry/circuits/operations/queue_cells.hpp"

namespace quarry::circuits {

/// One consumed entry of the L1 deposit queue a row. Exactly one of seven cases holds, and each demands what makes it
/// the outcome of this state, so that the prover has no choice:
///
///   created      target = 2^32 - 1, count < 2^30     slot `count` := (pair, token, amount)         applied
///   full         target = 2^32 - 1, count = 2^30     no access                                     refunded
///   absent       target /= 2^32 - 1, target >= count no access                                     refunded
///   credited     the slot exists, pair and token are the entry's, balance + amount < 2^96          applied
///   other_token  the slot exists, its token differs  read, and written unchanged                   refunded
///   other_pair   the slot exists, its pair differs   "                                             refunded
///   overflow     the slot exists, balance + amount >= 2^96   "                                     refunded
///
/// The last three overlap: the outcome is the same. L1 compares the effect with its queue, which binds the entry.
template <class T>
struct DepositRow {
    T created, full, absent, credited, other_token, other_pair, overflow;
    T word;  ///< index of the operation's word in the batch
    CursorCells<T> cursor;
    CountCells<T> count;
    // The entry.
    DigestLimbs<T> key_hash;
    AddressCells<T> owner;
    std::array<T, 10> depositor;
    T token;
    std::array<T, 6> amount;
    std::array<T, 2> target;  ///< low and high 16 bits
    DigestOf<T> pair;         ///< H(key hash, owner's address)
    // The slot `target`, in the last four cases; else free.
    FoundCells<T> found;
    std::array<T, 6> sum, carry;  ///< found.balance + amount = sum + 2^96 carry[5]
    // Witnesses.
    GapCells<T> gap;                  ///< absent: target - count
    T target_inverse, token_inverse;  ///< absent: of a nonzero function of target /= 2^32 - 1; other_token
    DigestOf<T> pair_difference;      ///< other_pair: sum_k (found.pair_k - pair_k) u_k = 1
    template <class V>
    void visit(V&& v) {
        v("created", created), v("full", full), v("absent", absent), v("credited", credited);
        v("other_token", other_token), v("other_pair", other_pair), v("overflow", overflow), v("word", word);
        v("cursor", cursor), v("count", count), v("key_hash", key_hash), v("owner", owner);
        v("depositor", depositor), v("token", token), v("amount", amount), v("target", target), v("pair", pair);
        v("found", found), v("sum", sum), v("carry", carry), v("gap", gap), v("target_inverse", target_inverse);
        v("token_inverse", token_inverse), v("pair_difference", pair_difference);
    }
};

struct DepositTable {
    static constexpr const char* kName = "deposit";
    template <class T>
    using Row = DepositRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

enum class DepositCase : std::uint8_t { created, full, absent, credited, other_token, other_pair, overflow };
inline constexpr std::size_t kDepositCases = 7;

/// What a row is made from.
struct DepositFacts {
    std::uint32_t word = 0;
    RegisterAccess cursor, count;
    rollup::DepositEntry entry;
    std::optional<rollup::Leaf> found;  ///< the slot entry.target, unless that is kNewSlot
    std::uint32_t found_previous = 0;   ///< time of the access before of the slot that the operation accesses, if any
};
/// The case that holds; of the last three, the first one that does.
DepositCase deposit_case(const DepositFacts& facts);
/// The row that claims `claim`: with every cell as it should be if the claim is true.
DepositRow<KoalaBear> deposit_row(const DepositFacts& facts, DepositCase claim);
/// One row for each deposit of the segment, in order.
std::vector<DepositRow<KoalaBear>> deposit_rows(const Timeline& timeline);

}  // namespace quarry::circuits
