#include "quarry/rollup/fee_ledger.hpp"

#include "quarry/rollup/hashing.hpp"

namespace quarry::rollup {

std::size_t FeeLedger::find(TokenId token) const noexcept {
    std::size_t free = kCells;
    for (std::size_t i = kCells; i-- > 0;) {
        if (cells_[i].sum.is_zero())
            free = i;
        else if (cells_[i].token == token)
            return i;
    }
    return free;
}

Verdict FeeLedger::check_add(TokenId token, Amount fee) const noexcept {
    if (fee.is_zero()) return Accepted{};
    const std::size_t i = find(token);
    if (i == kCells) return RejectCode::fee_ledger_full;
    if (!checked_add(cells_[i].sum, fee)) return RejectCode::fee_overflow;
    return Accepted{};
}

void FeeLedger::add(TokenId token, Amount fee) noexcept {
    if (fee.is_zero()) return;
    const std::size_t i = find(token);
    QUARRY_CHECK(i < kCells);
    cells_[i] = {token, *checked_add(cells_[i].sum, fee)};
}

Amount FeeLedger::pending(TokenId token) const noexcept {
    const std::size_t i = find(token);
    return i < kCells ? cells_[i].sum : Amount();
}

void FeeLedger::clear(TokenId token) noexcept {
    const std::size_t i = find(token);
    if (i < kCells) cells_[i] = {};
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
