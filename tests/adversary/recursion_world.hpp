#pragma once
/// Real leaves and the catalog of nodes, for the tests of recursion across modules.

#include "quarry/circuits/data/data.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/recursion/catalog.hpp"
#include "quarry/recursion/testing.hpp"
#include "quarry/rollup/effects.hpp"
#include "tests/adversary/recursion_verdicts.hpp"
#include "tests/adversary/segment_claim.hpp"

namespace quarry::adversary {

using namespace recursion;
using rollup::StatementKind;

inline std::size_t kind_named(const std::string& name) {
    for (std::size_t i = 0; i < node_kinds().size(); ++i) {
        if (node_kinds()[i].name == name) return i;
    }
    ADD_FAILURE() << name;
    return 0;
}

inline const Catalog& catalog() {
    static const Catalog c;
    return c;
}

/// A witness with the statement that it shows.
struct SegmentWitness {
    rollup::SegmentStatement statement;
    Trace trace;
};
inline SegmentWitness make_segment(Claim& claim, std::size_t first, std::size_t last,
                                   const Heights& heights = segment_profiles()[0].heights) {
    claim.restrict(first, last);
    const auto& timeline = claim.make_timeline();
    const auto rows = circuits::make_segment_rows(timeline, claim.signatures(), &heights);
    EXPECT_EQ(rows.heights, heights);
    return {timeline.statement, circuits::make_segment_trace(rows).value()};
}

struct ProvenSegment {
    rollup::SegmentStatement statement;
    Proof proof;
};
/// A prover that claims `statement`, whatever the trace shows.
inline ProvenSegment prove_claim(const rollup::SegmentStatement& statement, const Trace& trace,
                                 const ProveOptions& options = {}) {
    return {statement, circuits::prove_segment_trace(trace, circuits::segment_public_input(statement), options)};
}
inline ProvenSegment prove_segment(Claim& claim, std::size_t first, std::size_t last) {
    const SegmentWitness witness = make_segment(claim, first, last);
    return prove_claim(witness.statement, witness.trace);
}

struct DataWitness {
    rollup::DataStatement statement;
    Trace trace;
};
inline DataWitness make_run(rollup::DataForm form, const Digest& before, std::span<const std::uint8_t> words,
                            const rollup::L1Address& payee) {
    const rollup::Bytes32 l1_hash = keccak256(words);
    const auto point = rollup::make_data_statement(form, before, words, l1_hash, payee, 9);
    const auto rows = circuits::make_data_rows(point, 9, words, &data_heights());
    EXPECT_EQ(rows.value().heights, data_heights());
    return {point, circuits::make_data_trace(rows.value())};
}

struct ProvenData {
    rollup::DataStatement statement;
    Proof proof;
};
inline ProvenData prove_claim(const rollup::DataStatement& statement, const Trace& trace,
                              const ProveOptions& options = {}) {
    return {statement, prove(circuits::data_circuit(), trace, circuits::data_public_input(statement), options)};
}
inline ProvenData prove_run(rollup::DataForm form, const Digest& before, std::span<const std::uint8_t> words,
                            const rollup::L1Address& payee) {
    const DataWitness witness = make_run(form, before, words, payee);
    return prove_claim(witness.statement, witness.trace);
}

inline LeafShape segment_leaf() { return recursion::segment_leaf(segment_profiles()[0]); }
inline LeafShape data_leaf() { return {&circuits::data_circuit(), data_heights(), 100, nullptr}; }

/// What a node exposes.
inline Digest exposed_by(const CircuitRows& rows) {
    Digest exposed{};
    for (std::size_t r = 0; r < rows.digest.rows.size(); ++r) {
        if (rows.digest.fixed[r].second == KoalaBear(std::uint64_t{kPublicDigest})) exposed = rows.digest.rows[r].x;
    }
    return exposed;
}
/// The first lines of what is wrong with a node's rows; nothing: a proof would be accepted. Whatever it exposes is
/// taken as its statement.
inline std::string complaint(const CircuitRows& rows) {
    return recursion::testing::LaidOut(rows).complaint(exposed_by(rows));
}
/// Whether a proof of the rows, as the builder makes them, would be accepted: less than complaint() says, and sooner.
inline bool is_accepted(const CircuitRows& rows) { return WireCheck(rows, exposed_by(rows)).accepts(); }

/// The point before the first word of a batch that starts with this segment.
inline rollup::JoinPoint start_of(const ProvenSegment& s) {
    return {s.statement.before, rollup::binding_start(s.statement.header),
            rollup::binding_start(rollup::effects_start().digest)};
}

/// Tuples that do not balance: a wrong value is one, and the right one that nobody wrote is another.
inline std::size_t tuples(const std::string& text) {
    std::size_t count = 0;
    for (auto at = text.find("bus "); at != std::string::npos; at = text.find("bus ", at + 1)) ++count;
    return count;
}

}  // namespace quarry::adversary
