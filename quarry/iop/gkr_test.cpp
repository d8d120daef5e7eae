#include "quarry/iop/gkr.hpp"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <cstring>
#include <random>
#include <string>

#include "quarry/field/isa.hpp"

namespace quarry::gkr_test {
namespace {

struct Fractions {
    std::vector<KoalaBear> p;
    std::vector<ExtField> q;
};

ExtField random_ext(std::mt19937_64& rng) {
    ExtField x;
    for (std::size_t k = 0; k < 5; ++k) x[k] = KoalaBear(rng());
    return x;
}

// Random fractions and their opposites, in a random order; a few paddings 0/1.
Fractions balanced(unsigned log_size, std::uint64_t seed) {
    std::mt19937_64 rng(seed);
    Fractions f;
    const std::size_t size = std::size_t{1} << log_size;
    while (f.p.size() + 6 < size) {
        const KoalaBear p = f.p.size() % 3 == 0 ? KoalaBear(1) : KoalaBear(rng());
        const ExtField q = random_ext(rng);
        f.p.insert(f.p.end(), {p, -p});
        f.q.insert(f.q.end(), {q, q});
    }
    for (std::size_t i = f.p.size(); i > 1; --i) {
        const std::size_t k = rng() % i;
        std::swap(f.p[i - 1], f.p[k]);
        std::swap(f.q[i - 1], f.q[k]);
    }
    f.p.resize(size);
    f.q.resize(size, ExtField(1));
    return f;
}

FractionLeaves leaves_of(const Fractions& f) {
    FractionLeaves l{Buffer<KoalaBear>(f.p.size()), ExtVector(f.q.size())};
    for (std::size_t i = 0; i < f.p.size(); ++i) {
        l.numerators[i] = f.p[i];
        l.denominators.set(i, f.q[i]);
    }
    return l;
}

// Kept from one test to the next: what a proof leaves in it must not matter.
GkrWorkspace& workspace() {
    static GkrWorkspace w;
    return w;
}

struct Proof {
    GkrClaim<> claim;
    ProofStream stream;
};
Proof prove(const Fractions& f, ProverChannel::Tamper tamper = nullptr) {
    PoseidonProverChannel channel(Transcript(), std::move(tamper));
    GkrClaim<> claim = prove_gkr(channel, leaves_of(f), workspace());
    return {std::move(claim), std::move(channel).take()};
}
Result<GkrClaim<>> verify(const ProofStream& stream, unsigned log_size) {
    NativeBackend backend;
    NativeVerifierChannel channel(Transcript(), stream);
    QUARRY_TRY_ASSIGN(GkrClaim<> claim, verify_gkr(backend, channel, log_size));
    QUARRY_TRY(channel.finish());
    return claim;
}
bool operator==(const GkrClaim<>& a, const GkrClaim<>& b) {
    return a.point == b.point && a.numerator == b.numerator && a.denominator == b.denominator;
}

/// sum_b f(b) eq(point, b)
template <class T>
ExtField evaluate(const std::vector<T>& f, const std::vector<ExtField>& point) {
    std::vector<ExtField> v(f.begin(), f.end());
    for (const ExtField& r : point) {
        for (std::size_t i = 0; i < v.size() / 2; ++i) v[i] = v[2 * i] + r * (v[2 * i + 1] - v[2 * i]);
        v.resize(v.size() / 2);
    }
    return v[0];
}

/// The prover of docs/spec/proof-system.md section 4, word for word. A layer is a map from the 2^m indices, used where
/// the variables that it does not have are 0.
class Reference {
  public:
    using Layer = std::array<std::vector<ExtField>, 2>;  // p, q
    explicit Reference(const Fractions& f) : size_(f.p.size()) {
        while ((std::size_t{1} << m_) < size_) ++m_;
        for (unsigned v = 4; v < m_; ++v) pi_.push_back(v);
        for (unsigned v = 0; v < 4; ++v) pi_.push_back(v);
        layers_.resize(m_ + 1);
        layers_[m_] = {std::vector<ExtField>(f.p.begin(), f.p.end()), f.q};
        for (unsigned j = m_; j-- > 0;) {
            layers_[j] = {std::vector<ExtField>(size_), std::vector<ExtField>(size_)};
            const std::size_t bit = std::size_t{1} << pi_[m_ - j - 1];
            for (const std::size_t x : points(m_ - j)) {
                const auto& [p, q] = layers_[j + 1];
                layers_[j][0][x] = p[x] * q[x | bit] + p[x | bit] * q[x];
                layers_[j][1][x] = q[x] * q[x | bit];
            }
        }
    }

    Proof run() {
        PoseidonProverChannel channel((Transcript()));
        std::vector<ExtField> rho(m_);
        ExtField p;
        ExtField q;
        for (unsigned j = 0; j < m_; ++j) {
            const std::size_t bit = std::size_t{1} << pi_[m_ - j - 1];
            std::array<std::vector<ExtField>, 4> f;  // p0, p1, q0, q1
            for (auto& v : f) v.resize(size_);
            for (const std::size_t x : points(m_ - j)) {
                f[0][x] = layers_[j + 1][0][x];
                f[1][x] = layers_[j + 1][0][x | bit];
                f[2][x] = layers_[j + 1][1][x];
                f[3][x] = layers_[j + 1][1][x | bit];
            }
            if (j > 0) {
                const ExtField lambda = channel.challenge();
                ExtField claim = p + lambda * q;
                for (unsigned i = m_ - j; i < m_; ++i) {
                    const std::size_t u = std::size_t{1} << pi_[i];
                    std::array<ExtField, 3> g;  // G(0), G(1), G(2)
                    for (const std::size_t x : points(i + 1)) {
                        for (std::uint64_t t = 0; t < 3; ++t) {
                            std::array<ExtField, 4> y;
                            for (std::size_t k = 0; k < 4; ++k) y[k] = f[k][x] + ExtField(t) * (f[k][x | u] - f[k][x]);
                            g[t] += eq(rho, x, i + 1) * (y[0] * y[3] + y[1] * y[2] + lambda * y[2] * y[3]);
                        }
                    }
                    const ExtField& rho_u = rho[pi_[i]];
                    EXPECT_EQ(claim, (ExtField(1) - rho_u) * g[0] + rho_u * g[1]);
                    const ExtField a2 = (g[0] - g[1] - g[1] + g[2]) * KoalaBear(2).inverse();
                    const ExtField a1 = g[1] - g[0] - a2;
                    channel.send("a_1", a1);
                    channel.send("a_2", a2);
                    const ExtField r = channel.challenge();
                    claim = g[0] + a1 * r + a2 * r * r;
                    for (auto& v : f) {
                        for (const std::size_t x : points(i + 1)) v[x] += r * (v[x | u] - v[x]);
                    }
                    rho[pi_[i]] = r;
                }
            }
            for (auto& v : f) channel.send("layer", v[0]);
            const ExtField c = channel.challenge();
            p = f[0][0] + c * (f[1][0] - f[0][0]);
            q = f[2][0] + c * (f[3][0] - f[2][0]);
            rho[pi_[m_ - j - 1]] = c;
        }
        return {{rho, p, q}, std::move(channel).take()};
    }

  private:
    /// The indices in {0,1}^{pi[first], .., pi[m-1]}.
    std::vector<std::size_t> points(unsigned first) const {
        std::vector<std::size_t> r{0};
        for (unsigned i = first; i < m_; ++i) {
            for (std::size_t k = r.size(); k-- > 0;) r.push_back(r[k] | std::size_t{1} << pi_[i]);
        }
        return r;
    }
    ExtField eq(const std::vector<ExtField>& rho, std::size_t x, unsigned first) const {
        ExtField r(1);
        for (unsigned i = first; i < m_; ++i) r *= (x >> pi_[i]) & 1 ? rho[pi_[i]] : ExtField(1) - rho[pi_[i]];
        return r;
    }
    std::size_t size_;
    unsigned m_ = 0;
    std::vector<unsigned> pi_;
    std::vector<Layer> layers_;
};

class EveryIsa : public testing::Test {
  protected:
    ~EveryIsa() override { force_isa(best_); }

  private:
    Isa best_ = current_isa();
};

TEST_F(EveryIsa, SameStreamAsTheReferenceOnAnyNumberOfThreads) {
    const tbb::global_control more_threads(tbb::global_control::max_allowed_parallelism, 5);
    for (unsigned m = kGkrMinLogSize; m <= 13; ++m) {
        const Fractions f = balanced(m, m);
        const Proof expected = Reference(f).run();
        EXPECT_EQ(expected.stream.size(), gkr_stream_size(m));
        for (const Isa isa : supported_isas()) {
            force_isa(isa);
            for (const int threads : {1, 2, 5}) {
                tbb::task_arena arena(threads);
                const Proof proof = arena.execute([&] { return prove(f); });
                EXPECT_EQ(proof.stream, expected.stream) << m << isa_name(isa) << threads;
                EXPECT_TRUE(proof.claim == expected.claim) << m << isa_name(isa) << threads;
            }
        }
        const auto verified = verify(expected.stream, m);
        ASSERT_TRUE(verified.ok()) << errc_name(verified.error().code);
        EXPECT_TRUE(verified.value() == expected.claim);
    }
}

// Sizes where the reference is too slow: long runs, many pieces.
TEST_F(EveryIsa, ClaimIsTheEvaluationOfTheLeaves) {
    for (const unsigned m : {9u, 14u, 17u}) {
        const Fractions f = balanced(m, 100 + m);
        ProofStream first;
        for (const Isa isa : supported_isas()) {
            force_isa(isa);
            const Proof proof = prove(f);
            if (first.empty()) first = proof.stream;
            EXPECT_EQ(proof.stream, first);
            EXPECT_EQ(proof.claim.numerator, evaluate(f.p, proof.claim.point));
            EXPECT_EQ(proof.claim.denominator, evaluate(f.q, proof.claim.point));
            const auto verified = verify(proof.stream, m);
            ASSERT_TRUE(verified.ok()) << errc_name(verified.error().code);
            EXPECT_TRUE(verified.value() == proof.claim);
        }
    }
}

// Values at the edges of the representation, where a missing correction shows.
TEST_F(EveryIsa, ExtremeValues) {
    constexpr unsigned kLogSize = 10;
    const KoalaBear top = KoalaBear::from_montgomery(KoalaBear::kModulus - 1);
    Fractions f{std::vector<KoalaBear>(1 << kLogSize, top), {}};
    ExtField q;
    for (std::size_t k = 0; k < 5; ++k) q[k] = top;
    f.q.assign(1 << kLogSize, q);
    for (std::size_t i = 0; i < f.p.size(); i += 2) f.p[i] = -top;
    const Proof expected = Reference(f).run();
    for (const Isa isa : supported_isas()) {
        force_isa(isa);
        EXPECT_EQ(prove(f).stream, expected.stream) << isa_name(isa);
    }
    EXPECT_TRUE(verify(expected.stream, kLogSize).ok());
}

constexpr unsigned kSmall = 9;
Errc refusal(const ProofStream& stream, unsigned m = kSmall) {
    const auto r = verify(stream, m);
    EXPECT_FALSE(r.ok());
    return r.ok() ? Errc::statement_mismatch : r.error().code;
}

TEST(Gkr, RefusesAnUnbalancedSum) {
    for (const std::size_t i : {0, 15, 16, 300, 505}) {
        Fractions f = balanced(kSmall, 1);
        f.p[i] += KoalaBear(1);
        EXPECT_EQ(refusal(prove(f).stream), Errc::bus_imbalance);
        f = balanced(kSmall, 1);
        ASSERT_FALSE(f.p[i].is_zero());
        f.q[i][4] += KoalaBear(1);
        EXPECT_EQ(refusal(prove(f).stream), Errc::bus_imbalance);
    }
}

TEST(Gkr, RefusesAZeroDenominator) {
    for (const std::size_t i : {0, 15, 16, 300, 511}) {
        for (const std::uint64_t p : {0, 1}) {
            Fractions f = balanced(kSmall, 2);
            f.p[i] = KoalaBear(p);
            f.q[i] = ExtField();
            EXPECT_EQ(refusal(prove(f).stream), Errc::zero_denominator);
        }
    }
}

TEST(Gkr, EveryElementOfTheStreamMatters) {
    const ProofStream stream = prove(balanced(kSmall, 3)).stream;
    ASSERT_EQ(stream.size(), gkr_stream_size(kSmall));
    for (std::size_t i = 0; i < stream.size(); ++i) {
        ProofStream changed = stream;
        changed[i] += KoalaBear(1);
        EXPECT_EQ(refusal(changed), i < 20 ? Errc::bus_imbalance : Errc::gkr_mismatch) << i;
    }
    ProofStream longer = stream;
    longer.emplace_back();
    EXPECT_EQ(refusal(longer), Errc::trailing_bytes);
    ProofStream shorter = stream;
    shorter.pop_back();
    EXPECT_FALSE(verify(shorter, kSmall).ok());
    EXPECT_FALSE(verify(stream, kSmall + 1).ok());
}

// A prover that lies once and goes on with the challenges that its lie leads to: what it sends later is right for them.
TEST(Gkr, RefusesALieInAnyMessage) {
    const Fractions f = balanced(kSmall, 4);
    const std::size_t num_messages = gkr_stream_size(kSmall) / ExtField::kDegree;
    for (std::size_t lie = 0; lie < num_messages; ++lie) {
        std::size_t at = 0;
        std::string lied_in;
        const Proof proof = prove(f, [&](const char* label, std::span<KoalaBear> message) {
            if (at++ != lie) return;
            lied_in = label;
            message[lie % message.size()] += KoalaBear(1 + lie);
        });
        ASSERT_EQ(at, num_messages);
        EXPECT_EQ(lied_in, lie < 4 ? "gkr/root" : lied_in == "gkr/round" ? "gkr/round" : "gkr/layer");
        EXPECT_EQ(refusal(proof.stream), lie < 4 ? Errc::bus_imbalance : Errc::gkr_mismatch) << lied_in << lie;
    }
}

// Fractions that do not balance under a root that does: q1 := -p1 q0 / p0. Every later message is honest.
TEST(Gkr, RefusesABalancedRootOfAnUnbalancedSum) {
    Fractions f = balanced(kSmall, 5);
    f.p[7] += KoalaBear(5);
    std::vector<ExtField> root;
    const Proof proof = prove(f, [&](const char* label, std::span<KoalaBear> message) {
        if (std::strcmp(label, "gkr/root") != 0) return;
        ExtField x;
        for (std::size_t k = 0; k < 5; ++k) x[k] = message[k];
        root.push_back(x);
        if (root.size() < 4) return;
        const ExtField q1 = -(root[1] * root[2] * root[0].inverse());
        for (std::size_t k = 0; k < 5; ++k) message[k] = q1[k];
    });
    EXPECT_EQ(refusal(proof.stream), Errc::gkr_mismatch);
}

// The same at every layer: the four values are made to agree with the claim (q1 absorbs the lie in p0), so that this
// layer's check passes; the claims below are then false and must fail one layer down. A lie about the leaves is the
// caller's to find.
TEST(Gkr, ALieThatPassesItsOwnLayerFailsTheNext) {
    const Fractions f = balanced(kSmall, 6);
    for (unsigned target = 0; target < kSmall; ++target) {
        // p0 q1 + p1 q0 + lambda q0 q1 does not change when p0 += d q0 and p1 -= d q1: no need to know lambda or the
        // claim.
        const ExtField d(12345 + target);
        // The values are sent in the order p0, p1, q0, q1, so a first run learns q0 and q1: they do not depend on p0
        // and p1 of the same message.
        std::vector<ExtField> seen;
        const auto run = [&](const std::vector<ExtField>& learnt) {
            std::size_t count = 0;
            seen.clear();
            return prove(f, [&, count](const char* label, std::span<KoalaBear> message) mutable {
                if (std::strcmp(label, target == 0 ? "gkr/root" : "gkr/layer") != 0) return;
                if (count++ / 4 != (target == 0 ? 0 : target - 1)) return;
                ExtField x;
                for (std::size_t k = 0; k < 5; ++k) x[k] = message[k];
                if (!learnt.empty() && seen.empty()) x += d * learnt[2];
                if (!learnt.empty() && seen.size() == 1) x -= d * learnt[3];
                seen.push_back(x);
                for (std::size_t k = 0; k < 5; ++k) message[k] = x[k];
            });
        };
        (void)run({});
        const std::vector<ExtField> learnt = seen;
        const Proof proof = run(learnt);
        if (target + 1 < kSmall) {
            EXPECT_EQ(refusal(proof.stream), Errc::gkr_mismatch) << target;
        } else {
            const auto claim = verify(proof.stream, kSmall);
            ASSERT_TRUE(claim.ok());
            EXPECT_NE(claim.value().numerator, evaluate(f.p, claim.value().point));
        }
    }
}

/// A backend that records: wires have no ==, its requirements never stop the verifier.
struct RecordingBackend {
    struct E {
        RecordingBackend* owner;
        ExtField value;
        friend E operator+(const E& a, const E& b) { return {a.owner->count(), a.value + b.value}; }
        friend E operator-(const E& a, const E& b) { return {a.owner->count(), a.value - b.value}; }
        friend E operator*(const E& a, const E& b) { return {a.owner->count(), a.value * b.value}; }
    };
    E constant(const ExtField& x) { return {this, x}; }
    Status require_equal(const E& a, const E& b, Errc, const char*) { return require(a.value == b.value); }
    Status require_nonzero(const E& a, Errc, const char*) { return require(!a.value.is_zero()); }
    Status require(bool holds) {
        ++num_checks;
        num_failed += holds ? 0 : 1;
        return Ok{};
    }
    RecordingBackend* count() {
        ++num_operations;
        return this;
    }
    std::size_t num_operations = 0, num_checks = 0, num_failed = 0;
};
struct RecordingChannel {
    RecordingBackend& backend;
    NativeVerifierChannel channel;
    RecordingBackend::E receive_ext() { return {&backend, channel.receive_ext()}; }
    RecordingBackend::E challenge() { return {&backend, channel.challenge()}; }
};

TEST(Gkr, TheVerifierIsOneFixedCircuit) {
    const Proof proof = prove(balanced(kSmall, 7));
    ProofStream garbage = proof.stream;
    for (KoalaBear& x : garbage) x += KoalaBear(7);
    std::size_t num_operations = 0;
    for (const ProofStream* stream : std::array<const ProofStream*, 2>{&proof.stream, &garbage}) {
        RecordingBackend backend;
        RecordingChannel channel{backend, NativeVerifierChannel(Transcript(), *stream)};
        const auto claim = verify_gkr(backend, channel, kSmall);
        ASSERT_TRUE(claim.ok());
        EXPECT_EQ(backend.num_checks, kSmall + 1);
        EXPECT_EQ(backend.num_failed == 0, stream == &proof.stream);
        if (num_operations == 0) {
            num_operations = backend.num_operations;
            EXPECT_EQ(claim.value().numerator.value, proof.claim.numerator);
            EXPECT_EQ(claim.value().denominator.value, proof.claim.denominator);
        }
        EXPECT_EQ(backend.num_operations, num_operations);
    }
}

}  // namespace
}  // namespace quarry::gkr_test
