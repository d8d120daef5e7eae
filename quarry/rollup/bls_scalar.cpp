#include "quarry/rollup/bls_scalar.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"

namespace quarry::rollup {

namespace {

constexpr unsigned kLogBlobWords = 12;
static_assert(kBlobWords == std::size_t{1} << kLogBlobWords);

std::span<const std::uint8_t, kWordBytes> word_at(std::span<const std::uint8_t> words, std::size_t i) {
    return std::span<const std::uint8_t, kWordBytes>(words.data() + i * kWordBytes, kWordBytes);
}

std::array<BlsScalar, kBlobWords> make_roots() {
    BlsScalar::Limbs exponent = Bls12381::kOrder;  // (r - 1) / 4096: r = 1 mod 2^32
    for (std::size_t i = 0; i < exponent.size(); ++i) {
        const std::uint64_t above = i + 1 < exponent.size() ? exponent[i + 1] : 0;
        exponent[i] = exponent[i] >> kLogBlobWords | above << (64 - kLogBlobWords);
    }
    const BlsScalar root = BlsScalar(7).pow(exponent);
    std::array<BlsScalar, kBlobWords> roots;
    BlsScalar power(1);
    for (std::size_t e = 0; e < kBlobWords; ++e, power = power * root) {
        std::size_t reversed = 0;
        for (unsigned bit = 0; bit < kLogBlobWords; ++bit) reversed |= ((e >> bit) & 1) << (kLogBlobWords - 1 - bit);
        roots[reversed] = power;
    }
    QUARRY_CHECK(power == BlsScalar(1));
    return roots;
}

}  // namespace

BlsScalar word_scalar(std::span<const std::uint8_t, kWordBytes> word) noexcept {
    BlsScalar::Limbs limbs{};
    for (std::size_t i = 0; i < kWordBytes; ++i) {
        limbs[i / 8] |= std::uint64_t{word[kWordBytes - 1 - i]} << (8 * (i % 8));
    }
    return BlsScalar::from_limbs(limbs);
}

const std::array<BlsScalar, kBlobWords>& blob_roots() {
    static const std::array<BlsScalar, kBlobWords> roots = make_roots();
    return roots;
}

void invert_all(std::span<BlsScalar> xs) {
    std::vector<BlsScalar> before(xs.size());  // product of the elements before
    BlsScalar product(1);
    for (std::size_t i = 0; i < xs.size(); ++i) {
        before[i] = product;
        if (!xs[i].is_zero()) product = product * xs[i];
    }
    BlsScalar inverse = product.inverse();
    for (std::size_t i = xs.size(); i-- > 0;) {
        if (xs[i].is_zero()) continue;
        const BlsScalar x = xs[i];
        xs[i] = inverse * before[i];
        inverse = inverse * x;
    }
}

BlsScalar evaluate_blob(std::span<const std::uint8_t> words, const BlsScalar& z) {
    const std::size_t num_words = words.size() / kWordBytes;
    QUARRY_CHECK(words.size() % kWordBytes == 0 && num_words <= kBlobWords);
    const auto& roots = blob_roots();
    const auto at = std::find(roots.begin(), roots.end(), z);
    if (at != roots.end()) {
        const auto i = static_cast<std::size_t>(at - roots.begin());
        return i < num_words ? word_scalar(word_at(words, i)) : BlsScalar();
    }
    // (z^4096 - 1) / 4096 sum_i w_i omega_i / (z - omega_i)
    std::vector<BlsScalar> inverses(num_words);
    for (std::size_t i = 0; i < num_words; ++i) inverses[i] = z - roots[i];
    invert_all(inverses);
    BlsScalar sum;
    for (std::size_t i = 0; i < num_words; ++i) {
        sum = sum + word_scalar(word_at(words, i)) * roots[i] * inverses[i];
    }
    BlsScalar power = z;
    for (unsigned i = 0; i < kLogBlobWords; ++i) power = power * power;
    return (power - BlsScalar(1)) * sum * BlsScalar(kBlobWords).inverse();
}

BlsScalar evaluate_horner(std::span<const std::uint8_t> words, const BlsScalar& z) {
    QUARRY_CHECK(words.size() % kWordBytes == 0);
    BlsScalar sum;
    for (std::size_t i = 0; i < words.size() / kWordBytes; ++i) sum = sum * z + word_scalar(word_at(words, i));
    return sum;
}

}  // namespace quarry::rollup
