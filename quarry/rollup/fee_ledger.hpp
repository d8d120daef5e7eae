#pragma once
#include <array>
#include <cstddef>

#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/types.hpp"

namespace quarry::rollup {

/// Fees paid in a batch and not collected yet: the sums of at most 16 tokens at a time, none of them zero. Cells are
/// sorted by token, so that the ledger is a function of the sums alone; unused cells are zero and come last. A batch
/// starts and ends with none.
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
    /// Forgets the token's sum.
    void clear(TokenId token) noexcept;
    [[nodiscard]] bool empty() const noexcept { return *this == FeeLedger{}; }
    [[nodiscard]] const std::array<Cell, kCells>& cells() const noexcept { return cells_; }
    /// The chain "quarry/fees/v1" over one block a cell: six limbs of the sum, token, 0.
    [[nodiscard]] Digest digest() const;
    friend bool operator==(const FeeLedger&, const FeeLedger&) noexcept = default;

  private:
    /// The first cell in use whose token is not below `token`, else the number of cells in use.
    [[nodiscard]] std::size_t position(TokenId token) const noexcept;
    [[nodiscard]] bool holds(std::size_t i, TokenId token) const noexcept {
        return i < kCells && cells_[i].token == token && !cells_[i].sum.is_zero();
    }
    std::array<Cell, kCells> cells_{};
};

}  // namespace quarry::rollup
