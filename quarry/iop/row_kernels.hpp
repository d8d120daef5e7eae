#pragma once
#include <span>
#include <utility>
#include <vector>

#include "quarry/base/check.hpp"
#include "quarry/iop/zerocheck.hpp"

namespace quarry {

/// The kernels of claims on columns, at prefixes of one point p over the row variables (all of them at least
/// kLogChunkRows long): what a short prefix needs is part of what a long one needs, and is computed once.
///     row(h)  = sum_x row(x) eq(p, x)                 over h variables, row(x) being the weight of row x at `point`
///     next(h) = sum_x row(x) eq(p, x + 1 mod 2^h)     for claims on next-row columns
template <class B>
class RowKernels {
  public:
    using E = typename B::E;
    /// The reference to the point must outlive this.
    RowKernels(B& backend, const RowPoint<E>& point)
        : backend_(backend), point_(point), one_(backend.constant(ExtField(1))) {
        if (point.skip) skip_ = skip_weights(backend, *point.skip);
    }

    /// Precondition: the same p, or more or less of it, in every call.
    E row(std::span<const E> p) { return at(p).row; }
    E next(std::span<const E> p) {
        const Sums& sums = at(p);
        return sums.none + sums.carry;  // cyclic: the last row is followed by the first
    }

  private:
    struct Sums {
        E row, none, carry;  ///< next: the part of x + 1 without and with a carry out of the variables so far
    };

    const Sums& at(std::span<const E> p) {
        QUARRY_CHECK(p.size() >= kLogChunkRows);
        if (by_height_.empty()) start(p);
        for (std::size_t v = kLogChunkRows + by_height_.size() - 1; v < p.size(); ++v) {
            by_height_.push_back(with_variable(by_height_.back(), point_.r[v], p[v]));
        }
        return by_height_[p.size() - kLogChunkRows];
    }

    /// The variables of a chunk.
    void start(std::span<const E> p) {
        const E zero = backend_.constant(ExtField());
        Sums sums{one_, zero, one_};  // adding 1 is a carry into the lowest variable
        for (unsigned v = 0; v < (point_.skip ? kLogLanes : kLogChunkRows); ++v) {
            sums = with_variable(sums, point_.r[v], p[v]);
        }
        if (!point_.skip) {
            by_height_.push_back(sums);
            return;
        }
        const auto middle = eq_all(backend_, p.subspan(kLogLanes, kLogSkip));
        E stay = zero;
        E step = zero;
        for (std::size_t i = 0; i < kSkipSize; ++i) stay = stay + skip_[i] * middle[i];
        for (std::size_t i = 0; i + 1 < kSkipSize; ++i) step = step + skip_[i] * middle[i + 1];
        const E row = sums.row * stay;
        const E still_none = sums.none * stay;
        const E carry_ends = sums.carry * step;
        const E none = still_none + carry_ends;
        by_height_.push_back({row, none, sums.carry * (skip_[kSkipSize - 1] * middle[0])});
    }

    Sums with_variable(const Sums& sums, const E& r, const E& q) const {
        const E both = r * q;
        const E equal = one_ - r - q + both + both;
        // x = 0: the bit is the carry, and none goes out. x = 1: it is 1 - carry, and the carry goes out as it came.
        const E row = sums.row * equal;
        const E still_none = sums.none * equal;
        const E carry_ends = sums.carry * (q - both);
        const E none = still_none + carry_ends;
        return {row, none, sums.carry * (r - both)};
    }

    B& backend_;
    const RowPoint<E>& point_;
    std::vector<E> skip_;  ///< skip_weights of the skip point, if there is one
    E one_;
    std::vector<Sums> by_height_;  ///< from kLogChunkRows up
};

}  // namespace quarry
