#include "quarry/proof/proof.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/poly/passes.hpp"

namespace quarry {
namespace {

// The columns of some tables in one part of the stack: chunks of their height, and their values from the zerocheck.
struct KnownChunks {
    std::size_t first = 0;
    std::vector<ExtField> values;
};

// The values of every chunk of a part of the stack under one kernel. Those that are known are not computed again.
void append_chunk_values(std::span<const KoalaBear> part, const ExtVector& kernel, unsigned log_height,
                         const KnownChunks& known, std::vector<ExtField>& values) {
    const auto before = chunk_products(part.first(known.first << log_height), kernel);
    const auto after = chunk_products(part.subspan((known.first + known.values.size()) << log_height), kernel);
    values.insert(values.end(), before.begin(), before.end());
    values.insert(values.end(), known.values.begin(), known.values.end());
    values.insert(values.end(), after.begin(), after.end());
}

// What prove() opens: the parts of the stack, preprocessed first, and how the columns lie in them.
struct OpenedStack {
    const StackLayout& layout;
    const SortedTables& sorted;
    std::span<const KoalaBear> preprocessed;  // empty without
    std::span<const KoalaBear> witness;
};

// The claims on columns, or on next-row columns, of one height; `power` goes on by a factor `batching` for each.
ChunkClaims make_claims(const OpenedStack& stack, const HeightGroup& group, const ZerocheckClaims<ExtField>& claims,
                        bool next, const ExtField& batching, ExtField& power) {
    const unsigned h = group.log_height;
    const std::size_t first_table = stack.layout.order[group.first];
    const std::size_t witness_begin = stack.preprocessed.size() >> h;
    KnownChunks preprocessed{stack.layout.preprocessed_offset[first_table] >> h, {}};
    KnownChunks witness{(stack.layout.offset[first_table] >> h) - witness_begin, {}};
    ChunkClaims claim;
    claim.log_chunk = h;
    for (std::size_t i = group.first; i < group.last; ++i) {
        const Table& table = *stack.sorted.tables[i];
        const auto& next_columns = table.next_columns();
        const std::size_t count = next ? next_columns.size() : table.num_columns();
        for (std::size_t k = 0; k < count; ++k, power *= batching) {
            claim.weights.emplace_back(stack.layout.chunk(stack.layout.order[i], table, h, next ? next_columns[k] : k),
                                       power);
        }
        if (next) continue;
        const std::vector<ExtField>& row = claims.tables[i].row;
        for (std::size_t c = 0; c < row.size(); ++c) {
            (c < table.num_witness() ? witness : preprocessed).values.push_back(row[c]);
        }
    }
    if (claim.weights.empty()) return claim;
    claim.kernel = row_weights(claims.point, h, next);
    append_chunk_values(stack.preprocessed, claim.kernel, h, preprocessed, claim.values);
    append_chunk_values(stack.witness, claim.kernel, h, witness, claim.values);
    return claim;
}

}  // namespace

SecurityTarget security_target(unsigned bits) {
    QUARRY_CHECK(std::find(kSecurityLevels.begin(), kSecurityLevels.end(), bits) != kSecurityLevels.end());
    return {bits, bits == 100 ? 16U : 20U};
}

std::vector<PublicTuple> public_tuples(const Circuit& circuit, const Statement& statement) {
    NativeBackend backend;
    return public_tuples(backend, circuit, statement);
}

SortedTables sort_tables(const Circuit& circuit, const Heights& heights, const StackLayout& layout) {
    SortedTables r;
    for (const std::size_t t : layout.order) {
        r.tables.push_back(&circuit.tables()[t]);
        r.log_heights.push_back(heights[t]);
    }
    return r;
}

std::vector<HeightGroup> group_by_height(const std::vector<unsigned>& log_heights) {
    std::vector<HeightGroup> r;
    for (std::size_t i = 0; i < log_heights.size(); ++i) {
        if (r.empty() || r.back().log_height != log_heights[i]) r.push_back({i, i, log_heights[i]});
        r.back().last = i + 1;
    }
    return r;
}

Transcript start_transcript(const Circuit& circuit, const Heights& heights, const WhirParameters& parameters,
                            unsigned security_bits, const Statement& statement, const VerifyingKey* key) {
    Transcript t;
    absorb_start(t, key_digests(circuit, key), heights, parameters, security_bits, statement,
                 [](KoalaBear x) { return x; });
    return t;
}

std::size_t proof_stream_length(const Circuit& circuit, const Heights& heights, const WhirParameters& parameters) {
    const StackLayout layout = make_stack_layout(circuit, heights).value();
    const SortedTables sorted = sort_tables(circuit, heights, layout);
    const LeafLayout leaves = make_leaf_layout(sorted.tables, sorted.log_heights);
    return kDigestSize + (leaves.blocks.empty() ? 0 : gkr_stream_size(leaves.log_size)) +
           zerocheck_stream_length(sorted.tables, sorted.log_heights) + whir_stream_length(parameters);
}

Proof prove(const Circuit& circuit, const Trace& trace, const Statement& statement, const ProveOptions& options) {
    const StackLayout& layout = trace.layout();
    const WhirParameters parameters = generate_whir_parameters(layout.log_size, security_target(options.security_bits));
    const VerifyingKey* key = options.key != nullptr ? &options.key->verifying_key() : nullptr;
    QUARRY_CHECK(check_key(circuit, key, layout.log_size, options.security_bits).ok());
    if (options.claimed_key != nullptr) key = options.claimed_key;
    ProverChannel channel(start_transcript(circuit, trace.heights(), parameters, options.security_bits, statement, key),
                          options.tamper);
    double* timer = nullptr;
    double since = 0;
    auto phase = [&](const char* name, double ProvePhases::* target) {
        if (options.on_phase) options.on_phase(name);
        if (options.phases == nullptr) return;
        const double t = options.now();
        if (timer != nullptr) *timer += t - since;
        since = t;
        timer = target != nullptr ? &(options.phases->*target) : nullptr;
    };

    phase("commit", &ProvePhases::commit);
    const Commitment commitment = Commitment::commit(trace.stack(), layout.witness_lanes(), parameters.rounds.front());
    channel.send("root", commitment.root());

    phase("logup", &ProvePhases::logup);
    std::vector<TableInstance> instances;
    for (const std::size_t t : layout.order) {
        instances.push_back(trace.instance(t));
        if (options.key != nullptr) instances.back().preprocessed = options.key->trace().columns(t);
    }
    const SortedTables sorted = sort_tables(circuit, trace.heights(), layout);
    BusClaim<ExtField> bus;
    bus.layout = make_leaf_layout(sorted.tables, sorted.log_heights);
    if (bus.layout.blocks.empty()) {
        for (unsigned v = 0; v < sorted.log_heights.front(); ++v) bus.point.push_back(channel.challenge());
    } else {
        bus.challenges.beta = channel.challenge();
        bus.challenges.alpha = channel.challenge();
        const GkrClaim<> gkr = prove_gkr(channel, make_leaves(instances, bus.layout, bus.challenges));
        bus.point = gkr.point;
        bus.numerator = gkr.numerator;
        bus.denominator = gkr.denominator;
    }

    phase("zerocheck", &ProvePhases::zerocheck);
    const ZerocheckClaims<ExtField> claims = prove_zerocheck(channel, instances, bus);

    phase("open", &ProvePhases::open);
    std::vector<StackPart> parts;
    if (options.key != nullptr) parts.push_back({&options.key->commitment(), options.key->trace().stack()});
    parts.push_back({&commitment, trace.stack()});
    const OpenedStack stack{layout, sorted,
                            options.key != nullptr ? options.key->trace().stack() : std::span<const KoalaBear>(),
                            trace.stack()};
    const ExtField batching = channel.challenge();
    std::vector<ChunkClaims> groups;
    ExtField power(KoalaBear(1));
    for (const HeightGroup& group : group_by_height(sorted.log_heights)) {
        for (const bool next : {false, true}) {
            ChunkClaims claim = make_claims(stack, group, claims, next, batching, power);
            if (!claim.weights.empty()) groups.push_back(std::move(claim));
        }
    }
    Proof proof{options.security_bits, trace.heights(), {}, {}};
    proof.openings = prove_whir(channel, parts, std::move(groups), parameters);
    proof.stream = std::move(channel).take();
    phase("done", nullptr);
    return proof;
}

Status verify(const Circuit& circuit, const Proof& proof, const Statement& statement, unsigned required_bits,
              const VerifyingKey* key) {
    if (std::find(kSecurityLevels.begin(), kSecurityLevels.end(), proof.security_bits) == kSecurityLevels.end() ||
        proof.security_bits < required_bits) {
        return Error{Errc::wrong_key, "security level"};
    }
    QUARRY_TRY_ASSIGN(const StackLayout layout, make_stack_layout(circuit, proof.heights));
    QUARRY_TRY(check_key(circuit, key, layout.log_size, proof.security_bits));
    const auto parameters = find_whir_parameters(layout.log_size, security_target(proof.security_bits));
    if (!parameters) return Error{Errc::bad_shape, "no parameters for this size"};
    if (proof.stream.size() != proof_stream_length(circuit, proof.heights, *parameters)) {
        return Error{Errc::bad_length, "proof stream"};
    }
    // Every length before any arithmetic.
    const std::vector<std::size_t> lanes = layout.lanes_of_parts();
    QUARRY_TRY(whir_detail::check_shapes(std::span<const std::size_t>(lanes), WhirClaims<NativeBackend>{},
                                         proof.openings, *parameters));
    NativeBackend backend;
    NativeVerifierChannel channel(
        start_transcript(circuit, proof.heights, *parameters, proof.security_bits, statement, key), proof.stream);
    return verify_proof(backend, channel, circuit, proof.heights, layout, statement, proof.openings, *parameters,
                        key_digests(circuit, key).preprocessed_root);
}

}  // namespace quarry
