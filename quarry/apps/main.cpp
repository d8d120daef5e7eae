#include <fmt/format.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <memory>
#include <new>
#include <string_view>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/key_cache.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/wallet_commands.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/proof/proof.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry::apps {
namespace {

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  done; `verify`: accepted\n"
    "  1  refused: the input was read, and what it claims does not hold\n"
    "  2  usage: the command line is wrong\n"
    "  3  bad input: a file cannot be read, is empty, or is of another kind or version\n"
    "  4  environment: cannot write, disk full, out of memory, instruction set missing\n"
    "  5  internal: a bug of quarry\n"
    "\nExamples:\n"
    "  quarry bench permutations --log-count 17 --out proof.bin\n"
    "  quarry verify proof.bin\n"
    "  quarry genesis --accounts 1000 --balance 1000000 --out state\n"
    "  quarry security --log-size 24";

void add_common_options(CLI::App& app, Session& session) {
    const std::string group = "Common options";
    app.add_flag("--json", session.json, "print one JSON document instead of text")->group(group);
    app.add_flag("--quiet", session.quiet, "no progress on stderr")->group(group);
    add_number(app, "--threads", session.threads, 1, 1024, "worker threads (default: one for each core)")->group(group);
    app.add_option("--isa", session.isa, "instruction set of the kernels (default: the best one)")
        ->type_name("")
        ->check(CLI::IsMember({"scalar", "avx2", "avx512"}))
        ->envname("QUARRY_ISA")
        ->group(group);
}

/// Builds the whole command line.
void add_commands(CLI::App& app, Session& session) {
    app.set_help_flag("-h,--help", "this text");
    app.set_version_flag(
        "--version",
        fmt::format("quarry {} (protocol {}, proof format {})", QUARRY_VERSION, kProtocolVersion, kProofFormatVersion),
        "the version");
    app.footer(kExitCodes);
    app.require_subcommand(1);
    add_common_options(app, session);

    CLI::App* bench = app.add_subcommand("bench", "Measure this machine");
    bench->require_subcommand(1);
    bench->footer("Example:\n  quarry bench permutations --log-count 17 --json");
    add_bench_permutations(*bench, session);
    add_bench_kernels(*bench, session);
    add_bench_execute(*bench, session);
    add_bench_prove(*bench, session);
    add_bench_recursion(*bench, session);
    add_bench_split(*bench, session);
    add_bench_data(*bench, session);
    add_bench_aggregate(*bench, session);
    add_bench_terminal(*bench, session);
    add_state_commands(app, session);
    add_execute_commands(app, session);
    add_sequencer_command(app, session);
    add_load_command(app, session);
    add_devnet_command(app, session);
    add_doctor_command(app, session);
    add_wallet_commands(app, session);
    add_prove_command(app, session);
    add_prover_command(app, session);
    add_aggregate_command(app, session);
    add_terminal_command(app, session);
    add_task_commands(app, session);
    add_proof_commands(app, session);
    add_security_command(app, session);
    add_codegen_command(app, session);
    add_keys_command(app, session);
    add_l1_command(app, session);
    add_batch_commands(app, session);
}

void choose_isa(const std::string& name) {
    const auto isa = parse_isa(name);
    const auto supported = supported_isas();
    if (isa && std::find(supported.begin(), supported.end(), *isa) != supported.end()) return force_isa(*isa);
    std::string list;
    for (const Isa i : supported) list += (list.empty() ? "" : ", ") + std::string(isa_name(i));
    throw Failure(exit_environment, "isa_missing", fmt::format("this machine cannot run {}", name),
                  "choose one of: " + list);
}

int run(const Session& session) {
    const int threads = session.threads == 0 ? tbb::info::default_concurrency() : static_cast<int>(session.threads);
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
    if (!session.isa.empty()) choose_isa(session.isa);
    use_key_cache();
    tbb::task_arena(threads).execute(session.action);
    flush_stdout();
    return session.exit_code;
}

/// The subcommand that the command line got to: whose help to point to.
std::string command_path(const CLI::App& app) {
    const std::string& path = app.get_name();
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? path : path + " " + command_path(*chosen.front());
}

int parse_and_run(int argc, char** argv, Session& session) {
    CLI::App app("Quarry: a rollup's state and batches, proofs, their verifier, and what their security rests on",
                 "quarry");
    add_commands(app, session);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& request) {  // --help, --version
        (void)app.exit(request);
        flush_stdout();
        return exit_ok;
    } catch (const CLI::ParseError& error) {
        throw Failure(exit_usage, "usage", error.what(), fmt::format("see `{} --help`", command_path(app)));
    }
    return run(session);
}

// Memory that the allocator refuses, on whatever thread: there is nothing to unwind to.
void on_out_of_memory() {
    constexpr std::string_view kText = "quarry: out of memory; choose a smaller size or stop other programs\n";
    (void)!::write(STDERR_FILENO, kText.data(), kText.size());
    ::_exit(exit_environment);
}

// A failed QUARRY_CHECK has printed where; this makes its exit code one of ours.
void on_abort(int /*signal*/) {
    constexpr std::string_view kText = "quarry: internal error, a bug of quarry; please report the line above\n";
    (void)!::write(STDERR_FILENO, kText.data(), kText.size());
    ::_exit(exit_internal);
}

}  // namespace

CLI::App* add_command(CLI::App& parent, Session& session, const std::string& name, const std::string& description,
                      const std::string& example, std::function<void()> run) {
    CLI::App* command = parent.add_subcommand(name, description);
    command->footer("Example:\n  " + example);
    add_common_options(*command, session);
    command->callback([&session, run = std::move(run)] { session.action = run; });
    return command;
}

CLI::Option* add_level(CLI::App& command, const std::string& name, unsigned& bits, const std::string& description) {
    return command.add_option(name, bits, description)
        ->type_name("BITS")
        ->check(CLI::IsMember(std::vector<unsigned>(kSecurityLevels.begin(), kSecurityLevels.end())))
        ->capture_default_str();
}

}  // namespace quarry::apps

int main(int argc, char** argv) {
    using namespace quarry::apps;
    std::set_new_handler(on_out_of_memory);
    (void)std::signal(SIGABRT, on_abort);
    Session session;
    try {
        return parse_and_run(argc, argv, session);
    } catch (const Failure& failure) {
        report(failure, session.json);
        return failure.code();
    } catch (const std::bad_alloc&) {
        on_out_of_memory();
    } catch (const std::exception& error) {
        report({exit_internal, "internal", std::string("internal error: ") + error.what(), "please report it"},
               session.json);
    } catch (...) {
        report({exit_internal, "internal", "internal error of an unknown kind", "please report it"}, session.json);
    }
    return exit_internal;
}
