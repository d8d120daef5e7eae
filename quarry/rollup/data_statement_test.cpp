#include "quarry/rollup/data_statement.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "quarry/rollup/testing.hpp"

namespace quarry::rollup::data_statement_test {
namespace {

using testing::hex;

// Byte k of word i, as in data_reference.py.
std::vector<std::uint8_t> reference_words(std::size_t n) {
    std::vector<std::uint8_t> words;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < kWordBytes; ++k) words.push_back(static_cast<std::uint8_t>(37 * i + 11 * k + 5));
    }
    return words;
}
DataStatement reference_statement(std::size_t n, DataForm form) {
    Digest before;
    for (std::size_t i = 0; i < before.size(); ++i) before[i] = KoalaBear(i + 1);
    Bytes32 l1_hash;
    for (std::size_t i = 0; i < l1_hash.size(); ++i) l1_hash[i] = static_cast<std::uint8_t>(i);
    return make_data_statement(form, before, reference_words(n), l1_hash, testing::make_address(3), 9);
}

std::string hex(std::span<const std::uint8_t> bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string r;
    for (const std::uint8_t x : bytes) r += {kDigits[x >> 4], kDigits[x & 15]};
    return r;
}

// The vectors of docs/spec/data-proof.md, computed by data_reference.py, which interpolates. They change only together
// with that file, and never after the first release.
TEST(DataStatement, PublishedVectors) {
    struct Vector {
        std::size_t words;
        DataForm form;
        const char* point;
        const char* value;
    };
    const std::vector<Vector> vectors = {
        {0, DataForm::horner, "46f6f7cb20272dec10dfd3033502ed3c2797683953bbb2cd0c0e3362408b94ed",
         "0000000000000000000000000000000000000000000000000000000000000000"},
        {0, DataForm::blob, "55b989144388a1f042aaf624593e9e8b58ad1c9c711c6425341957b51887230f",
         "0000000000000000000000000000000000000000000000000000000000000000"},
        {1, DataForm::horner, "3e52f35f3046e91612e05b69254a45934fd46a4d768820124accf01423a38ce8",
         "0005101b26313c47525d68737e89949faab5c0cbd6e1ecf7020d18232e39444f"},
        {1, DataForm::blob, "3fea81815dfadf0647a7a1c44a10b07965285fbd1da0e11472b15b950f3b46fb",
         "2b857481dac8bee8ef5259a69ed50f3c2b6ce845fff65e46d2c32412a2932733"},
        {2, DataForm::horner, "69bfb5f11bf3edc37cd3b001504821577c8745a23222cd9546d98b020d70d8d0",
         "0c622c72ce4aea663bfed3df182ed74fa6826bf1e64f2636e2dda2b5def1b105"},
        {2, DataForm::blob, "547c9e094cd7e7c015f404fd0fae9fe7716e7bd1422fc2d418b5f7ce6e207681",
         "62dd99ffa788e5a298e1fcb9193281b5b0c2eb39998f6e89614ac8e13d856656"},
        {5, DataForm::horner, "4cd75e952debd30a00112ee378377f505a8b9a0e5400ce5638b5e86d60a85bdf",
         "5651c92eb9316e63dcf30e88800c84915d90db12b12acbdc7cd73c89be4127e6"},
        {5, DataForm::blob, "5b918f5f0a0547226099de26732752d20d6b19f87de6b2310118bacb57970546",
         "0490195c0e4a3539c1a4808c13dc848f98dc79b98e7d913a3decaea0e8464700"},
        {4096, DataForm::horner, "042605e61262f6aa514f95d960d491ea518db02f3dc9235f7ef6a54633d39966",
         "3ab57a0dbedaf3f54de76de7df28209f3cb525f910ae2976fb395b44117f0262"},
        {4096, DataForm::blob, "610d08564712860c781786de255cb6d86d673b6905aa5ca23548ff876a0f96f5",
         "02c6350731ba7eb20f08b35727546be606cf1ff42de96082c178259a48297061"},
    };
    for (const Vector& v : vectors) {
        const DataStatement s = reference_statement(v.words, v.form);
        EXPECT_EQ(hex(s.point), v.point) << v.words;
        EXPECT_EQ(hex(s.value), v.value) << v.words;
    }
}

TEST(BlsScalar, RootsAreInBitReversedOrder) {
    const auto& roots = blob_roots();
    EXPECT_EQ(roots[0], BlsScalar(1));
    EXPECT_EQ(roots[1], -BlsScalar(1));
    for (std::size_t i = 1; i < kBlobWords; ++i) {
        EXPECT_EQ(roots[i] * roots[i], roots[i / 2]) << i;  // so all of them follow from the sign of each
        EXPECT_EQ(roots[i ^ 1], -roots[i]) << i;
    }
}

TEST(BlsScalar, AtARootABlobIsItsWord) {
    const auto words = reference_words(100);
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{99}}) {
        const std::span<const std::uint8_t, kWordBytes> word(words.data() + i * kWordBytes, kWordBytes);
        EXPECT_EQ(evaluate_blob(words, blob_roots()[i]), word_scalar(word));
    }
    EXPECT_EQ(evaluate_blob(words, blob_roots()[100]), BlsScalar());
    EXPECT_EQ(evaluate_blob(words, blob_roots()[4095]), BlsScalar());
}

TEST(BlsScalar, InvertsAllButZero) {
    std::vector<BlsScalar> xs{BlsScalar(3), BlsScalar(), -BlsScalar(1), BlsScalar(), BlsScalar(5)};
    const auto before = xs;
    invert_all(xs);
    for (std::size_t i = 0; i < xs.size(); ++i) {
        EXPECT_EQ(xs[i] * before[i], before[i].is_zero() ? BlsScalar() : BlsScalar(1)) << i;
    }
    std::vector<BlsScalar> none;
    invert_all(none);
}

TEST(BlsScalar, BytesAreBigEndianAndCanonical) {
    EXPECT_EQ(hex(scalar_bytes(-BlsScalar(1))), "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000");
    // Not `std::string + "0102"`: GCC 12 sees a read out of bounds in it.
    std::string expected(60, '0');
    expected.append("0102");
    EXPECT_EQ(hex(scalar_bytes(BlsScalar(0x0102))), expected);
    std::array<std::uint8_t, kWordBytes> word;
    word.fill(0xff);
    EXPECT_EQ(hex(scalar_bytes(word_scalar(word))), std::string("00").append(62, 'f'));
}

// The point's elements are its digits in base 2^31.
TEST(DataStatement, PointIsBelow2To248) {
    Digest largest;
    largest.fill(-KoalaBear(1));
    BlsScalar sum;
    for (std::size_t i = largest.size(); i-- > 0;) {
        sum = sum * BlsScalar(std::uint64_t{1} << 31) + BlsScalar(largest[i].canonical());
    }
    EXPECT_EQ(point_scalar(largest), sum);
    EXPECT_EQ(scalar_bytes(sum)[0], 0);
    EXPECT_EQ(point_scalar(Digest{KoalaBear(1)}), BlsScalar(1));
}

TEST(DataStatement, UnitsAreWordsByEightRoundedUp) {
    EXPECT_EQ(data_units(0), 0U);
    EXPECT_EQ(data_units(1), 1U);
    EXPECT_EQ(data_units(8), 1U);
    EXPECT_EQ(data_units(9), 2U);
    EXPECT_EQ(data_units(4096), 512U);
    EXPECT_EQ(reference_statement(9, DataForm::blob).work, leaf_work(9, 2));
}

// ADVERSARIAL, Transcript: "the length of the public input": the list has a fixed one, and each field moves it.
TEST(DataStatement, EveryFieldIsInTheElements) {
    const DataStatement honest = reference_statement(5, DataForm::horner);
    const auto list = [](const DataStatement& s) {
        std::vector<std::uint32_t> r;
        for (const KoalaBear x : elements(s)) r.push_back(x.canonical());
        return r;
    };
    EXPECT_EQ(elements(honest).size(), 80U);
    std::set<std::vector<std::uint32_t>> seen{list(honest)};
    const auto expect_new = [&](auto change) {
        DataStatement s = honest;
        change(s);
        EXPECT_EQ(elements(s).size(), 80U);
        EXPECT_TRUE(seen.insert(list(s)).second);
    };
    expect_new([](DataStatement& s) { s.payee.bytes[7] ^= 1; });
    expect_new([](DataStatement& s) { s.form = DataForm::blob; });
    expect_new([](DataStatement& s) { s.before[3] += KoalaBear(1); });
    expect_new([](DataStatement& s) { s.after[3] += KoalaBear(1); });
    expect_new([](DataStatement& s) { s.words += 1; });
    expect_new([](DataStatement& s) { s.l1_hash[31] ^= 1; });
    expect_new([](DataStatement& s) { s.point[7] += KoalaBear(1); });
    expect_new([](DataStatement& s) { s.value[0] ^= 1; });
    expect_new([](DataStatement& s) { s.work.units += 1u << 16; });
    expect_new([](DataStatement& s) { s.work.root[0] += KoalaBear(1); });
}

// What both polynomials are compared at depends on everything that L1 or the accumulator knows.
TEST(DataStatement, PointBindsItsInputs) {
    const DataStatement s = reference_statement(5, DataForm::blob);
    const auto point_of = [&](auto change) {
        DataStatement t = s;
        change(t);
        return data_point(t.form, t.before, t.after, t.words, t.l1_hash);
    };
    EXPECT_EQ(point_of([](DataStatement&) {}), s.point);
    EXPECT_NE(point_of([](DataStatement& t) { t.form = DataForm::horner; }), s.point);
    EXPECT_NE(point_of([](DataStatement& t) { t.before[0] += KoalaBear(1); }), s.point);
    EXPECT_NE(point_of([](DataStatement& t) { t.after[7] += KoalaBear(1); }), s.point);
    EXPECT_NE(point_of([](DataStatement& t) { t.words += 1; }), s.point);
    for (std::size_t i = 0; i < 32; ++i) {
        EXPECT_NE(point_of([&](DataStatement& t) { t.l1_hash[i] ^= 1; }), s.point) << i;
    }
}

}  // namespace
}  // namespace quarry::rollup::data_statement_test
