#include "quarry/proof/evm_cost.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "quarry/proof/proof.hpp"

namespace quarry {
namespace {

constexpr EvmUnits kUnits{};
constexpr double kTransaction = 21'000, kByte = 16, kFloorByte = 40;

constexpr std::size_t kEvmElementBytes = 4, kEvmExtensionBytes = 20, kEvmDigestBytes = 32, kEvmNonceBytes = 8;
constexpr std::size_t kPackedElements = 8;  // of F_p in a word
constexpr double kNodeFromCode = 250;       // a node of the preprocessed tree: an EXTCODECOPY and its place

// Two threads of the machine that docs/performance.md names: seconds of one thread for a permutation of Keccak, a cell
// of a codeword, a trial of the proof of work.
constexpr double kKeccakSeconds = 0.16e-6, kCodeCellSeconds = 6e-9, kTrialSeconds = 0.16e-6;
constexpr unsigned kThreads = 2;
constexpr std::size_t kKeccakRate = 135;  // bytes of a leaf behind its prefix that fit the first block

double count(std::size_t n) { return static_cast<double>(n); }

double absorb(std::size_t bytes) { return kUnits.transcript_base + kUnits.transcript_step * count(bytes); }

EvmCost paths_to_code(std::size_t queries, unsigned depth, unsigned kept) {
    const double climbed = kUnits.climb_base + (depth - kept) * kUnits.climb_step + kNodeFromCode;
    return {count(queries) * climbed, kEvmDigestBytes * queries * (depth - kept)};
}

/// Leaves of base elements, hashed and folded by the weights of their lanes.
EvmCost base_rows(std::size_t queries, std::size_t lanes) {
    const std::size_t bytes = kEvmElementBytes * lanes;
    const std::size_t words = (lanes + kPackedElements - 1) / kPackedElements;
    const double each =
        kUnits.leaf_base + kUnits.leaf_step * count(bytes) + kUnits.row_dot_base + kUnits.row_dot_step * count(words);
    return {count(lanes) * (kUnits.eq_table_pair + kUnits.row_weight) + count(queries) * each, queries * bytes};
}

EvmCost extension_rows(std::size_t queries, std::size_t lanes) {
    const std::size_t bytes = kEvmExtensionBytes * lanes;
    const double each = kUnits.leaf_base + kUnits.leaf_step * count(bytes) + kUnits.row_dot_in_e_base +
                        kUnits.row_dot_in_e_step * count(lanes);
    return {count(lanes) * (kUnits.eq_table_pair + kUnits.row_weight_in_e) + count(queries) * each, queries * bytes};
}

unsigned max_height(const EvmCircuit& circuit) {
    unsigned h = 0;
    for (const EvmTable& t : circuit.tables) h = std::max(h, t.log_rows);
    return h;
}

EvmCost gkr_cost(const EvmCircuit& circuit) {
    std::size_t fractions = 0;
    for (const EvmTable& t : circuit.tables) fractions += t.interactions << t.log_rows;
    if (fractions == 0) return {};
    const unsigned layers = std::max(static_cast<unsigned>(std::bit_width(fractions - 1)), max_height(circuit));
    EvmCost cost;
    for (unsigned j = 0; j < layers; ++j) {
        cost = cost + EvmCost{kUnits.gkr_layer_base + j * kUnits.gkr_layer_step,
                              2 * kEvmExtensionBytes * j + 4 * kEvmExtensionBytes};
    }
    return cost;
}

EvmCost leaves_cost(const EvmCircuit& circuit) {
    double gas = 0;
    for (const EvmTable& t : circuit.tables) gas += count(t.tuple_values + 3 * t.interactions) * kUnits.multiply_add;
    return {gas, 0};
}

EvmCost zerocheck_cost(const EvmCircuit& circuit, const Protocol& protocol) {
    unsigned degree = 1;
    for (const EvmTable& t : circuit.tables) degree = std::max(degree, t.degree);
    EvmCost cost;
    std::size_t rounds = max_height(circuit);
    if (protocol.row_rounds == RowRounds::skip) {
        rounds -= kLogSkip;
        const std::size_t size = (kSkipSize - 1) * degree + 1;
        cost.gas += count(size) * (kUnits.load_multiply_add + 30) + absorb(kEvmExtensionBytes * size) +
                    count(kSkipSize) * 3 * kUnits.multiply;
        cost.bytes += kEvmExtensionBytes * size;
    }
    cost.gas += count(rounds) * (kUnits.degree_round_base + degree * kUnits.degree_round_step);
    cost.bytes += kEvmExtensionBytes * degree * rounds;
    return cost;
}

EvmCost constraints_cost(const EvmCircuit& circuit) {
    double gas = 0;
    const double small_term = (kUnits.small_form_of_16 - kUnits.reduce) / 16;
    for (const EvmTable& t : circuit.tables) {
        gas += count(t.products) * kUnits.multiply + count(t.small_forms) * kUnits.reduce +
               count(t.small_terms) * small_term + count(t.large_terms) * kUnits.large_form_term +
               count(t.constraints) * kUnits.multiply_add;
    }
    return {gas, 0};
}

/// Reading the values, their sum, the kernels at the end and the weights of the chunks.
EvmCost claims_cost(const EvmCircuit& circuit, const Protocol& protocol) {
    std::size_t claims = 0;
    std::set<unsigned> heights;
    std::size_t cells = 0;
    for (const EvmTable& t : circuit.tables) {
        claims += t.columns + t.next_columns + t.preprocessed;
        cells += (t.columns + t.preprocessed) << t.log_rows;
        heights.insert(t.log_rows);
    }
    // By eq a value is folded once; a power, a product, and two for its chunk's weight at the end else.
    const bool by_eq = protocol.batching == ClaimBatching::eq;
    double gas = count(claims) * (kUnits.load + (by_eq ? 1 : 4) * kUnits.multiply_add);
    gas += absorb(kEvmExtensionBytes * claims);
    gas += count(2 * heights.size() * max_height(circuit)) * 3 * kUnits.multiply_add;
    if (by_eq) {
        // whir_detail::eq_runs_at: two products a variable, two more a variable at each end of a run; runs share ends.
        const auto log_cells = static_cast<unsigned>(std::bit_width(cells - 1));
        const unsigned variables = log_cells - std::min(log_cells, *heights.begin());
        gas += count(variables * (2 + 2 * (circuit.chunk_runs + 2))) * kUnits.multiply;
    }
    return {gas, kEvmExtensionBytes * claims};
}

/// The contract builds the vector itself: it costs no calldata here. A tuple: its values, packed eight to a word, times
/// powers of beta; one addition of fractions.
EvmCost public_cost(const EvmCircuit& circuit) {
    if (circuit.public_tuples == 0) return {};
    const std::size_t words = (circuit.public_values + kPackedElements - 1) / kPackedElements;
    const double each = kUnits.row_dot_base + count(words) * kUnits.row_dot_step + 2 * kUnits.multiply_add;
    const double powers = count(circuit.public_values) * (kUnits.multiply + kUnits.row_weight);
    // Absorbed with each: its bus, multiplicity and length.
    const std::size_t absorbed = circuit.public_tuples * (circuit.public_values + 3);
    return {count(circuit.public_tuples) * each + powers + absorb(kEvmElementBytes * absorbed), 0};
}

}  // namespace

double evm_transaction_gas(const EvmCost& cost) {
    const double bytes = count(cost.bytes);
    return kTransaction + std::max(kByte * bytes + kEvmGlue * cost.gas, kFloorByte * bytes);
}

EvmTable count_table(const Table& table, unsigned log_rows) {
    EvmTable t{.name = table.name,
               .log_rows = log_rows,
               .columns = table.num_witness(),
               .next_columns = table.next_columns().size(),
               .preprocessed = table.num_preprocessed,
               .interactions = table.interactions.size(),
               .constraints = table.constraints.size(),
               .degree = table.max_degree()};
    const auto is_unit = [](KoalaBear c) { return c == KoalaBear(1) || c == -KoalaBear(1); };
    const auto add_form = [&](const LinearForm& form) {
        if (form.is_constant() ||
            (form.terms.size() == 1 && is_unit(form.terms[0].coefficient) && form.constant.is_zero()))
            return;
        const std::size_t large =
            static_cast<std::size_t>(std::count_if(form.terms.begin(), form.terms.end(), [](const Term& term) {
                const std::uint32_t c = term.coefficient.canonical();
                return std::min(c, KoalaBear::kModulus - c) >= 1U << 15;
            }));
        t.large_terms += large;
        t.small_terms += form.terms.size() - large + (form.constant.is_zero() ? 0 : 1);
        if (large == 0) ++t.small_forms;
    };
    for (const Atom& atom : table.graph.atoms()) {
        if (atom.kind == Atom::Kind::product) {
            ++t.products;
            add_form(atom.left);
            if (!(atom.left == atom.right)) add_form(atom.right);
        } else if (atom.kind == Atom::Kind::alias) {
            add_form(atom.left);
        }
    }
    for (const Constraint& c : table.constraints) add_form(c.form);
    for (const Interaction& i : table.interactions) {
        t.tuple_values += i.tuple.size();
        add_form(i.multiplicity);
        for (const LinearForm& value : i.tuple) add_form(value);
    }
    return t;
}

EvmCircuit count_circuit(const Circuit& circuit, const Heights& heights, const Protocol& protocol,
                         std::size_t public_tuples, std::size_t public_values) {
    const StackLayout layout = make_stack_layout(circuit, heights, protocol.log_stack_lanes).value();
    EvmCircuit r;
    for (std::size_t t = 0; t < heights.size(); ++t) r.tables.push_back(count_table(circuit.tables()[t], heights[t]));
    r.witness_lanes = layout.witness_lanes();
    r.preprocessed_lanes = layout.preprocessed_lanes;
    const SortedTables sorted = sort_tables(circuit, heights, layout);
    ZerocheckClaims<ExtField> claims;
    for (const Table* table : sorted.tables) {
        claims.tables.push_back(
            {std::vector<ExtField>(table->num_columns()), std::vector<ExtField>(table->next_columns().size())});
    }
    for (auto& group : column_claims<NativeBackend>(sorted, layout, claims)) {
        merge_runs(group);
        r.chunk_runs += group.group.runs.size();
    }
    r.public_tuples = public_tuples + circuit.constants().size();
    r.public_values = public_values;
    return r;
}

EvmCost sum(const std::vector<EvmPart>& parts) {
    EvmCost total;
    for (const EvmPart& part : parts) total = total + part.cost;
    return total;
}

EvmCost evm_paths_cost(std::size_t num_queries, unsigned depth, unsigned log_cap) {
    const double climbed = kUnits.climb_base + (depth - log_cap) * kUnits.climb_step;
    const std::size_t cap_nodes = std::size_t{1} << log_cap;
    return {count(num_queries) * climbed + count(cap_nodes - 1) * kUnits.cap_node,
            kEvmDigestBytes * (num_queries * (depth - log_cap) + (log_cap > 0 ? cap_nodes : 0))};
}

EvmCost evm_round_cost(const WhirParameters& parameters, std::size_t i, std::size_t witness_lanes,
                       std::size_t preprocessed_lanes) {
    const WhirRound& round = parameters.rounds[i];
    const std::size_t t = round.num_queries;
    const unsigned depth = round.log_message + round.log_inv_rate;
    EvmCost cost{round.log_lanes * kUnits.sumcheck_round, 2 * kEvmExtensionBytes * round.log_lanes};
    cost = cost + EvmCost{absorb(kEvmDigestBytes + kEvmExtensionBytes), kEvmDigestBytes} +
           evm_paths_cost(t, depth, std::min(depth, KeccakPolicy::log_cap(t)));
    cost = cost + (i == 0 ? base_rows(t, witness_lanes) : extension_rows(t, std::size_t{1} << round.log_lanes));
    if (i == 0 && preprocessed_lanes > 0) {
        cost = cost + paths_to_code(t, depth, std::min(depth, kEvmKeptLevels)) + base_rows(t, preprocessed_lanes);
    }
    cost = cost + EvmCost{absorb(kEvmNonceBytes) + kUnits.positions_base +
                              count(t) * (kUnits.positions_step + kUnits.query_point),
                          kEvmNonceBytes};
    if (i + 1 < parameters.rounds.size()) {
        // The sample, and the weight of every new claim at the end.
        const unsigned pairs = (round.log_message + 1) / 2;
        const double weight = kUnits.pow_at_base + pairs * kUnits.pow_at_step + 2 * kUnits.multiply_add;
        const double sample = 3 * round.log_message * kUnits.multiply_add + kUnits.load;
        cost = cost + EvmCost{pairs * kUnits.pow_table_pair + count(t) * weight + sample, kEvmExtensionBytes};
    }
    return cost;
}

EvmCost evm_final_cost(unsigned log_final, std::size_t num_queries) {
    const std::size_t size = std::size_t{1} << log_final;
    const double horner = kUnits.horner_base + count(size) * kUnits.horner_step + 2 * kUnits.reduce;
    return {count(size) * (kUnits.load + kUnits.fold_element) + absorb(kEvmExtensionBytes * size) +
                log_final * kUnits.sumcheck_round + count(num_queries) * horner + kUnits.point_table,
            kEvmExtensionBytes * size + 2 * kEvmExtensionBytes * log_final};
}

std::vector<EvmPart> evm_parts_before_opening(const EvmCircuit& circuit, const Protocol& protocol) {
    return {{"public input", public_cost(circuit)},     {"LogUp-GKR", gkr_cost(circuit)},
            {"bus leaves", leaves_cost(circuit)},       {"zerocheck", zerocheck_cost(circuit, protocol)},
            {"constraints", constraints_cost(circuit)}, {"column claims", claims_cost(circuit, protocol)}};
}

std::vector<EvmPart> evm_parts(const EvmCircuit& circuit, const Protocol& protocol, const WhirParameters& parameters) {
    std::vector<EvmPart> parts = evm_parts_before_opening(circuit, protocol);
    for (std::size_t i = 0; i < parameters.rounds.size(); ++i) {
        parts.push_back({"opening, round " + std::to_string(i),
                         evm_round_cost(parameters, i, circuit.witness_lanes, circuit.preprocessed_lanes)});
    }
    parts.push_back({"last vector", evm_final_cost(parameters.log_final, parameters.rounds.back().num_queries)});
    return parts;
}

double evm_proving_seconds(const WhirParameters& parameters, std::size_t lanes) {
    double hashes = 0, cells = 0, trials = 0;
    for (std::size_t i = 0; i < parameters.rounds.size(); ++i) {
        const WhirRound& round = parameters.rounds[i];
        const std::size_t width = i == 0 ? lanes : ExtField::kDegree << round.log_lanes;
        const double length = std::exp2(round.log_message + round.log_inv_rate);
        cells += count(width) * length;
        hashes += length * (count((1 + kEvmElementBytes * width + kKeccakRate - 1) / kKeccakRate) + 1);
        if (round.grinding_bits > 0) trials += std::exp2(round.grinding_bits);
    }
    return (hashes * kKeccakSeconds + cells * kCodeCellSeconds + trials * kTrialSeconds) / kThreads;
}

}  // namespace quarry
