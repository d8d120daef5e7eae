#include "quarry/iop/eq_prefixes.hpp"

#include <gtest/gtest.h>

#include <random>

#include "quarry/iop/whir-inl.hpp"
#include "quarry/iop/zerocheck.hpp"

namespace quarry::eq_prefixes_test {
namespace {

std::vector<ExtField> random_point(std::mt19937_64& rng, std::size_t n) {
    std::vector<ExtField> point(n);
    for (ExtField& x : point) {
        for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = KoalaBear(rng());
    }
    return point;
}

TEST(EqPrefixes, AreProductsOfFactors) {
    std::mt19937_64 rng(1);
    NativeBackend backend;
    const auto r = random_point(rng, 6);
    EqPrefixes<NativeBackend> prefixes(backend, r);
    for (const unsigned v : {3U, 0U, 6U, 5U}) {
        for (std::size_t s = 0; s < std::size_t{1} << (6 - v); ++s) {
            EXPECT_EQ(prefixes.at(v, s), eq_at_index(backend, std::span<const ExtField>(r).subspan(v), s));
        }
    }
}

TEST(EqPrefixes, RunsOfChunksAreTheirSums) {
    std::mt19937_64 rng(2);
    NativeBackend backend;
    const auto r = random_point(rng, 6);
    const auto ratio = random_point(rng, 1)[0];
    WhirClaimGroup<NativeBackend> group;
    for (ExtField power = ratio; group.ratio_powers.size() <= r.size(); power *= power) {
        group.ratio_powers.push_back(power);
    }
    for (const auto& [first, count] : {std::pair{0, 64}, {0, 1}, {3, 1}, {5, 42}, {63, 1}, {0, 37}, {8, 8}}) {
        const ExtField weight = random_point(rng, 1)[0];
        group.runs.push_back({static_cast<std::size_t>(first), static_cast<std::size_t>(count), weight});
        std::vector<std::pair<std::size_t, ExtField>> weights;
        for (const auto& run : group.runs) {
            ExtField power = run.weight;
            for (std::size_t i = 0; i < run.count; ++i, power *= ratio) weights.emplace_back(run.first + i, power);
        }
        EXPECT_EQ(whir_detail::runs_at(backend, group, std::span<const ExtField>(r)),
                  whir_detail::sparse_at(backend, weights, std::span<const ExtField>(r)))
            << first << ' ' << count;
    }
}

TEST(EqPrefixes, RunsOfChunksByEqAreTheirSums) {
    std::mt19937_64 rng(3);
    NativeBackend backend;
    for (const std::size_t n : {6U, 1U}) {
        const auto r = random_point(rng, n);
        const std::size_t size = std::size_t{1} << n;
        WhirClaimGroup<NativeBackend> group;
        group.chunk_point = random_point(rng, n);
        std::vector<std::pair<std::size_t, ExtField>> weights;
        for (std::size_t first = 0; first < size; ++first) {
            for (std::size_t count = 1; count <= size - first; ++count) {
                group.runs = {{first, count, random_point(rng, 1)[0]}, {0, size / 2, random_point(rng, 1)[0]}};
                weights.clear();
                for (const auto& run : group.runs) {
                    for (std::size_t s = run.first; s < run.first + run.count; ++s) {
                        const auto eq = eq_at_index(backend, std::span<const ExtField>(group.chunk_point), s);
                        weights.emplace_back(s, run.weight * eq);
                    }
                }
                ASSERT_EQ(whir_detail::eq_runs_at(backend, group, std::span<const ExtField>(r)),
                          whir_detail::sparse_at(backend, weights, std::span<const ExtField>(r)))
                    << first << ' ' << count;
            }
        }
    }
}

}  // namespace
}  // namespace quarry::eq_prefixes_test
