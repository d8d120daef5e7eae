#pragma once
#include <cstddef>
#include <cstdint>

#include "quarry/hash/poseidon_sparse.hpp"

/// The constants of the batch kernels: the numbers of PoseidonSparse, each times the scale at which the kernel holds
/// it.
///
/// Kernels never undo the powers of two that Montgomery reductions divide by, nor the factor 4 of the circulant
/// product: they hold a field element x as the residue of scale * x, the scale known at each point. Scales are folded
/// into the constants here. Input and output are in Montgomery form: scale 2^32.
namespace quarry {

/// The circulant product by the Chinese remainder theorem on X^16 - 1 = (X^4 - 1)(X^4 + 1)(X^8 + 1):
///     u_i = x_i + x_(i+8)     v_i = x_i - x_(i+8)     i < 8
///     a_i = u_i + u_(i+4)     b_i = u_i - u_(i+4)     i < 4
///     f = a * cyclic4 (mod X^4 - 1)     q = b * negacyclic4 (mod X^4 + 1)     n = v * negacyclic8 (mod X^8 + 1)
///     4 (M x)_k = f + q + n, f - q + n, f + q - n, f - q - n    at k, k + 4, k + 8, k + 12 (n at k, k + 4)
/// 96 multiplications by small constants instead of 256.
struct PoseidonMdsFactors {
    std::int64_t cyclic4[4];
    std::int64_t negacyclic4[4];
    std::int64_t negacyclic8[8];
};
inline constexpr PoseidonMdsFactors kPoseidonMdsFactors = [] {
    PoseidonMdsFactors r{};
    std::int64_t half[8];
    for (int i = 0; i < 8; ++i) {
        const std::int64_t low = kPoseidonMdsColumn[static_cast<std::size_t>(i)];
        const std::int64_t high = kPoseidonMdsColumn[static_cast<std::size_t>(i) + 8];
        half[i] = low + high;
        r.negacyclic8[i] = 2 * (low - high);
    }
    for (int i = 0; i < 4; ++i) {
        r.cyclic4[i] = half[i] + half[i + 4];
        r.negacyclic4[i] = half[i] - half[i + 4];
    }
    return r;
}();
inline constexpr std::int64_t kPoseidonMdsScale = 4;

struct alignas(64) PoseidonTables {
    /// What a kernel does to scales.
    struct Arithmetic {
        KoalaBear cube;        ///< its S-box maps the residue v to cube * v^3
        KoalaBear dot;         ///< what the reduction after a dot product multiplies by
        KoalaBear after_mds;   ///< its circulant product, before constants are added, maps v to 4 after_mds * M v
        KoalaBear after_last;  ///< the same of the last round's, whose reduction makes the output
        std::uint64_t offset;  ///< a multiple of p added to f, to keep sums non-negative
    };
    explicit PoseidonTables(const Arithmetic& arithmetic);

    std::uint64_t first_constant[kPoseidonWidth];
    /// Round constants of the *next* round, as values of f, q, n above (f with the offset), by full round; rounds 3 and
    /// 7 have none: the third leads into `entry`, the last ends the permutation.
    std::uint64_t f[kPoseidonFullRounds][4];
    std::uint64_t q[kPoseidonFullRounds][4];
    std::uint64_t n[kPoseidonFullRounds][8];

    /// x_i = dot (entry_constant[i] + sum_j entry[i][j] s_j).
    std::uint64_t entry[kPoseidonWidth][kPoseidonWidth];
    std::uint64_t entry_constant[kPoseidonWidth];
    /// a_t = dot (form_constant[t] + sum_(j >= 1) form[t][j] v_j), v = (x, z), t >= 1; a_0 = x_0.
    std::uint64_t form[kPoseidonPartialRounds][PoseidonSparse::kNumVariables];
    std::uint64_t form_constant[kPoseidonPartialRounds];
    /// Element i of the state after = x_i + dot (exit_constant[i] + sum_t exit[i][t] z_t) for i >= 1; element 0 has
    /// dot sum_(j >= 1) exit_x[j] x_j instead of x_0.
    std::uint64_t exit[kPoseidonWidth][kPoseidonPartialRounds];
    std::uint64_t exit_x[kPoseidonWidth];
    std::uint64_t exit_constant[kPoseidonWidth];
};

/// In place on 16 states, word-major: lanes[16 i + l] is element i of state l, Montgomery form, below p. The raw
/// AVX-512 IFMA kernel; precondition: has_ifma().
void poseidon_permute16_ifma(std::uint32_t* lanes);
/// The same with AVX2; precondition: the CPU has it.
void poseidon_permute16_avx2(std::uint32_t* lanes);

}  // namespace quarry
