#include "quarry/iop/whir.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>

#include "quarry/field/isa.hpp"
#include "quarry/iop/whir_testing.hpp"

namespace quarry::whir_test {
namespace {

using whir_testing::Dense;
using whir_testing::DenseProver;
using whir_testing::Instance;
using whir_testing::make_instance;
using whir_testing::make_parameters;
using whir_testing::prove;
using whir_testing::verify;

struct Shape {
    WhirParameters parameters;
    std::size_t used_lanes;
    std::vector<unsigned> log_chunks;
};
enum ShapeName { two_rounds, three_rounds, wide, one_round_one_lane };

// log_lanes, log_message (filled in), log_inv_rate, num_queries, grinding_bits
Shape shape(ShapeName name) {
    switch (name) {
        case two_rounds:
            return {make_parameters(12, {{4, 0, 1, 9, 3}, {4, 0, 3, 5, 0}}), 13, {8, 5, 4}};
        case three_rounds:
            return {make_parameters(14, {{5, 0, 1, 8, 2}, {3, 0, 2, 5, 1}, {2, 0, 4, 3, 4}}), 32, {9, 6, 4, 9}};
        case wide:
            return {make_parameters(16, {{7, 0, 1, 12, 4}, {5, 0, 3, 6, 2}}), 100, {9}};
        default:
            return {make_parameters(12, {{5, 0, 2, 7, 0}}), 1, {7, 5}};
    }
}

template <class HashPolicy, ShapeName kShape>
struct Case {
    using P = HashPolicy;
    static Shape make() { return shape(kShape); }
};

template <class C>
class Whir : public testing::Test {
  protected:
    using Policy = typename C::P;
    using StackTree = BasicCommitment<typename Policy::Hasher>;
    using Proof = whir_testing::BasicProof<Policy>;

    static Instance make() {
        const Shape s = C::make();
        return make_instance(s.parameters, s.used_lanes, s.log_chunks, s.used_lanes);
    }
    [[nodiscard]] Proof proof() const { return whir_testing::prove<Policy>(instance_, stack_); }

    Instance instance_ = make();
    StackTree stack_ = instance_.template commit<Policy>();
};

using Cases =
    testing::Types<Case<PoseidonPolicy, two_rounds>, Case<PoseidonPolicy, three_rounds>, Case<PoseidonPolicy, wide>,
                   Case<PoseidonPolicy, one_round_one_lane>, Case<KeccakPolicy, two_rounds>,
                   Case<KeccakPolicy, three_rounds>, Case<KeccakPolicy, one_round_one_lane>>;
struct CaseNames {
    template <class C>
    static std::string GetName(int i) {
        return (std::is_same_v<typename C::P, KeccakPolicy> ? "keccak_" : "poseidon_") + std::to_string(i);
    }
};
TYPED_TEST_SUITE(Whir, Cases, CaseNames);

Errc code_of(const Status& status) {
    EXPECT_FALSE(status.ok());
    return status.ok() ? Errc::truncated : status.error().code;
}

// Another symbol of a stream or a digest; twice is none.
void change(KoalaBear& x) { x = KoalaBear(1) - x; }
void change(std::uint8_t& x) { x ^= 1; }

template <class P>
bool same_openings(const BasicOpenings<P>& a, const BasicOpenings<P>& b) {
    const auto same_opening = [](const auto& x, const auto& y) { return x.row == y.row && x.path == y.path; };
    const auto same_oracle = [&](const auto& x, const auto& y) { return std::ranges::equal(x, y, same_opening); };
    return std::ranges::equal(a.oracles, b.oracles, same_oracle) && a.caps == b.caps;
}

TYPED_TEST(Whir, AcceptsTrueClaims) {
    const auto proof = this->proof();
    using P = typename TypeParam::P;
    EXPECT_EQ(proof.stream.size(), P::kUnits.digest + whir_stream_length(this->instance_.parameters, P::kUnits));
    const Status status = verify(this->instance_, proof);
    EXPECT_TRUE(status.ok()) << errc_name(status.error().code) << " " << status.error().where;
}

TYPED_TEST(Whir, SendsWhatTheSpecificationSays) {
    const auto proof = this->proof();
    const auto dense = DenseProver<typename TypeParam::P>(this->instance_, {}).prove(this->stack_);
    EXPECT_EQ(proof.stream, dense.stream);
    EXPECT_TRUE(same_openings(proof.openings, dense.openings));
}

// The same lanes under two roots: every message is the same, every row is the two parts' side by side.
TYPED_TEST(Whir, TheStackMayBeCommittedInParts) {
    if (this->instance_.used_lanes < 2) return;
    using P = typename TypeParam::P;
    using Tree = typename TestFixture::StackTree;
    const auto whole = this->proof();
    const WhirRound& round = this->instance_.parameters.rounds[0];
    for (const std::size_t first : {std::size_t{1}, this->instance_.used_lanes / 2, this->instance_.used_lanes - 1}) {
        const std::span<const KoalaBear> message(this->instance_.message);
        const std::size_t cut = first << round.log_message;
        const Tree head = Tree::commit(message.first(cut), first, round);
        const Tree tail = Tree::commit(message.subspan(cut), this->instance_.used_lanes - first, round);
        const std::array<BasicStackPart<P>, 2> parts{{{&head, message.first(cut)}, {&tail, message.subspan(cut)}}};
        BasicProverChannel<P> prover(whir_testing::start<P>());
        prover.send_digest("stack/root", this->stack_.root());
        auto openings = prove_whir(prover, parts, this->instance_.prover_claims(), this->instance_.parameters);
        const auto stream = std::move(prover).take();
        EXPECT_EQ(stream, whole.stream);
        ASSERT_EQ(openings.oracles.size(), whole.openings.oracles.size() + 1);
        for (std::size_t j = 0; j < round.num_queries; ++j) {
            std::vector<KoalaBear> row = openings.oracles[0][j].row;
            row.insert(row.end(), openings.oracles[1][j].row.begin(), openings.oracles[1][j].row.end());
            EXPECT_EQ(row, whole.openings.oracles[0][j].row);
        }

        using Roots = std::vector<StackRoot<typename P::Digest>>;
        const Roots roots{{head.root(), head.width()}, {tail.root(), tail.width()}};
        const auto verify_parts = [&](const Roots& stack) {
            NativeBackend backend;
            BasicVerifierChannel<P> channel(whir_testing::start<P>(), stream);
            (void)channel.receive_digest();
            return verify_whir(backend, channel, stack, this->instance_.verifier_claims(), openings,
                               this->instance_.parameters);
        };
        EXPECT_TRUE(verify_parts(roots).ok());
        EXPECT_EQ(code_of(verify_parts({{tail.root(), head.width()}, roots[1]})), Errc::merkle_mismatch);
        EXPECT_EQ(code_of(verify_parts({roots[0], {head.root(), tail.width()}})), Errc::merkle_mismatch);
        EXPECT_EQ(code_of(verify_parts({roots[0], {tail.root(), 0}})), Errc::bad_shape);
        EXPECT_EQ(code_of(verify_parts({roots[0], {tail.root(), tail.width() - 1}})),
                  tail.width() == 1 ? Errc::bad_shape : Errc::bad_length);
        EXPECT_EQ(code_of(verify_parts({roots[0]})), Errc::bad_length);
        EXPECT_EQ(code_of(verify_parts({roots[0], {tail.root(), std::size_t{1} << round.log_lanes}})), Errc::bad_shape);
        EXPECT_EQ(code_of(verify_parts({})), Errc::bad_shape);
        for (const std::size_t o : {std::size_t{0}, std::size_t{1}}) {
            openings.oracles[o].back().row.back() += KoalaBear(1);
            EXPECT_EQ(code_of(verify_parts(roots)), Errc::merkle_mismatch);
            openings.oracles[o].back().row.back() -= KoalaBear(1);
            std::swap(openings.oracles[o][0], openings.oracles[o][1]);
            if (whole.openings.positions[0][0] != whole.openings.positions[0][1]) {
                EXPECT_EQ(code_of(verify_parts(roots)), Errc::merkle_mismatch);
            }
            std::swap(openings.oracles[o][0], openings.oracles[o][1]);
        }
        EXPECT_TRUE(verify_parts(roots).ok());
    }
}

TYPED_TEST(Whir, SameProofOnEveryIsaAndThreadCount) {
    using P = typename TypeParam::P;
    const auto reference = this->proof();
    const Isa before = current_isa();
    for (const Isa isa : supported_isas()) {
        force_isa(isa);
        for (const int threads : {1, 2}) {
            tbb::task_arena arena(threads);
            const auto proof =
                arena.execute([&] { return prove<P>(this->instance_, this->instance_.template commit<P>()); });
            EXPECT_EQ(proof.stream, reference.stream) << isa_name(isa) << " " << threads;
            EXPECT_TRUE(same_openings(proof.openings, reference.openings)) << isa_name(isa) << " " << threads;
        }
    }
    force_isa(before);
}

TYPED_TEST(Whir, RefusesEveryChangedStreamElement) {
    auto proof = this->proof();
    const std::size_t step = TypeParam::P::kUnits.element == 1 ? 1 : 3;  // of bytes, every third
    for (std::size_t i = 0; i < proof.stream.size(); i += step) {
        change(proof.stream[i]);
        EXPECT_FALSE(verify(this->instance_, proof).ok()) << i;
        change(proof.stream[i]);
    }
    EXPECT_TRUE(verify(this->instance_, proof).ok());
}

TYPED_TEST(Whir, RefusesEveryChangedOpeningElement) {
    auto proof = this->proof();
    const auto expect_refused = [&](auto& x) {
        change(x);
        EXPECT_EQ(code_of(verify(this->instance_, proof)), Errc::merkle_mismatch);
        change(x);
    };
    for (auto& round : proof.openings.oracles) {
        for (auto& opening : round) {
            for (std::size_t a = 0; a < opening.row.size(); a += 7) expect_refused(opening.row[a]);
            expect_refused(opening.row.back());
            for (auto& sibling : opening.path) {
                for (std::size_t k = 0; k < sibling.size(); k += sibling.size() / kDigestSize)
                    expect_refused(sibling[k]);
            }
        }
    }
    for (auto& cap : proof.openings.caps) {
        for (auto& node : cap) expect_refused(node.back());
    }
    EXPECT_TRUE(verify(this->instance_, proof).ok());
}

TYPED_TEST(Whir, RefusesFalseValue) {
    const auto proof = this->proof();
    for (std::size_t k = 0; k < ExtField::kDegree; ++k) {
        Instance claimed = this->instance_;
        claimed.value[k] += KoalaBear(1);
        EXPECT_EQ(code_of(verify(claimed, proof)), Errc::final_mismatch);
    }
}

TYPED_TEST(Whir, RefusesAnyOtherStatement) {
    const auto proof = this->proof();
    Instance other = this->instance_;
    other.groups[0].weights[0].second += ExtField(1);
    EXPECT_EQ(code_of(verify(other, proof)), Errc::final_mismatch);
    other = this->instance_;
    other.groups[0].weights[0].first ^= 1;
    EXPECT_EQ(code_of(verify(other, proof)), Errc::final_mismatch);
    other = this->instance_;
    other.groups[0].kernel[3] += ExtField(1);
    EXPECT_EQ(code_of(verify(other, proof)), Errc::final_mismatch);
}

// A channel that must not be used.
template <class P>
struct UntouchedChannel {
    static KoalaBear receive() { return ADD_FAILURE() << "read", KoalaBear(); }
    static ExtField receive_ext() { return ADD_FAILURE() << "read", ExtField(); }
    static typename P::Digest receive_digest() { return ADD_FAILURE() << "read", typename P::Digest(); }
    static ExtField challenge() { return ADD_FAILURE() << "drew", ExtField(); }
    static std::vector<QueryIndex<NativeBackend>> challenge_indices(std::size_t /*count*/, unsigned /*bits*/) {
        return ADD_FAILURE() << "drew", std::vector<QueryIndex<NativeBackend>>();
    }
    static Status check_grinding(unsigned /*bits*/, const char* /*where*/) { return ADD_FAILURE() << "read", Ok{}; }
};

template <class P>
Errc refused_untouched(const Instance& instance, const BasicOpenings<P>& openings) {
    NativeBackend backend;
    UntouchedChannel<P> channel;
    return code_of(verify_whir(backend, channel, typename P::Digest{}, instance.used_lanes, instance.verifier_claims(),
                               openings, instance.parameters));
}

TYPED_TEST(Whir, ChecksEveryLengthBeforeArithmetic) {
    const auto proof = this->proof();
    const auto expect_bad_length = [&](auto change) {
        auto openings = proof.openings;
        change(openings.oracles);
        EXPECT_EQ(refused_untouched(this->instance_, openings), Errc::bad_length);
    };
    expect_bad_length([](auto& oracles) { oracles.pop_back(); });
    expect_bad_length([](auto& oracles) { oracles.emplace_back(); });
    expect_bad_length([](auto& oracles) { oracles.clear(); });
    for (std::size_t i = 0; i < proof.openings.oracles.size(); ++i) {
        expect_bad_length([i](auto& oracles) { oracles[i].pop_back(); });
        expect_bad_length([i](auto& oracles) { oracles[i].push_back(oracles[i].front()); });
        expect_bad_length([i](auto& oracles) { oracles[i].back().row.pop_back(); });
        expect_bad_length([i](auto& oracles) { oracles[i].back().row.emplace_back(); });
        expect_bad_length([i](auto& oracles) { oracles[i].back().path.pop_back(); });
        expect_bad_length([i](auto& oracles) { oracles[i].back().path.emplace_back(); });
    }
    const auto expect_bad_cap = [&](auto change_caps) {
        auto openings = proof.openings;
        change_caps(openings.caps);
        EXPECT_EQ(refused_untouched(this->instance_, openings), Errc::bad_length);
    };
    for (std::size_t i = 0; i < proof.openings.caps.size(); ++i) {
        expect_bad_cap([](auto& caps) { caps.pop_back(); });
        expect_bad_cap([](auto& caps) { caps.emplace_back(); });
        expect_bad_cap([i](auto& caps) { caps[i].clear(); });
        expect_bad_cap([i](auto& caps) { caps[i].pop_back(); });
        expect_bad_cap([i](auto& caps) { caps[i].resize(2 * caps[i].size()); });
        expect_bad_cap([i](auto& caps) { caps[i].resize(caps[i].size() / 2); });
    }
}

TYPED_TEST(Whir, ChecksTheStatementsShapeBeforeArithmetic) {
    const auto openings = this->proof().openings;
    Instance other = this->instance_;
    other.used_lanes = 0;
    EXPECT_EQ(refused_untouched(other, openings), Errc::bad_shape);
    other.used_lanes = (std::size_t{1} << other.parameters.rounds[0].log_lanes) + 1;
    EXPECT_EQ(refused_untouched(other, openings), Errc::bad_shape);
    other = this->instance_;
    other.groups[0].log_chunk = other.parameters.rounds[0].log_message + 1;
    EXPECT_EQ(refused_untouched(other, openings), Errc::bad_shape);
    other = this->instance_;
    other.groups[0].weights[0].first = std::size_t{1} << (other.parameters.log_size - other.groups[0].log_chunk);
    EXPECT_EQ(refused_untouched(other, openings), Errc::bad_shape);
}

// Row j, lane a, against sum_b f(a, b) x_j^b with x_j the power of the root by the reversed index.
TYPED_TEST(Whir, CommittedRowsAreEvaluationsOfTheLanes) {
    const WhirRound& round = this->instance_.parameters.rounds[0];
    const unsigned log_rows = round.log_message + round.log_inv_rate;
    std::mt19937_64 rng(3);
    NativeBackend backend;
    for (int trial = 0; trial < 4; ++trial) {
        QueryIndex<NativeBackend> index;
        index.value = rng() >> (64 - log_rows);
        std::size_t reversed = 0;
        for (unsigned k = 0; k < log_rows; ++k) {
            index.bits.emplace_back((index.value >> k) & 1);
            reversed = 2 * reversed + ((index.value >> k) & 1);
        }
        const KoalaBear x = KoalaBear::two_adic_root(log_rows).pow(reversed);
        EXPECT_EQ(whir_detail::query_point(backend, index), x);
        const auto opening = this->stack_.open(index.value);
        EXPECT_EQ(opening.path.size(), log_rows);
        const std::span<const KoalaBear> row(opening.row);
        using Hasher = typename TypeParam::P::Hasher;
        EXPECT_TRUE(verify_merkle_path<Hasher>(this->stack_.root(), index.value, log_rows, row, opening.path).ok());
        for (std::size_t a = 0; a < this->instance_.used_lanes; ++a) {
            KoalaBear value;
            for (std::size_t b = std::size_t{1} << round.log_message; b-- > 0;) {
                value = value * x + this->instance_.message[(a << round.log_message) + b];
            }
            EXPECT_EQ(opening.row[a], value);
        }
    }
}

TEST(WhirFormulas, SparseWeightsAndLaneWeightsAreTheMultilinearExtension) {
    std::mt19937_64 rng(4);
    NativeBackend backend;
    for (unsigned log_size = 0; log_size <= 6; ++log_size) {
        const std::size_t size = std::size_t{1} << log_size;
        const Dense r = whir_testing::random_dense(rng, log_size);
        Dense dense(size);
        std::vector<std::pair<std::size_t, ExtField>> sparse;
        for (std::size_t i = 0; i < size / 2 + 1; ++i) {
            sparse.emplace_back(rng() % size, whir_testing::random_ext(rng));
            dense[sparse.back().first] += sparse.back().second;
        }
        EXPECT_EQ(whir_detail::sparse_at(backend, sparse, std::span(r)), whir_testing::evaluate(dense, r));
        EXPECT_EQ(whir_detail::sparse_at(backend, {}, std::span(r)), ExtField());
        for (std::size_t count = 1; count <= size; ++count) {
            const Dense weights = whir_detail::eq_weights(backend, std::span<const ExtField>(r), count);
            ASSERT_EQ(weights.size(), count);
            for (std::size_t a = 0; a < count; ++a) {
                Dense unit(size);
                unit[a] = ExtField(1);
                EXPECT_EQ(weights[a], whir_testing::evaluate(unit, r));
            }
        }
        const ExtField z = whir_testing::random_ext(rng);
        Dense powers(size, ExtField(1));
        for (std::size_t b = 1; b < size; ++b) powers[b] = powers[b - 1] * z;
        EXPECT_EQ(whir_detail::pow_at(backend, z, ExtField(1), std::span<const ExtField>(r)),
                  whir_testing::evaluate(powers, r));
    }
}

}  // namespace
}  // namespace quarry::whir_test
