#include "quarry/poly/reed_solomon.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/task_arena.h>

#include <random>
#include <vector>

#include "quarry/field/isa.hpp"
#include "quarry/poly/domain.hpp"

namespace quarry::reed_solomon_test {
namespace {

Buffer<KoalaBear> random_elements(std::size_t n, std::uint64_t seed) {
    std::mt19937_64 rng(seed);
    Buffer<KoalaBear> v(n);
    for (std::size_t i = 0; i < n; ++i) v[i] = KoalaBear(rng());
    return v;
}
KoalaBear horner(const KoalaBear* f, std::size_t n, KoalaBear x) {
    KoalaBear y;
    for (std::size_t i = n; i-- > 0;) y = y * x + f[i];
    return y;
}

struct Shape {
    std::size_t num_lanes;
    unsigned log_message, log_inv_rate;
};
// Every row for short codes, samples of rows and lanes for long ones; every padding entry.
void expect_encoding(const Shape& s, const Buffer<KoalaBear>& message, const Buffer<KoalaBear>& codeword) {
    const std::size_t stride = codeword_stride(s.num_lanes);
    const unsigned log_domain = s.log_message + s.log_inv_rate;
    const std::size_t rows = std::size_t{1} << log_domain;
    std::mt19937_64 rng(rows + s.num_lanes);
    const std::size_t samples = (s.num_lanes * rows << s.log_message) <= (1u << 20) ? 0 : 40;
    const auto check = [&](std::size_t j, std::size_t a) {
        const KoalaBear y =
            horner(message.data() + (a << s.log_message), std::size_t{1} << s.log_message, domain_point(j, log_domain));
        ASSERT_EQ(codeword[j * stride + a], y) << "row " << j << " lane " << a;
    };
    for (std::size_t i = 0; i < samples; ++i) check(rng() % rows, rng() % s.num_lanes);
    for (std::size_t j = 0; samples == 0 && j < rows; ++j) {
        for (std::size_t a = 0; a < s.num_lanes; ++a) check(j, a);
    }
    for (std::size_t j = 0; j < rows; ++j) {
        for (std::size_t a = s.num_lanes; a < stride; ++a) ASSERT_TRUE(codeword[j * stride + a].is_zero());
    }
}

TEST(ReedSolomon, EvaluatesOnEveryIsa) {
    const std::vector<Shape> shapes{{1, 0, 0},   {1, 0, 3},   {3, 1, 1},   {17, 2, 0},   {5, 3, 1},    {16, 3, 4},
                                    {40, 4, 1},  {16, 5, 2},  {17, 6, 1},  {3, 7, 0},    {104, 8, 1},  {33, 9, 1},
                                    {20, 10, 2}, {17, 11, 1}, {40, 12, 1}, {300, 11, 0}, {128, 13, 1}, {5, 15, 2}};
    for (const Shape& s : shapes) {
        const auto message = random_elements(s.num_lanes << s.log_message, s.num_lanes + s.log_message);
        const std::size_t stride = codeword_stride(s.num_lanes);
        Buffer<KoalaBear> first;
        for (const Isa isa : supported_isas()) {
            force_isa(isa);
            SCOPED_TRACE(testing::Message() << isa_name(isa) << " m=" << s.log_message << " k=" << s.log_inv_rate);
            Buffer<KoalaBear> codeword(stride << (s.log_message + s.log_inv_rate));
            for (std::size_t i = 0; i < codeword.size(); ++i) codeword[i] = KoalaBear(7);
            reed_solomon_encode(message.span(), s.num_lanes, s.log_message, s.log_inv_rate, codeword.span(), stride);
            if (first.size() == 0) {
                expect_encoding(s, message, codeword);
                first = std::move(codeword);
            } else {
                for (std::size_t i = 0; i < first.size(); ++i) ASSERT_EQ(first[i], codeword[i]) << i;
            }
        }
    }
}

TEST(ReedSolomon, LongMessages) {
    for (const Shape& s : {Shape{1, 20, 0}, Shape{18, 17, 1}, Shape{3, 21, 0}}) {
        const auto message = random_elements(s.num_lanes << s.log_message, 5);
        const std::size_t stride = codeword_stride(s.num_lanes);
        Buffer<KoalaBear> codeword(stride << (s.log_message + s.log_inv_rate));
        reed_solomon_encode(message.span(), s.num_lanes, s.log_message, s.log_inv_rate, codeword.span(), stride);
        expect_encoding(s, message, codeword);
    }
}

// An unaligned codeword takes the ordinary stores.
TEST(ReedSolomon, DoesNotDependOnThreadsOrAlignment) {
    const Shape s{40, 12, 1};
    const std::size_t stride = codeword_stride(s.num_lanes);
    const auto message = random_elements(s.num_lanes << s.log_message, 6);
    const std::size_t size = stride << (s.log_message + s.log_inv_rate);
    Buffer<KoalaBear> expected(size);
    reed_solomon_encode(message.span(), s.num_lanes, s.log_message, s.log_inv_rate, expected.span(), stride);
    for (const int threads : {1, 2, 5}) {
        tbb::task_arena arena(threads);
        Buffer<KoalaBear> other(size + 3);
        const auto codeword = other.span().subspan(3);
        arena.execute(
            [&] { reed_solomon_encode(message.span(), s.num_lanes, s.log_message, s.log_inv_rate, codeword, stride); });
        for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(codeword[i], expected[i]);
    }
}

TEST(ReedSolomon, ExtensionCoordinatesAreColumns) {
    for (const auto& [log_size, log_lanes, k] :
         {std::array<unsigned, 3>{4, 4, 1}, {4, 1, 2}, {5, 2, 0}, {8, 4, 2}, {9, 0, 1}, {14, 3, 1}, {15, 4, 2}}) {
        const std::size_t size = std::size_t{1} << log_size;
        const unsigned m = log_size - log_lanes;
        std::mt19937_64 rng(log_size);
        ExtVector f(size);
        Buffer<KoalaBear> columns(5 * size);
        for (std::size_t i = 0; i < size; ++i) {
            ExtField x;
            for (std::size_t c = 0; c < 5; ++c) {
                x[c] = KoalaBear(rng());
                columns[((5 * (i >> m) + c) << m) + (i & ((std::size_t{1} << m) - 1))] = x[c];
            }
            f.set(i, x);
        }
        const std::size_t lanes = std::size_t{5} << log_lanes;
        const std::size_t stride = codeword_stride(lanes);
        Buffer<KoalaBear> a(stride << (m + k));
        Buffer<KoalaBear> b(stride << (m + k));
        reed_solomon_encode(f, log_lanes, k, a.span(), stride);
        reed_solomon_encode(columns.span(), lanes, m, k, b.span(), stride);
        for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(a[i], b[i]) << log_size << " " << i;
    }
}

}  // namespace
}  // namespace quarry::reed_solomon_test
