#pragma once
#include <array>
#include <cstddef>
#include <string>

#include "quarry/base/check.hpp"
#include "quarry/circuits/gadgets.hpp"
#include "quarry/circuits/timeline.hpp"

/// How the fields of operations lie in the words of a batch, for constraints (T = Expr) and witnesses alike.
/// docs/spec/operations.md, section 2.
namespace quarry::circuits {

/// Fills a word, or two, from the left. Fields are given with their least significant limb first and lie in the word
/// with their most significant limb first; what is left over is zero.
template <class T, std::size_t NumLimbs = 15>
class FieldWriter {
  public:
    FieldWriter& operator<<(const T& limb) {
        QUARRY_CHECK(size_ < NumLimbs);
        limbs_[size_++] = limb;
        return *this;
    }
    template <std::size_t N>
    FieldWriter& operator<<(const std::array<T, N>& limbs) {
        return part(limbs, 0, N);
    }
    /// Limbs [first, last) of a field that is cut in two.
    template <std::size_t N>
    FieldWriter& part(const std::array<T, N>& limbs, std::size_t first, std::size_t last) {
        for (std::size_t i = last; i-- > first;) *this << limbs[i];
        return *this;
    }
    /// Word number i of the fields, behind a byte.
    [[nodiscard]] WordCells<T> word(const T& byte, std::size_t i = 0) const {
        WordCells<T> r{byte, {}};
        for (std::size_t k = 0; k < r.limb.size(); ++k) r.limb[k] = limbs_[i * r.limb.size() + k];
        return r;
    }

  private:
    std::array<T, NumLimbs> limbs_{};
    std::size_t size_ = 0;
};

/// A field element as a batch has it: two limbs; top: gadgets.hpp, require_canonical.
template <class T>
struct ElementCells {
    T low, high, top;
    template <class V>
    void visit(V&& v) {
        v("low", low), v("high", high), v("top", top);
    }
};
ElementCells<KoalaBear> element_cells(KoalaBear x);

/// A key: x_0 .. x_10, y_0 .. y_3.
inline constexpr std::size_t kKeyElements = rollup::AccountKey::kX + rollup::AccountKey::kY;
template <class T>
using KeyCells = std::array<ElementCells<T>, kKeyElements>;
KeyCells<KoalaBear> key_cells(const rollup::AccountKey& key);

/// Receives words `first` and first + 1, which hold a key and a byte of zero each, and requests out = the key's hash.
/// Every element is canonical.
void require_key_words(AirBuilder& b, const Expr& m, const Expr& first, const KeyCells<Expr>& key,
                       const DigestOf<Expr>& out);

/// Receives word number `index`.
void receive_word(AirBuilder& b, const std::string& name, const Expr& m, const Expr& index,
                  const WordCells<Expr>& word);

/// The slot that two limbs of 16 bits, least significant first, name. Checks that it is below 2^30: the words bind only
/// the limbs' 16 bits, and 2^32 > p would give a slot a second name.
Expr require_slot(AirBuilder& b, const std::string& name, const Expr& m, const std::array<Expr, 2>& limbs);

std::array<KoalaBear, 2> limbs_of(std::uint32_t x);

/// Sum of limbs below 2^16: zero if and only if all of them are.
template <std::size_t N>
Expr sum_of(const std::array<Expr, N>& limbs) {
    Expr r;
    for (const Expr& limb : limbs) r += limb;
    return r;
}
template <std::size_t N>
KoalaBear sum_of(const std::array<KoalaBear, N>& limbs) {
    KoalaBear r;
    for (const KoalaBear limb : limbs) r += limb;
    return r;
}

}  // namespace quarry::circuits
