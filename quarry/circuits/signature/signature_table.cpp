#include "quarry/circuits/signature/signature_table.hpp"

#include "quarry/circuits/gadgets.hpp"

namespace quarry::circuits {
namespace {

DigestOf<Expr> constant_digest(const Digest& x) {
    DigestOf<Expr> r;
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = Expr(x[i]);
    return r;
}

void require_on_curve(AirBuilder& b, const std::string& name, const ExprPoint& p) {
    ExprElement cubic = square(p.x);
    cubic[0] += Expr(static_cast<int>(SignatureCurve::kA));
    const ExprElement left = square(p.y);
    require_equal(b, name, left, multiply(named(cubic), p.x) + constant_element(SignatureCurve::b()));
}

// P, 3 P, .., 15 P.
std::array<ExprPoint, kOddMultiples> odd_multiples(AirBuilder& b, const SignatureRow<Expr>& row) {
    require_on_curve(b, "key", row.key);
    require_tangent(b, "double_slope", row.key, row.double_slope);
    const ExprPoint twice = follow_slope(row.key, row.key.x, row.double_slope);
    std::array<ExprPoint, kOddMultiples> odd;
    odd[0] = row.key;
    for (std::size_t j = 0; j + 1 < kOddMultiples; ++j) {
        const std::string name = indexed("multiple", j);
        const auto& cells = row.multiple[j];
        require_chord(b, name + ".slope", odd[j], twice, cells.slope);
        // Degree 2 in cells, where following the slope from 2 P would have degree 4.
        require_equal(b, name + ".x", cells.point.x, square(cells.slope) - odd[j].x - twice.x);
        require_equal(b, name + ".y", cells.point.y, multiply(cells.slope, odd[j].x - cells.point.x) - odd[j].y);
        odd[j + 1] = cells.point;
    }
    return odd;
}

// H(c2, m) = E_j + 2^16 c_j with c_j canonical, so that E_j is the low half of the element and not of it plus p.
void require_challenge(AirBuilder& b, const SignatureRow<Expr>& row, const std::array<Expr, 8>& e) {
    DigestOf<Expr> out;
    for (std::size_t j = 0; j < out.size(); ++j) {
        out[j] = require_canonical(b, indexed("challenge", j), row.is_real, e[j], row.challenge_high[j],
                                   row.challenge_top[j]);
    }
    require_hash(b, "c1", row.is_real, constant_digest(challenge_start()), commitment_block(row.r, 0), row.c1);
    require_hash(b, "c2", row.is_real, row.c1, commitment_block(row.r, 1), row.c2);
    require_hash(b, "challenge", row.is_real, row.c2, row.message, out);
}

}  // namespace

Digest challenge_start() { return tag_iv(kChallengeTag, kChallengeInput); }

void SignatureTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    b.boolean("is_real", row.is_real);
    b.zero("id", (Expr(1) - row.is_real) * row.id);

    const auto odd = odd_multiples(b, row);
    for (std::size_t d = 0; d < kOddDigits; ++d) {
        // Digit d stands for 2 d - 15 = +-(2 j + 1).
        const bool negative = d < kOddMultiples;
        ExprPoint point = odd[negative ? kOddMultiples - 1 - d : d - kOddMultiples];
        if (negative) point.y = ExprElement() - point.y;
        b.send(indexed("odd", d), kOddBus, row.uses[d], odd_tuple(row.id, Expr(static_cast<int>(d)), point));
    }

    const auto high = all_high(row.high);
    for (std::size_t i = 0; i < kWindows; i += kWindowsPerRow) {
        b.receive(indexed("digits", i), kDigitsBus, Expr(1),
                  digits_tuple(row.id, Expr(static_cast<int>(i)), {row.e[i], row.e[i + 1]},
                               {row.digit[i], row.digit[i + 1]}, {high[i], high[i + 1]}));
    }
    b.receive("r", kCommitmentBus, Expr(1), commitment_tuple(row.id, row.r));

    const auto e = challenge_limbs(row.e);
    require_challenge(b, row, e);
    const auto blocks = key_blocks(row.key);
    require_hash(b, "key_hash", row.is_real, blocks[0], blocks[1], row.key_hash);
    b.send("signature", kSignatureBus, row.is_real,
           signature_tuple(row.id, row.key_hash, row.message, e, scalar_limbs(row.digit, high)));
}

}  // namespace quarry::circuits
