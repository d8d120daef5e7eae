#pragma once
#include <array>
#include <cstddef>

#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/types.hpp"

namespace quarry::rollup {

/// Fees paid in a batch and not collected yet: a sum per token, in at most 16 cells. A cell is free when its sum is
/// zero; a token takes the first free cell. A batch starts and ends with all cells free.
class FeeLedger {
  public:
    static constexpr std::size_t kCells = 16;
    struct Cell {
        TokenId token = 0;
        Amount sum;
        friend bool operator==(const Cell&, const Cell&) noexcept = default;
    };

    /// Whether add(token, fee) would fit.
    [[nodiscard]] Verdict check_add(TokenId token, Amount fee) const noexcept;
    /// Precondition: check_add.
    void add(TokenId token, Amount fee) noexcept;
    /// The uncollected sum of a token.
    [[nodiscard]] Amount pending(TokenId token) const noexcept;
    /// Frees the token's cell.
    void clear(TokenId token) noexcept;
    [[nodiscard]] bool empty() const noexcept { return *this == FeeLedger{}; }
    [[nodiscard]] const std::array<Cell, kCells>& cells() const noexcept { return cells_; }
    /// The chain "quarry/fees/v1" over one block a cell: six limbs of the sum, token, 0.
    [[nodiscard]] Digest digest() const;
    friend bool operator==(const FeeLedger&, const FeeLedger&) noexcept = default;

  private:
    /// The token's cell, else the first free one, else kCells.
    [[nodiscard]] std::size_t find(TokenId token) const noexcept;
    std::array<Cell, kCells> cells_{};
};

}  // namespace quarry::rollup
