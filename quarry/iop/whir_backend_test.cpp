// The verifier's text on another arithmetic than the native one, as recursion will run it: wires that cannot be
// default-made or compared, and that count what they cost.
#include <gtest/gtest.h>

#include <array>

#include "quarry/iop/whir.hpp"
#include "quarry/iop/whir_testing.hpp"

namespace quarry::wires::whir_backend_test {
namespace {

struct Count {
    std::size_t base_products = 0, mixed_products = 0, ext_products = 0, equalities = 0, paths = 0;
};

struct WireF {
    KoalaBear value;
    Count* count;
    explicit WireF(KoalaBear x, Count* c) : value(x), count(c) {}
    friend WireF operator+(const WireF& a, const WireF& b) { return WireF(a.value + b.value, a.count); }
    friend WireF operator-(const WireF& a, const WireF& b) { return WireF(a.value - b.value, a.count); }
    friend WireF operator*(const WireF& a, const WireF& b) {
        ++a.count->base_products;
        return WireF(a.value * b.value, a.count);
    }
};
struct WireE {
    ExtField value;
    Count* count;
    explicit WireE(const ExtField& x, Count* c) : value(x), count(c) {}
    friend WireE operator+(const WireE& a, const WireE& b) { return WireE(a.value + b.value, a.count); }
    friend WireE operator-(const WireE& a, const WireE& b) { return WireE(a.value - b.value, a.count); }
    friend WireE operator*(const WireE& a, const WireE& b) {
        ++a.count->ext_products;
        return WireE(a.value * b.value, a.count);
    }
    friend WireE operator*(const WireE& a, const WireF& b) {
        ++a.count->mixed_products;
        return WireE(a.value * b.value, a.count);
    }
};

struct WireBackend {
    using F = WireF;
    using E = WireE;
    Count* count;
    bool satisfied = true;  ///< a circuit's requirements always succeed; whether they hold is the witness's matter

    [[nodiscard]] F constant(KoalaBear x) const { return F(x, count); }
    [[nodiscard]] E constant(const ExtField& x) const { return E(x, count); }
    [[nodiscard]] Status require_equal(const E& a, const E& b, Errc /*code*/, const char* /*where*/) {
        ++count->equalities;
        satisfied = satisfied && a.value == b.value;
        return Ok{};
    }
};

using WireDigest = std::array<WireF, kDigestSize>;

WireE pack_extension(WireBackend& backend, std::span<const WireF> five) {
    ExtField x;
    for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = five[k].value;
    return backend.constant(x);
}

Digest values(const WireDigest& wires) {
    Digest d;
    for (std::size_t k = 0; k < kDigestSize; ++k) d[k] = wires[k].value;
    return d;
}
WireDigest wires_of(const Digest& d, Count* count) {
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
        return WireDigest{WireF(d[K], count)...};
    }(std::make_index_sequence<kDigestSize>());
}

Status require_merkle(WireBackend& backend, const WireDigest& root, std::span<const QueryIndex<WireBackend>> indices,
                      std::span<const std::span<const WireF>> rows,
                      std::span<const std::span<const WireDigest>> paths) {
    for (std::size_t j = 0; j < indices.size(); ++j) {
        std::vector<KoalaBear> row;
        for (const WireF& x : rows[j]) row.push_back(x.value);
        std::vector<Digest> path;
        for (const WireDigest& d : paths[j]) path.push_back(values(d));
        const auto height = static_cast<unsigned>(indices[j].bits.size());
        const bool ok = verify_merkle_path<PoseidonHasher>(values(root), indices[j].value, height, row, path).ok();
        backend.satisfied = backend.satisfied && ok;
        ++backend.count->paths;
    }
    return Ok{};
}

class WireChannel {
  public:
    WireChannel(NativeVerifierChannel& native, Count* count) : native_(native), count_(count) {}
    WireE receive_ext() { return WireE(native_.receive_ext(), count_); }
    WireDigest receive_digest() { return wires_of(native_.receive_digest(), count_); }
    WireE challenge() { return WireE(native_.challenge(), count_); }
    std::vector<QueryIndex<WireBackend>> challenge_indices(std::size_t count, unsigned bits) {
        std::vector<QueryIndex<WireBackend>> indices;
        for (const QueryIndex<NativeBackend>& native : native_.challenge_indices(count, bits)) {
            QueryIndex<WireBackend>& index = indices.emplace_back();
            for (const KoalaBear b : native.bits) index.bits.emplace_back(b, count_);
            index.value = native.value;
        }
        return indices;
    }
    Status check_grinding(unsigned bits, const char* where) { return native_.check_grinding(bits, where); }

  private:
    NativeVerifierChannel& native_;
    Count* count_;
};

struct WireOpenings {
    std::vector<std::vector<std::vector<WireF>>> rows;
    std::vector<std::vector<std::vector<WireDigest>>> paths;

    WireOpenings(const WhirOpenings& openings, Count* count) {
        for (const auto& round : openings.oracles) {
            rows.emplace_back();
            paths.emplace_back();
            for (const Opening& opening : round) {
                rows.back().emplace_back();
                for (const KoalaBear x : opening.row) rows.back().back().emplace_back(x, count);
                paths.back().emplace_back();
                for (const Digest& d : opening.path) paths.back().back().push_back(wires_of(d, count));
            }
        }
    }
    [[nodiscard]] std::size_t num_oracles() const { return rows.size(); }
    [[nodiscard]] std::size_t num_queries(std::size_t i) const { return rows[i].size(); }
    [[nodiscard]] std::span<const WireF> row(std::size_t i, std::size_t j) const { return rows[i][j]; }
    [[nodiscard]] std::span<const WireDigest> path(std::size_t i, std::size_t j) const { return paths[i][j]; }
};

bool satisfied(const whir_testing::Instance& instance, const whir_testing::Proof& proof, Count& count) {
    NativeVerifierChannel native(whir_testing::start(), proof.stream);
    WireChannel channel(native, &count);
    WireBackend backend{&count};
    WhirClaims<WireBackend> claims{{}, backend.constant(instance.value)};
    for (const whir_testing::Group& g : instance.groups) {
        WhirClaimGroup<WireBackend> group{g.log_chunk, {}, [&](std::span<const WireE> r) {
                                              whir_testing::Dense point;
                                              for (const WireE& x : r) point.push_back(x.value);
                                              return backend.constant(whir_testing::evaluate(g.kernel, point));
                                          }};
        for (const auto& [s, x] : g.weights) group.weights.emplace_back(s, backend.constant(x));
        claims.groups.push_back(std::move(group));
    }
    const WireDigest root = channel.receive_digest();
    const WireOpenings openings(proof.openings, &count);
    EXPECT_TRUE(verify_whir(backend, channel, root, instance.used_lanes, claims, openings, instance.parameters).ok());
    EXPECT_TRUE(native.finish().ok());
    return backend.satisfied;
}

TEST(WhirBackend, TheSameTextRunsOnWires) {
    const auto parameters = whir_testing::make_parameters(14, {{5, 0, 1, 8, 0}, {3, 0, 2, 6, 0}, {2, 0, 4, 4, 0}});
    const auto instance = whir_testing::make_instance(parameters, 27, std::array{9U, 6U}, 7);
    whir_testing::Proof proof = whir_testing::prove(instance, instance.commit());
    Count count;
    EXPECT_TRUE(satisfied(instance, proof, count));
    EXPECT_EQ(count.paths, 8U + 6U + 4U);
    EXPECT_EQ(count.equalities, 4U + 1U);
    // Rows 8 x 27 and one power table a query; extension rows 6 x 8 + 4 x 4.
    EXPECT_GE(count.mixed_products, 8U * 27 + 8U * 9 + 6U * 6);
    EXPECT_GE(count.ext_products, 6U * 8 + 4U * 4);

    // What the native verifier refuses leaves the circuit unsatisfied.
    Count other;
    auto claimed = instance;
    claimed.value += ExtField(1);
    EXPECT_FALSE(satisfied(claimed, proof, other));
    proof.openings.oracles[1][2].row[3] += KoalaBear(1);
    EXPECT_FALSE(satisfied(instance, proof, other));
}

}  // namespace
}  // namespace quarry::wires::whir_backend_test
