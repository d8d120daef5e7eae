#include <gtest/gtest.h>
#include <oneapi/tbb/task_arena.h>

#include <random>
#include <vector>

#include "quarry/field/isa.hpp"
#include "quarry/poly/dft.hpp"
#include "quarry/poly/domain.hpp"
#include "quarry/poly/measure.hpp"
#include "quarry/poly/multilinear.hpp"
#include "quarry/poly/passes.hpp"

namespace quarry::poly_test {
namespace {

using Point = std::vector<ExtField>;

class Random {
  public:
    explicit Random(std::uint64_t seed) : rng_(seed) {}
    KoalaBear base() {
        // Now and then the largest representative: the bounds of delayed reduction.
        return rng_() % 8 == 0 ? KoalaBear::from_montgomery(KoalaBear::kModulus - 1) : KoalaBear(rng_());
    }
    ExtField ext() {
        ExtField x;
        for (std::size_t k = 0; k < 5; ++k) x[k] = base();
        return x;
    }
    Buffer<KoalaBear> bases(std::size_t n) {
        Buffer<KoalaBear> v(n);
        for (std::size_t i = 0; i < n; ++i) v[i] = base();
        return v;
    }
    Point exts(std::size_t n) {
        Point v(n);
        for (auto& x : v) x = ext();
        return v;
    }
    std::size_t below(std::size_t n) { return rng_() % n; }

  private:
    std::mt19937_64 rng_;
};

ExtVector vector_of(const Point& values) {
    ExtVector v(values.size());
    for (std::size_t i = 0; i < v.size(); ++i) v.set(i, i < values.size() ? values[i] : ExtField());
    return v;
}
void expect_equal(const ExtVector& v, const Point& expected) {
    ASSERT_EQ(v.size(), (expected.size() + 15) / 16 * 16);
    for (std::size_t i = 0; i < v.size(); ++i) ASSERT_EQ(v.get(i), i < expected.size() ? expected[i] : ExtField()) << i;
}
const ExtField kOne(KoalaBear(1));

/// Runs `f` on every instruction set, on one and on three threads.
template <class F>
void everywhere(F&& f) {
    for (const Isa isa : supported_isas()) {
        force_isa(isa);
        for (const int threads : {1, 3}) {
            SCOPED_TRACE(testing::Message() << isa_name(isa) << " threads " << threads);
            tbb::task_arena arena(threads);
            arena.execute([&] { f(); });
        }
    }
}

TEST(Multilinear, TablesMatchTheirFormulas) {
    Random random(1);
    for (const std::size_t m : {0, 1, 3, 4, 5, 9, 14}) {
        const Point point = random.exts(m);
        const ExtField x = random.ext();
        const std::size_t size = std::size_t{1} << m;
        Point eqs(size);
        Point powers(size);
        ExtField power = kOne;
        for (std::size_t b = 0; b < size; ++b, power *= x) {
            powers[b] = power;
            eqs[b] = kOne;
            for (std::size_t v = 0; v < m; ++v) eqs[b] *= ((b >> v) & 1) != 0 ? point[v] : kOne - point[v];
        }
        everywhere([&] {
            expect_equal(eq_table(point), eqs);
            expect_equal(pow_table(x, static_cast<unsigned>(m)), powers);
        });
        // eq and pow are multilinear: their tables, evaluated, are the closed forms.
        const Point at = random.exts(m);
        EXPECT_EQ(evaluate(vector_of(eqs), at), eq(point, at));
        EXPECT_EQ(evaluate(vector_of(powers), at), pow_weight(x, at));
    }
}

TEST(Multilinear, EvaluateIsTheSumOverTheCube) {
    Random random(2);
    for (const std::size_t m : {0, 2, 4, 7, 13}) {
        const Point point = random.exts(m);
        const Buffer<KoalaBear> f = random.bases(std::size_t{1} << m);
        ExtField sum;
        const ExtVector weights = eq_table(point);
        Point lifted(f.size());
        for (std::size_t b = 0; b < f.size(); ++b) {
            sum += weights.get(b) * f[b];
            lifted[b] = f[b];
        }
        everywhere([&] {
            EXPECT_EQ(evaluate(f.span(), point), sum);
            EXPECT_EQ(evaluate(vector_of(lifted), point), sum);
        });
    }
}

TEST(Passes, FoldLanes) {
    Random random(3);
    for (const auto& [lanes, size] :
         {std::pair<std::size_t, std::size_t>{1, 16}, {3, 8}, {7, 40}, {8, 512}, {104, 1024}, {17, 4096}, {13, 2064}}) {
        const Buffer<KoalaBear> f = random.bases(lanes * size);
        const Point weights = random.exts(lanes);
        Point expected(size);
        for (std::size_t b = 0; b < size; ++b) {
            for (std::size_t a = 0; a < lanes; ++a) expected[b] += weights[a] * f[a * size + b];
        }
        everywhere([&] { expect_equal(fold_lanes(f.span(), lanes, size, weights), expected); });
    }
}

TEST(Passes, FoldLanesOfExtensionVectors) {
    Random random(4);
    for (const auto& [log_size, log_lanes] : {std::pair<unsigned, unsigned>{4, 0}, {4, 2}, {6, 4}, {9, 3}, {14, 4}}) {
        const std::size_t size = (std::size_t{1} << log_size) >> log_lanes;
        const Point f = random.exts(std::size_t{1} << log_size);
        const Point weights = random.exts(std::size_t{1} << log_lanes);
        Point expected(size);
        for (std::size_t b = 0; b < size; ++b) {
            for (std::size_t a = 0; a < weights.size(); ++a) expected[b] += weights[a] * f[a * size + b];
        }
        everywhere([&, lanes = log_lanes] { expect_equal(fold_lanes(vector_of(f), lanes, weights), expected); });
    }
}

TEST(Passes, ChunkProducts) {
    Random random(5);
    for (const auto& [h, chunks] :
         {std::pair<unsigned, std::size_t>{4, 0}, {4, 1}, {4, 37}, {5, 2}, {10, 5}, {11, 64}, {14, 3}, {15, 2}}) {
        const std::size_t size = std::size_t{1} << h;
        const Buffer<KoalaBear> data = random.bases(size * chunks);
        const Point kernel = random.exts(size);
        Point expected(chunks);
        for (std::size_t i = 0; i < data.size(); ++i) expected[i / size] += kernel[i % size] * data[i];
        everywhere([&] { EXPECT_EQ(chunk_products(data.span(), vector_of(kernel)), expected); });
    }
}

TEST(Passes, SumcheckRounds) {
    Random random(6);
    for (const std::size_t size : {2, 4, 8, 16, 32, 64, 128, 16384, 32768}) {
        const Point f = random.exts(size);
        const Point w = random.exts(size);
        const ExtField r = random.ext();
        const auto message_of = [](const Point& a, const Point& b) {
            QuadraticMessage m;
            const std::size_t half = a.size() / 2;
            for (std::size_t i = 0; i < half; ++i) {
                m.constant += a[i] * b[i];
                m.quadratic += (a[i + half] - a[i]) * (b[i + half] - b[i]);
            }
            return m;
        };
        Point f_folded(size / 2);
        Point w_folded(size / 2);
        for (std::size_t b = 0; b < size / 2; ++b) {
            f_folded[b] = f[b] + r * (f[b + size / 2] - f[b]);
            w_folded[b] = w[b] + r * (w[b + size / 2] - w[b]);
        }
        everywhere([&] {
            ExtVector fv = vector_of(f);
            ExtVector wv = vector_of(w);
            EXPECT_EQ(product_message(fv, wv, size), message_of(f, w));
            if (size >= 4) {
                ExtVector f2 = vector_of(f);
                ExtVector w2 = vector_of(w);
                EXPECT_EQ(fold_top_message(f2, w2, size, r), message_of(f_folded, w_folded));
                for (std::size_t b = 0; b < size / 2; ++b) ASSERT_EQ(w2.get(b), w_folded[b]);
                for (std::size_t b = 0; b < size / 2; ++b) ASSERT_EQ(f2.get(b), f_folded[b]);
            }
            fold_top(fv, size, r);
            for (std::size_t b = 0; b < size / 2; ++b) ASSERT_EQ(fv.get(b), f_folded[b]);
            add_scaled(wv, vector_of(f), r);
            for (std::size_t b = 0; b < size; ++b) ASSERT_EQ(wv.get(b), w[b] + r * f[b]);
        });
    }
}

TEST(QueryWeights, BothWaysMatchTheSum) {
    Random random(7);
    struct Shape {
        unsigned log_domain, log_message;
        std::size_t num_points;
    };
    for (const Shape& s : {Shape{0, 0, 1},
                           {3, 2, 4},
                           {5, 4, 0},
                           {5, 4, 9},
                           {6, 5, 3},
                           {9, 9, 20},
                           {12, 8, 5},
                           {12, 11, 70},
                           {13, 12, 1},
                           {15, 14, 9}}) {
        std::vector<WeightedPosition> points;
        for (std::size_t i = 0; i < s.num_points; ++i) {
            points.emplace_back(random.below(std::size_t{1} << s.log_domain), random.ext());
        }
        if (points.size() > 2) points[1].first = points[0].first;  // positions may repeat
        Point expected(std::size_t{1} << s.log_message);
        for (const auto& [j, g] : points) {
            const KoalaBear x = domain_point(j, s.log_domain);
            ExtField y = g;
            for (auto& e : expected) {
                e += y;
                y = y * x;
            }
        }
        everywhere([&] {
            expect_equal(query_weights_direct(points, s.log_domain, s.log_message), expected);
            expect_equal(query_weights_by_dft(points, s.log_domain, s.log_message), expected);
            expect_equal(query_weights(points, s.log_domain, s.log_message), expected);
        });
    }
}

TEST(Measure, ReturnsPositiveFigures) {
    EXPECT_GT(measure_reed_solomon_encode(16, 8, 1), 0.0);
    EXPECT_GT(measure_fold_lanes(16, 8), 0.0);
    EXPECT_GT(measure_chunk_products(10, 5), 0.0);
}

}  // namespace
}  // namespace quarry::poly_test
