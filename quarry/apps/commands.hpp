#pragma once
#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <type_traits>

namespace quarry::apps {

/// What every command understands, and what the command line chose.
struct Session {
    bool json = false;
    bool quiet = false;
    unsigned threads = 0;  ///< 0: one for each core
    std::string isa;       ///< empty: the best one
    std::function<void()> action;
    int exit_code = 0;  ///< of a command that has printed itself what is wrong
};

/// A command under `parent` that sets session.action to `run`, with the common options and an example in its help.
CLI::App* add_command(CLI::App& parent, Session& session, const std::string& name, const std::string& description,
                      const std::string& example, std::function<void()> run);

/// --name VALUE with first <= value <= last. Help shows the range and the default, which is what `value` holds.
template <class T>
CLI::Option* add_number(CLI::App& command, const std::string& name, T& value, std::type_identity_t<T> first,
                        std::type_identity_t<T> last, const std::string& description) {
    const std::string range = CLI::detail::to_string(first) + ".." + CLI::detail::to_string(last);
    return command.add_option(name, value, description)->type_name("N")->check(CLI::Range(first, last, range));
}
/// --name BITS: a security level.
CLI::Option* add_level(CLI::App& command, const std::string& name, unsigned& bits, const std::string& description);

void add_bench_aggregate(CLI::App& bench, Session& session);
void add_bench_permutations(CLI::App& bench, Session& session);
void add_bench_kernels(CLI::App& bench, Session& session);
void add_bench_data(CLI::App& bench, Session& session);
void add_bench_execute(CLI::App& bench, Session& session);
void add_bench_prove(CLI::App& bench, Session& session);
void add_bench_recursion(CLI::App& bench, Session& session);
void add_bench_split(CLI::App& bench, Session& session);
void add_bench_terminal(CLI::App& bench, Session& session);
void add_aggregate_command(CLI::App& app, Session& session);
void add_devnet_command(CLI::App& app, Session& session);
void add_batch_commands(CLI::App& app, Session& session);
void add_l1_command(CLI::App& app, Session& session);
void add_codegen_command(CLI::App& app, Session& session);
void add_keys_command(CLI::App& app, Session& session);
void add_load_command(CLI::App& app, Session& session);
void add_prove_command(CLI::App& app, Session& session);
void add_prover_command(CLI::App& app, Session& session);
void add_state_commands(CLI::App& app, Session& session);
void add_doctor_command(CLI::App& app, Session& session);
void add_execute_commands(CLI::App& app, Session& session);
void add_security_command(CLI::App& app, Session& session);
void add_sequencer_command(CLI::App& app, Session& session);
void add_terminal_command(CLI::App& app, Session& session);
void add_task_commands(CLI::App& app, Session& session);
void add_proof_commands(CLI::App& app, Session& session);

}  // namespace quarry::apps
