#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "quarry/base/result.hpp"
#include "quarry/curve/comb.hpp"
#include "quarry/curve/curve.hpp"
#include "quarry/curve/scalar.hpp"
#include "quarry/hash/poseidon.hpp"

/// Schnorr signatures with a 128-bit challenge.
///
///   sign     R = k G;  E = challenge(R, m);  e = 2E - (2^128 - 1);  s = k - e d mod n;  S = s - sum 2^(w i) mod n
///   verify   R = s G + e P by the row schedule;  E = challenge(R, m)
///
/// The row schedule, the same in the circuit: acc = H; for each of 32 windows, 4 doublings, then acc += (2 E_i - 15) P
/// with E_i the next 4 bits of E from the top, then acc += T_i[S_i] with S_i the i-th w-bit digit of S from the bottom
/// (CombTable). An addition whose x_acc - x_B has coordinates 0 and 1 both zero refuses the signature. 128-bit e in odd
/// digits is never zero, nor is a comb entry; the last comb entry takes 2^128 H off again.
///
/// challenge: 24 elements, absorbed as h = iv; h = compress(h, block) by blocks of 8:
///     the first 16 coordinates of (x_R, y_R), zero-padded | m
/// With k = 11 that is x and five coordinates of y, which tell R from -R up to points with five zeros in y: two blocks
/// bind R instead of three. E_j = the low 16 bits of output j, j = 0 the least significant.
///
/// key hash: compress of the two blocks (x, y_0 .. y_3, 0.., 2^30 + 256 + scheme id), docs/spec/hashing.md: one
/// compression; the circuit has y at hand, and a sign bit would cost it a canonical decomposition.
///
/// iv(tag, width) = pi(tag, three bytes to an element, little-endian; width in element 15)[0..8], as for Merkle leaves.
namespace quarry {

inline constexpr std::string_view kChallengeTag = "quarry/schnorr/v1";
inline constexpr std::uint32_t kKeyHashTag = (1U << 30) + 256;  ///< plus the scheme id
inline constexpr std::string_view kNonceTag = "quarry/schnorr/nonce/v1";
inline constexpr std::size_t kChallengeInput = 24;
/// What a key is for: part of its hash, so that another scheme can be added.
enum class SignatureScheme : std::uint32_t { schnorr_kb11 = 1, schnorr_kb7 = 2 };

/// The low 16 bits of each of the 8 outputs, little-endian.
using Challenge = std::array<std::uint8_t, 16>;

template <class C>
struct Signature {
    static constexpr std::size_t kBytes = 16 + C::kScalarBytes;  ///< 59 for KB11
    Challenge e{};
    std::array<std::uint8_t, C::kScalarBytes> s{};  ///< S, little-endian, below n
    friend bool operator==(const Signature&, const Signature&) = default;

    /// E then S.
    [[nodiscard]] std::array<std::uint8_t, kBytes> encode() const noexcept;
    /// bad_length; scalar_out_of_range: S >= n.
    static Result<Signature> decode(std::span<const std::uint8_t> bytes);
};

/// A point of the curve. Invariant: on the curve, which has prime order, so in the group and not the identity.
template <class C>
class PublicKey {
  public:
    static constexpr std::size_t kBytes = 4 * C::Field::kDegree;  ///< 44 for KB11
    /// The generator: a key whose secret everyone knows, a placeholder.
    PublicKey() noexcept : point_(AffinePoint<C>::generator()) {}
    /// off_curve: not on the curve.
    static Result<PublicKey> from_point(const AffinePoint<C>& p);
    /// From canonical coordinates. non_canonical: one is not below p; off_curve: not on the curve.
    static Result<PublicKey> from_coordinates(std::span<const std::uint32_t> x, std::span<const std::uint32_t> y);

    /// x's coordinates as 32-bit little-endian words; bit 31 of the last one is the sign of y.
    [[nodiscard]] std::array<std::uint8_t, kBytes> encode() const noexcept;
    /// bad_length; non_canonical: a coordinate or a stray bit; off_curve: no point has this x.
    static Result<PublicKey> decode(std::span<const std::uint8_t> bytes);

    /// What a batch publishes of a key and what its hash is made of: x, then the first four coordinates of y, which
    /// tell the point from its negative (unless all four are zero).
    static constexpr std::size_t kPublishedY = 4;
    using Published = std::array<KoalaBear, C::Field::kDegree + kPublishedY>;
    [[nodiscard]] Published published() const noexcept;
    /// off_curve: no point has these coordinates.
    static Result<PublicKey> from_published(const Published& published);

    [[nodiscard]] const AffinePoint<C>& point() const noexcept { return point_; }
    [[nodiscard]] Digest hash() const noexcept;
    friend bool operator==(const PublicKey&, const PublicKey&) = default;

  private:
    explicit PublicKey(const AffinePoint<C>& p) noexcept : point_(p) {}
    AffinePoint<C> point_;
};

/// A scalar in 1 .. n-1 and its public key. Wiped when destroyed or moved from.
template <class C>
class SecretKey {
  public:
    /// 1 + wide mod (n - 1), from 64 bytes, little-endian: an even choice from even bytes.
    static SecretKey from_wide(std::span<const std::uint8_t, 64> wide);
    /// bad_length; scalar_out_of_range: 0 or >= n.
    static Result<SecretKey> decode(std::span<const std::uint8_t> bytes);
    SecretKey(SecretKey&& o) noexcept : d_(o.d_), public_(o.public_) { o.d_.wipe(); }
    SecretKey& operator=(SecretKey&& o) noexcept {
        d_ = o.d_;
        public_ = o.public_;
        if (this != &o) o.d_.wipe();
        return *this;
    }
    SecretKey(const SecretKey&) = delete;
    SecretKey& operator=(const SecretKey&) = delete;
    ~SecretKey() { d_.wipe(); }

    /// Little-endian. The caller wipes it.
    [[nodiscard]] std::array<std::uint8_t, C::kScalarBytes> encode() const noexcept;
    [[nodiscard]] const PublicKey<C>& public_key() const noexcept { return public_; }
    /// Hedged deterministic: nonce k = SHAKE256(tag, retry, d, key, m, entropy), 512 bits mod n; zero entropy is
    /// allowed. Time does not depend on d, k or S. Checks its own signature with the schedule and takes another nonce
    /// if it is refused (less than once in 2^55).
    [[nodiscard]] Signature<C> sign(const Digest& message, const std::array<std::uint8_t, 32>& entropy) const;

  private:
    explicit SecretKey(const Scalar<C>& d);
    Scalar<C> d_;
    PublicKey<C> public_;
};

/// ok, or: scalar_out_of_range (S >= n), degenerate_schedule (the schedule refuses), bad_signature (another challenge).
template <class C>
[[nodiscard]] Status verify(const PublicKey<C>& key, const Digest& message, const Signature<C>& signature);

template <class C>
struct SignatureCheck {
    PublicKey<C> key;
    Digest message;
    Signature<C> signature;
};
/// result[i] = verify(checks[i]).ok(), 16 at a time on the current ISA, on the caller's TBB arena.
template <class C>
[[nodiscard]] std::vector<bool> verify_batch(std::span<const SignatureCheck<C>> checks);

/// What the row schedule computes, for tests and for witnesses: R = s G + e P, or nullopt if it refuses. S < n is not
/// asked.
template <class C>
std::optional<AffinePoint<C>> schedule_commitment(const AffinePoint<C>& key, const Challenge& e,
                                                  const typename Scalar<C>::Limbs& s);
/// The accumulator after each of the 32 windows (the last one is R), or nullopt as above.
template <class C>
std::optional<std::vector<AffinePoint<C>>> schedule_accumulators(const AffinePoint<C>& key, const Challenge& e,
                                                                 const typename Scalar<C>::Limbs& s);
/// iv(tag, width), see above. Precondition: at most 45 bytes of tag.
Digest tag_iv(std::string_view tag, std::size_t width) noexcept;
template <class C>
Challenge challenge_of(const AffinePoint<C>& r, const Digest& message) noexcept;
/// e = 2E - (2^128 - 1) mod n.
template <class C>
Scalar<C> challenge_scalar(const Challenge& e) noexcept;
/// sum of 2^(w i) over the 32 windows: s = S + comb_ones.
template <class C>
constexpr Scalar<C> comb_ones() noexcept {
    Scalar<C> sum;
    Scalar<C> weight(1);
    for (int i = 0; i < 32; ++i) {
        sum = sum + weight;
        weight = weight * Scalar<C>(std::uint64_t{1} << C::kCombBits);
    }
    return sum;
}

}  // namespace quarry
