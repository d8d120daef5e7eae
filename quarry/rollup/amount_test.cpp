#include "quarry/rollup/amount.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace quarry::rollup::amount_test {
namespace {

Amount arbitrary_amount() {
    const auto high = *rc::gen::arbitrary<std::uint32_t>();
    const auto low = *rc::gen::arbitrary<std::uint64_t>();
    return *Amount::from_wide(static_cast<Amount::Wide>(high) << 64 | low);
}

TEST(Amount, EndsAtTwoToThe96) {
    EXPECT_TRUE(Amount::from_wide(Amount::max().wide()).has_value());
    EXPECT_FALSE(Amount::from_wide(Amount::max().wide() + 1).has_value());
    EXPECT_FALSE(checked_add(Amount::max(), Amount(1)).has_value());
    EXPECT_FALSE(checked_add(Amount::max(), Amount::max()).has_value());
    EXPECT_EQ(checked_add(Amount::max(), Amount()), Amount::max());
    EXPECT_FALSE(checked_sub(Amount(), Amount(1)).has_value());
    EXPECT_FALSE(checked_sub(Amount(1), Amount::max()).has_value());
    EXPECT_TRUE(Amount::from_wide((Amount::Wide{1} << 72) - 1)->fits_fee());
    EXPECT_FALSE(Amount::from_wide(Amount::Wide{1} << 72)->fits_fee());
}

RC_GTEST_PROP(AmountProperties, SubtractionUndoesAddition, ()) {
    const Amount a = arbitrary_amount();
    const Amount b = arbitrary_amount();
    const auto sum = checked_add(a, b);
    RC_ASSERT(sum.has_value() == (a.wide() + b.wide() <= Amount::max().wide()));
    if (sum) {
        RC_ASSERT(checked_sub(*sum, b) == a);
    }
}

RC_GTEST_PROP(AmountProperties, LimbsRecompose, ()) {
    const Amount a = arbitrary_amount();
    Amount::Wide x = 0;
    for (std::size_t i = 0; i < Amount::kLimbs; ++i) x |= static_cast<Amount::Wide>(a.limb(i)) << (16 * i);
    RC_ASSERT(x == a.wide());
}

RC_GTEST_PROP(AmountProperties, TextRoundTrip, ()) {
    const Amount a = arbitrary_amount();
    RC_ASSERT(parse_amount(to_string(a)).value() == a);
}

TEST(Amount, TextIsCanonical) {
    EXPECT_EQ(to_string(Amount::max()), "79228162514264337593543950335");
    EXPECT_EQ(parse_amount("79228162514264337593543950335").value(), Amount::max());
    EXPECT_EQ(parse_amount("0").value(), Amount());
    for (const char* text : {"", "-1", "+1", "01", "00", "1e3", " 1", "1 ", "0x1", "1.0"}) {
        EXPECT_EQ(parse_amount(text).code(), RejectCode::bad_amount) << text;
    }
    EXPECT_EQ(parse_amount("79228162514264337593543950336").code(), RejectCode::amount_too_large);
    EXPECT_EQ(parse_amount(std::string(1000, '9')).code(), RejectCode::amount_too_large);
}

}  // namespace
}  // namespace quarry::rollup::amount_test
