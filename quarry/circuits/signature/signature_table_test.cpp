#include "quarry/circuits/signature/signature_table.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "quarry/circuits/signature/testing.hpp"

namespace quarry::circuits::signature_table_test {
namespace {

using namespace testing;
using Curve = SignatureCurve;
using Field = Curve::Field;
using Row = SignatureRow<KoalaBear>;

const Table& table() {
    static const Table t = make_table<SignatureTable>();
    return t;
}
const SignatureWitness& honest() {
    static const SignatureWitness w = make_signature_witness(signed_inputs(3), 2);
    return w;
}
std::vector<std::string> broken(const Row& row) { return broken_between(table(), cells_of(row), cells_of(row)); }
using Names = std::vector<std::string>;

TEST(SignatureTable, HonestRowsHold) {
    EXPECT_EQ(table().max_degree(), 3U);
    EXPECT_LE(table().num_columns(), 430U);
    for (const Row& row : honest().signature) EXPECT_EQ(broken(row), Names());
    EXPECT_TRUE(honest().signature[3].is_real.is_zero());
    const auto names = constraint_names(table());
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

// The limbs that leave are the signature's bytes as a batch's words cut them.
TEST(SignatureTable, SendsTheSignatureAsWordsCutIt) {
    const auto inputs = signed_inputs(3);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        std::vector<KoalaBear> tuple{KoalaBear(kSignatureBus), KoalaBear(1)};
        const auto expected = expected_signature(inputs[i]);
        tuple.insert(tuple.end(), expected.begin(), expected.end());
        const auto cells = cells_of(honest().signature[i]);
        const auto sent = tuples_between(table(), cells, cells);
        EXPECT_NE(std::find(sent.begin(), sent.end(), tuple), sent.end());
    }
}

TEST(SignatureTable, EveryCellIsBound) {
    const Row& real = honest().signature[1];
    EXPECT_EQ(free_cells(table(), real, real, real), Names());
    // A row that is not real asks for no hash and sends nothing: what only these bind is free.
    const Row& spare = honest().signature[3];
    for (const auto& name : free_cells(table(), spare, spare, spare)) {
        const auto starts = [&](const char* s) { return name.rfind(s, 0) == 0; };
        EXPECT_TRUE(starts("c1") || starts("c2") || starts("challenge_high") || starts("message") || starts("key_hash"))
            << name;
    }
}

// Recomputes what follows from the key and E, with a lie in one place: 0 the curve's equation, 1 the tangent, then for
// each multiple the slope, x, y.
struct Lie {
    std::size_t place = ~std::size_t{0};
    std::size_t coordinate = 0;
};
void recompute(Row& row, const Lie& lie) {
    std::size_t place = 0;
    const auto touched = [&](const Field& x) { return lie.place == place++ ? lie_in(x, lie.coordinate) : x; };
    if (lie.place == place++) {
        std::optional<Field> y;
        Field right = curve_right_side<Curve>(Field(row.key.x));
        while (!y) y = square_root(right = lie_in(right, lie.coordinate));
        row.key.y = y->coefficients();
    }
    const auto key = to_point(row.key);
    Field numerator = KoalaBear(3) * key.x * key.x;
    numerator[0] += KoalaBear::from_signed(Curve::kA);
    const Field tangent = touched(numerator) * (KoalaBear(2) * key.y).inverse();
    row.double_slope = tangent.coefficients();
    AffinePoint<Curve> twice;
    twice.x = tangent * tangent - key.x - key.x;
    twice.y = tangent * (key.x - twice.x) - key.y;
    AffinePoint<Curve> p = key;
    for (auto& multiple : row.multiple) {
        const Field slope = touched(p.y - twice.y) * (p.x - twice.x).inverse();
        AffinePoint<Curve> q;
        q.x = touched(slope * slope - p.x - twice.x);
        q.y = touched(slope * (p.x - q.x) - p.y);
        multiple = {slope.coefficients(), point_cells(q)};
        p = q;
    }
}

// Each constraint, dropped, lets a row through that nothing else in the table refuses.
TEST(SignatureTable, NoConstraintIsRedundant) {
    const Row& start = honest().signature[0];
    std::set<std::string> alone;
    const auto expect_alone = [&](const Row& row, const std::string& name) {
        EXPECT_EQ(broken(row), Names{name});
        alone.insert(name);
    };
    const auto bracket = [](std::size_t i) { return "[" + std::to_string(i) + "]"; };
    for (std::size_t k = 0; k < kCoordinates; ++k) {
        const auto lie = [&](std::size_t place, const std::string& name) {
            Row row = start;
            recompute(row, {place, k});
            expect_alone(row, name + bracket(k));
        };
        lie(0, "key");
        lie(1, "double_slope");
        for (std::size_t j = 0; j + 1 < kOddMultiples; ++j) {
            const std::string name = "multiple" + bracket(j);
            lie(2 + 3 * j, name + ".slope");
            lie(3 + 3 * j, name + ".x");
            lie(4 + 3 * j, name + ".y");
        }
    }
    Row row = start;
    row.id = KoalaBear();
    row.is_real = KoalaBear(2);
    expect_alone(row, "is_real");
    row = start;
    row.is_real = KoalaBear();
    expect_alone(row, "id");
    for (std::size_t j = 0; j < kDigestSize; ++j) {
        const auto canonical = [&](std::uint64_t top, std::uint64_t high, std::uint64_t low, const char* name) {
            row = start;
            row.challenge_top[j] = KoalaBear(top);
            row.challenge_high[j] = KoalaBear(high);
            for (std::size_t t = 0; t < 4; ++t) row.e[31 - 4 * j - t] = KoalaBear(low);
            expect_alone(row, "challenge" + bracket(j) + name);
        };
        canonical(2, 0x7f00, 0, ".top");
        canonical(1, 0x7eff, 0, ".top.high");
        canonical(1, 0x7f00, 1, ".top.low");
    }
    const auto names = constraint_names(table());
    EXPECT_EQ(alone, std::set<std::string>(names.begin(), names.end()));
}

// ADVERSARIAL, Tables, elliptic-curve rows: "x not on the curve". Every point of a curve with the same a and another b
// is refused, and so is (1, 0), where 3 x^2 + a = 0 and the tangent's slope would be free.
TEST(SignatureTable, KeyOffTheCurve) {
    Row row = honest().signature[0];
    row.key.x[3] += KoalaBear(1);
    EXPECT_FALSE(broken(row).empty());
    for (const int x : {1, -1}) {
        row = honest().signature[0];
        row.key = {};
        row.key.x[0] = KoalaBear::from_signed(x);
        for (const std::uint64_t slope : {0, 1, 77}) {
            row.double_slope[0] = KoalaBear(slope);
            const auto names = broken(row);
            EXPECT_NE(std::find(names.begin(), names.end(), "key[0]"), names.end());
            EXPECT_EQ(std::find(names.begin(), names.end(), "double_slope[0]"), names.end());
        }
    }
}

TEST(SignatureTable, LimbsOfEveryBitOfS) {
    for (unsigned bit = 0; bit < 8 * Curve::kScalarBytes; ++bit) {
        std::array<std::uint64_t, 6> s{};
        s[bit / 64] = std::uint64_t{1} << (bit % 64);
        std::array<KoalaBear, kWindows> digit, high;
        for (std::size_t i = 0; i < kWindows; ++i) {
            digit[i] = KoalaBear(std::uint64_t{scalar_digit(s, i)});
            high[i] = KoalaBear(std::uint64_t{scalar_digit(s, i) >> cut_bits(i)});
        }
        const auto limbs = scalar_limbs(digit, high);
        for (std::size_t i = 0; i < kScalarLimbs; ++i) {
            const bool here = limb_of_bit(bit) == i;
            EXPECT_EQ(limbs[i].canonical(), here ? 1U << (bit - limb_start(i)) : 0U) << bit << " " << i;
        }
    }
}

}  // namespace
}  // namespace quarry::circuits::signature_table_test
