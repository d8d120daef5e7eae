#include "quarry/curve/schnorr.hpp"

#include <cryptopp/shake.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/curve/kernels/schedule.hpp"
#include "quarry/hash/kernels/poseidon_kernels.hpp"

namespace quarry {
namespace {

using ChallengeInput = std::array<KoalaBear, kChallengeInput>;

/// The first 16 coordinates of (x, y), zero-padded, then m.
template <class C>
ChallengeInput challenge_input(const AffinePoint<C>& r, const Digest& message) noexcept {
    constexpr std::size_t kDegree = C::Field::kDegree;
    ChallengeInput in{};
    for (std::size_t i = 0; i < std::min<std::size_t>(2 * kDegree, 16); ++i)
        in[i] = i < kDegree ? r.x[i] : r.y[i - kDegree];
    std::copy(message.begin(), message.end(), in.begin() + 16);
    return in;
}
Challenge challenge_from(const Digest& h) noexcept {
    Challenge e;
    for (std::size_t i = 0; i < h.size(); ++i) {
        const std::uint32_t x = h[i].canonical();
        e[2 * i] = static_cast<std::uint8_t>(x);
        e[2 * i + 1] = static_cast<std::uint8_t>(x >> 8);
    }
    return e;
}
Digest absorb(Digest h, std::span<const KoalaBear> elements) noexcept {
    for (std::size_t i = 0; i < elements.size(); i += kDigestSize) {
        Digest block;
        std::copy_n(elements.begin() + static_cast<std::ptrdiff_t>(i), kDigestSize, block.begin());
        h = poseidon_compress(h, block);
    }
    return h;
}
const Digest& challenge_iv() noexcept {
    static const Digest iv = tag_iv(kChallengeTag, kChallengeInput);
    return iv;
}
/// Window i of E in base 16 from the top.
unsigned challenge_digit(const Challenge& e, std::size_t i) noexcept {
    const unsigned byte = e[(31 - i) / 2];
    return i % 2 == 0 ? byte >> 4 : byte & 15;
}
/// Digit i of S in base 2^w.
template <class C>
unsigned comb_digit(const typename Scalar<C>::Limbs& s, std::size_t i) noexcept {
    const std::size_t bit = C::kCombBits * i;
    std::uint64_t word = s[bit / 64] >> (bit % 64);
    if (bit % 64 + C::kCombBits > 64 && bit / 64 + 1 < s.size()) word |= s[bit / 64 + 1] << (64 - bit % 64);
    return static_cast<unsigned>(word & ((std::uint64_t{1} << C::kCombBits) - 1));
}
template <class C>
typename Scalar<C>::Limbs limbs_of(const std::array<std::uint8_t, C::kScalarBytes>& s) noexcept {
    return limbs_from_bytes<Scalar<C>::kLimbs>(s);
}
template <class C>
std::array<std::uint8_t, C::kScalarBytes> bytes_of(const typename Scalar<C>::Limbs& x) noexcept {
    std::array<std::uint8_t, C::kScalarBytes> r;
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<std::uint8_t>(x[i / 8] >> (8 * (i % 8)));
    return r;
}

}  // namespace

Digest tag_iv(std::string_view tag, std::size_t width) noexcept {
    QUARRY_CHECK(tag.size() <= 3 * (kPoseidonWidth - 1));
    PoseidonState state{};
    for (std::size_t i = 0; i < tag.size(); ++i) {
        state[i / 3] += KoalaBear(std::uint64_t{static_cast<unsigned char>(tag[i])} << (8 * (i % 3)));
    }
    state[kPoseidonWidth - 1] = KoalaBear(width);
    poseidon_permute(state);
    Digest iv;
    std::copy_n(state.begin(), kDigestSize, iv.begin());
    return iv;
}

template <class C>
Challenge challenge_of(const AffinePoint<C>& r, const Digest& message) noexcept {
    return challenge_from(absorb(challenge_iv(), challenge_input<C>(r, message)));
}
template <class C>
Scalar<C> challenge_scalar(const Challenge& e) noexcept {
    const auto half = Scalar<C>::from_limbs(limbs_from_bytes<Scalar<C>::kLimbs>(e));
    typename Scalar<C>::Limbs ones{~std::uint64_t{0}, ~std::uint64_t{0}};
    return half + half - Scalar<C>::from_limbs(ones);
}

// ---- Encodings ----

template <class C>
auto Signature<C>::encode() const noexcept -> std::array<std::uint8_t, kBytes> {
    std::array<std::uint8_t, kBytes> r;
    std::copy(e.begin(), e.end(), r.begin());
    std::copy(s.begin(), s.end(), r.begin() + 16);
    return r;
}
template <class C>
Result<Signature<C>> Signature<C>::decode(std::span<const std::uint8_t> bytes) {
    if (bytes.size() != kBytes) return Error{Errc::bad_length, "Signature::decode"};
    Signature r;
    std::copy_n(bytes.begin(), 16, r.e.begin());
    std::copy_n(bytes.begin() + 16, C::kScalarBytes, r.s.begin());
    if (!Scalar<C>::is_canonical(limbs_of<C>(r.s))) return Error{Errc::scalar_out_of_range, "Signature::decode"};
    return r;
}

template <class C>
Result<PublicKey<C>> PublicKey<C>::from_point(const AffinePoint<C>& p) {
    if (!on_curve(p)) return Error{Errc::off_curve, "PublicKey::from_point"};
    return PublicKey(p);
}
template <class C>
Result<PublicKey<C>> PublicKey<C>::from_coordinates(std::span<const std::uint32_t> x,
                                                    std::span<const std::uint32_t> y) {
    constexpr std::size_t kDegree = C::Field::kDegree;
    if (x.size() != kDegree || y.size() != kDegree) return Error{Errc::bad_length, "PublicKey::from_coordinates"};
    AffinePoint<C> p;
    for (std::size_t i = 0; i < kDegree; ++i) {
        const auto xi = KoalaBear::from_canonical(x[i]);
        const auto yi = KoalaBear::from_canonical(y[i]);
        if (!xi || !yi) return Error{Errc::non_canonical, "PublicKey::from_coordinates"};
        p.x[i] = *xi;
        p.y[i] = *yi;
    }
    return from_point(p);
}
template <class C>
auto PublicKey<C>::encode() const noexcept -> std::array<std::uint8_t, kBytes> {
    std::array<std::uint8_t, kBytes> r;
    for (std::size_t i = 0; i < C::Field::kDegree; ++i) {
        std::uint32_t word = point_.x[i].canonical();
        if (i + 1 == C::Field::kDegree) word |= static_cast<std::uint32_t>(sign_of(point_.y)) << 31;
        for (std::size_t j = 0; j < 4; ++j) r[4 * i + j] = static_cast<std::uint8_t>(word >> (8 * j));
    }
    return r;
}
template <class C>
Result<PublicKey<C>> PublicKey<C>::decode(std::span<const std::uint8_t> bytes) {
    if (bytes.size() != kBytes) return Error{Errc::bad_length, "PublicKey::decode"};
    bool sign = false;
    AffinePoint<C> p;
    for (std::size_t i = 0; i < C::Field::kDegree; ++i) {
        std::uint32_t word = 0;
        for (std::size_t j = 0; j < 4; ++j) word |= std::uint32_t{bytes[4 * i + j]} << (8 * j);
        if (i + 1 == C::Field::kDegree) {
            sign = (word >> 31) != 0;
            word &= 0x7fffffff;
        }
        const auto x = KoalaBear::from_canonical(word);
        if (!x) return Error{Errc::non_canonical, "PublicKey::decode"};
        p.x[i] = *x;
    }
    const auto y = square_root(curve_right_side<C>(p.x));
    if (!y) return Error{Errc::off_curve, "PublicKey::decode"};
    p.y = sign_of(*y) == sign ? *y : -*y;  // y is not 0: the order is odd
    return PublicKey(p);
}
template <class C>
auto PublicKey<C>::published() const noexcept -> Published {
    Published r;
    std::copy_n(point_.x.coefficients().begin(), C::Field::kDegree, r.begin());
    std::copy_n(point_.y.coefficients().begin(), kPublishedY, r.begin() + C::Field::kDegree);
    return r;
}
template <class C>
Result<PublicKey<C>> PublicKey<C>::from_published(const Published& published) {
    AffinePoint<C> p;
    for (std::size_t i = 0; i < C::Field::kDegree; ++i) p.x[i] = published[i];
    const auto y = square_root(curve_right_side<C>(p.x));
    if (!y) return Error{Errc::off_curve, "PublicKey::from_published"};
    for (const auto& candidate : {*y, -*y}) {
        p.y = candidate;
        if (PublicKey(p).published() == published) return PublicKey(p);
    }
    return Error{Errc::off_curve, "PublicKey::from_published"};
}
template <class C>
Digest PublicKey<C>::hash() const noexcept {
    constexpr auto kScheme = std::is_same_v<C, KB11> ? SignatureScheme::schnorr_kb11 : SignatureScheme::schnorr_kb7;
    std::array<KoalaBear, 2 * kDigestSize> in{};
    const Published key = published();
    static_assert(key.size() < in.size());
    std::copy(key.begin(), key.end(), in.begin());
    in.back() = KoalaBear(kKeyHashTag + static_cast<std::uint64_t>(kScheme));
    Digest left;
    Digest right;
    std::copy_n(in.begin(), kDigestSize, left.begin());
    std::copy_n(in.begin() + kDigestSize, kDigestSize, right.begin());
    return poseidon_compress(left, right);
}

// ---- Signing ----

template <class C>
SecretKey<C>::SecretKey(const Scalar<C>& d) : d_(d) {
    const auto p = multiply_generator<C>(d).affine();
    QUARRY_CHECK(p.has_value() && on_curve(*p));
    public_ = PublicKey<C>::from_point(*p).value();
}
template <class C>
SecretKey<C> SecretKey<C>::from_wide(std::span<const std::uint8_t, 64> wide) {
    auto limbs = limbs_from_bytes<8>(wide);
    auto order_minus_one = C::kOrder;
    subtract_limbs(order_minus_one, typename Scalar<C>::Limbs{1});
    auto reduced = reduce_wide(limbs, order_minus_one);
    SecretKey r(Scalar<C>::from_limbs(reduced) + Scalar<C>(1));
    wipe(limbs.data(), sizeof limbs);
    wipe(reduced.data(), sizeof reduced);
    return r;
}
template <class C>
Result<SecretKey<C>> SecretKey<C>::decode(std::span<const std::uint8_t> bytes) {
    if (bytes.size() != C::kScalarBytes) return Error{Errc::bad_length, "SecretKey::decode"};
    const auto x = limbs_from_bytes<Scalar<C>::kLimbs>(bytes);
    if (!Scalar<C>::is_canonical(x)) return Error{Errc::scalar_out_of_range, "SecretKey::decode"};
    const auto d = Scalar<C>::from_limbs(x);
    if (d.is_zero()) return Error{Errc::scalar_out_of_range, "SecretKey::decode"};
    return SecretKey(d);
}
template <class C>
auto SecretKey<C>::encode() const noexcept -> std::array<std::uint8_t, C::kScalarBytes> {
    return bytes_of<C>(d_.limbs());
}
template <class C>
Signature<C> SecretKey<C>::sign(const Digest& message, const std::array<std::uint8_t, 32>& entropy) const {
    std::array<std::uint8_t, 4 * kDigestSize> m;
    for (std::size_t i = 0; i < m.size(); ++i)
        m[i] = static_cast<std::uint8_t>(message[i / 4].canonical() >> (8 * (i % 4)));
    auto secret = encode();
    const auto key = public_.encode();
    for (std::uint8_t retry = 0;; ++retry) {
        QUARRY_CHECK(retry < 64);  // each retry has probability 2^-55: a fault, not bad luck
        CryptoPP::SHAKE256 shake(64);
        shake.Update(reinterpret_cast<const CryptoPP::byte*>(kNonceTag.data()), kNonceTag.size());
        shake.Update(&retry, 1);
        shake.Update(secret.data(), secret.size());
        shake.Update(key.data(), key.size());
        shake.Update(m.data(), m.size());
        shake.Update(entropy.data(), entropy.size());
        std::array<std::uint8_t, 64> wide;
        shake.TruncatedFinal(wide.data(), wide.size());
        auto limbs = limbs_from_bytes<8>(wide);
        auto k = Scalar<C>::from_wide(limbs);
        wipe(wide.data(), sizeof wide);
        wipe(limbs.data(), sizeof limbs);

        Signature<C> signature;
        const auto r = multiply_generator<C>(k).affine();
        const bool made = r.has_value();
        if (made) {
            signature.e = challenge_of<C>(*r, message);
            const auto s = k - challenge_scalar<C>(signature.e) * d_;
            signature.s = bytes_of<C>((s - comb_ones<C>()).limbs());
        }
        k.wipe();
        if (made && verify(public_, message, signature).ok()) {
            wipe(secret.data(), sizeof secret);
            return signature;
        }
    }
}

// ---- Verifying ----

namespace {
/// The accumulator after each window, or nullopt.
template <class C>
std::optional<std::vector<JacobianPoint<C>>> run_single(const AffinePoint<C>& key, const Challenge& e,
                                                        const typename Scalar<C>::Limbs& s) {
    using T = Tower<typename C::Modulus>;
    using Field = typename C::Field;
    // P, 3P, ..., 15P: distinct and not the identity, because the order is prime and above 15.
    std::vector<JacobianPoint<C>> multiples{key};
    const auto twice = doubled<C>(key);
    while (multiples.size() < kOddMultiples) multiples.push_back(add(multiples.back(), twice));
    const auto odd = to_affine<C>(multiples);

    // Jacobian on the way; the schedule's affine differences x_acc - x_B = -h / zz come from one inversion at the end.
    std::array<Field, 2 * kWindows> h;
    std::vector<Field> zz(2 * kWindows);
    std::vector<JacobianPoint<C>> accumulators;
    JacobianPoint<C> acc = AffinePoint<C>::offset();
    const auto& comb = comb_table<C>();
    for (std::size_t i = 0; i < kWindows; ++i) {
        for (int j = 0; j < 4; ++j) acc = doubled(acc);
        const unsigned d = challenge_digit(e, i);
        acc = add_distinct(acc, d >= 8 ? odd[d - 8] : odd[7 - d].negated(), h[2 * i], zz[2 * i]);
        if (h[2 * i].is_zero()) return std::nullopt;
        acc = add_distinct(acc, comb.entry(i, comb_digit<C>(s, i)), h[2 * i + 1], zz[2 * i + 1]);
        if (h[2 * i + 1].is_zero()) return std::nullopt;
        accumulators.push_back(acc);
    }
    invert_all<C>(zz);
    for (std::size_t i = 0; i < h.size(); ++i) {
        const Field difference = T::multiply(h[i], zz[i]);
        if (difference[0].is_zero() && difference[1].is_zero()) return std::nullopt;
    }
    return accumulators;
}
}  // namespace

template <class C>
std::optional<AffinePoint<C>> schedule_commitment(const AffinePoint<C>& key, const Challenge& e,
                                                  const typename Scalar<C>::Limbs& s) {
    const auto accumulators = run_single<C>(key, e, s);
    if (!accumulators) return std::nullopt;
    return accumulators->back().affine();
}
template <class C>
std::optional<std::vector<AffinePoint<C>>> schedule_accumulators(const AffinePoint<C>& key, const Challenge& e,
                                                                 const typename Scalar<C>::Limbs& s) {
    const auto accumulators = run_single<C>(key, e, s);
    if (!accumulators) return std::nullopt;
    return to_affine<C>(*accumulators);
}

template <class C>
Status verify(const PublicKey<C>& key, const Digest& message, const Signature<C>& signature) {
    const auto s = limbs_of<C>(signature.s);
    if (!Scalar<C>::is_canonical(s)) return Error{Errc::scalar_out_of_range, "verify"};
    const auto r = schedule_commitment<C>(key.point(), signature.e, s);
    if (!r) return Error{Errc::degenerate_schedule, "verify"};
    if (challenge_of<C>(*r, message) != signature.e) return Error{Errc::bad_signature, "verify"};
    return Ok{};
}

namespace {
/// One lock-step call: at most 16 kScheduleGroups checks.
template <class C>
void verify_chunk(std::span<const SignatureCheck<C>> checks, std::span<std::uint8_t> accepted) {
    constexpr std::size_t kDegree = C::Field::kDegree;
    const std::size_t num_groups = (checks.size() + kLanes - 1) / kLanes;
    Buffer<ScheduleGroup<C>> groups(num_groups);
    for (std::size_t i = 0; i < num_groups * kLanes; ++i) {
        ScheduleGroup<C>& g = groups[i / kLanes];
        const std::size_t lane = i % kLanes;
        // Spare lanes repeat the last check.
        const auto& check = checks[std::min(i, checks.size() - 1)];
        for (std::size_t j = 0; j < kDegree; ++j) {
            g.key_x[j][lane] = check.key.point().x[j].montgomery();
            g.key_y[j][lane] = check.key.point().y[j].montgomery();
        }
        const auto s = limbs_of<C>(check.signature.s);
        if (i < checks.size()) accepted[i] = Scalar<C>::is_canonical(s);
        for (std::size_t j = 0; j < kWindows; ++j) {
            g.s_digits[j][lane] = static_cast<std::uint16_t>(comb_digit<C>(s, j));
            g.e_digits[j][lane] = static_cast<std::uint8_t>(challenge_digit(check.signature.e, j));
        }
    }
    run_schedule<C>(groups.span());

    std::vector<ChallengeInput> inputs(checks.size());
    std::vector<Digest> outputs(checks.size());
    for (std::size_t i = 0; i < checks.size(); ++i) {
        const ScheduleGroup<C>& g = groups[i / kLanes];
        AffinePoint<C> r;
        for (std::size_t j = 0; j < kDegree; ++j) {
            r.x[j] = KoalaBear::from_montgomery(g.r_x[j][i % kLanes]);
            r.y[j] = KoalaBear::from_montgomery(g.r_y[j][i % kLanes]);
        }
        inputs[i] = challenge_input<C>(r, checks[i].message);
        if ((g.rejected >> (i % kLanes)) & 1) accepted[i] = 0;
    }
    kernels::poseidon_hash_rows(inputs[0].data(), kChallengeInput, kChallengeInput / kDigestSize, challenge_iv(),
                                outputs.data(), outputs.size());
    for (std::size_t i = 0; i < checks.size(); ++i) {
        if (challenge_from(outputs[i]) != checks[i].signature.e) accepted[i] = 0;
    }
}
}  // namespace

template <class C>
std::vector<bool> verify_batch(std::span<const SignatureCheck<C>> checks) {
    std::vector<std::uint8_t> accepted(checks.size());
    // A chunk a thread, but no smaller than 16 groups, which share the inversions nearly as well as 64 do, and no
    // larger than one lock-step call.
    constexpr std::size_t kMost = kScheduleGroups * kLanes;
    constexpr std::size_t kLeast = 16 * kLanes;
    const auto num_threads = static_cast<std::size_t>(tbb::this_task_arena::max_concurrency());
    const std::size_t share = (checks.size() / num_threads + kLanes) / kLanes * kLanes;
    const std::size_t chunk = std::clamp(share, kLeast, kMost);
    const std::size_t num_chunks = (checks.size() + chunk - 1) / chunk;
    (void)comb_table<C>();
    parallel_for(num_chunks, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const std::size_t first = i * chunk;
            const std::size_t count = std::min(chunk, checks.size() - first);
            verify_chunk<C>(checks.subspan(first, count), std::span(accepted).subspan(first, count));
        }
    });
    return {accepted.begin(), accepted.end()};
}

#define QUARRY_INSTANTIATE(C)                                                                              \
    template struct Signature<C>;                                                                          \
    template class PublicKey<C>;                                                                           \
    template class SecretKey<C>;                                                                           \
    template Status verify<C>(const PublicKey<C>&, const Digest&, const Signature<C>&);                    \
    template std::vector<bool> verify_batch<C>(std::span<const SignatureCheck<C>>);                        \
    template std::optional<AffinePoint<C>> schedule_commitment<C>(const AffinePoint<C>&, const Challenge&, \
                                                                  const Scalar<C>::Limbs&);                \
    template std::optional<std::vector<AffinePoint<C>>> schedule_accumulators<C>(                          \
        const AffinePoint<C>&, const Challenge&, const Scalar<C>::Limbs&);                                 \
    template Challenge challenge_of<C>(const AffinePoint<C>&, const Digest&) noexcept;                     \
    template Scalar<C> challenge_scalar<C>(const Challenge&) noexcept;
QUARRY_INSTANTIATE(KB11)
QUARRY_INSTANTIATE(KB7)
#undef QUARRY_INSTANTIATE

}  // namespace quarry
