#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "quarry/air/table.hpp"
#include "quarry/rollup/bls_scalar.hpp"

/// Numbers modulo r, the order of BLS12-381's scalar field, in cells, and the equation that multiplies them:
/// docs/spec/data-proof.md, section 4.
namespace quarry::circuits {

inline constexpr std::size_t kFieldLimbs = 16;  ///< of 16 bits
inline constexpr std::size_t kFieldBytes = 32;

template <class T>
using LimbsOf = std::array<T, kFieldLimbs>;
template <class T>
using BytesOf = std::array<T, kFieldBytes>;

/// A number below 2^256 (not always below r), least significant first: its limbs, and of each limb the upper byte.
template <class T>
struct FieldCells {
    LimbsOf<T> limb, high;
    template <class V>
    void visit(V&& v) {
        v("limb", limb), v("high", high);
    }
};

/// What makes a sum of products a multiple of r, for one gate: sum = quotient r, as integers.
template <class T>
struct GateCells {
    FieldCells<T> quotient;
    std::array<T, kFieldLimbs * 2 - 1>
        carry;  ///< carry[i]: from limb i to limb i + 1 of the difference; may be negative
    template <class V>
    void visit(V&& v) {
        v("quotient", quotient), v("carry", carry);
    }
};

/// Largest |carry| that the range check lets pass. What the honest carries need, and what the integers bear, is
/// derived in the specification.
inline constexpr std::uint32_t kCarryBound = 0x7f00 / 2;

/// The bytes as atoms of their own, so that products of them stay small.
BytesOf<Expr> bytes_of(const FieldCells<Expr>& cells);
/// The bytes of r, and its limbs.
const BytesOf<std::uint32_t>& order_bytes();
const LimbsOf<std::uint32_t>& order_limbs();

/// Range checks: each limb below 2^16, `high` its upper byte (with multiplicity m, one lookup a limb); the quotient's
/// the same and |carry| <= kCarryBound.
void require_field_cells(AirBuilder& b, const std::string& name, const Expr& m, const FieldCells<Expr>& cells);
void require_gate_ranges(AirBuilder& b, const std::string& name, const Expr& m, const GateCells<Expr>& gate);

/// x y + addend = quotient r as integers, given in 32 bytes, and 16 limbs at 2^(16 i) (of either sign). Names of
/// constraints are name[0 .. 31].
void require_gate(AirBuilder& b, const std::string& name, const BytesOf<Expr>& x, const BytesOf<Expr>& y,
                  const LimbsOf<Expr>& addend, const GateCells<Expr>& gate);

// Witnesses.

using FieldNumber = rollup::BlsScalar::Limbs;  ///< four 64-bit limbs, least significant first

FieldCells<KoalaBear> field_cells(const FieldNumber& x) noexcept;
/// Adds factor times the limbs of x.
void add_limbs_of(LimbsOf<std::int64_t>& sum, const FieldNumber& x, std::int64_t factor) noexcept;
/// The cells of a gate that holds. Checked: x y + addend is a multiple of r from 0 to below 2^256 r.
GateCells<KoalaBear> gate_cells(const FieldNumber& x, const FieldNumber& y, const LimbsOf<std::int64_t>& addend);

}  // namespace quarry::circuits
