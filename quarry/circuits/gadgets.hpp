#pragma once
#include <array>
#include <string>

#include "quarry/air/table.hpp"
#include "quarry/circuits/buses.hpp"

/// Constraints that several tables share. `m` is the multiplicity of the lookups: 1, or the selector of rows that need
/// them (a boolean or a sum of exclusive booleans, of degree 1). Names of constraints start with `name`.
namespace quarry::circuits {

inline Expr constant(std::uint32_t x) { return Expr(KoalaBear(x)); }
/// The number of an enumerator.
template <class Code>
Expr code_of(Code code) {
    return constant(static_cast<std::uint32_t>(code));
}

/// Requests H(left, right) = out.
void require_hash(AirBuilder& b, const std::string& name, const Expr& m, const DigestOf<Expr>& left,
                  const DigestOf<Expr>& right, const DigestOf<Expr>& out);

/// x < 2^16; x < 2^14 (two lookups); x < 2^8.
void require_range16(AirBuilder& b, const std::string& name, const Expr& m, const Expr& x);
void require_range14(AirBuilder& b, const std::string& name, const Expr& m, const Expr& x);
void require_byte(AirBuilder& b, const std::string& name, const Expr& m, const Expr& x);

/// low + 2^16 high is the canonical form of a field element, given two 16-bit limbs and top = 1 iff high = 0x7f00 (the
/// largest, allowed only with low = 0). Returns the element.
Expr require_canonical(AirBuilder& b, const std::string& name, const Expr& m, const Expr& low, const Expr& high,
                       const Expr& top);

/// The seven 24-bit pieces of an address from its ten 16-bit limbs, least significant first; split[k] is the upper byte
/// of limb 3 k + 1. Checks the three splits, and with them that these limbs have 16 bits; the others are the caller's.
std::array<Expr, 7> require_address_pieces(AirBuilder& b, const std::string& name, const Expr& m,
                                           const std::array<Expr, 10>& limbs, const std::array<Expr, 3>& split);

/// is_zero = 1 if x = 0 and 0 if not, with inverse = 1/x in that case.
void require_zero_flag(AirBuilder& b, const std::string& name, const Expr& x, const Expr& is_zero, const Expr& inverse);

/// total = sum of two or three numbers of N limbs of 16 bits, exactly: a sum_i + carry_i = total_i + 2^16 carry_(i+1),
/// carry_0 = carry_N = 0. carry[i] is carry_(i+1): N - 1 cells. Holds on rows of zeros. No range check of limbs.
template <std::size_t N>
void require_sum(AirBuilder& b, const std::string& name, const std::array<Expr, N>& total,
                 std::initializer_list<std::array<Expr, N>> addends, const std::array<Expr, N - 1>& carry) {
    for (std::size_t i = 0; i + 1 < N; ++i) {
        const Expr& c = carry[i];
        const Expr binary = c * (c - 1);
        b.zero(indexed(name + ".carry", i), addends.size() == 2 ? binary : binary * (c - 2));
    }
    for (std::size_t i = 0; i < N; ++i) {
        Expr sum = i > 0 ? carry[i - 1] : Expr();
        for (const auto& addend : addends) sum += addend[i];
        if (i + 1 < N) sum -= carry[i] * constant(1u << 16);
        b.equal(indexed(name, i), total[i], sum);
    }
}
/// The same without cells for the carries: each is the linear form that its limbs' equation gives, and only its range
/// is constrained. N constraints.
template <std::size_t N>
void require_sum(AirBuilder& b, const std::string& name, const std::array<Expr, N>& total,
                 std::initializer_list<std::array<Expr, N>> addends) {
    const Expr limb_inverse(KoalaBear(1u << 16).inverse());
    Expr carry;
    for (std::size_t i = 0; i < N; ++i) {
        Expr rest = carry - total[i];
        for (const auto& addend : addends) rest += addend[i];
        if (i + 1 == N) {
            b.zero(name + ".top", rest);
            break;
        }
        carry = rest * limb_inverse;
        const Expr binary = carry * (carry - 1);
        b.zero(indexed(name + ".carry", i), addends.size() == 2 ? binary : binary * (carry - 2));
    }
}
template <std::size_t N>
void require_range16(AirBuilder& b, const std::string& name, const Expr& m, const std::array<Expr, N>& xs) {
    for (std::size_t i = 0; i < N; ++i) require_range16(b, indexed(name, i), m, xs[i]);
}

/// The operation at `time` finds `before` in `slot`, written at `previous` < time, and leaves `after`. Times are below
/// 2^16.
void access_memory(AirBuilder& b, const std::string& name, const Expr& m, const Expr& slot, const Expr& previous,
                   const Expr& time, const LeafCells<Expr>& before, const LeafCells<Expr>& after);
/// The same for the fees of a token and for a register.
void access_fees(AirBuilder& b, const std::string& name, const Expr& m, const Expr& token, const Expr& previous,
                 const Expr& time, const std::array<Expr, 6>& before, const std::array<Expr, 6>& after);
void access_register(AirBuilder& b, const std::string& name, const Expr& m, Register id, const Expr& previous,
                     const Expr& time, const std::array<Expr, 4>& before, const std::array<Expr, 4>& after);

/// The block of H(pair, block) = leaf digest: balance, token + 2^16 (152 + published), nonce.
DigestOf<Expr> leaf_block(const LeafCells<Expr>& leaf);
/// The right-hand block of a pair hash: pieces of the address, tag.
DigestOf<Expr> pair_block(const std::array<Expr, 7>& address_pieces);

}  // namespace quarry::circuits
