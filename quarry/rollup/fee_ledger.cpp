#include "quarry/rollup/fee_ledger.hpp"

#include <algorithm>

#include "quarry/rollup/hashing.hpp"

namespace quarry::rollup {

std::size_t FeeLedger::position(TokenId token) const noexcept {
    std::size_t i = 0;
    while (i < kCells && !cells_[i].sum.is_zero() && cells_[i].token < token) ++i;
    return i;
}

Verdict FeeLedger::check_add(TokenId token, Amount fee) const noexcept {
    if (fee.is_zero()) return Accepted{};
    const std::size_t i = position(token);
    if (holds(i, token)) {
        if (!checked_add(cells_[i].sum, fee)) return RejectCode::fee_overflow;
    } else if (!cells_.back().sum.is_zero()) {
        return RejectCode::fee_ledger_full;
    }
    return Accepted{};
}

void FeeLedger::add(TokenId token, Amount fee) noexcept {
    if (fee.is_zero()) return;
    QUARRY_CHECK(check_add(token, fee).ok());
    const std::size_t i = position(token);
    if (!holds(i, token)) {
        std::move_backward(cells_.begin() + static_cast<std::ptrdiff_t>(i), cells_.end() - 1, cells_.end());
        cells_[i] = {token, Amount()};
    }
    cells_[i].sum = *checked_add(cells_[i].sum, fee);
}

Amount FeeLedger::pending(TokenId token) const noexcept {
    const std::size_t i = position(token);
    return holds(i, token) ? cells_[i].sum : Amount();
}

void FeeLedger::clear(TokenId token) noexcept {
    const std::size_t i = position(token);
    if (!holds(i, token)) return;
    std::move(cells_.begin() + static_cast<std::ptrdiff_t>(i) + 1, cells_.end(),
              cells_.begin() + static_cast<std::ptrdiff_t>(i));
    cells_.back() = {};
}

Digest FeeLedger::digest() const {
    HashChain chain("quarry/fees/v1");
    for (const Cell& cell : cells_) {
        Block block{};
        for (std::size_t i = 0; i < Amount::kLimbs; ++i) block[i] = KoalaBear(cell.sum.limb(i));
        block[6] = KoalaBear(cell.token);
        chain.absorb(block);
    }
    return chain.digest();
}

}  // namespace quarry::rollup
