#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/types.hpp"

namespace quarry::rollup {

/// Everything that goes to L1 is whole words of 31 bytes: big-endian integers below 2^248, one element of a blob each.
inline constexpr std::size_t kWordBytes = 31;
inline constexpr std::size_t kBlobWords = 4096;
inline constexpr std::size_t kMaxBlobs = 6;
inline constexpr std::size_t kMaxBatchWords = kMaxBlobs * kBlobWords;
/// A word as the circuit sees it: byte 0 alone, then 15 big-endian 16-bit limbs.
inline constexpr std::size_t kWordLimbs = 16;

std::array<KoalaBear, kWordLimbs> word_limbs(std::span<const std::uint8_t, kWordBytes> word) noexcept;

/// A running commitment to words: each word is two chain steps, limbs 0..7 and limbs 8..15.
struct Accumulator {
    Digest digest{};
    std::uint32_t count = 0;  ///< words absorbed (data), or records (effects)
    void absorb_word(std::span<const std::uint8_t, kWordBytes> word) noexcept;
    friend bool operator==(const Accumulator&, const Accumulator&) noexcept = default;
};

/// Appends big-endian fields. Cannot fail.
class WordWriter {
  public:
    explicit WordWriter(std::vector<std::uint8_t>& out) : out_(out) {}
    template <class T>
    void integer(T x, std::size_t num_bytes = sizeof(T)) {
        for (std::size_t i = num_bytes; i-- > 0;) out_.push_back(static_cast<std::uint8_t>(x >> (8 * i)));
    }
    void amount(Amount x, std::size_t num_bytes = Amount::kBits / 8) { integer(x.wide(), num_bytes); }
    void bytes(std::span<const std::uint8_t> x) { out_.insert(out_.end(), x.begin(), x.end()); }
    void address(const L1Address& x) { bytes(x.bytes); }
    void element(KoalaBear x) { integer(x.canonical()); }
    void elements(std::span<const KoalaBear> xs) {
        for (const KoalaBear x : xs) element(x);
    }
    void zeros(std::size_t n) { out_.insert(out_.end(), n, std::uint8_t{0}); }

  private:
    std::vector<std::uint8_t>& out_;
};

/// Reads what WordWriter wrote. The first refusal sticks: later reads give zeros, and verdict() says the cause, so that
/// a decoder reads like the list of its fields.
class WordReader {
  public:
    explicit WordReader(std::span<const std::uint8_t> in) : in_(in) {}
    template <class T>
    T integer(std::size_t num_bytes = sizeof(T)) {
        T r = 0;
        for (const std::uint8_t b : take(num_bytes)) r = static_cast<T>(static_cast<T>(r << 8) | static_cast<T>(b));
        return r;
    }
    Amount amount(std::size_t num_bytes = Amount::kBits / 8) {
        return *Amount::from_wide(integer<Amount::Wide>(num_bytes));
    }
    template <std::size_t N>
    std::array<std::uint8_t, N> bytes() {
        std::array<std::uint8_t, N> r{};
        std::size_t i = 0;
        for (const std::uint8_t b : take(N)) r[i++] = b;
        return r;
    }
    L1Address address() { return {bytes<20>()}; }
    KoalaBear element() {
        const auto x = KoalaBear::from_canonical(integer<std::uint32_t>());
        if (!x) refuse(RejectCode::non_canonical_element);
        return x.value_or(KoalaBear());
    }
    Digest digest() {
        Digest r;
        for (KoalaBear& x : r) x = element();
        return r;
    }
    SlotIndex slot() {
        const auto x = integer<SlotIndex>();
        if (x >= kMaxSlots) refuse(RejectCode::slot_out_of_range);
        return x;
    }
    bool flag(RejectCode code) {
        const auto x = integer<std::uint8_t>();
        if (x > 1) refuse(code);
        return x == 1;
    }
    void zeros(std::size_t n) {
        for (const std::uint8_t b : take(n)) {
            if (b != 0) refuse(RejectCode::nonzero_padding);
        }
    }
    void refuse(RejectCode code) {
        if (verdict_) verdict_ = code;
    }
    /// Bytes not read yet.
    [[nodiscard]] std::size_t left() const noexcept { return in_.size(); }
    [[nodiscard]] const Verdict& verdict() const noexcept { return verdict_; }

  private:
    std::span<const std::uint8_t> take(std::size_t n) {
        if (n > in_.size()) {
            refuse(RejectCode::truncated);
            in_ = {};
            return {};
        }
        const auto r = in_.first(n);
        in_ = in_.subspan(n);
        return r;
    }
    std::span<const std::uint8_t> in_;
    Verdict verdict_ = Accepted{};
};

}  // namespace quarry::rollup
