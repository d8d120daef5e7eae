#include "quarry/apps/terminal_figures.hpp"

#include <fmt/format.h>

#include "quarry/apps/output.hpp"
#include "quarry/proof/terminal_parameters.hpp"

namespace quarry::apps {

namespace json = boost::json;

TerminalFigures terminal_figures(const recursion::Terminal& terminal, std::span<const KoalaBear> limbs,
                                 std::size_t proof_bytes) {
    const Heights heights = recursion::heights_of(terminal.shape_heights());
    const Circuit& circuit = terminal.circuit();
    const auto layout = make_stack_layout(circuit, heights, kTerminalProtocol.log_stack_lanes).value();
    TerminalFigures f;
    f.proof_bytes = proof_bytes;
    f.cells = layout.used_cells;
    f.log_size = layout.log_size;
    f.parameters = generate_parameters(kTerminalProtocol, layout.log_size, terminal.security_bits());
    const auto tuples = recursion::terminal_statement(limbs).tuples;
    f.parts = evm_parts(count_circuit(circuit, heights, kTerminalProtocol, tuples.size(), tuples.front().tuple.size()),
                        kTerminalProtocol, f.parameters);
    const EvmCost cost = sum(f.parts);
    f.execution_gas = cost.gas;
    f.predicted_bytes = cost.bytes;
    f.predicted_gas = evm_transaction_gas({cost.gas, proof_bytes});
    f.provable_bits = minimum_bits(analyse(f.parameters, kTerminalBounds));
    return f;
}

json::object to_json(const TerminalFigures& f) {
    json::array rounds;
    for (const WhirRound& r : f.parameters.rounds) {
        rounds.push_back(json::object{{"log_lanes", r.log_lanes},
                                      {"log_message", r.log_message},
                                      {"log_inv_rate", r.log_inv_rate},
                                      {"queries", r.num_queries},
                                      {"grinding_bits", r.grinding_bits}});
    }
    json::array parts;
    for (const EvmPart& p : f.parts) {
        parts.push_back(json::object{{"name", p.name}, {"gas", rounded(p.cost.gas, 0)}, {"bytes", p.cost.bytes}});
    }
    return json::object{{"proof_bytes", f.proof_bytes},
                        {"predicted_bytes", f.predicted_bytes},
                        {"predicted_gas", rounded(f.predicted_gas, 0)},
                        {"predicted_execution_gas", rounded(f.execution_gas, 0)},
                        {"provable_bits", rounded(f.provable_bits, 2)},
                        {"cells", f.cells},
                        {"log_size", f.log_size},
                        {"rounds", std::move(rounds)},
                        {"parts", std::move(parts)}};
}

std::string to_text(const TerminalFigures& f) {
    const auto line = [](const std::string& name, const std::string& value, const std::string& note) {
        return fmt::format("  {:<20} {:>12}   {}\n", name, value, note);
    };
    return line("proof", human_bytes(f.proof_bytes),
                fmt::format("{} cells in 2^{}", with_commas(f.cells), f.log_size)) +
           line("predicted gas", with_commas(static_cast<std::uint64_t>(f.predicted_gas)),
                fmt::format("of it execution {}", with_commas(static_cast<std::uint64_t>(f.execution_gas)))) +
           line("provable security", fmt::format("{:.2f} bits", f.provable_bits), "");
}

}  // namespace quarry::apps
