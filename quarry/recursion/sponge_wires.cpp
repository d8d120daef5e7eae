#include "quarry/recursion/builder_detail.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"

namespace quarry::recursion {

using namespace detail;

Address SpongeWires::absorb(KoalaBear x) {
    available_ = 0;
    if (buffered_ == 0) row_ = builder_->rows_.sponge.rows.size();
    QUARRY_CHECK(row_ == builder_->rows_.sponge.rows.size());
    const auto address = static_cast<Address>(kBlock * row_ + buffered_);
    auto& readers = builder_->sponge_in_readers_;
    if (readers.size() < kBlock * (row_ + 1)) readers.resize(kBlock * (row_ + 1), 0);
    buffer_[buffered_++] = x;
    if (buffered_ == kBlock) permute(true, kBlock);
    return address;
}

void SpongeWires::absorb(const BaseExpr& x) {
    const Address base = absorb(x.value());
    if (x.digest() == nullptr) {
        builder_->require_equal(base, x);
        return;
    }
    // A digest comes whole.
    QUARRY_CHECK(x.index_in_digest() == num_of_digest_);
    if (++num_of_digest_ == kBlock) {
        num_of_digest_ = 0;
        builder_->require_equal(base - static_cast<Address>(kBlock - 1), *x.digest());
    }
}

void SpongeWires::flush() {
    if (buffered_ > 0) permute(true, buffered_);
}

std::pair<Address, KoalaBear> SpongeWires::squeeze() {
    flush();
    if (available_ == 0) permute(false, 0);
    const std::size_t i = kBlock - available_--;
    return {kSpongeOutput + static_cast<Address>(kBlock * row_ + i), state_[i]};
}

void SpongeWires::permute(bool absorbs, std::size_t count) {
    auto& sponge = builder_->rows_.sponge;
    const bool starts = sponge.rows.empty() || row_of_last_ != sponge.rows.size() - 1;
    const KoalaBear partial(count < kBlock ? count : 0);
    SpongeFixed<KoalaBear> fixed{};
    if (starts) {
        // The first block of a sponge is a full one: its capacity is zero.
        QUARRY_CHECK(row_of_last_ == kNone && absorbs && count == kBlock);
        fixed.start = kFlag;
    } else if (absorbs) {
        sponge.fixed.back().gives = kFlag;
        sponge.fixed.back().count = partial;
    } else {
        sponge.fixed.back().carries = kFlag;
    }
    if (absorbs) {
        fixed.absorbs = kFlag;
        for (std::size_t i = 0; i < kBlock; ++i) state_[i] = i < count ? buffer_[i] : KoalaBear();
        state_[kBlock] += partial;
    }
    row_ = sponge.rows.size();
    row_of_last_ = row_;
    fixed.block = element(static_cast<Address>(kBlock * row_));
    PoseidonRow<KoalaBear> row{};
    row.in = state_;
    poseidon_permute(state_);
    row.out = state_;
    sponge.push(row, fixed, !absorbs);
    builder_->sponge_in_readers_.resize(kBlock * (row_ + 1), 0);
    builder_->sponge_out_readers_.resize(kBlock * (row_ + 1), 0);
    builder_->sponge_block_size_.push_back(static_cast<std::uint8_t>(absorbs ? count : 0));
    buffered_ = 0;
    available_ = kBlock;
}

}  // namespace quarry::recursion
