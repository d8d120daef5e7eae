#pragma once
#include <array>
#include <string>
#include <vector>

#include "quarry/circuits/gadgets.hpp"
#include "quarry/circuits/timeline.hpp"

/// What the tables of L1 queue entries share: the cursor, the slot count that outcomes depend on, a 32-bit slot number
/// as L1 gave it, and fields laid over the words of an effect.
namespace quarry::circuits {

/// A queue's cursor, an integer of 64 bits, rises by one. The value before it is the entry's index.
template <class T>
struct CursorCells {
    T previous;               ///< time of the register's access before
    std::array<T, 4> before;  ///< 16-bit limbs, least significant first
    std::array<T, 3> carry;   ///< out of limbs 0, 1, 2; none leaves limb 3
    template <class V>
    void visit(V&& v) {
        v("previous", previous), v("before", before), v("carry", carry);
    }
};
/// The slot count, low + 2^16 high <= 2^30.
template <class T>
struct CountCells {
    T previous, low, high;
    template <class V>
    void visit(V&& v) {
        v("previous", previous), v("low", low), v("high", high);
    }
};
/// Witness that target >= count: target = count + low + 2^16 high as integers, with the carry out of the low limbs.
template <class T>
struct GapCells {
    T low, high, carry;
    template <class V>
    void visit(V&& v) {
        v("low", low), v("high", high), v("carry", carry);
    }
};
/// A digest as 16 limbs: element k is low[k] + 2^16 high[k], canonical; top[k] = 1 iff high[k] = 0x7f00.
template <class T>
struct DigestLimbs {
    std::array<T, kDigestSize> low, high, top;
    template <class V>
    void visit(V&& v) {
        v("low", low), v("high", high), v("top", top);
    }
};
/// An address as ten limbs, least significant first; split[k] is the upper byte of limb 3 k + 1.
template <class T>
struct AddressCells {
    std::array<T, 10> limb;
    std::array<T, 3> split;
    template <class V>
    void visit(V&& v) {
        v("limb", limb), v("split", split);
    }
};

/// The leaf of a slot that exists.
template <class T>
struct FoundCells {
    T previous;  ///< time of the slot's access before
    DigestOf<T> pair;
    std::array<T, 6> balance;
    T token, published, nonce;
    template <class V>
    void visit(V&& v) {
        v("previous", previous), v("pair", pair), v("balance", balance), v("token", token), v("published", published),
            v("nonce", nonce);
    }
    [[nodiscard]] LeafCells<T> leaf() const { return {T(1), pair, balance, token, published, nonce}; }
};

/// Register `id` is read and rises by one. Both values are below 2^64.
void advance_cursor(AirBuilder& b, Register id, const Expr& m, const Expr& time, const CursorCells<Expr>& cursor);
/// The slot count is read, and left at count + created. Returns the count, whose limbs are made canonical.
Expr access_count(AirBuilder& b, const Expr& m, const Expr& time, const CountCells<Expr>& count, const Expr& created);
/// Rows with absent = 1: no slot has the number low + 2^16 high, an integer of 32 bits. Precondition: both limbs have
/// 16 bits.
void require_absent(AirBuilder& b, const Expr& absent, const std::array<Expr, 2>& number, const CountCells<Expr>& count,
                    const GapCells<Expr>& gap);
/// The elements of a digest from its limbs, all checked.
DigestOf<Expr> require_digest(AirBuilder& b, const std::string& name, const Expr& m, const DigestLimbs<Expr>& limbs);
/// The seven pieces of an address; every limb is checked.
std::array<Expr, 7> require_address(AirBuilder& b, const std::string& name, const Expr& m,
                                    const AddressCells<Expr>& address);

/// The fields of an effect in the order in which they are written.
template <class T>
class EffectFields {
  public:
    EffectFields& operator<<(const T& limb) {
        limbs_.push_back(limb);
        return *this;
    }
    /// An integer or an address, given least significant limb first.
    template <std::size_t N>
    EffectFields& operator<<(const std::array<T, N>& limbs) {
        limbs_.insert(limbs_.end(), limbs.rbegin(), limbs.rend());
        return *this;
    }
    EffectFields& operator<<(const DigestLimbs<T>& digest) {
        for (std::size_t k = 0; k < kDigestSize; ++k) *this << digest.high[k] << digest.low[k];
        return *this;
    }
    /// Word number `position`; byte 0 is `kind` in the first and 0 in the others.
    [[nodiscard]] WordCells<T> word(std::size_t position, const T& kind) const {
        WordCells<T> r{};
        if (position == 0) r.byte = kind;
        for (std::size_t i = 0; i < r.limb.size() && position * r.limb.size() + i < limbs_.size(); ++i) {
            r.limb[i] = limbs_[position * r.limb.size() + i];
        }
        return r;
    }

  private:
    std::vector<T> limbs_;
};
/// Sends word `position` of the effect of the operation at `time`.
void send_effect_word(AirBuilder& b, const std::string& name, const Expr& m, const Expr& time, std::uint32_t position,
                      const EffectFields<Expr>& fields, const Expr& kind);
/// Receives the only word of a queue operation: its opcode and zeros.
void receive_queue_word(AirBuilder& b, const Expr& m, const Expr& word, const Expr& opcode);

// Cells of these groups.
CursorCells<KoalaBear> cursor_cells(Register id, const RegisterAccess& access);
CountCells<KoalaBear> count_cells(const RegisterAccess& access);
/// Of target - count; of no use, but defined, when target < count.
GapCells<KoalaBear> gap_cells(std::uint32_t target, std::uint32_t count);
DigestLimbs<KoalaBear> digest_limbs(const Digest& digest);
AddressCells<KoalaBear> address_cells(const rollup::L1Address& address);
FoundCells<KoalaBear> found_cells(const rollup::Leaf& leaf, std::uint32_t previous);
/// u with sum_k (a_k - b_k) u_k = 1: the inverse of the first difference; zeros when there is none.
template <std::size_t N>
std::array<KoalaBear, N> difference_witness(const std::array<KoalaBear, N>& a, const std::array<KoalaBear, N>& b) {
    std::array<KoalaBear, N> u{};
    for (std::size_t k = 0; k < N; ++k) {
        if (a[k] == b[k]) continue;
        u[k] = (a[k] - b[k]).inverse();
        break;
    }
    return u;
}
/// sum_k (a_k - b_k) u_k.
template <std::size_t N>
Expr difference(const std::array<Expr, N>& a, const std::array<Expr, N>& b, const std::array<Expr, N>& u) {
    Expr sum;
    for (std::size_t k = 0; k < N; ++k) sum += (a[k] - b[k]) * u[k];
    return sum;
}

}  // namespace quarry::circuits
