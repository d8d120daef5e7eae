#pragma once
// Shared by the parts of the builder.
#include "quarry/recursion/builder.hpp"

namespace quarry::recursion::detail {

inline constexpr Address kZero = 0;  ///< the extension wire of the constant 0
inline constexpr Address kOne = 1;
inline const KoalaBear kCompared = -KoalaBear(1);
inline const KoalaBear kFlag(1);

inline KoalaBear element(Address address) { return KoalaBear(std::uint64_t{address}); }
inline ExtensionOf<KoalaBear> cells(const ExtField& x) { return x.coefficients(); }

template <class T>
std::array<std::uint32_t, std::tuple_size_v<T>> canonical(const T& elements) {
    std::array<std::uint32_t, std::tuple_size_v<T>> key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = elements[i].canonical();
    return key;
}

}  // namespace quarry::recursion::detail
