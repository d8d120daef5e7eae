#include "quarry/curve/comb.hpp"

#include <oneapi/tbb/task_arena.h>

#include <cstring>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"

namespace quarry {
namespace {

/// P, 2P, ..., nP. n a power of two, below the group's order. Each level doubles the list with one inversion.
template <class C>
std::vector<AffinePoint<C>> multiples(const AffinePoint<C>& p, std::size_t n) {
    using T = Tower<typename C::Modulus>;
    using Field = typename C::Field;
    std::vector<AffinePoint<C>> r{p};
    std::vector<Field> denominators;
    while (r.size() < n) {
        const std::size_t m = r.size();
        const AffinePoint<C> top = r[m - 1];
        denominators.resize(m);
        for (std::size_t j = 0; j + 1 < m; ++j) denominators[j] = T::subtract(top.x, r[j].x);
        denominators[m - 1] = T::small_multiple(2, top.y);
        invert_all<C>(denominators);
        for (std::size_t j = 0; j < m; ++j) {
            Field numerator = T::subtract(top.y, r[j].y);
            if (j == m - 1) {
                numerator = T::small_multiple(3, T::square(top.x));
                numerator[0] += KoalaBear::from_signed(C::kA);
            }
            const Field slope = T::multiply(numerator, denominators[j]);
            const Field x = T::subtract(T::subtract(T::square(slope), top.x), r[j].x);
            r.push_back({x, T::subtract(T::multiply(slope, T::subtract(top.x, x)), top.y)});
        }
    }
    return r;
}
/// Adds q to every point. Precondition: none is q, -q.
template <class C>
void add_to_all(std::vector<AffinePoint<C>>& points, const AffinePoint<C>& q) {
    using T = Tower<typename C::Modulus>;
    std::vector<typename C::Field> denominators(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) denominators[i] = T::subtract(points[i].x, q.x);
    invert_all<C>(denominators);
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto slope = T::multiply(T::subtract(points[i].y, q.y), denominators[i]);
        const auto x = T::subtract(T::subtract(T::square(slope), points[i].x), q.x);
        points[i].y = T::subtract(T::multiply(slope, T::subtract(points[i].x, x)), points[i].y);
        points[i].x = x;
    }
}
template <class C>
JacobianPoint<C> times_power_of_two(JacobianPoint<C> p, unsigned e) {
    for (unsigned i = 0; i < e; ++i) p = doubled(p);
    return p;
}
/// Points 2^(step i) first, i = 0 .. n-1.
template <class C>
std::vector<AffinePoint<C>> bases(const JacobianPoint<C>& first, unsigned step, std::size_t n) {
    std::vector<JacobianPoint<C>> r{first};
    while (r.size() < n) r.push_back(times_power_of_two(r.back(), step));
    return to_affine<C>(r);
}
template <class C>
void write_row(std::uint32_t* row, const AffinePoint<C>& p) {
    for (std::size_t k = 0; k < C::Field::kDegree; ++k) {
        row[k] = p.x[k].montgomery();
        row[C::Field::kDegree + k] = p.y[k].montgomery();
    }
}
template <class C>
AffinePoint<C> read_row(const std::uint32_t* row) {
    AffinePoint<C> p;
    for (std::size_t k = 0; k < C::Field::kDegree; ++k) {
        p.x[k] = KoalaBear::from_montgomery(row[k]);
        p.y[k] = KoalaBear::from_montgomery(row[C::Field::kDegree + k]);
    }
    return p;
}

}  // namespace

template <class C>
CombTable<C>::CombTable() : rows_(32 * kEntries * kRow + kPadding), rows52_(32 * kEntries * kRow + kPadding) {
    // T_0[0] = 2^-124 G, T_(i+1)[0] = 2^(w + 4) T_i[0].
    const auto first = Scalar<C>(2).pow(std::array<std::uint64_t, 1>{124}).inverse().limbs();
    const auto base = bases<C>(multiply<C>(first, AffinePoint<C>::generator()), C::kCombBits + 4, 32);
    const auto correction = times_power_of_two<C>(AffinePoint<C>::offset(), 128).affine();
    QUARRY_CHECK(correction.has_value());
    const auto build = [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            auto points = multiples<C>(base[i], kEntries);
            if (i == 31) add_to_all<C>(points, correction->negated());
            for (std::size_t d = 0; d < kEntries; ++d) write_row<C>(&rows_[(i * kEntries + d) * kRow], points[d]);
            for (std::size_t j = i * kEntries * kRow; j < (i + 1) * kEntries * kRow; ++j) {
                rows52_[j] = (KoalaBear::from_montgomery(rows_[j]) * KoalaBear(1 << 20)).montgomery();
            }
        }
    };
    // Isolated: while it waits, this thread holds the guard of comb_table()'s static and must not take a task that asks
    // for the same table.
    tbb::this_task_arena::isolate([&] { parallel_for(32, 1, build); });
    for (std::size_t j = 32 * kEntries * kRow; j < rows_.size(); ++j) rows_[j] = rows52_[j] = 0;
}
template <class C>
AffinePoint<C> CombTable<C>::entry(std::size_t window, std::size_t digit) const noexcept {
    return read_row<C>(&rows_[(window * kEntries + digit) * kRow]);
}
template <class C>
const CombTable<C>& comb_table() {
    static const CombTable<C> table;
    return table;
}

namespace {
inline constexpr unsigned kSigningBits = 5;
inline constexpr std::size_t kSigningEntries = std::size_t{1} << kSigningBits;

template <class C>
struct SigningTable {
    static constexpr std::size_t kRow = 2 * C::Field::kDegree;
    static constexpr std::size_t kWindowCount = (C::kOrderBits + kSigningBits - 1) / kSigningBits;
    std::vector<std::uint32_t> rows;
    Scalar<C> ones;  ///< sum of 2^(5 i): what the "+ 1" of all digits adds up to

    SigningTable() : rows(kWindowCount * kSigningEntries * kRow) {
        const auto base = bases<C>(AffinePoint<C>::generator(), kSigningBits, kWindowCount);
        Scalar<C> weight(1);
        for (std::size_t i = 0; i < kWindowCount; ++i) {
            auto points = multiples<C>(base[i], kSigningEntries);
            if (i + 1 == kWindowCount) add_to_all<C>(points, AffinePoint<C>::offset().negated());
            for (std::size_t d = 0; d < kSigningEntries; ++d)
                write_row<C>(&rows[(i * kSigningEntries + d) * kRow], points[d]);
            ones = ones + weight;
            weight = weight * Scalar<C>(kSigningEntries);
        }
    }
    static const SigningTable& get() {
        static const SigningTable table;
        return table;
    }
};
}  // namespace

namespace {
/// row := entry number `digit` of kSigningEntries, reading all of them. Two words at a time, in registers.
template <std::size_t kWords>
void scan_row(const std::uint32_t* entries, std::uint32_t digit, std::array<std::uint32_t, kWords>& row) {
    static_assert(kWords % 2 == 0);
    std::array<std::uint64_t, kWords / 2> sum{};
    for (std::uint32_t d = 0; d < kSigningEntries; ++d, entries += kWords) {
        std::uint64_t mask =
            std::uint64_t{0} - ((static_cast<std::uint64_t>(digit ^ d) - 1) >> 63);  // all ones where d = digit
        asm("" : "+r"(mask));                                                        // never a branch
        _Pragma("GCC unroll 16") for (std::size_t j = 0; j < sum.size(); ++j) {
            std::uint64_t pair;
            std::memcpy(&pair, entries + 2 * j, sizeof pair);
            sum[j] |= pair & mask;
        }
    }
    std::memcpy(row.data(), sum.data(), sizeof sum);
}
}  // namespace

template <class C>
JacobianPoint<C> multiply_generator(const Scalar<C>& k) {
    using Table = SigningTable<C>;
    const Table& table = Table::get();
    auto digits = (k - table.ones).limbs();
    JacobianPoint<C> acc = AffinePoint<C>::offset();
    std::array<std::uint32_t, Table::kRow> row{};
    for (std::size_t i = 0; i < Table::kWindowCount; ++i) {
        const std::size_t bit = kSigningBits * i;
        std::uint64_t word = digits[bit / 64] >> (bit % 64);
        if (bit % 64 + kSigningBits > 64 && bit / 64 + 1 < digits.size())
            word |= digits[bit / 64 + 1] << (64 - bit % 64);
        const auto digit = static_cast<std::uint32_t>(word & (kSigningEntries - 1));
        scan_row<Table::kRow>(&table.rows[i * kSigningEntries * Table::kRow], digit, row);
        typename C::Field h;
        typename C::Field zz;
        acc = add_distinct<C>(acc, read_row<C>(row.data()), h, zz);
    }
    wipe(digits.data(), sizeof digits);
    wipe(row.data(), sizeof row);
    return acc;
}

template class CombTable<KB11>;
template class CombTable<KB7>;
template const CombTable<KB11>& comb_table<KB11>();
template const CombTable<KB7>& comb_table<KB7>();
template JacobianPoint<KB11> multiply_generator<KB11>(const Scalar<KB11>&);
template JacobianPoint<KB7> multiply_generator<KB7>(const Scalar<KB7>&);

}  // namespace quarry
