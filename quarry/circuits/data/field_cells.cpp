#include "quarry/circuits/data/field_cells.hpp"

#include "quarry/base/check.hpp"
#include "quarry/circuits/gadgets.hpp"

namespace quarry::circuits {

namespace {

constexpr FieldNumber kOrder = rollup::Bls12381::kOrder;
constexpr std::size_t kColumns = 2 * kFieldLimbs;  ///< of a difference, 16 bits each

constexpr std::uint8_t byte_at(const FieldNumber& x, std::size_t i) {
    return static_cast<std::uint8_t>(x[i / 8] >> (8 * (i % 8)));
}
constexpr std::uint32_t limb_at(const FieldNumber& x, std::size_t i) {
    return static_cast<std::uint16_t>(x[i / 4] >> (16 * (i % 4)));
}

/// x y mod 2^256.
constexpr FieldNumber low_product(const FieldNumber& x, const FieldNumber& y) {
    FieldNumber r{};
    for (std::size_t i = 0; i < r.size(); ++i) {
        unsigned __int128 carry = 0;
        for (std::size_t j = 0; i + j < r.size(); ++j) {
            carry += static_cast<unsigned __int128>(x[i]) * y[j] + r[i + j];
            r[i + j] = static_cast<std::uint64_t>(carry);
            carry >>= 64;
        }
    }
    return r;
}

/// 1/r mod 2^256, by Newton.
constexpr FieldNumber order_inverse() {
    FieldNumber x{1};
    for (int i = 0; i < 8; ++i) {
        FieldNumber factor{2};
        subtract_limbs(factor, low_product(kOrder, x));
        x = low_product(x, factor);
    }
    return x;
}
constexpr FieldNumber kOrderInverse = order_inverse();
static_assert(low_product(kOrder, kOrderInverse) == FieldNumber{1});

/// sum[i] += factor (x y)_i by columns of 16 bits, from bytes: no carries.
void add_product(std::array<std::int64_t, kColumns>& sum, const FieldNumber& x, const FieldNumber& y,
                 std::int64_t factor) {
    std::array<std::int32_t, kFieldBytes> bytes_x, bytes_y;
    for (std::size_t i = 0; i < kFieldBytes; ++i) {
        bytes_x[i] = byte_at(x, i);
        bytes_y[i] = byte_at(y, i);
    }
    std::array<std::int32_t, 2 * kFieldBytes> product{};
    for (std::size_t i = 0; i < kFieldBytes; ++i) {
        for (std::size_t j = 0; j < kFieldBytes; ++j) product[i + j] += bytes_x[i] * bytes_y[j];
    }
    for (std::size_t i = 0; i < kColumns; ++i) {
        sum[i] += factor * (std::int64_t{product[2 * i]} + 256 * std::int64_t{product[2 * i + 1]});
    }
}

/// The number sum of column_i 2^(16 i) mod 2^256.
FieldNumber low_bits(const std::array<std::int64_t, kColumns>& column) {
    FieldNumber r{};
    std::int64_t carry = 0;
    for (std::size_t i = 0; i < kFieldLimbs; ++i) {
        carry += column[i];
        r[i / 4] |= static_cast<std::uint64_t>(carry & 0xffff) << (16 * (i % 4));
        carry >>= 16;
    }
    return r;
}

}  // namespace

BytesOf<Expr> bytes_of(const FieldCells<Expr>& cells) {
    BytesOf<Expr> r;
    for (std::size_t i = 0; i < kFieldLimbs; ++i) {
        r[2 * i] = (cells.limb[i] - cells.high[i] * constant(1u << 8)).named();
        r[2 * i + 1] = cells.high[i];
    }
    return r;
}

const BytesOf<std::uint32_t>& order_bytes() {
    static const auto bytes = [] {
        BytesOf<std::uint32_t> r{};
        for (std::size_t i = 0; i < r.size(); ++i) r[i] = byte_at(kOrder, i);
        return r;
    }();
    return bytes;
}

const LimbsOf<std::uint32_t>& order_limbs() {
    static const auto limbs = [] {
        LimbsOf<std::uint32_t> r{};
        for (std::size_t i = 0; i < r.size(); ++i) r[i] = limb_at(kOrder, i);
        return r;
    }();
    return limbs;
}

void require_field_cells(AirBuilder& b, const std::string& name, const Expr& m, const FieldCells<Expr>& cells) {
    for (std::size_t i = 0; i < kFieldLimbs; ++i) {
        b.receive(indexed(name, i), kSplitBus, m, {cells.limb[i], cells.high[i]});
    }
}

void require_gate_ranges(AirBuilder& b, const std::string& name, const Expr& m, const GateCells<Expr>& gate) {
    require_field_cells(b, name + ".quotient", m, gate.quotient);
    for (std::size_t i = 0; i < gate.carry.size(); ++i) {
        b.receive(indexed(name + ".carry", i), kHigh15Bus, m, {gate.carry[i] + constant(kCarryBound)});
    }
}

void require_gate(AirBuilder& b, const std::string& name, const BytesOf<Expr>& x, const BytesOf<Expr>& y,
                  const LimbsOf<Expr>& addend, const GateCells<Expr>& gate) {
    const auto quotient = bytes_of(gate.quotient);
    std::array<Expr, 2 * kFieldBytes> column;
    for (std::size_t i = 0; i < kFieldBytes; ++i) {
        for (std::size_t j = 0; j < kFieldBytes; ++j) {
            column[i + j] += x[i] * y[j];
            column[i + j] -= quotient[i] * constant(order_bytes()[j]);
        }
    }
    Expr carry;
    for (std::size_t i = 0; i < kColumns; ++i) {
        Expr sum = carry + column[2 * i] + column[2 * i + 1] * constant(1u << 8);
        if (i < kFieldLimbs) sum += addend[i];
        carry = i < gate.carry.size() ? gate.carry[i] : Expr();
        b.equal(indexed(name, i), sum, carry * constant(1u << 16));
    }
}

FieldCells<KoalaBear> field_cells(const FieldNumber& x) noexcept {
    FieldCells<KoalaBear> r;
    for (std::size_t i = 0; i < kFieldLimbs; ++i) {
        r.limb[i] = KoalaBear(limb_at(x, i));
        r.high[i] = KoalaBear(limb_at(x, i) >> 8);
    }
    return r;
}

void add_limbs_of(LimbsOf<std::int64_t>& sum, const FieldNumber& x, std::int64_t factor) noexcept {
    for (std::size_t i = 0; i < kFieldLimbs; ++i) sum[i] += factor * std::int64_t{limb_at(x, i)};
}

GateCells<KoalaBear> gate_cells(const FieldNumber& x, const FieldNumber& y, const LimbsOf<std::int64_t>& addend) {
    std::array<std::int64_t, kColumns> column{};
    for (std::size_t i = 0; i < kFieldLimbs; ++i) column[i] = addend[i];
    add_product(column, x, y, 1);
    // A multiple of r below 2^256 r is fixed by its low 256 bits.
    const FieldNumber quotient = low_product(low_bits(column), kOrderInverse);
    add_product(column, quotient, kOrder, -1);
    GateCells<KoalaBear> gate;
    gate.quotient = field_cells(quotient);
    std::int64_t carry = 0;
    for (std::size_t i = 0; i < kColumns; ++i) {
        carry += column[i];
        QUARRY_CHECK((carry & 0xffff) == 0);
        carry >>= 16;
        if (i < gate.carry.size()) gate.carry[i] = KoalaBear::from_signed(carry);
    }
    QUARRY_CHECK(carry == 0);
    return gate;
}

}  // namespace quarry::circuits
