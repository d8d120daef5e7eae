#include "quarry/node/node_tasks.hpp"

#include "quarry/circuits/data/data.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/node_prover.hpp"
#include "quarry/node/statement_json.hpp"
#include "quarry/node/task_parameters.hpp"
#include "quarry/node/terminal_proof.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry::node {
namespace {

Problem bad_task() {
    return {Problem::Kind::bad_input, "bad_task", "the task is not one of its kind",
            "use the release of quarry that made the folder"};
}

/// The terminal of this profile. It and its keys stay, those of the last profile that was asked for: seconds to make,
/// and gigabytes. One thread asks.
const recursion::Terminal& terminal_of(const recursion::Catalog& catalog, unsigned log_profile) {
    static const auto wrap = std::make_shared<const recursion::Wrap>(catalog);
    static std::unique_ptr<const recursion::Terminal> terminal;
    if (terminal == nullptr || terminal->log_profile() != log_profile) {
        terminal.reset();
        terminal = std::make_unique<const recursion::Terminal>(wrap, log_profile);
    }
    return *terminal;
}

}  // namespace

std::string statement_name(const rollup::DataStatement& statement) {
    return quarry::to_hex(keccak256(as_bytes(to_json(statement))));
}

Outcome<std::vector<std::uint8_t>> run_data(const TaskRun& run) {
    const auto prover = prover_of(run.task);
    if (!prover || run.inputs.size() != 1) return bad_task();
    const auto input = parse_data_input(run.inputs[0]);
    if (!input) return bad_task();
    const auto proof = prove_data(*input, prover->payee, prover->miner_tag, prover->security_bits);
    if (!proof) return proof.error();
    return encode(proof.value());
}

bool check_data(const Task& task, std::span<const std::uint8_t> output) {
    const auto data = parse_data_proof(output);
    const auto prover = prover_of(task);
    if (!data || !prover || statement_name(data->statement) != text_of(task, "statement")) return false;
    const auto header = decode_header(data->proof);
    return header && header.value().heights == recursion::data_heights() &&
           circuits::verify_data(data->statement, data->proof, prover->security_bits).ok();
}

Outcome<std::vector<std::uint8_t>> run_node(const TaskRun& run) {
    const auto kind = recursion::find_node_kind(text_of(run.task, "node"));
    if (!kind || run.inputs.empty()) return bad_task();
    const recursion::Catalog* catalog = find_catalog();
    if (catalog == nullptr || to_hex(catalog->keys().digest()) != text_of(run.task, "keys")) return stale_keys();
    const auto statement = parse_node_statement(as_text(run.inputs[0]));
    if (!statement) return statement.error();
    const auto file = prove_node_of(*catalog, *kind, statement.value(), run.inputs.subspan(1), run.on_phase);
    if (!file) return file.error();
    return encode(file.value());
}

bool check_node(const Task& task, std::span<const std::uint8_t> output) {
    const recursion::Catalog* catalog = find_catalog();
    const auto kind = recursion::find_node_kind(text_of(task, "node"));
    if (catalog == nullptr || !kind) return false;
    const auto file = parse_node_proof(output);
    return file && file.value().node_kind == *kind &&
           to_hex(digest_of(file.value().statement)) == text_of(task, "statement") &&
           verify(*catalog, file.value()).ok();
}

Outcome<std::vector<std::uint8_t>> run_terminal(const TaskRun& run) {
    const auto log_profile = number<unsigned>(run.task, "log_profile");
    if (!log_profile || (*log_profile != 0 && *log_profile != 2 && *log_profile != 4)) return bad_task();
    if (run.inputs.size() != 1) return bad_task();
    const recursion::Catalog* catalog = find_catalog();
    if (catalog == nullptr || to_hex(catalog->keys().digest()) != text_of(run.task, "keys")) return stale_keys();
    const auto bundle = parse_node_proof(run.inputs[0]);
    if (!bundle) return bundle.error();
    if (run.on_phase) run.on_phase("execute");
    const recursion::Terminal& terminal = terminal_of(*catalog, *log_profile);
    const KeccakVerifyingKey& key = terminal.proving_key().verifying_key();
    if (run.on_phase) run.on_phase("trace");
    const auto file = prove_terminal(terminal, bundle.value());
    if (!file) return file.error();
    if (run.on_phase) run.on_phase("encode");
    const Status status = verify(terminal, key, file.value());
    if (!status) {
        return Problem{Problem::Kind::refused, errc_name(status.error().code), "the terminal proof does not verify",
                       "check the machine's memory, then try again"};
    }
    return encode(file.value());
}

bool check_terminal(const Task& task, std::span<const std::uint8_t> output) {
    const auto file = parse_terminal_proof(output);
    return file && number<unsigned>(task, "log_profile") == file.value().log_profile &&
           text_of(task, "keys") == to_hex(file.value().keys) &&
           text_of(task, "statement") == to_hex(digest_of(file.value().bundle));
}

}  // namespace quarry::node
