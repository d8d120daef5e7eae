#pragma once
#include <CLI/App.hpp>
#include <functional>
#include <string>

namespace quarry::apps {

/// What every command understands, and what the command line chose.
struct Session {
    bool json = false;
    bool quiet = false;
    unsigned threads = 0;  ///< 0: one for each core
    std::string isa;       ///< empty: the best one
    std::function<void()> action;
};

/// A command under `parent` that sets session.action to `run`, with the common options and an example in its help.
CLI::App* add_command(CLI::App& parent, Session& session, const std::string& name, const std::string& description,
                      const std::string& example, std::function<void()> run);

void add_bench_permutations(CLI::App& bench, Session& session);
void add_bench_kernels(CLI::App& bench, Session& session);
void add_security_command(CLI::App& app, Session& session);
void add_proof_commands(CLI::App& app, Session& session);

}  // namespace quarry::apps
