#pragma once
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "quarry/curve/curve.hpp"
#include "quarry/curve/test_vectors.hpp"

// Shared by this module's tests.
namespace quarry {

inline std::vector<std::uint8_t> from_hex(std::string_view hex) {
    auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
    std::vector<std::uint8_t> r;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        r.push_back(static_cast<std::uint8_t>(digit(hex[i]) * 16 + digit(hex[i + 1])));
    }
    return r;
}
template <class Field>
Field random_field(std::mt19937_64& rng) {
    Field x;
    for (std::size_t k = 0; k < Field::kDegree; ++k) x[k] = KoalaBear(rng());
    return x;
}
template <class C>
const auto& vectors() {
    if constexpr (std::is_same_v<C, KB11>) {
        return curve_vectors::kKB11;
    } else {
        return curve_vectors::kKB7;
    }
}
template <class C, std::size_t k>
AffinePoint<C> point(const curve_vectors::Point<k>& p) {
    return {curve_detail::element<typename C::Field>(p.x), curve_detail::element<typename C::Field>(p.y)};
}

}  // namespace quarry
