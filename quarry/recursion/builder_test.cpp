#include "quarry/recursion/builder.hpp"

#include <gtest/gtest.h>

#include <random>

#include "quarry/hash/merkle.hpp"
#include "quarry/hash/poseidon_batch.hpp"
#include "quarry/recursion/testing.hpp"

namespace quarry::recursion::builder_test {
namespace {

using testing::LaidOut;

ExtField random_ext(std::mt19937_64& rng) {
    ExtField x;
    for (std::size_t k = 0; k < kDegree; ++k) x[k] = KoalaBear(rng());
    return x;
}

/// Builds a circuit and says what is wrong with its rows.
template <class F>
std::string complaint(F build, RowKinds kinds = RowKinds::all) {
    CircuitBuilder b(kinds);
    const DigestWire digest = build(b);
    b.expose(digest);
    return LaidOut(std::move(b).finish()).complaint(digest.value);
}

TEST(Builder, Arithmetic) {
    std::mt19937_64 rng(1);
    const ExtField x = random_ext(rng);
    const ExtField y = random_ext(rng);
    EXPECT_EQ(complaint([&](CircuitBuilder& b) {
                  const ExtensionExpr u = b.witness(x);
                  const ExtensionExpr v = b.witness(y);
                  const ExtensionExpr one(ExtField(1));
                  const ExtensionExpr w = (one - u) * v + u * (v - one) * KoalaBear(7) - v * v * u;
                  const ExtField expected = (ExtField(1) - x) * y + x * (y - ExtField(1)) * KoalaBear(7) - y * y * x;
                  EXPECT_EQ(w.value(), expected);
                  b.require_equal(w, ExtensionExpr(expected));
                  b.require_equal(u * b.inverse(u), one);
                  ExtensionExpr sum(ExtField{});
                  ExtField value;
                  for (std::uint64_t i = 0; i < 100; ++i) {
                      const ExtField c = random_ext(rng);
                      sum = sum + b.witness(c) * KoalaBear(i) + u * ExtensionExpr(c);
                      value += c * KoalaBear(i) + x * c;
                  }
                  EXPECT_EQ(sum.value(), value);
                  b.require_equal(sum, b.witness(value));
                  return b.constant(Digest{});
              }),
              "");
}

/// A sum that fits in no row, and products of polynomials.
DigestWire long_sums(CircuitBuilder& b) {
    std::mt19937_64 rng(3);
    std::vector<ExtensionExpr> x, y;
    for (std::size_t i = 0; i < kConvolution; ++i) x.push_back(b.witness(random_ext(rng)));
    for (std::size_t i = 0; i < kConvolution - 4; ++i) y.push_back(b.witness(random_ext(rng)) + x[i]);
    const auto z = b.convolve(x, y);
    EXPECT_EQ(z.size(), kConvolved);
    ExtensionExpr sum(random_ext(rng));
    ExtField value = sum.value();
    for (std::size_t k = 0; k < kConvolved; ++k) {
        ExtField expected;
        for (std::size_t i = 0; i < x.size(); ++i) {
            if (k >= i && k - i < y.size()) expected += x[i].value() * y[k - i].value();
        }
        EXPECT_EQ(z[k].value(), expected);
        if (k % 3 != 0) continue;
        sum = sum + z[k] * KoalaBear(k + 2) + z[k] * x[k / 2] * KoalaBear(5) + x[0] * x[0];
        value += expected * KoalaBear(k + 2) + expected * x[k / 2].value() * KoalaBear(5) + x[0].value() * x[0].value();
    }
    b.require_equal(sum, ExtensionExpr(value));
    return b.constant(Digest{});
}

TEST(Builder, LongSumsAndConvolutions) { EXPECT_EQ(complaint(long_sums), ""); }

TEST(Builder, ConvolutionsAsSums) {
    CircuitBuilder b(RowKinds::few);
    b.expose(long_sums(b));
    LaidOut laid(std::move(b).finish());
    EXPECT_EQ(laid.complaint(Digest{}), "");
    for (std::size_t t = 0; t < laid.circuit->tables().size(); ++t) {
        EXPECT_NE(laid.circuit->tables()[t].name, ConvolutionTable::kName);
        if (laid.circuit->tables()[t].name != FormTable::kName) continue;
        for (std::size_t c = 0; c < laid.circuit->tables()[t].num_witness(); c += 7) {
            laid.trace.column(t, c)[0] += KoalaBear(1);
            EXPECT_NE(laid.complaint(Digest{}), "") << c;
            laid.trace.column(t, c)[0] -= KoalaBear(1);
        }
    }
}

TEST(Builder, EveryCellOfASumAndOfAConvolutionCounts) {
    CircuitBuilder b;
    b.expose(long_sums(b));
    LaidOut laid(std::move(b).finish());
    ASSERT_EQ(laid.complaint(Digest{}), "");
    for (std::size_t t = 0; t < laid.circuit->tables().size(); ++t) {
        const Table& table = laid.circuit->tables()[t];
        if (table.name != "sum" && table.name != "form" && table.name != "convolution") continue;
        for (std::size_t c = t % 5; c < table.num_witness(); c += 13) {
            laid.trace.column(t, c)[0] += KoalaBear(1);
            EXPECT_NE(laid.complaint(Digest{}), "") << table.columns[c];
            laid.trace.column(t, c)[0] -= KoalaBear(1);
        }
    }
    EXPECT_EQ(laid.complaint(Digest{}), "");
}

TEST(Builder, FalseEqualitiesAreNotSatisfied) {
    for (int lie = 0; lie < 5; ++lie) {
        EXPECT_NE(complaint([&](CircuitBuilder& b) {
                      const ExtensionExpr u = b.witness(ExtField(5));
                      if (lie == 0) b.require_equal(u, ExtensionExpr(ExtField(6)));
                      if (lie == 1) (void)b.inverse(u - ExtensionExpr(ExtField(5)));
                      if (lie == 2) b.require_equal(u * u, u);
                      const DigestWire d = b.witness(Digest{KoalaBear(1)});
                      if (lie == 3) b.require_equal(d, b.constant(Digest{}));
                      if (lie == 4) b.require_equal(b.compress(d, d), d);
                      return d;
                  }),
                  "")
            << lie;
    }
}

TEST(Builder, DigestsAndChains) {
    EXPECT_EQ(complaint([](CircuitBuilder& b) {
                  const Digest left{KoalaBear(1), KoalaBear(2)};
                  const DigestWire l = b.witness(left);
                  const DigestWire r = b.constant(Digest{KoalaBear(3)});
                  const DigestWire h = b.compress(l, r);
                  EXPECT_EQ(h.value, poseidon_compress(left, r.value));
                  std::vector<BaseExpr> elements;
                  for (std::uint64_t i = 0; i < 19; ++i) elements.push_back(b.base_witness(KoalaBear(i * i)));
                  const DigestWire c = b.chain(h, elements);
                  const auto of_h = b.elements(h);
                  for (std::size_t i = 0; i < kBlock; ++i) EXPECT_EQ(of_h[i].value(), h.value[i]);
                  b.require_equal(of_h[0].lifted(), ExtensionExpr(ExtField(h.value[0])));
                  b.require_equal(b.chain(l, of_h), b.compress(l, h));
                  return c;
              }),
              "");
}

TEST(Builder, SpongeIsTheTranscript) {
    EXPECT_EQ(complaint([](CircuitBuilder& b) {
                  Transcript native;
                  SpongeWires sponge(b);
                  std::vector<BaseExpr> known;
                  const auto absorb = [&](std::uint64_t x, bool lift) {
                      native.absorb(KoalaBear(x));
                      const Address a = sponge.absorb(KoalaBear(x));
                      if (lift) known.push_back(b.lift(a, KoalaBear(x)));
                  };
                  for (std::uint64_t i = 0; i < 12; ++i) absorb(i, i % 3 == 0);
                  for (const std::size_t count : {1, 8, 9, 5}) {
                      for (std::size_t i = 0; i < count; ++i) {
                          const auto [address, value] = sponge.squeeze();
                          EXPECT_EQ(value, native.squeeze());
                          if (i % 2 == 0)
                              b.require_equal(b.lift(address, value).lifted(), ExtensionExpr(ExtField(value)));
                      }
                      for (std::uint64_t i = 0; i < count; ++i) absorb(100 * i, true);
                  }
                  sponge.absorb(known[2]);
                  native.absorb(known[2].value());
                  EXPECT_EQ(sponge.squeeze().second, native.squeeze());
                  return b.constant(Digest{});
              }),
              "");
}

class BuilderOpenings : public ::testing::TestWithParam<RowKinds> {};
INSTANTIATE_TEST_SUITE_P(All, BuilderOpenings, ::testing::Values(RowKinds::all, RowKinds::some, RowKinds::few));

TEST_P(BuilderOpenings, OpenedRowsFoldsPolynomialsAndPowers) {
    std::mt19937_64 rng(2);
    for (const std::size_t width : {std::size_t{8}, std::size_t{13}, std::size_t{40}}) {
        constexpr unsigned kHeight = 4;
        constexpr std::size_t kQueries = 9;  // more than a row of folds or of a polynomial has room for
        const std::size_t stride = (width + 7) / 8 * 8;
        std::vector<KoalaBear> rows(stride << kHeight);
        for (std::size_t r = 0; r < 1U << kHeight; ++r) {
            for (std::size_t i = 0; i < width; ++i) rows[r * stride + i] = KoalaBear(rng());
        }
        const auto tree = MerkleTree<PoseidonHasher>::build(rows, 1U << kHeight, width, stride);
        EXPECT_EQ(complaint(
                      [&](CircuitBuilder& b) {
                          Transcript native;
                          SpongeWires sponge(b);
                          for (std::uint64_t i = 0; i < 8; ++i) {
                              (void)sponge.absorb(KoalaBear(i));
                              native.absorb(KoalaBear(i));
                          }
                          std::vector<ExtensionExpr> weights;
                          for (std::size_t i = 0; i < (width == 40 ? 8 : width); ++i)
                              weights.push_back(b.witness(random_ext(rng)));
                          const DigestWire root = b.witness(tree.root());
                          std::vector<BaseRun> runs;
                          std::vector<BaseExpr> points;
                          std::vector<ExtField> expected, values;
                          std::vector<std::vector<Digest>> paths;
                          for (std::size_t q = 0; q < kQueries; ++q) {
                              const auto [address, value] = sponge.squeeze();
                              const IndexWires index = b.index(address, value, kHeight);
                              EXPECT_EQ(index.value, native.squeeze_index(kHeight));
                              const auto row = std::span<const KoalaBear>(rows).subspan(index.value * stride, width);
                              runs.push_back(b.leaf(row));
                              paths.push_back(tree.path(index.value));
                              b.open(root, index, runs.back(), paths.back());
                              points.push_back(index.point);
                              ExtField sum;
                              for (std::size_t i = 0; i < weights.size(); ++i) {
                                  ExtField x(row[i]);
                                  if (width == 40) {
                                      for (std::size_t k = 0; k < kDegree; ++k) x[k] = row[kDegree * i + k];
                                  }
                                  sum += weights[i].value() * x;
                              }
                              expected.push_back(sum);
                              ExtField f;
                              for (std::size_t i = weights.size(); i-- > 0;)
                                  f = f * index.point.value() + weights[i].value();
                              values.push_back(f);
                          }
                          const auto folded = b.fold(weights, runs);
                          const auto evaluated = b.evaluate(weights, points);
                          for (std::size_t q = 0; q < kQueries; ++q) {
                              b.require_equal(folded[q], ExtensionExpr(expected[q]));
                              b.require_equal(evaluated[q], ExtensionExpr(values[q]));
                              ExtField product(1);
                              KoalaBear x = points[q].value();
                              for (std::size_t v = 0; v < 5; ++v, x *= x) {
                                  product *= ExtField(1) + weights[v].value() * (x - KoalaBear(1));
                              }
                              b.require_equal(b.power(points[q], std::span(weights).first(5)), ExtensionExpr(product));
                          }
                          return root;
                      },
                      GetParam()),
                  "")
            << width;
    }
}

// What a circuit of few kinds computes by sums is as bound as what tables of its own compute.
TEST(Builder, FalseFoldsPolynomialsAndPowersAreNotSatisfied) {
    for (const RowKinds kinds : {RowKinds::all, RowKinds::few}) {
        for (int lie = 0; lie < 4; ++lie) {
            const auto said = complaint(
                [&](CircuitBuilder& b) {
                    const std::vector<KoalaBear> row(kBlock, KoalaBear(3));
                    Digest digest_of_threes;
                    digest_of_threes.fill(KoalaBear(3));
                    std::vector<ExtensionExpr> weights;
                    for (std::uint64_t i = 0; i < kBlock; ++i) weights.push_back(b.witness(ExtField(KoalaBear(i))));
                    const BaseRun run = b.leaf(row);
                    // A tree of two rows: the leaf's digest beside zeros.
                    SpongeWires sponge(b);
                    for (std::uint64_t i = 0; i < kBlock; ++i) (void)sponge.absorb(KoalaBear(i));
                    const auto [address, value] = sponge.squeeze();
                    const IndexWires index = b.index(address, value, 1);
                    const Digest leaf = poseidon_compress(poseidon_leaf_iv(kBlock), digest_of_threes);
                    const DigestWire root = b.constant(index.value == 0 ? poseidon_compress(leaf, Digest{})
                                                                        : poseidon_compress(Digest{}, leaf));
                    b.open(root, index, run, std::vector<Digest>(1));
                    const BaseExpr two = b.base_witness(KoalaBear(2));
                    const auto off = [&](int which, std::uint64_t x) {
                        return ExtensionExpr(ExtField(KoalaBear(x + (lie == which ? 1 : 0))));
                    };
                    b.require_equal(b.fold(weights, std::vector{run})[0], off(1, 84));
                    // Sums of 3 i and of i 2^i; (1 + 1 (2 - 1)) (1 + 2 (4 - 1)).
                    b.require_equal(b.evaluate(weights, std::vector{two})[0], off(2, 1538));
                    b.require_equal(b.power(two, std::span(weights).subspan(1, 2)), off(3, 14));
                    return root;
                },
                kinds);
            EXPECT_EQ(said.empty(), lie == 0) << lie << said;
        }
    }
}

TEST(Builder, MembershipOfSomeLeaf) {
    std::vector<Digest> level(8);
    for (std::uint64_t i = 0; i < 8; ++i) level[i] = poseidon_compress(Digest{}, Digest{KoalaBear(i)});
    std::vector<std::vector<Digest>> levels{level};
    while (levels.back().size() > 1) {
        std::vector<Digest> next;
        for (std::size_t i = 0; i < levels.back().size(); i += 2) {
            next.push_back(poseidon_compress(levels.back()[i], levels.back()[i + 1]));
        }
        levels.push_back(next);
    }
    for (const std::uint64_t claimed : {5U, 9U}) {
        const std::string said = complaint([&](CircuitBuilder& b) {
            std::vector<Digest> path;
            for (std::size_t v = 0; v < 3; ++v) path.push_back(levels[v][(5U >> v) ^ 1U]);
            const DigestWire root = b.constant(levels[3][0]);
            b.require_member(root, b.constant(Digest{}), std::vector{b.base_witness(KoalaBear(claimed))}, 5, path);
            return root;
        });
        EXPECT_EQ(said.empty(), claimed == 5) << said;
    }
}

}  // namespace
}  // namespace quarry::recursion::builder_test
