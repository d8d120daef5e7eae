#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "quarry/base/buffer.hpp"
#include "quarry/curve/curve.hpp"
#include "quarry/curve/scalar.hpp"

namespace quarry {

/// The verifier's preprocessed multiples of G: 32 windows of 2^w points,
///     T_i[d] = (d + 1) 2^(w i) 16^-(31 - i) G,    and T_31[d] also subtracts 2^128 H.
/// Row 2^w i + d holds x then y, Montgomery form. 65,536 rows of 88 bytes for KB11.
template <class C>
class CombTable {
  public:
    static constexpr std::size_t kEntries = std::size_t{1} << C::kCombBits;
    static constexpr std::size_t kRow = 2 * C::Field::kDegree;
    static constexpr std::size_t kPadding = 32;  ///< words after the last row that kernels may read

    CombTable();
    [[nodiscard]] const std::uint32_t* rows() const noexcept { return rows_.data(); }
    /// The same rows with every word scaled by 2^20: Montgomery form with R = 2^52, for the IFMA kernel.
    [[nodiscard]] const std::uint32_t* rows52() const noexcept { return rows52_.data(); }
    [[nodiscard]] AffinePoint<C> entry(std::size_t window, std::size_t digit) const noexcept;

  private:
    Buffer<std::uint32_t> rows_, rows52_;
};
/// Built on first use, on the caller's threads.
template <class C>
const CombTable<C>& comb_table();

/// k G in constant time: 5-bit windows, T_i[d] = (d + 1) 2^(5 i) G read by a masked scan, start at H, which the last
/// window's entries subtract. A collision inside would reveal log_G(H).
template <class C>
JacobianPoint<C> multiply_generator(const Scalar<C>& k);

}  // namespace quarry
