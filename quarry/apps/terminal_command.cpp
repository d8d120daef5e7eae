#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "quarry/apps/failure.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/node_files.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/terminal_figures.hpp"
#include "quarry/apps/terminal_files.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/flat_json.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

struct TerminalOptions {
    std::string bundle;
    std::string out;
    unsigned profile = 0;  ///< 0: the smallest with room
};

unsigned log_profile_of(const TerminalOptions& options, std::size_t batches) {
    const auto smallest = node::terminal_profile(batches);
    if (options.profile == 0 && smallest) return *smallest;
    if (options.profile != 0 && batches <= options.profile) return *node::terminal_profile(options.profile);
    throw Failure(exit_usage, "usage", fmt::format("{} holds {} batches", options.bundle, batches),
                  "choose a profile with room for all of them: --profile 4 or 16");
}

void run(const TerminalOptions& options, const Session& session) {
    check_writable(options.out);
    const std::string statement_path = options.out + ".statement.json";
    check_writable(statement_path);
    Progress progress(session.quiet);
    progress.show("the bundle", 0);
    const recursion::Catalog& catalog = pinned_catalog();
    const auto bundle = read_node_file(options.bundle);
    const auto* content = bundle ? std::get_if<node::BundleContent>(&bundle->statement) : nullptr;
    if (content == nullptr) {
        throw Failure(exit_bad_input, "not_a_bundle", fmt::format("{} is not the proof of a bundle", options.bundle),
                      "give a file that `quarry aggregate` wrote");
    }
    const unsigned log_profile = log_profile_of(options, content->items.size());
    const Status status = node::verify(catalog, *bundle);
    if (!status) throw refusal(exit_refused, options.bundle, status.error());

    const double start = now_seconds();
    const recursion::Terminal terminal(catalog, log_profile);
    progress.show("the key of the terminal circuit", 0.05);
    (void)terminal.proving_key();
    progress.show("the terminal proof", 0.3);
    const auto file = value_of(node::prove_terminal(terminal, *bundle));
    const std::vector<std::uint8_t> bytes = encode(file);
    write_file(options.out, bytes);
    write_file(statement_path, node::as_bytes(to_text(node::NodeStatement(file.bundle))));
    progress.clear();
    const double seconds = now_seconds() - start;
    const TerminalFigures figures =
        terminal_figures(terminal, value_of(node::terminal_limbs(*content, log_profile)), file.proof.size());
    if (session.json) {
        json::object document = to_json(figures);
        document["ok"] = true;
        document["kind"] = "terminal";
        document["profile"] = 1U << log_profile;
        document["batches"] = content->items.size();
        document["seconds"] = rounded(seconds, 3);
        document["proof"] = options.out;
        document["statement"] = statement_path;
        print_json(document);
        return;
    }
    print(fmt::format("the terminal proof of {} of {} batches in {}\n{}", content->items.size(), 1U << log_profile,
                      human_seconds(seconds), summary(bundle->statement)));
    print(to_text(figures));
    print(fmt::format("  proof      {}\n  statement  {}\n", options.out, statement_path));
}

}  // namespace

std::optional<node::TerminalProofFile> read_terminal_file(const std::string& path) {
    const auto bytes = read_file(path, kMaxProofFileBytes);
    if (!node::is_terminal_proof(bytes)) return std::nullopt;
    auto file = node::parse_terminal_proof(bytes);
    if (file) return std::move(file).value();
    throw Failure(exit_bad_input, file.error().name, fmt::format("{}: {}", path, file.error().cause),
                  file.error().remedy);
}

void verify_terminal_file(const std::string& path, const node::TerminalProofFile& file, const std::string& statement,
                          const std::string& batch, unsigned security_bits, const Session& session) {
    check_node_statement(file.bundle, statement, batch);
    const recursion::Catalog& catalog = pinned_catalog();
    if (catalog.security_bits() < security_bits) {
        throw refusal(exit_refused, path, Error{Errc::wrong_key, "security level"});
    }
    Progress progress(session.quiet);
    progress.show("the key of the terminal circuit", 0);
    const recursion::Terminal terminal(catalog, file.log_profile);
    const KeccakVerifyingKey& key = terminal.proving_key().verifying_key();
    progress.clear();
    const double start = now_seconds();
    const Status status = node::verify(terminal, key, file);
    if (!status) throw refusal(exit_refused, path, status.error());
    const double seconds = now_seconds() - start;
    const double bits =
        terminal_figures(terminal, value_of(node::terminal_limbs(file.bundle, file.log_profile)), file.proof.size())
            .provable_bits;
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"kind", "terminal"},
                                {"profile", 1U << file.log_profile},
                                {"key_table", node::to_hex(file.keys)},
                                {"security_bits", terminal.security_bits()},
                                {"provable_bits", rounded(bits, 2)},
                                {"proof_bytes", file.proof.size()},
                                {"verify_ms", rounded(seconds * 1e3, 3)},
                                {"statement", summary_json(file.bundle)}});
        return;
    }
    print(fmt::format("{}: accepted: a terminal proof with room for {}, {:.2f} provable bits, {}, verified in {}\n{}",
                      path, 1U << file.log_profile, bits, human_bytes(file.proof.size()), human_seconds(seconds),
                      summary(file.bundle)));
}

void inspect_terminal_file(const std::string& path, const node::TerminalProofFile& file, const Session& session) {
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"kind", "terminal"},
                                {"profile", 1U << file.log_profile},
                                {"key_table", node::to_hex(file.keys)},
                                {"proof_bytes", file.proof.size()},
                                {"statement", summary_json(file.bundle)}});
        return;
    }
    print(fmt::format("{}: a terminal proof with room for {} batches, {}\n  key table  {}\n{}", path,
                      1U << file.log_profile, human_bytes(file.proof.size()), node::to_hex(file.keys),
                      summary(file.bundle)));
    print("  well-formed; not verified: `quarry verify` does that\n");
}

void add_terminal_command(CLI::App& app, Session& session) {
    const auto options = std::make_shared<TerminalOptions>();
    CLI::App* command =
        add_command(app, session, "terminal", "From the proof of a bundle to the one that a contract verifies",
                    "quarry terminal bundle.bin --out terminal.bin", [options, &session] { run(*options, session); });
    command->add_option("BUNDLE", options->bundle, "a bundle's proof, as `quarry aggregate` writes it")
        ->type_name("")
        ->required();
    command->add_option("--out", options->out, "the proof to write, and FILE.statement.json beside it")
        ->type_name("FILE")
        ->required();
    command
        ->add_option("--profile", options->profile,
                     "batches that there is room for: 1, 4 or 16 (default: the smallest that is enough)")
        ->type_name("N")
        ->check(CLI::IsMember({1U, 4U, 16U}));
}

}  // namespace quarry::apps
