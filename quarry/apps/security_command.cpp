#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/failure.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/proof/circuit.hpp"
#include "quarry/proof/proof.hpp"
#include "quarry/proof/security.hpp"
#include "quarry/proof/terminal_parameters.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

struct SecurityOptions {
    unsigned bits = 100;
    std::string profile = "inner";
    unsigned log_size = 0;  ///< 0: every size
};

/// Everything there is to say about proofs of one size.
struct SizeReport {
    WhirParameters parameters;
    std::vector<SecurityLine> lines;
    std::size_t opening_bytes = 0;  ///< at most; of a terminal proof with a typical number of lanes
    [[nodiscard]] double minimum() const { return minimum_bits(lines); }
    /// The message that limits the level.
    [[nodiscard]] const SecurityLine& weakest() const {
        return *std::min_element(lines.begin(), lines.end(), [](const SecurityLine& a, const SecurityLine& b) {
            return a.basis == SecurityLine::Basis::statistical &&
                   (b.basis != SecurityLine::Basis::statistical || a.bits < b.bits);
        });
    }
};

const char* basis_name(SecurityLine::Basis basis) {
    return basis == SecurityLine::Basis::statistical ? "statistical" : "assumption";
}

const Protocol& protocol_of(const std::string& profile) {
    static constexpr Protocol kInner{};
    if (profile == "wrap") return kWrapProtocol;
    return profile == "terminal" ? kTerminalProtocol : kInner;
}

/// nullopt: no proofs of this size.
std::optional<SizeReport> make_report(const Protocol& protocol, unsigned log_size, unsigned bits) {
    const auto parameters = find_parameters(protocol, log_size, bits);
    if (!parameters) return std::nullopt;
    SizeReport report{*parameters, {}, 0};
    if (protocol.parameters != ParameterSet::terminal) {
        report.lines = analyse(*parameters);
        report.opening_bytes = whir_cost(*parameters).proof_bytes;
        return report;
    }
    report.lines = analyse(*parameters, kTerminalBounds, ProofHash::keccak);
    const TerminalOptions typical;
    EvmCost cost = evm_final_cost(parameters->log_final, parameters->rounds.back().num_queries);
    for (std::size_t i = 0; i < parameters->rounds.size(); ++i) {
        cost = cost + evm_round_cost(*parameters, i, typical.witness_lanes, typical.preprocessed_lanes);
    }
    report.opening_bytes = cost.bytes;
    return report;
}

json::object to_json(const SizeReport& report) {
    json::array rounds;
    for (const WhirRound& r : report.parameters.rounds) {
        rounds.push_back(json::object{{"log_lanes", r.log_lanes},
                                      {"log_message", r.log_message},
                                      {"log_inv_rate", r.log_inv_rate},
                                      {"num_queries", r.num_queries},
                                      {"grinding_bits", r.grinding_bits}});
    }
    json::array lines;
    for (const SecurityLine& l : report.lines) {
        lines.push_back(json::object{{"name", l.name},
                                     {"bits", l.bits},
                                     {"count", l.count},
                                     {"multiplicity", l.multiplicity},
                                     {"basis", basis_name(l.basis)},
                                     {"relies_on", l.relies_on}});
    }
    return json::object{{"log_size", report.parameters.log_size},
                        {"minimum_bits", report.minimum()},
                        {"interactive_bits", interactive_bits(report.lines)},
                        {"log_final", report.parameters.log_final},
                        {"opening_bytes_at_most", report.opening_bytes},
                        {"rounds", std::move(rounds)},
                        {"lines", std::move(lines)}};
}

void print_summary(const std::vector<SizeReport>& reports, unsigned bits) {
    print(fmt::format("Provable security for a target of {} bits, by size of the committed stack\n\n", bits));
    print(fmt::format("{:>6}  {:>6}  {:<36}  {:>10}  {:>8}  {}\n", "cells", "rounds", "queries (grinding bits)",
                      "opening <=", "minimum", "weakest message"));
    for (const SizeReport& report : reports) {
        std::string queries;
        for (const WhirRound& r : report.parameters.rounds) {
            queries += fmt::format("{}{} ({})", queries.empty() ? "" : ", ", r.num_queries, r.grinding_bits);
        }
        print(fmt::format("{:>6}  {:>6}  {:<36}  {:>10}  {:>8.2f}  {}\n",
                          fmt::format("2^{}", report.parameters.log_size), report.parameters.rounds.size(), queries,
                          human_bytes(report.opening_bytes), report.minimum(), report.weakest().name));
    }
}

void print_table(const SizeReport& report, unsigned bits) {
    const WhirParameters& p = report.parameters;
    print(fmt::format("Proofs over 2^{} cells, for a target of {} bits\n\n", p.log_size, bits));
    print(fmt::format("{:>6}  {:>9}  {:>12}  {:>12}  {:>8}  {:>13}\n", "oracle", "log lanes", "log message",
                      "log 1/rate", "queries", "grinding bits"));
    for (std::size_t i = 0; i < p.rounds.size(); ++i) {
        const WhirRound& r = p.rounds[i];
        print(fmt::format("{:>6}  {:>9}  {:>12}  {:>12}  {:>8}  {:>13}\n", i, r.log_lanes, r.log_message,
                          r.log_inv_rate, r.num_queries, r.grinding_bits));
    }
    print(fmt::format("the last vector of 2^{} elements is sent whole\n\n", p.log_final));
    print(fmt::format("{:<20}  {:>7}  {:>5}  {:>12}  {:<12} {}\n", "message", "bits", "count", "multiplicity", "basis",
                      "relies on"));
    for (const SecurityLine& l : report.lines) {
        print(fmt::format("{:<20}  {:>7.2f}  {:>5}  {:>12}  {:<12} {}\n", l.name, l.bits, l.count,
                          l.multiplicity == 0 ? "" : std::to_string(l.multiplicity), basis_name(l.basis), l.relies_on));
    }
    print(fmt::format("\nminimum {:.2f} bits (Fiat-Shamir, round by round); as an interactive protocol {:.2f}\n",
                      report.minimum(), interactive_bits(report.lines)));
}

void run_security(const SecurityOptions& options, const Session& session) {
    std::vector<SizeReport> reports;
    const unsigned first = options.log_size == 0 ? kMinLogStack : options.log_size;
    const unsigned last = options.log_size == 0 ? kMaxLogStack : options.log_size;
    for (unsigned n = first; n <= last; ++n) {
        if (auto report = make_report(protocol_of(options.profile), n, options.bits)) {
            reports.push_back(std::move(*report));
        }
    }
    if (reports.empty()) {
        throw Failure(exit_usage, "no_parameters", "no parameters of this profile and size reach the level",
                      "choose a smaller --log-size or fewer --bits; `quarry security --help` says which there are");
    }
    const auto least = std::min_element(reports.begin(), reports.end(), [](const SizeReport& a, const SizeReport& b) {
        return a.minimum() < b.minimum();
    });
    double assumptions = 1e9;
    for (const SizeReport& report : reports) {
        assumptions = std::min(assumptions, minimum_bits(report.lines, SecurityLine::Basis::assumption));
    }
    if (session.json) {
        json::array sizes;
        for (const SizeReport& report : reports) sizes.push_back(to_json(report));
        print_json(json::object{{"target_bits", options.bits},
                                {"profile", options.profile},
                                {"minimum_bits", least->minimum()},
                                {"minimum_bits_of_assumptions", assumptions},
                                {"weakest_message", least->weakest().name},
                                {"sizes", std::move(sizes)}});
        return;
    }
    if (options.log_size != 0) {
        print_table(reports.front(), options.bits);
        return;
    }
    print_summary(reports, options.bits);
    print(
        fmt::format("\nminimum: {:.2f} bits proven (2^{} cells, {}); {:.2f} bits for what the hash is assumed to be\n",
                    least->minimum(), least->parameters.log_size, least->weakest().name, assumptions));
    print("every message of one size: quarry security --log-size 24\n");
}

}  // namespace

void add_security_command(CLI::App& app, Session& session) {
    const auto options = std::make_shared<SecurityOptions>();
    CLI::App* command = add_command(
        app, session, "security", "The provable security of every proof that this program makes, message by message",
        "quarry security --log-size 24", [options, &session] { run_security(*options, session); });
    add_level(*command, "--bits", options->bits, "the parameter set: what every message must reach");
    command
        ->add_option(
            "--profile", options->profile,
            "inner: proofs that circuits verify; wrap: the one that the terminal circuit verifies; terminal: the "
            "one that a contract verifies")
        ->check(CLI::IsMember({"inner", "wrap", "terminal"}))
        ->capture_default_str();
    add_number(*command, "--log-size", options->log_size, kMinLogStack, kMaxLogStack,
               "only proofs over 2^N cells, with every message");
}

}  // namespace quarry::apps
