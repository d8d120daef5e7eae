#include "quarry/hash/kernels/poseidon_tables.hpp"

#include <array>

namespace quarry {
namespace {

/// 1/3 mod p - 1: the exponent of cube roots.
constexpr std::uint64_t kCubeRootExponent = (2 * std::uint64_t{KoalaBear::kModulus - 1} + 1) / 3;
static_assert(3 * kCubeRootExponent % (KoalaBear::kModulus - 1) == 1);

constexpr KoalaBear power_of_two(unsigned e) { return KoalaBear(2).pow(e); }

}  // namespace

PoseidonTables::PoseidonTables(const Arithmetic& arithmetic) {
    const PoseidonSparse& sparse = poseidon_sparse();
    const KoalaBear word = power_of_two(32);
    const KoalaBear product = arithmetic.cube * KoalaBear(kPoseidonMdsScale);  // S-box and circulant: v -> product v^3

    // The constants c of a round, to be added to a circulant product held at `scale`.
    const auto set_constants = [&](std::size_t full_round, const PoseidonState& c, KoalaBear scale) {
        const KoalaBear half = KoalaBear(2).inverse();
        std::array<KoalaBear, 8> w;
        for (std::size_t i = 0; i < 8; ++i) {
            w[i] = scale * half * (c[i] + c[i + 8]);
            n[full_round][i] = (scale * half * (c[i] - c[i + 8])).canonical();
        }
        for (std::size_t i = 0; i < 4; ++i) {
            f[full_round][i] = (half * (w[i] + w[i + 4])).canonical() + arithmetic.offset;
            q[full_round][i] = (half * (w[i] - w[i + 4])).canonical();
        }
    };

    // Scales of the state before each S-box layer: forward from the input ..
    KoalaBear scale = word;
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        first_constant[i] = (scale * kPoseidonRoundConstants[0][i]).canonical();
    }
    for (std::size_t round = 0; round + 1 < kPoseidonHalfFullRounds; ++round) {
        const KoalaBear sum_scale = product * scale * scale * scale;
        set_constants(round, kPoseidonRoundConstants[round + 1], sum_scale);
        scale = sum_scale * arithmetic.after_mds;
    }
    const KoalaBear entry_scale = arithmetic.cube * scale * scale * scale;
    set_constants(kPoseidonHalfFullRounds - 1, PoseidonState{}, KoalaBear());  // not used

    // .. and backward from the output, at 2^32 after the last reduction.
    std::array<KoalaBear, kPoseidonHalfFullRounds> back;
    KoalaBear wanted = word * arithmetic.after_last.inverse();
    for (std::size_t r = kPoseidonHalfFullRounds; r-- > 0;) {
        back[r] = (wanted * product.inverse()).pow(kCubeRootExponent);
        const std::size_t full_round = kPoseidonHalfFullRounds + r;
        const std::size_t next = kPoseidonRounds - kPoseidonHalfFullRounds + r + 1;
        set_constants(full_round, next < kPoseidonRounds ? kPoseidonRoundConstants[next] : PoseidonState{}, wanted);
        wanted = back[r] * arithmetic.after_mds.inverse();
    }

    // Partial rounds: a_t at scale 1, so z_t at `cube`; the exit state, and with it x_1 .. x_15, at `exit_scale`.
    const KoalaBear exit_scale = back[0];
    const KoalaBear z_inverse = arithmetic.cube.inverse();
    const KoalaBear x_inverse = exit_scale.inverse();
    const KoalaBear undo_dot = arithmetic.dot.inverse();
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        const KoalaBear x_scale = undo_dot * (i == 0 ? KoalaBear(1) : exit_scale);
        entry_constant[i] = (x_scale * sparse.entry_constant[i]).canonical();
        for (std::size_t j = 0; j < kPoseidonWidth; ++j) {
            entry[i][j] = (x_scale * entry_scale.inverse() * sparse.entry[i][j]).canonical();
        }
        exit_constant[i] = (undo_dot * exit_scale * sparse.exit[i].constant).canonical();
        exit_x[i] = (undo_dot * sparse.exit[0].coefficient[i]).canonical();
        for (std::size_t t = 0; t < kPoseidonPartialRounds; ++t) {
            const KoalaBear coefficient = sparse.exit[i].coefficient[kPoseidonWidth + t];
            exit[i][t] = (undo_dot * exit_scale * z_inverse * coefficient).canonical();
        }
    }
    for (std::size_t t = 0; t < kPoseidonPartialRounds; ++t) {
        form_constant[t] = (undo_dot * sparse.sbox_input[t].constant).canonical();
        for (std::size_t j = 0; j < PoseidonSparse::kNumVariables; ++j) {
            const KoalaBear from = j < kPoseidonWidth ? x_inverse : z_inverse;
            form[t][j] = (undo_dot * from * sparse.sbox_input[t].coefficient[j]).canonical();
        }
    }
}

}  // namespace quarry
