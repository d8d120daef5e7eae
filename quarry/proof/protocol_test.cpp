// Every protocol that is not the default, on a circuit with preprocessed columns, next rows, buses and two heights.
#include "quarry/proof/protocol.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "quarry/proof/proof.hpp"
#include "quarry/proof/testing_circuit.hpp"
#include "quarry/proof/testing_preprocessed.hpp"

namespace quarry::protocol_test {
namespace {

using testing::GateSystem;

constexpr Protocol kPlain{RowRounds::plain, ClaimBatching::powers};
constexpr Protocol kEq{RowRounds::skip, ClaimBatching::eq};
constexpr Protocol kBoth{RowRounds::plain, ClaimBatching::eq, 6};
constexpr Protocol kProtocols[] = {Protocol{}, kPlain,        kEq,
                                   kBoth,      kWrapProtocol, {RowRounds::skip, ClaimBatching::powers, 5}};

std::string name_of(const Status& s) { return s.ok() ? "ok" : errc_name(s.error().code); }

/// A key, a witness and a proof of one protocol.
class Setting {
  public:
    explicit Setting(const Protocol& protocol)
        : protocol_(protocol),
          key_(testing::make_gate_columns(circuit(), testing::kGateHeights, protocol.log_stack_lanes), 100, protocol),
          system_(testing::make_gate_system(key_.trace())),
          proof_(prove()) {}

    static const Circuit& circuit() {
        static const Circuit c("gates", testing::gate_tables());
        return c;
    }
    [[nodiscard]] const Proof& proof() const { return proof_; }
    [[nodiscard]] const GateSystem& system() const { return system_; }
    [[nodiscard]] Proof prove(ProverChannel::Tamper tamper = nullptr) const {
        return prove(system_, std::move(tamper));
    }
    [[nodiscard]] Proof prove(const GateSystem& system, ProverChannel::Tamper tamper = nullptr) const {
        ProveOptions options;
        options.key = &key_;
        options.protocol = protocol_;
        options.tamper = std::move(tamper);
        return quarry::prove(circuit(), system.trace, system.statement, options);
    }
    [[nodiscard]] std::string check(const Proof& proof, const Statement& statement, const Protocol& protocol) const {
        return name_of(verify(circuit(), proof, statement, 100, &key_.verifying_key(), protocol));
    }
    [[nodiscard]] std::string check(const Proof& proof) const { return check(proof, system_.statement, protocol_); }
    [[nodiscard]] GateSystem copy() const { return testing::make_gate_system(key_.trace()); }

  private:
    Protocol protocol_;
    ProvingKey key_;
    GateSystem system_;
    Proof proof_;
};

const Setting& setting(const Protocol& protocol) {
    static std::vector<std::pair<Protocol, std::unique_ptr<Setting>>> known;
    for (const auto& [p, s] : known) {
        if (p == protocol) return *s;
    }
    known.emplace_back(protocol, std::make_unique<Setting>(protocol));
    return *known.back().second;
}

TEST(ProtocolTest, EveryProtocolProves) {
    for (const Protocol& protocol : kProtocols) EXPECT_EQ(setting(protocol).check(setting(protocol).proof()), "ok");
}

TEST(ProtocolTest, AProofOfAnotherProtocolIsRefused) {
    for (const Protocol& made : kProtocols) {
        for (const Protocol& read : kProtocols) {
            if (made == read) continue;
            const Setting& s = setting(made);
            EXPECT_NE(s.check(s.proof(), s.system().statement, read), "ok");
        }
    }
}

TEST(ProtocolTest, VersionsAreDistinct) {
    std::set<std::uint32_t> versions;
    for (const RowRounds rounds : {RowRounds::skip, RowRounds::plain}) {
        for (const ClaimBatching batching : {ClaimBatching::powers, ClaimBatching::eq}) {
            versions.insert(Protocol{rounds, batching}.version());
        }
    }
    EXPECT_EQ(versions.size(), 4U);
    EXPECT_EQ(Protocol{}.version(), kProtocolVersion);
}

// A prover that changes a message before absorbing it, and goes on consistently.
TEST(ProtocolTest, LiesAreRefused) {
    for (const Protocol& protocol : {kEq, kBoth}) {
        const Setting& s = setting(protocol);
        std::set<std::string> labels;
        (void)s.prove([&](const char* label, std::span<KoalaBear>) { labels.insert(label); });
        EXPECT_EQ(labels.count("zerocheck/skip"), protocol.row_rounds == RowRounds::skip ? 1U : 0U);
        for (const std::string& lie : labels) {
            if (lie == "whir/nonce") continue;  // another nonce is another proof, if it grinds
            bool done = false;
            const Proof p = s.prove([&](const char* label, std::span<KoalaBear> message) {
                if (done || label != lie) return;
                message.back() += KoalaBear(1);
                done = true;
            });
            EXPECT_NE(s.check(p), "ok") << lie;
        }
    }
}

TEST(ProtocolTest, ChangedElementsAreRefused) {
    for (const Protocol& protocol : {kEq, kBoth}) {
        const Setting& s = setting(protocol);
        for (std::size_t i = 0; i < s.proof().stream.size(); i += 37) {
            Proof p = s.proof();
            p.stream[i] += KoalaBear(1);
            EXPECT_NE(s.check(p), "ok") << i;
        }
    }
}

TEST(ProtocolTest, FalseWitnessesAndStatementsAreRefused) {
    const struct {
        std::size_t table, column;
    } cells[] = {{0, 1}, {2, 2}, {3, 0}, {4, 1}};
    for (const Protocol& protocol : {kEq, kBoth}) {
        const Setting& s = setting(protocol);
        for (const auto& cell : cells) {
            GateSystem bad = s.copy();
            bad.trace.column(cell.table, cell.column)[300] += KoalaBear(1);
            EXPECT_NE(s.check(s.prove(bad)), "ok") << cell.table << " " << cell.column;
        }
        GateSystem other = s.copy();
        other.statement.tuples[0].tuple[1] += KoalaBear(1);
        EXPECT_NE(s.check(s.proof(), other.statement, protocol), "ok");
        const Proof lie = s.prove(other);
        EXPECT_EQ(s.check(lie, other.statement, protocol), "bus_imbalance");
    }
}

// Claims on two columns that no constraint reads, wrong by as much in either direction: only that their weights differ
// gives them away.
TEST(ProtocolTest, WrongClaimsOfTheRightSumAreRefused) {
    for (const Protocol& protocol : {kPlain, kEq, kBoth}) {
        const Circuit circuit("wide", [] {
            Table table = make_table<testing::SquareTable>();
            for (const char* name : {"free", "other"}) table.columns.emplace_back(name);  // in no constraint
            return std::vector<Table>{table};
        }());
        Trace trace(circuit, {9}, protocol.log_stack_lanes);
        for (std::size_t i = 0; i < 512; ++i) {
            const KoalaBear cells[] = {KoalaBear(i), KoalaBear(i) * KoalaBear(i), KoalaBear(3 * i), KoalaBear(i + 1)};
            for (std::size_t c = 0; c < 4; ++c) trace.column(0, c)[i] = cells[c];
        }
        ProveOptions options;
        options.protocol = protocol;
        EXPECT_EQ(name_of(verify(circuit, prove(circuit, trace, {}, options), {}, 100, nullptr, protocol)), "ok");
        std::size_t value = 0;
        options.tamper = [&](const char* label, std::span<KoalaBear> message) {
            if (std::string_view(label) != "zerocheck/values") return;
            if (value == 2) message[0] += KoalaBear(1);
            if (value == 3) message[0] -= KoalaBear(1);
            ++value;
        };
        EXPECT_EQ(name_of(verify(circuit, prove(circuit, trace, {}, options), {}, 100, nullptr, protocol)),
                  "final_mismatch");
    }
}

}  // namespace
}  // namespace quarry::protocol_test
