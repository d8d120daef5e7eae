#include "quarry/iop/whir.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <string>

#include "quarry/field/isa.hpp"
#include "quarry/iop/whir_testing.hpp"

namespace quarry {
namespace {

using whir_testing::Dense;
using whir_testing::DenseProver;
using whir_testing::Instance;
using whir_testing::make_instance;
using whir_testing::make_parameters;
using whir_testing::Proof;
using whir_testing::prove;
using whir_testing::verify;

struct Shape {
    std::string name;
    WhirParameters parameters;
    std::size_t used_lanes;
    std::vector<unsigned> log_chunks;
};

// log_lanes, log_message (filled in), log_inv_rate, num_queries, grinding_bits
std::vector<Shape> shapes() {
    return {
        {"two_rounds", make_parameters(12, {{4, 0, 1, 9, 3}, {4, 0, 3, 5, 0}}), 13, {8, 5, 4}},
        {"three_rounds", make_parameters(14, {{5, 0, 1, 8, 2}, {3, 0, 2, 5, 1}, {2, 0, 4, 3, 4}}), 32, {9, 6, 4, 9}},
        {"wide", make_parameters(16, {{7, 0, 1, 12, 4}, {5, 0, 3, 6, 2}}), 100, {9}},
        {"one_round_one_lane", make_parameters(12, {{5, 0, 2, 7, 0}}), 1, {7, 5}},
    };
}

class Whir : public testing::TestWithParam<Shape> {
  protected:
    Instance instance_ =
        make_instance(GetParam().parameters, GetParam().used_lanes, GetParam().log_chunks, GetParam().used_lanes);
    Commitment stack_ = instance_.commit();
};

INSTANTIATE_TEST_SUITE_P(Shapes, Whir, testing::ValuesIn(shapes()),
                         [](const testing::TestParamInfo<Shape>& shape) { return shape.param.name; });

Errc code_of(const Status& status) {
    EXPECT_FALSE(status.ok());
    return status.ok() ? Errc::truncated : status.error().code;
}

bool same_openings(const WhirOpenings& a, const WhirOpenings& b) {
    const auto same_opening = [](const Opening& x, const Opening& y) { return x.row == y.row && x.path == y.path; };
    const auto same_oracle = [&](const auto& x, const auto& y) { return std::ranges::equal(x, y, same_opening); };
    return std::ranges::equal(a.oracles, b.oracles, same_oracle);
}

TEST_P(Whir, AcceptsTrueClaims) {
    const Proof proof = prove(instance_, stack_);
    EXPECT_EQ(proof.stream.size(), kDigestSize + whir_stream_length(instance_.parameters));
    const Status status = verify(instance_, proof);
    EXPECT_TRUE(status.ok()) << errc_name(status.error().code) << " " << status.error().where;
}

TEST_P(Whir, SendsWhatTheSpecificationSays) {
    const Proof proof = prove(instance_, stack_);
    const Proof dense = DenseProver(instance_, {}).prove(stack_);
    EXPECT_EQ(proof.stream, dense.stream);
    EXPECT_TRUE(same_openings(proof.openings, dense.openings));
}

// The same lanes under two roots: every message is the same, every row is the two parts' side by side.
TEST_P(Whir, TheStackMayBeCommittedInParts) {
    if (instance_.used_lanes < 2) return;
    const Proof whole = prove(instance_, stack_);
    const WhirRound& round = instance_.parameters.rounds[0];
    for (const std::size_t first : {std::size_t{1}, instance_.used_lanes / 2, instance_.used_lanes - 1}) {
        const std::span<const KoalaBear> message(instance_.message);
        const std::size_t cut = first << round.log_message;
        const Commitment head = Commitment::commit(message.first(cut), first, round);
        const Commitment tail = Commitment::commit(message.subspan(cut), instance_.used_lanes - first, round);
        const std::array<StackPart, 2> parts{{{&head, message.first(cut)}, {&tail, message.subspan(cut)}}};
        ProverChannel prover(whir_testing::start());
        prover.send("stack/root", stack_.root());
        WhirOpenings openings = prove_whir(prover, parts, instance_.prover_claims(), instance_.parameters);
        const ProofStream stream = std::move(prover).take();
        EXPECT_EQ(stream, whole.stream);
        ASSERT_EQ(openings.oracles.size(), whole.openings.oracles.size() + 1);
        for (std::size_t j = 0; j < round.num_queries; ++j) {
            std::vector<KoalaBear> row = openings.oracles[0][j].row;
            row.insert(row.end(), openings.oracles[1][j].row.begin(), openings.oracles[1][j].row.end());
            EXPECT_EQ(row, whole.openings.oracles[0][j].row);
        }

        using Roots = std::vector<StackRoot<NativeBackend>>;
        const Roots roots{{head.root(), head.width()}, {tail.root(), tail.width()}};
        const auto verify_parts = [&](const Roots& stack) {
            NativeBackend backend;
            NativeVerifierChannel channel(whir_testing::start(), stream);
            (void)channel.receive_digest();
            return verify_whir(backend, channel, stack, instance_.verifier_claims(), openings, instance_.parameters);
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

TEST_P(Whir, SameProofOnEveryIsaAndThreadCount) {
    const Proof reference = prove(instance_, stack_);
    const Isa before = current_isa();
    for (const Isa isa : supported_isas()) {
        force_isa(isa);
        for (const int threads : {1, 2}) {
            tbb::task_arena arena(threads);
            const Proof proof = arena.execute([&] { return prove(instance_, instance_.commit()); });
            EXPECT_EQ(proof.stream, reference.stream) << isa_name(isa) << " " << threads;
            EXPECT_TRUE(same_openings(proof.openings, reference.openings)) << isa_name(isa) << " " << threads;
        }
    }
    force_isa(before);
}

TEST_P(Whir, RefusesEveryChangedStreamElement) {
    Proof proof = prove(instance_, stack_);
    for (std::size_t i = 0; i < proof.stream.size(); ++i) {
        proof.stream[i] += KoalaBear(1);
        EXPECT_FALSE(verify(instance_, proof).ok()) << i;
        proof.stream[i] -= KoalaBear(1);
    }
    EXPECT_TRUE(verify(instance_, proof).ok());
}

TEST_P(Whir, RefusesEveryChangedOpeningElement) {
    Proof proof = prove(instance_, stack_);
    const auto expect_refused = [&](KoalaBear& x) {
        x += KoalaBear(1);
        EXPECT_EQ(code_of(verify(instance_, proof)), Errc::merkle_mismatch);
        x -= KoalaBear(1);
    };
    for (auto& round : proof.openings.oracles) {
        for (Opening& opening : round) {
            for (std::size_t a = 0; a < opening.row.size(); a += 7) expect_refused(opening.row[a]);
            expect_refused(opening.row.back());
            for (Digest& sibling : opening.path) {
                for (KoalaBear& x : sibling) expect_refused(x);
            }
        }
    }
    EXPECT_TRUE(verify(instance_, proof).ok());
}

TEST_P(Whir, RefusesFalseValue) {
    const Proof proof = prove(instance_, stack_);
    for (std::size_t k = 0; k < ExtField::kDegree; ++k) {
        Instance claimed = instance_;
        claimed.value[k] += KoalaBear(1);
        EXPECT_EQ(code_of(verify(claimed, proof)), Errc::final_mismatch);
    }
}

TEST_P(Whir, RefusesAnyOtherStatement) {
    const Proof proof = prove(instance_, stack_);
    Instance other = instance_;
    other.groups[0].weights[0].second += ExtField(1);
    EXPECT_EQ(code_of(verify(other, proof)), Errc::final_mismatch);
    other = instance_;
    other.groups[0].weights[0].first ^= 1;
    EXPECT_EQ(code_of(verify(other, proof)), Errc::final_mismatch);
    other = instance_;
    other.groups[0].kernel[3] += ExtField(1);
    EXPECT_EQ(code_of(verify(other, proof)), Errc::final_mismatch);
}

// A channel that must not be used.
struct UntouchedChannel {
    static KoalaBear receive() { return ADD_FAILURE() << "read", KoalaBear(); }
    static ExtField receive_ext() { return ADD_FAILURE() << "read", ExtField(); }
    static Digest receive_digest() { return ADD_FAILURE() << "read", Digest(); }
    static ExtField challenge() { return ADD_FAILURE() << "drew", ExtField(); }
    static QueryIndex<NativeBackend> challenge_index(unsigned /*bits*/) {
        return ADD_FAILURE() << "drew", QueryIndex<NativeBackend>();
    }
    static Status check_grinding(unsigned /*bits*/, const char* /*where*/) { return ADD_FAILURE() << "read", Ok{}; }
};

Errc refused_untouched(const Instance& instance, const WhirOpenings& openings) {
    NativeBackend backend;
    UntouchedChannel channel;
    return code_of(verify_whir(backend, channel, Digest{}, instance.used_lanes, instance.verifier_claims(), openings,
                               instance.parameters));
}

TEST_P(Whir, ChecksEveryLengthBeforeArithmetic) {
    const Proof proof = prove(instance_, stack_);
    const auto expect_bad_length = [&](auto change) {
        WhirOpenings openings = proof.openings;
        change(openings.oracles);
        EXPECT_EQ(refused_untouched(instance_, openings), Errc::bad_length);
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
}

TEST_P(Whir, ChecksTheStatementsShapeBeforeArithmetic) {
    const WhirOpenings openings = prove(instance_, stack_).openings;
    Instance other = instance_;
    other.used_lanes = 0;
    EXPECT_EQ(refused_untouched(other, openings), Errc::bad_shape);
    other.used_lanes = (std::size_t{1} << other.parameters.rounds[0].log_lanes) + 1;
    EXPECT_EQ(refused_untouched(other, openings), Errc::bad_shape);
    other = instance_;
    other.groups[0].log_chunk = other.parameters.rounds[0].log_message + 1;
    EXPECT_EQ(refused_untouched(other, openings), Errc::bad_shape);
    other = instance_;
    other.groups[0].weights[0].first = std::size_t{1} << (other.parameters.log_size - other.groups[0].log_chunk);
    EXPECT_EQ(refused_untouched(other, openings), Errc::bad_shape);
}

// Row j, lane a, against sum_b f(a, b) x_j^b with x_j the power of the root by the reversed index.
TEST_P(Whir, CommittedRowsAreEvaluationsOfTheLanes) {
    const WhirRound& round = instance_.parameters.rounds[0];
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
        const Opening opening = stack_.open(index.value);
        EXPECT_EQ(opening.path.size(), log_rows);
        const std::span<const KoalaBear> row(opening.row);
        const std::span<const Digest> path(opening.path);
        EXPECT_TRUE(require_merkle(backend, stack_.root(), {&index, 1}, {&row, 1}, {&path, 1}).ok());
        for (std::size_t a = 0; a < instance_.used_lanes; ++a) {
            KoalaBear value;
            for (std::size_t b = std::size_t{1} << round.log_message; b-- > 0;) {
                value = value * x + instance_.message[(a << round.log_message) + b];
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
}  // namespace quarry
