#include "quarry/proof/proof.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/poly/passes.hpp"

namespace quarry {
namespace {

// "QRY1" and the layout version: the first element of every transcript.
constexpr KoalaBear kProtocolTag = KoalaBear(0x51525931);

// The values of every chunk of 2^h cells under one kernel. Columns of height 2^h are known from the zerocheck.
std::vector<ExtField> chunk_values(const Trace& trace, const ExtVector& kernel, unsigned log_height,
                                   std::size_t known_begin, std::size_t known_end, const std::vector<ExtField>& known) {
    const std::span<const KoalaBear> stack = trace.stack();
    std::vector<ExtField> values = chunk_products(stack.first(known_begin << log_height), kernel);
    values.insert(values.end(), known.begin(), known.end());
    const auto rest = chunk_products(stack.subspan(known_end << log_height), kernel);
    values.insert(values.end(), rest.begin(), rest.end());
    return values;
}

}  // namespace

SecurityTarget security_target(unsigned bits) {
    QUARRY_CHECK(std::find(kSecurityLevels.begin(), kSecurityLevels.end(), bits) != kSecurityLevels.end());
    return {bits, bits == 100 ? 16U : 20U};
}

Status check_statement(const Circuit& circuit, const Statement& statement) {
    for (const PublicTuple& t : statement.tuples) {
        if (circuit.bus_arity(t.bus) != t.tuple.size()) return Error{Errc::statement_mismatch, "public tuple"};
    }
    return Ok{};
}

std::vector<PublicTuple> public_tuples(const Circuit& circuit, const Statement& statement) {
    std::vector<PublicTuple> r = statement.tuples;
    r.insert(r.end(), circuit.constants().begin(), circuit.constants().end());
    return r;
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
                            unsigned security_bits, const Statement& statement) {
    Transcript t;
    t.absorb(kProtocolTag);
    t.absorb(KoalaBear(kProtocolVersion));
    t.absorb(circuit.digest());
    t.absorb(KoalaBear(security_bits));
    t.absorb(KoalaBear(parameters.log_size));
    t.absorb(KoalaBear(parameters.log_final));
    t.absorb(KoalaBear(parameters.rounds.size()));
    for (const WhirRound& round : parameters.rounds) {
        for (const unsigned x :
             {round.log_lanes, round.log_message, round.log_inv_rate, round.num_queries, round.grinding_bits}) {
            t.absorb(KoalaBear(x));
        }
    }
    t.absorb(KoalaBear(heights.size()));
    for (const unsigned h : heights) t.absorb(KoalaBear(h));
    t.absorb(KoalaBear(statement.tuples.size()));
    for (const PublicTuple& tuple : statement.tuples) {
        t.absorb(KoalaBear(tuple.bus));
        t.absorb(tuple.multiplicity);
        t.absorb(KoalaBear(tuple.tuple.size()));
        t.absorb(tuple.tuple);
    }
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
    ProverChannel channel(start_transcript(circuit, trace.heights(), parameters, options.security_bits, statement),
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
    const Commitment commitment = Commitment::commit(trace.stack(), layout.used_lanes, parameters.rounds.front());
    channel.send("root", commitment.root());

    phase("logup", &ProvePhases::logup);
    std::vector<TableInstance> instances;
    for (const std::size_t t : layout.order) instances.push_back(trace.instance(t));
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
    const ExtField batching = channel.challenge();
    std::vector<ChunkClaims> groups;
    ExtField power(KoalaBear(1));
    for (const HeightGroup& group : group_by_height(sorted.log_heights)) {
        const std::size_t begin = layout.offset[layout.order[group.first]] >> group.log_height;
        for (const bool next : {false, true}) {
            ChunkClaims claim;
            claim.log_chunk = group.log_height;
            std::vector<ExtField> known;
            for (std::size_t i = group.first; i < group.last; ++i) {
                const std::size_t first_chunk = layout.offset[layout.order[i]] >> group.log_height;
                const auto next_columns = sorted.tables[i]->next_columns();
                const std::size_t count = next ? next_columns.size() : sorted.tables[i]->num_columns();
                for (std::size_t k = 0; k < count; ++k, power *= batching) {
                    claim.weights.emplace_back(first_chunk + (next ? next_columns[k] : k), power);
                }
                if (!next) known.insert(known.end(), claims.tables[i].row.begin(), claims.tables[i].row.end());
            }
            if (claim.weights.empty()) continue;
            claim.kernel = row_weights(claims.point, group.log_height, next);
            claim.values = chunk_values(trace, claim.kernel, group.log_height, begin, begin + known.size(), known);
            groups.push_back(std::move(claim));
        }
    }
    Proof proof{options.security_bits, trace.heights(), {}, {}};
    proof.openings = prove_whir(channel, commitment, trace.stack(), std::move(groups), parameters);
    proof.stream = std::move(channel).take();
    phase("done", nullptr);
    return proof;
}

Status verify(const Circuit& circuit, const Proof& proof, const Statement& statement, unsigned required_bits) {
    if (std::find(kSecurityLevels.begin(), kSecurityLevels.end(), proof.security_bits) == kSecurityLevels.end() ||
        proof.security_bits < required_bits) {
        return Error{Errc::wrong_key, "security level"};
    }
    QUARRY_TRY_ASSIGN(const StackLayout layout, make_stack_layout(circuit, proof.heights));
    const auto parameters = find_whir_parameters(layout.log_size, security_target(proof.security_bits));
    if (!parameters) return Error{Errc::bad_shape, "no parameters for this size"};
    if (proof.stream.size() != proof_stream_length(circuit, proof.heights, *parameters)) {
        return Error{Errc::bad_length, "proof stream"};
    }
    // Every length before any arithmetic.
    QUARRY_TRY(whir_detail::check_shapes(layout.used_lanes, WhirClaims<NativeBackend>{}, proof.openings, *parameters));
    NativeBackend backend;
    NativeVerifierChannel channel(start_transcript(circuit, proof.heights, *parameters, proof.security_bits, statement),
                                  proof.stream);
    return verify_proof(backend, channel, circuit, proof.heights, layout, statement, proof.openings, *parameters);
}

}  // namespace quarry
