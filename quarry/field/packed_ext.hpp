#pragma once
#include <cstddef>
#include <cstdint>

#include "quarry/base/buffer.hpp"
#include "quarry/field/extension.hpp"

namespace quarry {

inline constexpr std::size_t kLanes = 16;  ///< elements in a SIMD block, on every ISA
inline constexpr unsigned kLogLanes = 4;

/// 16 elements of F_{p^5}, coordinate-major: c[k][lane] is coordinate k, in Montgomery form.
struct alignas(64) ExtBlock {
    std::uint32_t c[ExtField::kDegree][kLanes];
};

/// A vector of F_{p^5}, in blocks of 16. `size()` counts elements and is a multiple of 16.
class ExtVector {
  public:
    ExtVector() = default;
    explicit ExtVector(std::size_t size) : blocks_((size + kLanes - 1) / kLanes) {}
    [[nodiscard]] std::size_t size() const noexcept { return blocks_.size() * kLanes; }
    [[nodiscard]] std::size_t num_blocks() const noexcept { return blocks_.size(); }
    [[nodiscard]] ExtBlock* blocks() noexcept { return blocks_.data(); }
    [[nodiscard]] const ExtBlock* blocks() const noexcept { return blocks_.data(); }
    [[nodiscard]] ExtField get(std::size_t i) const noexcept {
        ExtField r;
        for (std::size_t k = 0; k < ExtField::kDegree; ++k) {
            r[k] = KoalaBear::from_montgomery(blocks_[i / kLanes].c[k][i % kLanes]);
        }
        return r;
    }
    void set(std::size_t i, const ExtField& x) noexcept {
        for (std::size_t k = 0; k < ExtField::kDegree; ++k) blocks_[i / kLanes].c[k][i % kLanes] = x[k].montgomery();
    }

  private:
    Buffer<ExtBlock> blocks_;
};

}  // namespace quarry
