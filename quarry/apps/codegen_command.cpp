#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <vector>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/failure.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/node_files.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/codegen/terminal_contracts.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/recursion/pinned_keys.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxSourceBytes = std::size_t{1} << 20;

struct CodegenOptions {
    std::string out = "contracts/src/generated";
    bool check = false;
};

std::string path_in(const CodegenOptions& options, const std::string& name) { return options.out + "/" + name; }

/// Empty where there is none.
std::string text_of(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return {};
    const auto bytes = read_file(path, kMaxSourceBytes);
    return {bytes.begin(), bytes.end()};
}

Bytes32 pinned_root(unsigned profile) {
    const auto& last = recursion::pinned_keys().last;
    const auto found = std::ranges::find(last, fmt::format("terminal of {}", profile), &recursion::LastKey::name);
    if (found == last.end()) {
        throw Failure(exit_environment, "stale_keys", "no terminal's key is pinned",
                      "pin the keys again with `quarry keys --json`, and build");
    }
    return found->root;
}

/// The cap that is there, as it leads to the pinned root; otherwise, unless this is a check, that of the key, which
/// takes a minute.
std::vector<Bytes32> cap_of(const CodegenOptions& options, const recursion::Terminal& terminal, Progress& progress) {
    const unsigned profile = 1U << terminal.log_profile();
    const std::string path = path_in(options, codegen::data_file_name(profile));
    const Bytes32 root = pinned_root(profile);
    if (auto cap = codegen::cap_of(text_of(path), root)) return std::move(*cap);
    if (options.check) {
        throw Failure(exit_refused, "contracts_differ", fmt::format("{} has not the cap of the pinned key", path),
                      "run `quarry codegen`, and look at what changed");
    }
    progress.show(fmt::format("the key of the terminal of {}", profile), 0.2);
    const KeccakVerifyingKey& key = terminal.proving_key().verifying_key();
    if (key.preprocessed_root != root) {
        throw Failure(exit_environment, "stale_keys", "the terminal's key is not the pinned one",
                      "pin the keys again with `quarry keys --json`, and build");
    }
    return key.preprocessed_cap;
}

void run(const CodegenOptions& options, const Session& session) {
    Progress progress(session.quiet);
    progress.show("the terminal's circuits", 0);
    const auto wrap = std::make_shared<const recursion::Wrap>(pinned_catalog());
    std::vector<std::unique_ptr<recursion::Terminal>> terminals;
    std::vector<codegen::TerminalDesign> designs;
    for (const unsigned log_profile : {0U, 2U, 4U}) {
        const auto& terminal = terminals.emplace_back(std::make_unique<recursion::Terminal>(wrap, log_profile));
        designs.push_back(
            codegen::terminal_design(*terminal, pinned_root(1U << log_profile), cap_of(options, *terminal, progress)));
    }
    const auto files = codegen::terminal_contracts(designs);
    std::vector<std::string> differing;
    for (const codegen::SourceFile& file : files) {
        const std::string path = path_in(options, file.name);
        if (text_of(path) == file.text) continue;
        differing.push_back(path);
        if (!options.check) write_file(path, node::as_bytes(file.text));
    }
    progress.clear();
    if (options.check && !differing.empty()) {
        throw Failure(exit_refused, "contracts_differ",
                      fmt::format("{} of {} generated contracts differ: {}", differing.size(), files.size(),
                                  fmt::join(differing, ", ")),
                      "run `quarry codegen`, and look at what changed");
    }
    if (session.json) {
        print_json(
            json::object{{"ok", true}, {"files", files.size()}, {"written", options.check ? 0 : differing.size()}});
        return;
    }
    print(options.check ? fmt::format("all {} generated contracts are up to date\n", files.size())
                        : fmt::format("{} generated contracts, {} of them changed\n", files.size(), differing.size()));
}

}  // namespace

void add_codegen_command(CLI::App& app, Session& session) {
    const auto options = std::make_shared<CodegenOptions>();
    CLI::App* command =
        add_command(app, session, "codegen", "Write the circuit's part of the contracts that verify proofs",
                    "quarry codegen --check", [options, &session] { run(*options, session); });
    command->add_option("--out", options->out, "the folder of the generated contracts")
        ->type_name("DIR")
        ->capture_default_str();
    command->add_flag("--check", options->check, "compare with what is there; exit 1 if a file differs");
}

}  // namespace quarry::apps
