#pragma once
#include <cstdint>
#include <vector>

#include "quarry/iop/kernels/constraint_kernels.hpp"
#include "quarry/iop/logup.hpp"

namespace quarry {

/// The columns of one chunk of 512 rows as kernels read them, indexed by atom (columns, and next-row columns copied
/// with the cyclic wrap). Per-thread scratch: re-aimed from chunk to chunk.
class ChunkSources {
  public:
    explicit ChunkSources(const TableInstance& instance);
    void aim(std::size_t chunk);
    /// By atom; null for products and aliases.
    [[nodiscard]] const std::uint32_t* const* atoms() const noexcept { return atoms_.data(); }
    [[nodiscard]] const std::uint32_t* column(std::uint32_t c) const noexcept { return columns_[c]; }
    /// Precondition: c is one of the table's next_columns().
    [[nodiscard]] const std::uint32_t* next_column(std::uint32_t c) const noexcept { return next_[c]; }

  private:
    TableInstance instance_;
    std::vector<std::uint32_t> next_columns_;
    std::vector<const std::uint32_t*> bases_;  ///< where each column starts
    Buffer<std::uint32_t> scratch_;
    std::vector<const std::uint32_t*> columns_, next_, atoms_;
};

}  // namespace quarry
