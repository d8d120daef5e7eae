#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "quarry/hash/poseidon.hpp"
#include "quarry/rollup/types.hpp"

/// The buses of the segment circuit: what a tuple says, who puts it there and who takes it. Tables know each other only
/// by these. Each tuple function serves constraints (T = Expr), witnesses and public input (T = KoalaBear).
///
/// "provides" = send (multiplicity +), "requests" = receive (multiplicity -). A lookup table provides each of its
/// tuples as often as it is requested; everything else is put and taken exactly once.
namespace quarry::circuits {

using Bus = std::uint32_t;
// Lookups. Provided by tables of facts.
inline constexpr Bus kHashBus = 1;         ///< out = H(left, right).                   HashTable
inline constexpr Bus kRange16Bus = 2;      ///< v < 2^16.                               RangeTable
inline constexpr Bus kSplitBus = 3;        ///< v < 2^16, high = v >> 8.                RangeTable
inline constexpr Bus kHigh15Bus = 4;       ///< v < 0x7f00.                             RangeTable
inline constexpr Bus kTimestampBus = 5;    ///< (low, high): the header's.              ChainTable
inline constexpr Bus kFeeReceiverBus = 6;  ///< the header's fee receiver's pair hash.  ChainTable
inline constexpr Bus kDomainBus = 7;       ///< the rollup's domain hash.               ChainTable
inline constexpr Bus kMinimumFeeBus = 8;   ///< the five limbs in the domain.           ChainTable
inline constexpr Bus kOddBus = 9;          ///< (signature, digit, point).              SignatureTable
inline constexpr Bus kCombBus = 10;        ///< (window, digit, .., point).             CombTable
// Exactly once.
inline constexpr Bus kWordBus = 11;        ///< word of batch data.          WordTable -> operation
inline constexpr Bus kEffectWordBus = 12;  ///< word of an effect.  operation -> EffectTable
inline constexpr Bus kMemoryBus = 13;      ///< (slot, time, leaf).          SlotTable, operations
inline constexpr Bus kFeeBus = 14;         ///< (token, time, sum).          FeeTable, operations
inline constexpr Bus kRegisterBus = 15;    ///< (register, time, values).    RegisterTable, operations
/// (kind, level, index, old, new): a touched node.  SlotTable, MerkleTable -> MerkleTable, statement
inline constexpr Bus kNodeBus = 16;
inline constexpr Bus kSignatureBus = 17;  ///< an authorised message.  SignatureTable -> SignedTable
/// rest of a signed operation.  SignedTable -> NewPairTable, WithdrawTable, ChangeKeyTable
inline constexpr Bus kExtensionBus = 18;
/// a block of the fee ledger.  FeeTable -> ChainTable; and the one start of FeeTable, back
inline constexpr Bus kFeeBlockBus = 19;
inline constexpr Bus kDigitsBus = 20;      ///< digits of a signature.       ScheduleTable -> SignatureTable
inline constexpr Bus kCommitmentBus = 21;  ///< R of a signature.  ScheduleTable -> SignatureTable
// Statement.
inline constexpr Bus kDataBus = 24;  ///< (count, digest): a point of the data accumulator.  statement <-> WordTable
/// (side, count, digest): a point of the effects accumulator.  statement <-> EffectTable
inline constexpr Bus kEffectsBus = 25;
inline constexpr Bus kPointBus = 26;  ///< (register, side, values).  statement, ChainTable -> RegisterTable
inline constexpr Bus kChainBus = 27;  ///< (chain, digest): the end of a chain of hashes.  statement -> ChainTable
inline constexpr Bus kWorkBus = 28;   ///< units, counts, work root, payee.  statement -> ChainTable

template <class T>
using DigestOf = std::array<T, kDigestSize>;

/// Concatenates scalars and arrays; take() ends it.
template <class T>
class TupleOf {
  public:
    TupleOf& operator<<(const T& x) {
        values_.push_back(x);
        return *this;
    }
    template <std::size_t N>
    TupleOf& operator<<(const std::array<T, N>& xs) {
        values_.insert(values_.end(), xs.begin(), xs.end());
        return *this;
    }
    [[nodiscard]] std::vector<T> take() { return std::move(values_); }

  private:
    std::vector<T> values_;
};

/// 24 values.
template <class T>
std::vector<T> hash_tuple(const DigestOf<T>& left, const DigestOf<T>& right, const DigestOf<T>& out) {
    return (TupleOf<T>() << left << right << out).take();
}

/// A word of 31 bytes: byte 0, then 15 big-endian limbs of 16 bits in byte order. Word tuples are (index, word): index
/// counts the words of the batch. 17 values.
template <class T>
struct WordCells {
    T byte;
    std::array<T, 15> limb;
    template <class V>
    void visit(V&& v) {
        v("byte", byte), v("limb", limb);
    }
};
template <class T>
std::vector<T> word_tuple(const T& index, const WordCells<T>& word) {
    return (TupleOf<T>() << index << word.byte << word.limb).take();
}
/// `time` of the operation, position of the word in its effect: 18 values.
template <class T>
std::vector<T> effect_word_tuple(const T& time, const T& position, const WordCells<T>& word) {
    return (TupleOf<T>() << time << position << word.byte << word.limb).take();
}

/// A leaf as memory holds it; all zero when the slot does not exist.
template <class T>
struct LeafCells {
    T exists;
    DigestOf<T> pair;
    std::array<T, 6> balance;  ///< 16-bit limbs, least significant first
    T token, published, nonce;
    template <class V>
    void visit(V&& v) {
        v("exists", exists), v("pair", pair), v("balance", balance), v("token", token), v("published", published),
            v("nonce", nonce);
    }
};
/// 20 values. Time 0 is before the segment; an operation whose first word has index w happens at time w + 1 (its
/// further words leave room for a second access of the same slot).
template <class T>
std::vector<T> memory_tuple(const T& slot, const T& time, const LeafCells<T>& leaf) {
    return (TupleOf<T>() << slot << time << leaf.exists << leaf.pair << leaf.balance << leaf.token << leaf.published
                         << leaf.nonce)
        .take();
}
/// The uncollected fees of a token. 8 values.
template <class T>
std::vector<T> fee_tuple(const T& token, const T& time, const std::array<T, 6>& sum) {
    return (TupleOf<T>() << token << time << sum).take();
}

/// What operations count. Values of slot_count and fee_tokens: (count, 0, 0, 0); of cursors: four 16-bit limbs.
using Register = std::uint32_t;
inline constexpr Register kSlotCount = 1;
inline constexpr Register kDepositCursor = 2;
inline constexpr Register kForcedCursor = 3;
inline constexpr Register kFeeTokens = 4;
inline constexpr std::size_t kRegisters = 4;
/// 6 values.
template <class T>
std::vector<T> register_tuple(const T& id, const T& time, const std::array<T, 4>& values) {
    return (TupleOf<T>() << id << time << values).take();
}
/// side: 0 before, 1 after. 6 values.
template <class T>
std::vector<T> point_tuple(const T& id, const T& side, const std::array<T, 4>& values) {
    return (TupleOf<T>() << id << side << values).take();
}

/// A node that the segment touches, level 0 the leaves. kind: 0 up to level 30, 1 at level 31, 2 the root (level 32):
/// the upper two have untouched right children, so that slots stay below 2^30. 19 values.
template <class T>
std::vector<T> node_tuple(const T& kind, const T& level, const T& index, const DigestOf<T>& before,
                          const DigestOf<T>& after) {
    return (TupleOf<T>() << kind << level << index << before << after).take();
}

/// S: 22 limbs of 16 bits, least significant first, but limb 15 is a byte (bits 240..247), as the words of a batch cut
/// it: limb i < 15 at bit 16 i, limb 15 at bit 240, limb i > 15 at bit 248 + 16 (i - 16).
inline constexpr std::size_t kScalarLimbs = 22;
/// An operation at `time` (which identifies it) was authorised by the key with this hash: 47 values. e: 8 limbs, least
/// significant first.
template <class T>
std::vector<T> signature_tuple(const T& time, const DigestOf<T>& key_hash, const DigestOf<T>& message,
                               const std::array<T, 8>& e, const std::array<T, kScalarLimbs>& s) {
    return (TupleOf<T>() << time << key_hash << message << e << s).take();
}

/// What SignedTable leaves to the table of an operation's kind: 24 values. fee: four 16-bit limbs and a byte. The
/// sender has been debited (balance, nonce, fee) at `time`.
template <class T>
struct ExtensionCells {
    T opcode, time, slot, receiver, token;
    std::array<T, 6> amount;
    std::array<T, 5> fee;
    DigestOf<T> payload;
    template <class V>
    void visit(V&& v) {
        v("opcode", opcode), v("time", time), v("slot", slot), v("receiver", receiver), v("token", token),
            v("amount", amount), v("fee", fee), v("payload", payload);
    }
};
template <class T>
std::vector<T> extension_tuple(const ExtensionCells<T>& x) {
    return (TupleOf<T>() << x.opcode << x.time << x.slot << x.receiver << x.token << x.amount << x.fee << x.payload)
        .take();
}

/// A point of the data accumulator: 9 values.
template <class T>
std::vector<T> accumulator_tuple(const T& count, const DigestOf<T>& digest) {
    return (TupleOf<T>() << count << digest).take();
}
/// A point of the effects accumulator, side: 0 before, 1 after. 10 values. The sides keep a prover from cutting the run
/// of effects into pieces, and from ordering the pieces as he likes.
template <class T>
std::vector<T> effects_tuple(const T& side, const T& count, const DigestOf<T>& digest) {
    return (TupleOf<T>() << side << count << digest).take();
}

/// The chains of hashes that a statement names by their ends.
enum class Chain : std::uint32_t { header = 1, fees_before = 2, fees_after = 3, domain = 4 };
/// 9 values.
template <class T>
std::vector<T> chain_tuple(const T& chain, const DigestOf<T>& end) {
    return (TupleOf<T>() << chain << end).take();
}
/// side: 0 before, 1 after; position: rank of the token among those with fees; block: sum, token, 0. 10 values. Side 2
/// marks the start of FeeTable's only run of rows.
template <class T>
std::vector<T> fee_block_tuple(const T& side, const T& position, const DigestOf<T>& block) {
    return (TupleOf<T>() << side << position << block).take();
}
/// Units as two limbs, the data accumulator's counts, the work root, the payee's limbs. 22 values.
template <class T>
std::vector<T> work_tuple(const std::array<T, 2>& units, const T& before, const T& after, const DigestOf<T>& root,
                          const std::array<T, 10>& payee) {
    return (TupleOf<T>() << units << before << after << root << payee).take();
}

}  // namespace quarry::circuits
