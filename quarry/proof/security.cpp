#include "quarry/proof/security.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "quarry/base/check.hpp"

namespace quarry {
namespace {

constexpr double kModulus = 2130706433.0;  // p = 2^31 - 2^24 + 1 = 127 2^24 + 1
constexpr unsigned kExtensionDegree = 5;
constexpr unsigned kTwoAdicity = 24;
constexpr unsigned kElementBytes = 4;
constexpr unsigned kExtensionBytes = kExtensionDegree * kElementBytes;
constexpr unsigned kRate = 8;  // elements that one permutation absorbs
constexpr unsigned kDigestElements = 8;
constexpr unsigned kDigestBytes = kDigestElements * kElementBytes;
constexpr unsigned kMinMultiplicity = 3;
constexpr unsigned kMaxMultiplicity = 4096;
constexpr unsigned kMaxQueries = 2048;

// Wider than any difference between two libm's, far narrower than a bit that anyone could use.
constexpr double kMargin = 1e-6;

/// How challenges, positions and the work come out of the hash.
struct Sampling {
    double field_bits;     ///< -log2 of the likeliest challenge in E
    double position_bias;  ///< added to the probability that one position lies in a set
    bool word_is_element;  ///< the ground word is the low bits of a field element, else it is uniform

    explicit Sampling(ProofHash hash)
        : field_bits(kExtensionDegree * std::log2(kModulus)),
          position_bias(1 / kModulus),
          word_is_element(hash == ProofHash::poseidon) {
        if (hash == ProofHash::keccak) {
            field_bits -= kExtensionDegree * std::log2(1 + std::exp2(-20));  // a coefficient: p^-1 (1 + 2^-20) at most
            position_bias = 0;
        }
    }

    /// -log2(numerator / |E|), or of what the likeliest challenges make of it.
    double of_challenge(double numerator) const { return field_bits - std::log2(numerator); }

    /// -log2 of the share of words whose low `bits` bits are zero.
    double of_grinding(unsigned bits) const {
        if (bits == 0 || !word_is_element) return bits;
        return std::log2(kModulus) - std::log2(127 * std::exp2(kTwoAdicity - bits) + 1);
    }
};

/// A Reed-Solomon code of one oracle's lanes at one proximity parameter. With rho = (2^m - 1) / 2^(m+k), the degree
/// over the length, and multiplicity mu: 1 - delta = sqrt(rho) (1 + 1/mu).
struct Code {
    double length;
    double rho;
    double multiplicity;

    Code(unsigned log_message, unsigned log_inv_rate, unsigned mu)
        : length(std::exp2(log_message + log_inv_rate)), rho((std::exp2(log_message) - 1) / length), multiplicity(mu) {}

    double agreement() const { return std::sqrt(rho) * (1 + 1 / multiplicity); }

    /// Codewords of the interleaved code within delta of a word: 1 / (2 eta sqrt(rho)) = mu / (2 rho) by the Johnson
    /// bound, (mu + 1/2) / sqrt(rho) by Guruswami-Sudan. The larger.
    double list_size() const { return std::max(multiplicity / (2 * rho), (multiplicity + 0.5) / std::sqrt(rho)); }

    /// Exceptional challenges of a line. [BCHKS25, Theorem 4.6, M = 1]
    double exceptions() const {
        const double t = multiplicity + 0.5;
        const double delta = 1 - agreement();
        return (2 * t * t * t * t * t + 3 * t * delta * rho) / (3 * rho * std::sqrt(rho)) * length + t / std::sqrt(rho);
    }

    /// One fold: the sumcheck's degree 2 against every codeword of the list, or a line with exceptional agreement.
    double fold_bits(const Sampling& s) const { return s.of_challenge(2 * list_size() + exceptions()); }

    /// One out-of-domain sample separates the list: univariate polynomials of degree < 2^log_size.
    double ood_bits(unsigned log_size, const Sampling& s) const {
        const double list = list_size();
        return s.of_challenge(list * list / 2 * std::exp2(log_size));
    }

    /// One query.
    double query_bits(const Sampling& s) const { return -std::log2(agreement() + s.position_bias); }
};

/// The messages before WHIR, charged to the first oracle's list: degree in the challenge.
struct EarlyMessage {
    const char* name;
    double degree;
    unsigned count;
    const char* relies_on;
};

/// Those of count 0 are not sent.
std::array<EarlyMessage, 9> early_messages(const CircuitBounds& b) {
    const double fractions = std::exp2(b.log_fractions);
    const double skip = std::exp2(b.log_skip) - 1;
    const double degree = b.constraint_degree + 1.0;
    const unsigned m = std::max(b.log_fractions, 1u);
    const unsigned plain_rounds = b.log_max_height > b.log_skip ? b.log_max_height - b.log_skip : 0;
    return {{
        {"logup.fingerprint", fractions * (b.tuple_length + 1.0), 1, "poles of a rational function [Haboeck22]"},
        {"gkr.lambda", 1, m - 1, "batching of two claims [PH23]"},
        {"gkr.round", 3, m * (m - 1) / 2, "sumcheck, degree 3 with eq [LFKN92]"},
        {"gkr.merge", 1, m, "line through two claims [PH23]"},
        {"zerocheck.point", 1, b.log_max_height, "multilinear in each coordinate of the GKR point"},
        {"constraints.batch", static_cast<double>(b.num_constraints) + 1, 1, "powers of one challenge"},
        {"constraints.skip", degree * skip, b.log_skip > 0 ? 1U : 0U,
         "univariate skip, degree (d + 1)(2^k - 1) [Gruen24]"},
        {"constraints.round", degree, plain_rounds, "sumcheck, degree d + 1 [LFKN92]"},
        b.batching_variables > 0
            ? EarlyMessage{"openings.batch", 1, b.batching_variables, "multilinear in each challenge"}
            : EarlyMessage{"openings.batch", static_cast<double>(b.num_openings), 1, "powers of one challenge"},
    }};
}

/// Messages whose bits fall as the multiplicity of an oracle's code grows.
struct OracleUse {
    unsigned log_size;  ///< n_i
    bool first;
    double early_degree;     ///< largest degree of an early message; first oracle only
    double combined_claims;  ///< degree of the gamma that follows the previous round's queries; later oracles only
};

double falling_bits(const Code& code, const OracleUse& use, const Sampling& s) {
    double bits = code.fold_bits(s);
    if (use.first) return std::min(bits, s.of_challenge(code.list_size() * use.early_degree));
    bits = std::min(bits, code.ood_bits(use.log_size, s));
    return std::min(bits, s.of_challenge(code.list_size() * use.combined_claims));
}

double largest_early_degree(const CircuitBounds& bounds) {
    double degree = 0;
    for (const EarlyMessage& m : early_messages(bounds)) {
        if (m.count > 0) degree = std::max(degree, m.degree);
    }
    return degree;
}

/// The largest multiplicity whose falling messages keep `bits`; 0 if there is none.
unsigned largest_multiplicity(unsigned log_message, unsigned log_inv_rate, const OracleUse& use, double bits,
                              const Sampling& s) {
    const auto keeps = [&](unsigned mu) { return falling_bits(Code(log_message, log_inv_rate, mu), use, s) >= bits; };
    if (!keeps(kMinMultiplicity)) return 0;
    unsigned good = kMinMultiplicity;
    unsigned bad = kMaxMultiplicity + 1;
    while (bad - good > 1) {
        const unsigned middle = (good + bad) / 2;
        (keeps(middle) ? good : bad) = middle;
    }
    return good;
}

/// Queries and grinding of one round: fewest queries at full grinding, then the least grinding for that many.
std::optional<WhirRound> plan_round(unsigned log_lanes, unsigned log_message, unsigned log_inv_rate,
                                    const OracleUse& use, const SecurityTarget& target, const Sampling& s) {
    const double bits = target.bits + kMargin;
    const unsigned mu = largest_multiplicity(log_message, log_inv_rate, use, bits, s);
    if (mu == 0) return std::nullopt;
    const double per_query = Code(log_message, log_inv_rate, mu).query_bits(s);
    if (per_query <= 0) return std::nullopt;
    const auto reached = [&](unsigned queries, unsigned grinding) {
        return queries * per_query + s.of_grinding(grinding) >= bits;
    };
    unsigned queries = 1;
    while (!reached(queries, target.max_grinding_bits)) {
        if (++queries > kMaxQueries) return std::nullopt;
    }
    unsigned grinding = target.max_grinding_bits;
    while (grinding > 0 && reached(queries, grinding - 1)) --grinding;
    return WhirRound{log_lanes, log_message, log_inv_rate, queries, grinding};
}

std::uint64_t leaf_elements(const WhirRound& round, bool first) {
    return (std::uint64_t{1} << round.log_lanes) * (first ? 1 : kExtensionDegree);
}

/// The round's share of WhirCost. With t positions spread as far as possible, level j of the tree has min(t, 2^j) nodes
/// on their paths.
WhirCost round_cost(const WhirRound& round, bool first) {
    WhirCost cost{};
    const unsigned depth = round.log_message + round.log_inv_rate;
    const std::uint64_t length = std::uint64_t{1} << depth;
    const std::uint64_t leaf_permutations = (leaf_elements(round, first) + kRate - 1) / kRate;
    const std::uint64_t t = round.num_queries;
    std::uint64_t siblings = 0;
    std::uint64_t parents = 0;
    for (unsigned level = 1; level <= depth; ++level) {
        const std::uint64_t above = std::min(t, std::uint64_t{1} << (level - 1));
        siblings += 2 * above - std::min(t, std::uint64_t{1} << level);
        parents += above;
    }
    if (!first) cost.prover_permutations = length * leaf_permutations + length - 1;
    cost.verifier_permutations = t * leaf_permutations + parents;
    cost.proof_bytes = kDigestBytes + 2 * kExtensionBytes * round.log_lanes + kElementBytes;
    if (!first) cost.proof_bytes += kExtensionBytes;  // the out-of-domain answer
    cost.proof_bytes += t * leaf_elements(round, first) * kElementBytes + siblings * kDigestBytes;
    return cost;
}

WhirCost final_cost(unsigned log_final) {
    return {0, 0, (std::size_t{1} << log_final) * kExtensionBytes + 2 * kExtensionBytes * log_final};
}

WhirCost operator+(const WhirCost& a, const WhirCost& b) {
    return {a.prover_permutations + b.prover_permutations, a.verifier_permutations + b.verifier_permutations,
            a.proof_bytes + b.proof_bytes};
}

/// Depth-first over the rates and lane counts of the rounds >= 1, cutting branches that already cost more than the
/// best.
class Search {
  public:
    Search(const SecurityTarget& target, const WhirOptions& options) : target_(target), options_(options) {}

    std::optional<WhirParameters> run(unsigned log_size) {
        const unsigned lanes = std::min(options_.log_lanes, log_size - options_.max_log_final);
        const unsigned message = log_size - lanes;
        if (message + options_.log_inv_rate > kTwoAdicity) return std::nullopt;
        const OracleUse use{log_size, true, largest_early_degree(options_.bounds), 0};
        const auto first = plan_round(lanes, message, options_.log_inv_rate, use, target_, sampling_);
        if (!first) return std::nullopt;
        current_ = {log_size, {*first}, 0};
        extend(message, round_cost(*first, true));
        return best_;
    }

  private:
    /// The last vector is too long, or may be halved further; `cost` is that of the rounds so far.
    void extend(unsigned log_size, const WhirCost& cost) {
        if (best_ && rank(cost) >= best_rank_) return;
        if (log_size <= options_.max_log_final) consider(log_size, cost + final_cost(log_size));
        if (log_size < 2) return;
        const WhirRound previous = current_.rounds.back();
        for (unsigned lanes = std::min(options_.log_lanes_later, log_size - 1); lanes >= 1; --lanes) {
            const unsigned message = log_size - lanes;
            // Fewer lanes only for an oracle that leaves a vector short enough to send.
            if (lanes < options_.log_lanes_later && message > options_.max_log_final) break;
            // Rates never rise, codes at least halve.
            for (unsigned k = previous.log_inv_rate; message + k < previous.log_message + previous.log_inv_rate; ++k) {
                const auto& round = plan(log_size, message, k);
                if (!round) continue;
                current_.rounds.push_back(*round);
                extend(message, cost + round_cost(*round, false));
                current_.rounds.pop_back();
            }
        }
    }

    /// A round >= 1. Its plan must not depend on the rounds before it, so the previous queries are taken as
    /// kMaxQueries.
    const std::optional<WhirRound>& plan(unsigned log_size, unsigned message, unsigned k) {
        auto& plan = plans_[(log_size * kSide + message) * kSide + k];
        if (!plan) {
            const OracleUse use{log_size, false, 0, kMaxQueries + 1.0};
            plan = plan_round(log_size - message, message, k, use, target_, sampling_);
        }
        return *plan;
    }

    /// Smaller is better; grows with every part of the cost.
    std::pair<bool, std::uint64_t> rank(const WhirCost& cost) const {
        if (cost.proof_bytes > options_.max_proof_bytes) return {true, cost.proof_bytes};
        return {false, cost.prover_permutations + options_.verifier_weight * cost.verifier_permutations};
    }

    void consider(unsigned log_final, const WhirCost& cost) {
        if (best_ && rank(cost) >= best_rank_) return;
        best_rank_ = rank(cost);
        best_ = current_;
        best_->log_final = log_final;
    }

    const SecurityTarget& target_;
    const WhirOptions& options_;
    const Sampling sampling_{ProofHash::poseidon};
    WhirParameters current_{};
    static constexpr unsigned kSide = kTwoAdicity + 1;
    // Not braced: an aggregate's optional may be made from the count.
    std::vector<std::optional<std::optional<WhirRound>>> plans_ =
        std::vector<std::optional<std::optional<WhirRound>>>(kSide * kSide * kSide);
    std::optional<WhirParameters> best_;
    std::pair<bool, std::uint64_t> best_rank_{};
};

double round_down(double bits) { return std::floor(bits * 100 - kMargin) / 100; }

}  // namespace

bool multiplicities_cannot_wrap(const CircuitBounds& bounds) noexcept { return bounds.log_fractions <= 30; }

unsigned max_grinding_bits(unsigned log_size, const SecurityTarget& target, const WhirOptions& options) noexcept {
    const unsigned own = log_size > options.log_cells_per_trial ? log_size - options.log_cells_per_trial : 0;
    return std::min(target.max_grinding_bits, own);
}

std::optional<WhirParameters> find_whir_parameters(unsigned log_size, const SecurityTarget& target,
                                                   const WhirOptions& options) {
    QUARRY_CHECK(log_size >= 16 && log_size <= 28);
    QUARRY_CHECK(target.max_grinding_bits <= kTwoAdicity);
    QUARRY_CHECK(options.log_lanes >= 1 && options.log_lanes_later >= 1 && options.log_inv_rate >= 1);
    QUARRY_CHECK(options.max_log_final >= 1 && options.max_log_final < log_size);
    const SecurityTarget capped{target.bits, max_grinding_bits(log_size, target, options)};
    return Search(capped, options).run(log_size);
}

std::optional<WhirRound> plan_whir_round(unsigned log_size, unsigned log_message, unsigned log_inv_rate, bool first,
                                         const SecurityTarget& target, const CircuitBounds& bounds, ProofHash hash) {
    QUARRY_CHECK(log_message < log_size && log_inv_rate >= 1 && target.max_grinding_bits <= kTwoAdicity);
    if (log_message + log_inv_rate > kTwoAdicity) return std::nullopt;
    const OracleUse use = first ? OracleUse{log_size, true, largest_early_degree(bounds), 0}
                                : OracleUse{log_size, false, 0, kMaxQueries + 1.0};
    return plan_round(log_size - log_message, log_message, log_inv_rate, use, target, Sampling(hash));
}

WhirParameters generate_whir_parameters(unsigned log_size, const SecurityTarget& target, const WhirOptions& options) {
    const auto parameters = find_whir_parameters(log_size, target, options);
    QUARRY_CHECK(parameters.has_value());
    return *parameters;
}

WhirCost whir_cost(const WhirParameters& parameters) {
    WhirCost cost = final_cost(parameters.log_final);
    for (std::size_t i = 0; i < parameters.rounds.size(); ++i) cost = cost + round_cost(parameters.rounds[i], i == 0);
    return cost;
}

namespace {

/// What the hash is assumed to be. Poseidon: digests and capacity of 8 elements. Keccak-256: 32 bytes.
void add_assumptions(ProofHash hash, std::vector<SecurityLine>& lines) {
    constexpr auto kBasis = SecurityLine::Basis::assumption;
    const double poseidon_bits = round_down(kDigestElements * std::log2(kModulus) / 2);
    if (hash == ProofHash::poseidon) {
        lines.push_back({"hash.collision", poseidon_bits, 1, 0, kBasis, "birthday, 8-element digests"});
        lines.push_back({"hash.transcript", poseidon_bits, 1, 0, kBasis, "capacity of 8 elements"});
    } else {
        lines.push_back({"hash.collision", 128, 1, 0, kBasis, "birthday, Keccak-256 digests"});
        lines.push_back({"hash.transcript", 128, 1, 0, kBasis, "Keccak-256, state of 32 bytes"});
    }
}

}  // namespace

std::vector<SecurityLine> analyse(const WhirParameters& parameters, const CircuitBounds& bounds, ProofHash hash) {
    using Basis = SecurityLine::Basis;
    const Sampling sampling(hash);
    QUARRY_CHECK(!parameters.rounds.empty());
    std::vector<SecurityLine> lines;
    const auto add = [&](std::string name, double bits, unsigned count, unsigned mu, std::string relies_on) {
        lines.push_back({std::move(name), round_down(bits), count, mu, Basis::statistical, std::move(relies_on)});
    };

    // The proximity parameter of each oracle: falling bits against the rising bits of its queries.
    std::vector<unsigned> chosen;
    unsigned log_size = parameters.log_size;
    for (std::size_t i = 0; i < parameters.rounds.size(); ++i) {
        const WhirRound& round = parameters.rounds[i];
        QUARRY_CHECK(round.log_lanes + round.log_message == log_size && round.grinding_bits <= kTwoAdicity);
        const double combined = i == 0 ? 0 : parameters.rounds[i - 1].num_queries + 1.0;
        const OracleUse use{log_size, i == 0, largest_early_degree(bounds), combined};
        unsigned best = kMinMultiplicity;
        double best_bits = -1;
        for (unsigned mu = kMinMultiplicity; mu <= kMaxMultiplicity; ++mu) {
            const Code code(round.log_message, round.log_inv_rate, mu);
            const double query =
                round.num_queries * code.query_bits(sampling) + sampling.of_grinding(round.grinding_bits);
            const double falling = falling_bits(code, use, sampling);
            if (std::min(query, falling) > best_bits) {
                best = mu;
                best_bits = std::min(query, falling);
            }
            if (falling <= query) break;  // it only falls further
        }
        chosen.push_back(best);
        log_size = round.log_message;
    }
    QUARRY_CHECK(log_size == parameters.log_final);
    const auto code_of = [&](std::size_t i) {
        return Code(parameters.rounds[i].log_message, parameters.rounds[i].log_inv_rate, chosen[i]);
    };

    const double list = code_of(0).list_size();
    for (const EarlyMessage& m : early_messages(bounds)) {
        if (m.count == 0) continue;
        add(m.name, sampling.of_challenge(list * m.degree), m.count, chosen[0],
            std::string(m.relies_on) + ", times the list");
    }
    log_size = parameters.log_size;
    for (std::size_t i = 0; i < parameters.rounds.size(); ++i) {
        const WhirRound& round = parameters.rounds[i];
        const Code code = code_of(i);
        const std::string prefix = "whir." + std::to_string(i) + ".";
        if (i > 0) {
            // The sample comes with the oracle, before round i - 1 is queried; the combination after.
            add(prefix + "ood", code.ood_bits(log_size, sampling), 1, chosen[i], "Johnson bound");
            const double claims = parameters.rounds[i - 1].num_queries + 1.0;
            add(prefix + "combine", sampling.of_challenge(code.list_size() * claims), 1, chosen[i], "Johnson bound");
        }
        add(prefix + "fold", code.fold_bits(sampling), round.log_lanes, chosen[i],
            "BCHKS25 Thm 4.6, Jo26 Thm 4.4, Johnson bound");
        add(prefix + "query", round.num_queries * code.query_bits(sampling) + sampling.of_grinding(round.grinding_bits),
            1, chosen[i], "independent positions, grinding " + std::to_string(round.grinding_bits));
        log_size = round.log_message;
    }
    if (parameters.log_final > 0)
        add("whir.final", sampling.of_challenge(2), parameters.log_final, 0, "sumcheck, degree 2 [LFKN92]");
    add_assumptions(hash, lines);
    return lines;
}

double minimum_bits(std::span<const SecurityLine> lines, SecurityLine::Basis basis) {
    double bits = 1e9;
    for (const SecurityLine& line : lines) {
        if (line.basis == basis) bits = std::min(bits, line.bits);
    }
    return bits;
}

double interactive_bits(std::span<const SecurityLine> lines) {
    double error = 0;
    for (const SecurityLine& line : lines) {
        if (line.basis == SecurityLine::Basis::statistical) error += line.count * std::exp2(-line.bits);
    }
    return round_down(-std::log2(error));
}

}  // namespace quarry
