#include "quarry/node/development_keys.hpp"

#include <algorithm>
#include <string_view>

#include "quarry/base/parallel.hpp"
#include "quarry/hash/keccak.hpp"

namespace quarry::node {
namespace {

using Point = AffinePoint<KB11>;
using T = Tower<KB11::Modulus>;

constexpr std::size_t kChunk = 1024;

Bytes32 tagged_hash(std::string_view tag, std::uint64_t seed, std::uint64_t i) {
    std::vector<std::uint8_t> bytes(tag.begin(), tag.end());
    for (const std::uint64_t x : {seed, i}) {
        for (unsigned k = 8; k-- > 0;) bytes.push_back(static_cast<std::uint8_t>(x >> (8 * k)));
    }
    return keccak256(bytes);
}

rollup::L1Address low_bytes(const Bytes32& hash) {
    rollup::L1Address r;
    std::copy(hash.end() - static_cast<std::ptrdiff_t>(r.bytes.size()), hash.end(), r.bytes.begin());
    return r;
}

constexpr Scalar<KB11>::Limbs order_minus_one() {
    auto m = KB11::kOrder;
    subtract_limbs(m, {1});
    return m;
}

std::array<std::uint8_t, KB11::kScalarBytes> scalar_bytes(const Scalar<KB11>::Limbs& x) {
    std::array<std::uint8_t, KB11::kScalarBytes> r;
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<std::uint8_t>(x[i / 8] >> (8 * (i % 8)));
    return r;
}

/// G, 2 G, .., (kChunk - 1) G.
const std::vector<Point>& small_multiples() {
    static const std::vector<Point> table = [] {
        std::vector<JacobianPoint<KB11>> points{Point::generator()};
        while (points.size() + 1 < kChunk) points.push_back(add<KB11>(points.back(), Point::generator()));
        return to_affine<KB11>(points);
    }();
    return table;
}

/// base + small_multiples()[j] for j = 0, .., out.size() - 1; false if one of the additions is a doubling or gives the
/// identity.
bool add_multiples(const Point& base, std::span<Point> out) {
    const auto& multiples = small_multiples();
    std::vector<KB11::Field> slope(out.size());
    for (std::size_t j = 0; j < out.size(); ++j) {
        slope[j] = T::subtract(multiples[j].x, base.x);
        if (slope[j].is_zero()) return false;
    }
    invert_all<KB11>(slope);
    for (std::size_t j = 0; j < out.size(); ++j) {
        const auto l = T::multiply(T::subtract(multiples[j].y, base.y), slope[j]);
        const auto x = T::subtract(T::subtract(T::square(l), base.x), multiples[j].x);
        out[j] = {x, T::subtract(T::multiply(l, T::subtract(base.x, x)), base.y)};
    }
    return true;
}

}  // namespace

DevelopmentKeys::DevelopmentKeys(std::uint64_t seed) : seed_(seed) {
    std::array<std::uint64_t, 8> wide{};
    for (std::size_t half = 0; half < 2; ++half) {
        const Bytes32 hash = tagged_hash("quarry/development/secret/v1", seed, half);
        for (std::size_t i = 0; i < 4; ++i)
            wide[4 * half + i] = limbs_from_bytes<1>(std::span(hash).subspan(8 * i, 8))[0];
    }
    start_ = reduce_wide(wide, order_minus_one());
}

DevelopmentKeys::Limbs DevelopmentKeys::secret_limbs(std::uint64_t i) const {
    Limbs d = start_;
    add_limbs(d, Limbs{i});
    if (Limbs reduced = d; subtract_limbs(reduced, order_minus_one()) == 0) d = reduced;
    add_limbs(d, Limbs{1});
    return d;
}

SecretKey<KB11> DevelopmentKeys::secret(std::uint64_t i) const {
    return SecretKey<KB11>::decode(scalar_bytes(secret_limbs(i))).value();
}

void DevelopmentKeys::fill_chunk(std::uint64_t first, std::span<PublicKey<KB11>> out) const {
    const Point base = multiply_generator(Scalar<KB11>::from_limbs(secret_limbs(first))).affine().value();
    std::vector<Point> rest(out.size() - 1);
    // d starts again at 1 after n - 1: no run of multiples crosses that.
    Limbs last = secret_limbs(first);
    add_limbs(last, Limbs{rest.size()});
    const bool contiguous = last == secret_limbs(first + rest.size());
    if (!contiguous || !add_multiples(base, rest)) {
        for (std::size_t j = 0; j < out.size(); ++j) out[j] = secret(first + j).public_key();
        return;
    }
    out[0] = PublicKey<KB11>::from_point(base).value();
    for (std::size_t j = 0; j < rest.size(); ++j) out[j + 1] = PublicKey<KB11>::from_point(rest[j]).value();
}

std::vector<PublicKey<KB11>> DevelopmentKeys::public_keys(std::uint64_t first, std::size_t count) const {
    std::vector<PublicKey<KB11>> keys(count);
    const std::size_t num_chunks = (count + kChunk - 1) / kChunk;
    parallel_for(num_chunks, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t c = begin; c < end; ++c) {
            const std::size_t at = c * kChunk;
            fill_chunk(first + at, std::span(keys).subspan(at, std::min(kChunk, count - at)));
        }
    });
    return keys;
}

rollup::L1Address DevelopmentKeys::address(std::uint64_t i) const {
    return low_bytes(tagged_hash("quarry/development/address/v1", seed_, i));
}

rollup::L1Address DevelopmentKeys::hub_address() const {
    return low_bytes(tagged_hash("quarry/development/hub/v1", seed_, 0));
}

}  // namespace quarry::node
