#pragma once
/// Shared by the tests of this folder: a small circuit with every kind of row, its tables as columns, and lies in them.
#include <random>
#include <string>
#include <vector>

#include "quarry/air/testing.hpp"
#include "quarry/hash/merkle.hpp"
#include "quarry/recursion/testing.hpp"

namespace quarry::recursion::testing {

inline ExtField random_ext(std::mt19937_64& rng) {
    ExtField x;
    for (std::size_t k = 0; k < kDegree; ++k) x[k] = KoalaBear(rng());
    return x;
}

/// Opened rows of a matrix 2^3 high: folded with the weights, and f(X) with the same coefficients at their points.
inline void use_matrix(CircuitBuilder& b, SpongeWires& sponge, std::mt19937_64& rng, std::size_t width,
                       std::span<const ExtensionExpr> weights) {
    constexpr unsigned kHeight = 3;
    const std::size_t stride = (width + 7) / 8 * 8;
    std::vector<KoalaBear> cells(stride << kHeight);
    for (std::size_t r = 0; r < std::size_t{1} << kHeight; ++r) {
        for (std::size_t i = 0; i < width; ++i) cells[r * stride + i] = KoalaBear(rng());
    }
    const auto tree = MerkleTree<PoseidonHasher>::build(cells, std::size_t{1} << kHeight, width, stride);
    const DigestWire root = b.witness(tree.root());
    std::vector<IndexWires> indices;
    std::vector<BaseRun> runs;
    std::vector<BaseExpr> points;
    std::vector<std::vector<Digest>> paths;
    for (int q = 0; q < 3; ++q) {
        const auto [address, value] = sponge.squeeze();
        indices.push_back(b.index(address, value, kHeight));
        const std::size_t row = indices.back().value;
        runs.push_back(b.leaf(std::span<const KoalaBear>(cells).subspan(row * stride, width)));
        paths.push_back(tree.path(row));
        points.push_back(indices.back().point);
    }
    b.open(root, indices, runs, std::vector<std::span<const Digest>>(paths.begin(), paths.end()));
    for (const ExtensionExpr& x : b.fold(weights, runs)) b.require_equal(x, ExtensionExpr(x.value()));
    for (const ExtensionExpr& x : b.evaluate(weights, points)) b.require_equal(x, ExtensionExpr(x.value()));
    for (const BaseExpr& x : points) {
        const ExtensionExpr y = b.power(x, weights.first(3));
        b.require_equal(y, ExtensionExpr(y.value()));
    }
}

/// Every kind of row that the builder writes, a few of each.
inline CircuitRows small_world() {
    std::mt19937_64 rng(5);
    CircuitBuilder b;
    SpongeWires sponge(b);
    std::vector<BaseExpr> known;
    for (std::uint64_t i = 0; i < 12; ++i) {
        const Address a = sponge.absorb(KoalaBear(i + 1));
        if (i % 3 == 0) known.push_back(b.lift(a, KoalaBear(i + 1)));
    }
    for (int i = 0; i < 9; ++i) {
        const auto [address, value] = sponge.squeeze();
        if (i % 2 == 0) known.push_back(b.lift(address, value));
    }
    std::array<KoalaBear, kDegree> parts;
    const Address first = sponge.absorb(KoalaBear(77));
    parts[0] = KoalaBear(77);
    for (std::size_t k = 1; k < kDegree; ++k) (void)sponge.absorb(parts[k] = KoalaBear(rng()));
    const ExtensionExpr packed = b.pack(first, parts);

    const ExtensionExpr u = b.witness(random_ext(rng));
    b.require_equal(u * b.inverse(u), ExtensionExpr(ExtField(1)));
    const ExtensionExpr v = u * packed + packed * u * KoalaBear(3) - u;
    b.require_equal(v * v, ExtensionExpr(v.value() * v.value()));

    std::vector<ExtensionExpr> weights;
    for (int i = 0; i < 16; ++i) weights.push_back(b.witness(random_ext(rng)));
    use_matrix(b, sponge, rng, 16, weights);
    use_matrix(b, sponge, rng, 80, weights);
    const auto [address, value] = sponge.squeeze();
    b.require_zero_bits(address, value, 0);

    const DigestWire left = b.witness(Digest{KoalaBear(4), KoalaBear(5)});
    const DigestWire right = b.constant(Digest{KoalaBear(6)});
    const DigestWire both = b.compress(left, right);
    (void)sponge.absorb(KoalaBear(3));  // a block of one element
    (void)sponge.squeeze();
    for (const BaseExpr& x : b.elements(both)) sponge.absorb(x);
    for (std::size_t k = 0; k < kBlock; ++k) sponge.absorb(BaseExpr(left, k));
    for (std::size_t i = 0; i <= kBlock; ++i) (void)sponge.squeeze();
    const DigestWire chain = b.chain(both, known);
    b.require_equal(chain, b.constant(chain.value));
    std::vector<Digest> path{both.value, left.value};
    Digest node = poseidon_compress(right.value, Digest{known[0].value()});
    node = poseidon_compress(path[0], node);
    node = poseidon_compress(node, path[1]);
    b.require_member(b.constant(node), right, std::vector{known[0]}, 1, path);

    // A sponge of one row, whose output nobody reads.
    SpongeWires other(b);
    for (std::uint64_t i = 0; i < kBlock; ++i) (void)other.absorb(KoalaBear(i));
    b.expose(both);
    return std::move(b).finish();
}

/// One table of the small world.
struct WorldTable {
    const Table* table;
    Columns columns;
    std::size_t num_rows;

    /// The number of the column with this name.
    [[nodiscard]] std::size_t column(const std::string& name) const {
        for (std::size_t c = 0; c < table->num_columns(); ++c) {
            if (table->columns[c] == name) return c;
        }
        throw std::logic_error("no column " + name);
    }
    [[nodiscard]] std::size_t column(const std::string& name, std::size_t i) const { return column(indexed(name, i)); }
    [[nodiscard]] KoalaBear at(const std::string& name, std::size_t row) const { return columns[column(name)][row]; }
    [[nodiscard]] bool is_set(const std::string& name, std::size_t row) const { return !at(name, row).is_zero(); }
    /// Used rows, the first unused one, and the last.
    [[nodiscard]] std::vector<std::size_t> rows() const {
        std::vector<std::size_t> r;
        for (std::size_t i = 0; i <= num_rows; ++i) r.push_back(i);
        r.push_back(columns[0].size() - 1);
        return r;
    }
    /// The first used row of which `is` holds.
    template <class F>
    [[nodiscard]] std::size_t row_where(F is) const {
        for (std::size_t r = 0; r < num_rows; ++r) {
            if (is(r)) return r;
        }
        throw std::logic_error("no such row");
    }
    [[nodiscard]] std::vector<std::string> broken(const Columns& changed) const {
        return broken_constraints(*table, changed);
    }
};

inline const LaidOut& small_world_laid_out() {
    static const LaidOut laid(small_world());
    return laid;
}
inline WorldTable world_table(TableKind kind) {
    const LaidOut& laid = small_world_laid_out();
    static const std::vector<Columns> columns = laid.columns();
    static const auto counts = count_rows(small_world());
    const auto t = static_cast<std::size_t>(kind);  // one table of each kind
    return {&laid.circuit->tables()[t], columns[t], counts[t]};
}

}  // namespace quarry::recursion::testing
