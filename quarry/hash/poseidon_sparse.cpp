#include "quarry/hash/poseidon_sparse.hpp"

#include <utility>

#include "quarry/base/check.hpp"

namespace quarry {
namespace {

using Form = PoseidonSparse::LinearForm;

constexpr std::size_t kRest = kPoseidonWidth - 1;  ///< the elements that skip the S-box
constexpr std::size_t kFirstPartial = kPoseidonHalfFullRounds;
using Matrix = std::array<std::array<KoalaBear, kRest>, kRest>;

KoalaBear mds(std::size_t row, std::size_t column) { return KoalaBear(poseidon_mds_entry(row, column)); }

Matrix identity() {
    Matrix r{};
    for (std::size_t i = 0; i < kRest; ++i) r[i][i] = KoalaBear(1);
    return r;
}

Matrix multiply(const Matrix& a, const Matrix& b) {
    Matrix r{};
    for (std::size_t i = 0; i < kRest; ++i) {
        for (std::size_t j = 0; j < kRest; ++j) {
            for (std::size_t k = 0; k < kRest; ++k) r[i][j] += a[i][k] * b[k][j];
        }
    }
    return r;
}

/// Gauss-Jordan. The matrix is a submatrix of an MDS matrix, or a power of one: invertible.
Matrix inverse(Matrix a) {
    Matrix r = identity();
    for (std::size_t c = 0; c < kRest; ++c) {
        std::size_t pivot = c;
        while (pivot < kRest && a[pivot][c].is_zero()) ++pivot;
        QUARRY_CHECK(pivot < kRest);
        std::swap(a[pivot], a[c]);
        std::swap(r[pivot], r[c]);
        const KoalaBear scale = a[c][c].inverse();
        for (std::size_t j = 0; j < kRest; ++j) {
            a[c][j] *= scale;
            r[c][j] *= scale;
        }
        for (std::size_t i = 0; i < kRest; ++i) {
            if (i == c) continue;
            const KoalaBear factor = a[i][c];
            for (std::size_t j = 0; j < kRest; ++j) {
                a[i][j] -= factor * a[c][j];
                r[i][j] -= factor * r[c][j];
            }
        }
    }
    return r;
}

void add_scaled(Form& to, const Form& from, KoalaBear factor) {
    for (std::size_t j = 0; j < from.coefficient.size(); ++j) to.coefficient[j] += factor * from.coefficient[j];
    to.constant += factor * from.constant;
}

/// M times a state of forms, plus the constants of `round`.
std::array<Form, kPoseidonWidth> linear_layer(const std::array<Form, kPoseidonWidth>& state, std::size_t round) {
    std::array<Form, kPoseidonWidth> r;
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        for (std::size_t j = 0; j < kPoseidonWidth; ++j) add_scaled(r[i], state[j], mds(i, j));
        r[i].constant += kPoseidonRoundConstants[round][i];
    }
    return r;
}

PoseidonSparse derive() {
    Matrix b;
    for (std::size_t i = 0; i < kRest; ++i) {
        for (std::size_t j = 0; j < kRest; ++j) b[i][j] = mds(i + 1, j + 1);
    }
    Matrix power = identity();
    for (std::size_t t = 0; t < kPoseidonPartialRounds; ++t) power = multiply(power, b);

    PoseidonSparse r;
    const PoseidonState& first = kPoseidonRoundConstants[kFirstPartial];
    for (std::size_t j = 0; j < kPoseidonWidth; ++j) {
        r.entry[0][j] = mds(0, j);
        for (std::size_t i = 0; i < kRest; ++i) {
            for (std::size_t k = 0; k < kRest; ++k) r.entry[i + 1][j] += power[i][k] * mds(k + 1, j);
        }
    }
    r.entry_constant[0] = first[0];
    for (std::size_t i = 0; i < kRest; ++i) {
        for (std::size_t k = 0; k < kRest; ++k) r.entry_constant[i + 1] += power[i][k] * first[k + 1];
    }

    // The state before partial round 0 in terms of x: a_0 = x_0, w(0) = B^-20 (x_1, .., x_15).
    const Matrix back = inverse(power);
    std::array<Form, kPoseidonWidth> state;
    state[0].coefficient[0] = KoalaBear(1);
    for (std::size_t k = 0; k < kRest; ++k) {
        for (std::size_t i = 0; i < kRest; ++i) state[k + 1].coefficient[i + 1] = back[k][i];
    }
    for (std::size_t t = 0; t < kPoseidonPartialRounds; ++t) {
        r.sbox_input[t] = state[0];
        state[0] = Form();
        state[0].coefficient[kPoseidonWidth + t] = KoalaBear(1);
        state = linear_layer(state, kFirstPartial + t + 1);
    }
    r.exit = state;
    return r;
}

}  // namespace

const PoseidonSparse& poseidon_sparse() {
    static const PoseidonSparse sparse = derive();
    return sparse;
}

}  // namespace quarry
