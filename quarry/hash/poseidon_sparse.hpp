#pragma once
#include <array>
#include <cstddef>

#include "quarry/field/koala_bear.hpp"
#include "quarry/hash/poseidon_constants.hpp"

namespace quarry {

/// The partial rounds, rewritten so that each S-box input is one dot product. Same function, fewer multiplications.
///
/// Between two partial rounds only element 0 passes an S-box; the other 15, w, evolve linearly:
///     w(t+1) = B w(t) + m z_t + constants,    B = M without row and column 0,    z_t = a_t^3,    a_t = element 0
///     before round t
/// Take as unknowns x_0 = a_0, (x_1, .., x_15) = B^20 w(0), and the S-box outputs z_0, .., z_19. Then every a_t is a
/// linear form of (x, z_0, .., z_(t-1)), and the state after the last partial round is (one full form, x_1 + form of z,
/// .., x_15 + form of z): the choice of x makes the matrix of x there the identity. 256 + 475 + 335 multiplications
/// instead of 21 * 256. The idea is that of [GKRRS21 appendix B]; the basis differs.
struct PoseidonSparse {
    static constexpr std::size_t kNumVariables = kPoseidonWidth + kPoseidonPartialRounds;

    /// constant + sum_j coefficient[j] v_j over v = (x_0, .., x_15, z_0, .., z_19).
    struct LinearForm {
        std::array<KoalaBear, kNumVariables> coefficient{};
        KoalaBear constant;
    };

    /// x = entry s + entry_constant, s = the S-box outputs of the last full round before the partial ones.
    std::array<PoseidonState, kPoseidonWidth> entry{};
    PoseidonState entry_constant{};
    /// a_t, round constants included. a_0 = x_0; no other form uses x_0.
    std::array<LinearForm, kPoseidonPartialRounds> sbox_input;
    /// The state before the S-boxes of the first full round after the partial ones, its constants included.
    std::array<LinearForm, kPoseidonWidth> exit;
};

/// Derived from the matrix and the round constants on first use.
const PoseidonSparse& poseidon_sparse();

}  // namespace quarry
