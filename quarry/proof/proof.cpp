#include "quarry/proof/proof.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

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

// The claims on columns, or on next-row columns, of one height; `weigh` gives the weight of the next one, on a chunk.
ChunkClaims make_claims(const OpenedStack& stack, const HeightGroup& group, const ZerocheckClaims<ExtField>& claims,
                        bool next, const std::function<ExtField(std::size_t chunk)>& weigh) {
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
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t chunk = stack.layout.chunk(stack.layout.order[i], table, h, next ? next_columns[k] : k);
            claim.weights.emplace_back(chunk, weigh(chunk));
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

// The claims on every column, weighed as `protocol` wants them; draws the challenges.
std::vector<ChunkClaims> batch_claims(ProverChannel& channel, const OpenedStack& stack,
                                      const ZerocheckClaims<ExtField>& claims, const Protocol& protocol) {
    NativeBackend backend;
    const auto heights = group_by_height(stack.sorted.log_heights);
    const bool by_eq = protocol.batching == ClaimBatching::eq;
    const EqChallenges sizes = eq_challenges(heights, stack.layout.log_size);
    std::vector<ExtField> challenges;
    for (std::size_t i = by_eq ? sizes.num_chunk + sizes.num_group : 1; i > 0; --i) {
        challenges.push_back(channel.challenge());
    }
    ExtField power(KoalaBear(1));
    std::vector<ChunkClaims> groups;
    for (std::size_t i = 0; i < heights.size(); ++i) {
        for (const bool next : {false, true}) {
            ExtField of_group;
            if (by_eq) {
                of_group = eq_at_index(backend, std::span<const ExtField>(challenges).subspan(sizes.num_chunk),
                                       2 * i + (next ? 1 : 0));
            }
            ChunkClaims claim = make_claims(stack, heights[i], claims, next, [&](std::size_t chunk) {
                if (!by_eq) return std::exchange(power, power * challenges[0]);
                const unsigned unused = heights[i].log_height - heights.back().log_height;
                const auto delta = std::span<const ExtField>(challenges).subspan(unused, sizes.num_chunk - unused);
                return of_group * eq_at_index(backend, delta, chunk);
            });
            if (!claim.weights.empty()) groups.push_back(std::move(claim));
        }
    }
    return groups;
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

EqChallenges eq_challenges(std::span<const HeightGroup> heights, unsigned log_size) {
    return {log_size - heights.back().log_height, static_cast<unsigned>(std::bit_width(2 * heights.size() - 1))};
}

template <>
Transcript start_transcript<PoseidonPolicy>(const Circuit& circuit, const Heights& heights,
                                            const WhirParameters& parameters, unsigned security_bits,
                                            const Statement& statement, const VerifyingKey* key,
                                            const Protocol& protocol) {
    Transcript t;
    absorb_start(
        t, key_digests(circuit, key), heights, parameters, security_bits, statement, [](KoalaBear x) { return x; },
        protocol);
    return t;
}

std::size_t proof_stream_length(const Circuit& circuit, const Heights& heights, const WhirParameters& parameters,
                                const Protocol& protocol, const StreamUnits& units) {
    const StackLayout layout = make_stack_layout(circuit, heights, protocol.log_stack_lanes).value();
    const SortedTables sorted = sort_tables(circuit, heights, layout);
    const LeafLayout leaves = make_leaf_layout(sorted.tables, sorted.log_heights);
    const std::size_t elements = (leaves.blocks.empty() ? 0 : gkr_stream_size(leaves.log_size)) +
                                 zerocheck_stream_length(sorted.tables, sorted.log_heights, protocol.row_rounds);
    return units.digest + elements * units.element + whir_stream_length(parameters, units);
}

template <class P>
BasicProof<P> prove(const Circuit& circuit, const Trace& trace, const Statement& statement,
                    const BasicProveOptions<P>& options) {
    using Tree = BasicCommitment<typename P::Hasher>;
    const StackLayout& layout = trace.layout();
    QUARRY_CHECK(layout.log_lanes == options.protocol.log_stack_lanes);
    const WhirParameters parameters = generate_parameters(options.protocol, layout.log_size, options.security_bits);
    const BasicVerifyingKey<P>* key = options.key != nullptr ? &options.key->verifying_key() : nullptr;
    QUARRY_CHECK(check_key(circuit, key, layout.log_size, options.security_bits).ok());
    if (options.claimed_key != nullptr) key = options.claimed_key;
    auto start = options.start ? *options.start
                               : start_transcript<P>(circuit, trace.heights(), parameters, options.security_bits,
                                                     statement, key, options.protocol);
    BasicProverChannel<P> channel(std::move(start), options.tamper);
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
    const Tree commitment = Tree::commit(trace.stack(), layout.witness_lanes(), parameters.rounds.front());
    channel.send_digest("root", commitment.root());

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
    const ZerocheckClaims<ExtField> claims = prove_zerocheck(channel, instances, bus, options.protocol.row_rounds);

    phase("open", &ProvePhases::open);
    std::vector<BasicStackPart<P>> parts;
    if (options.key != nullptr) {
        parts.push_back({&options.key->commitment(), options.key->trace().stack(), true});
    }
    parts.push_back({&commitment, trace.stack()});
    const OpenedStack stack{layout, sorted,
                            options.key != nullptr ? options.key->trace().stack() : std::span<const KoalaBear>(),
                            trace.stack()};
    std::vector<ChunkClaims> groups = batch_claims(channel, stack, claims, options.protocol);
    BasicProof<P> proof{options.security_bits, trace.heights(), {}, {}};
    proof.openings = prove_whir(channel, parts, std::move(groups), parameters);
    proof.stream = std::move(channel).take();
    phase("done", nullptr);
    return proof;
}

template <class P>
Status verify(const Circuit& circuit, const BasicProof<P>& proof, const Statement& statement, unsigned required_bits,
              const std::type_identity_t<BasicVerifyingKey<P>>* key, const Protocol& protocol) {
    if (std::find(kSecurityLevels.begin(), kSecurityLevels.end(), proof.security_bits) == kSecurityLevels.end() ||
        proof.security_bits < required_bits) {
        return Error{Errc::wrong_key, "security level"};
    }
    QUARRY_TRY_ASSIGN(const StackLayout layout, make_stack_layout(circuit, proof.heights, protocol.log_stack_lanes));
    QUARRY_TRY(check_key(circuit, key, layout.log_size, proof.security_bits));
    const auto parameters = find_parameters(protocol, layout.log_size, proof.security_bits);
    if (!parameters) return Error{Errc::bad_shape, "no parameters for this size"};
    if (proof.stream.size() != proof_stream_length(circuit, proof.heights, *parameters, protocol, P::kUnits)) {
        return Error{Errc::bad_length, "proof stream"};
    }
    // Every length before any arithmetic.
    const std::vector<std::size_t> lanes = layout.lanes_of_parts();
    QUARRY_TRY(whir_detail::check_shapes(std::span<const std::size_t>(lanes), WhirClaims<NativeBackend>{},
                                         proof.openings, *parameters));
    NativeBackend backend;
    BasicVerifierChannel<P> channel(
        start_transcript<P>(circuit, proof.heights, *parameters, proof.security_bits, statement, key, protocol),
        proof.stream);
    std::optional<typename P::Digest> preprocessed_root;
    if (key != nullptr) preprocessed_root = key->preprocessed_root;
    const Status status = verify_proof(backend, channel, circuit, proof.heights, layout, statement, proof.openings,
                                       *parameters, preprocessed_root, protocol);
    QUARRY_TRY(channel.well_formed());
    return status;
}

template Proof prove(const Circuit&, const Trace&, const Statement&, const ProveOptions&);
template KeccakProof prove(const Circuit&, const Trace&, const Statement&, const KeccakProveOptions&);
template Status verify<PoseidonPolicy>(const Circuit&, const Proof&, const Statement&, unsigned, const VerifyingKey*,
                                       const Protocol&);
template Status verify<KeccakPolicy>(const Circuit&, const KeccakProof&, const Statement&, unsigned,
                                     const KeccakVerifyingKey*, const Protocol&);

}  // namespace quarry
