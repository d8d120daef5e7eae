#pragma once
#include <array>
#include <cstddef>
#include <string>

#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/signature/curve_cells.hpp"
#include "quarry/circuits/signature/scalar_layout.hpp"
#include "quarry/circuits/signature/schedule_table.hpp"
#include "quarry/curve/schnorr.hpp"

namespace quarry::circuits {

inline constexpr std::size_t kOddDigits = 16;

/// From one odd multiple of the key to the next: point = previous + 2 P.
template <class T>
struct OddMultipleCells {
    ElementOf<T> slope;
    PointCells<T> point;
    template <class V>
    void visit(V&& v) {
        v("slope", slope), v("point", point);
    }
};

/// One signature a row.
///
///   double_slope: P -> 2 P (an expression);  multiple[j] = (2 j + 3) P
///   E, S: the digits that the schedule used;  R: what it arrived at
///   challenge:  c1 = H(iv, R_0..7),  c2 = H(c1, R_8..15),  H(c2, m) = E_j + 2^16 c_j
///   key hash:   H(x_0..7, (x_8..10, y_0..3, tag))
template <class T>
struct SignatureRow {
    T is_real;  ///< 0 on rows that the schedule's padding needs
    T id;       ///< the operation's time; 0 unless real
    PointCells<T> key;
    ElementOf<T> double_slope;
    std::array<OddMultipleCells<T>, kOddMultiples - 1> multiple;
    std::array<T, kOddDigits> uses;  ///< how often the schedule looks up (2 d - 15) P
    std::array<T, kWindows> e;       ///< E in base 16, most significant first
    std::array<T, kWindows> digit;   ///< S in base 2^11, least significant first
    std::array<T, kCutDigits> high;  ///< floor(digit / cut) of the digits that a limb of S cuts
    std::array<T, kCommitmentCoordinates> r;
    DigestOf<T> c1, c2;
    DigestOf<T> challenge_high, challenge_top;  ///< see require_canonical
    DigestOf<T> message, key_hash;
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("id", id), v("key", key), v("double_slope", double_slope);
        for (std::size_t i = 0; i < multiple.size(); ++i) v(indexed("multiple", i), multiple[i]);
        v("uses", uses), v("e", e), v("digit", digit), v("high", high), v("r", r), v("c1", c1), v("c2", c2),
            v("challenge_high", challenge_high), v("challenge_top", challenge_top), v("message", message),
            v("key_hash", key_hash);
    }
};

/// Sends each authorised message (kSignatureBus) once; provides the odd multiples of its key (kOddBus) as often as it
/// likes, each a true fact about `id`.
///
/// An id stands for one row: SignedTable takes one tuple of kSignatureBus for a time, and times of operations are
/// distinct and not 0, so real rows have distinct ids and all others have 0. kDigitsBus then leaves exactly one run of
/// the schedule for a real id, and its odd multiples, its R and its digits are this row's.
///
/// The odd multiples never degenerate: P is on the curve, whose order is a prime above 17, so 2 y is not 0 and
/// (2 j + 1) P is not 2 P or -2 P.
///
/// e and digit cells are bound by the schedule's lookups (0..15, 0..2047), high likewise; E_j and the limbs of S are
/// linear in them and have 16 bits (limb 15: 8) because S < n. A row that is not real proves nothing: its hashes are
/// not asked for.
struct SignatureTable {
    static constexpr const char* kName = "signature";
    template <class T>
    using Row = SignatureRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// E's limbs, least significant first, from its digits.
template <class T>
std::array<T, 8> challenge_limbs(const std::array<T, kWindows>& e) {
    std::array<T, 8> limbs{};
    for (std::size_t j = 0; j < limbs.size(); ++j) {
        for (std::size_t t = 0; t < 4; ++t) limbs[j] += e[kWindows - 1 - 4 * j - t] * T(KoalaBear(1u << (4 * t)));
    }
    return limbs;
}
/// All 32 high parts: 0 for the digits that no limb cuts.
template <class T>
std::array<T, kWindows> all_high(const std::array<T, kCutDigits>& high) {
    std::array<T, kWindows> r{};
    std::size_t next = 0;
    for (std::size_t i = 0; i < kWindows; ++i) {
        if (is_cut(i)) r[i] = high[next++];
    }
    return r;
}
/// The two blocks whose hash is the key's hash.
template <class T>
std::array<DigestOf<T>, 2> key_blocks(const PointCells<T>& key) {
    std::array<DigestOf<T>, 2> r;
    for (std::size_t i = 0; i < kDigestSize; ++i) r[0][i] = key.x[i];
    for (std::size_t i = 0; i < 3; ++i) r[1][i] = key.x[8 + i];
    for (std::size_t i = 0; i < 4; ++i) r[1][3 + i] = key.y[i];
    r[1][7] = T(KoalaBear(kKeyHashTag + static_cast<std::uint32_t>(SignatureScheme::schnorr_kb11)));
    return r;
}
/// Half `half` of R as a block of the challenge.
template <class T>
DigestOf<T> commitment_block(const std::array<T, kCommitmentCoordinates>& r, std::size_t half) {
    DigestOf<T> block;
    for (std::size_t i = 0; i < kDigestSize; ++i) block[i] = r[half * kDigestSize + i];
    return block;
}
/// The value that the challenge's chain starts at.
Digest challenge_start();

}  // namespace quarry::circuits
