#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <variant>
#include <vector>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/failure.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/node_files.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/apps/workers.hpp"
#include "quarry/node/aggregate_work.hpp"
#include "quarry/node/batch_work.hpp"
#include "quarry/node/file_io.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

struct AggregateOptions {
    std::vector<std::string> inputs;
    std::string state;
    std::string out;
    std::string work;
    std::string data = "auto";
    std::string payee = kDevelopmentPayee;
    std::uint64_t miner_tag = 0;
    std::size_t segments = 1;
    WorkerOptions workers;
};

/// A batch that is to be proven, or a bundle that is.
struct Batch {
    BatchName name;
    rollup::RollupParameters parameters;
    node::BatchFiles files;
};
using Input = std::variant<Batch, std::vector<std::uint8_t>>;

node::DataPlacement placement_of(const AggregateOptions& options, const node::BatchFiles& batch) {
    const bool fits = batch.data.size() <= rollup::kBlobWords * rollup::kWordBytes;
    const bool calldata = options.data == "calldata" || (options.data == "auto" && fits);
    return calldata ? node::DataPlacement::calldata : node::DataPlacement::blobs;
}

std::vector<Input> read_inputs(const AggregateOptions& options, const recursion::Catalog& catalog) {
    std::vector<Input> inputs;
    for (const std::string& path : options.inputs) {
        std::error_code error;
        if (std::filesystem::is_directory(path, error)) {
            if (options.state.empty()) {
                throw Failure(exit_usage, "usage",
                              fmt::format("{} is a batch: proving it takes the state before it", path),
                              "give the state directory with --state");
            }
            const BatchName name = parse_batch_name(path);
            const auto folder = value_of(node::BatchFolder::open(name.folder));
            inputs.emplace_back(Batch{name, folder.parameters(), value_of(folder.read(name.number))});
            continue;
        }
        const auto file = read_node_file(path);
        if (!file) {
            throw Failure(exit_bad_input, "not_a_bundle",
                          fmt::format("{} is neither a batch nor the proof of a bundle", path),
                          "give batches, or files that `quarry aggregate` wrote");
        }
        const Status status = node::verify(catalog, *file);
        if (!status) throw refusal(exit_refused, path, status.error());
        inputs.emplace_back(encode(*file));
    }
    return inputs;
}

/// The name of all this work: everything that its result depends on.
std::string work_name(const AggregateOptions& options, const std::vector<Input>& inputs,
                      const recursion::Catalog& catalog) {
    std::string text = fmt::format("aggregate\npayee {}\nminer_tag {}\nsegments {}\nkeys {}\n", options.payee,
                                   options.miner_tag, options.segments, node::to_hex(catalog.keys().digest()));
    for (const Input& input : inputs) {
        if (const auto* batch = std::get_if<Batch>(&input)) {
            const bool blobs = placement_of(options, batch->files) == node::DataPlacement::blobs;
            text += fmt::format("batch {} {} {}\n", node::to_hex(rollup::domain_hash(batch->parameters)),
                                quarry::to_hex(keccak256(rollup::encode(batch->files.header))),
                                blobs ? "blobs" : "calldata");
        } else {
            text += fmt::format("bundle {}\n", quarry::to_hex(keccak256(std::get<1>(input))));
        }
    }
    return quarry::to_hex(keccak256(node::as_bytes(text)));
}

WorkTree plan(const AggregateOptions& options, const std::vector<Input>& inputs, const node::WorkFolder& folder,
              const recursion::Catalog& catalog, const std::string& work, Progress& progress) {
    node::AggregatePlan plan(folder, catalog, {*parse_address(options.payee), options.miner_tag});
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const double fraction = static_cast<double>(i) / static_cast<double>(inputs.size());
        if (const auto* batch = std::get_if<Batch>(&inputs[i])) {
            progress.show(fmt::format("cutting batch {} into segments", batch->name.number), fraction);
            const auto before = state_before(options.state, batch->name, batch->parameters);
            const auto cut = value_of(node::cut_for_nodes(batch->parameters, before, batch->files, options.segments));
            value_of(plan.add_batch(batch->files, cut, placement_of(options, batch->files)));
        } else {
            value_of(plan.add_bundle(std::get<1>(inputs[i])));
        }
    }
    return value_of(std::move(plan).finish(work));
}

/// The folder with its tree, planned now or before; the task that makes the bundle.
ContentId open_work(const AggregateOptions& options, const std::vector<Input>& inputs, node::WorkFolder& folder,
                    const recursion::Catalog& catalog, Progress& progress) {
    const std::string work = work_name(options, inputs, catalog);
    const auto planned = node::find_bundle_task(folder, work);
    if (!planned && !folder.tree().nodes().empty()) {
        throw Failure(exit_environment, "other_work",
                      fmt::format("{} is the work of other batches, proofs, payee or segments", folder.path()),
                      "choose another folder with --work, or delete this one");
    }
    if (planned && node::has_inputs(folder)) return *planned;
    const auto lock = value_of(node::WorkLock::take(folder.path()));
    value_of(folder.write_tree(plan(options, inputs, folder, catalog, work, progress)));
    return *node::find_bundle_task(folder, work);
}

void report(const AggregateOptions& options, const Session& session, const node::NodeProofFile& file,
            std::size_t file_bytes, const node::WorkReport& work, std::size_t tasks, double seconds) {
    const auto& bundle = std::get<node::BundleContent>(file.statement);
    std::uint64_t words = 0;
    for (const rollup::TerminalItem& item : bundle.items) words += item.header.byte_length / rollup::kWordBytes;
    const std::string statement = options.out + ".statement.json";
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"kind", kind_name(file.statement)},
                                {"batches", bundle.items.size()},
                                {"words", words},
                                {"tasks", tasks},
                                {"reused", work.reused},
                                {"executed", work.executed},
                                {"failed", work.failed},
                                {"damaged", work.damaged},
                                {"seconds", rounded(seconds, 6)},
                                {"worker_cpu_seconds", rounded(static_cast<double>(work.cpu_ms) / 1e3, 3)},
                                {"worker_peak_rss_bytes", work.peak_rss_bytes},
                                {"proof_bytes", file.proof.size()},
                                {"file_bytes", file_bytes},
                                {"proof", options.out},
                                {"statement", statement}});
        return;
    }
    print(fmt::format("a {} of {} ({} words) in {}: {} tasks, {} of them done before\n{}", kind_name(file.statement),
                      bundle.items.size() == 1 ? "batch" : fmt::format("{} batches", bundle.items.size()),
                      with_commas(words), human_seconds(seconds), tasks, work.reused, summary(file.statement)));
    print(fmt::format("  workers: {} of CPU time, peak memory {}\n",
                      human_seconds(static_cast<double>(work.cpu_ms) / 1e3), human_bytes(work.peak_rss_bytes)));
    print(fmt::format("  proof      {} ({})\n  statement  {}\n", options.out, human_bytes(file_bytes), statement));
}

void run(const AggregateOptions& options, const Session& session) {
    check_writable(options.out);
    const std::string statement_path = options.out + ".statement.json";
    check_writable(statement_path);
    Progress progress(session.quiet);
    const double start = now_seconds();
    const recursion::Catalog& catalog = pinned_catalog();
    const auto inputs = read_inputs(options, catalog);
    if (inputs.size() == 1 && std::holds_alternative<std::vector<std::uint8_t>>(inputs[0])) {
        throw Failure(exit_usage, "usage", "one bundle is a bundle already", "give more than one");
    }
    node::WorkFolder folder =
        value_of(node::WorkFolder::create(options.work.empty() ? options.out + ".work" : options.work));
    const ContentId bundle = open_work(options, inputs, folder, catalog, progress);
    const node::WorkReport work = run_tasks(folder, options.workers, session, progress);
    const auto bytes = value_of(folder.read_output(bundle));
    const auto file = value_of(node::parse_node_proof(bytes.value()));
    write_file(options.out, *bytes);
    write_file(statement_path, node::as_bytes(to_text(file.statement)));
    progress.clear();
    report(options, session, file, bytes->size(), work, folder.tree().nodes().size(), now_seconds() - start);
}

}  // namespace

void add_aggregate_command(CLI::App& app, Session& session) {
    const auto options = std::make_shared<AggregateOptions>();
    CLI::App* command = add_command(app, session, "aggregate", "One proof of many batches, from batches and bundles",
                                    "quarry aggregate batches/batch-* --state state --out bundle.bin --workers 2",
                                    [options, &session] { run(*options, session); });
    command
        ->add_option("INPUT", options->inputs,
                     "in the order of the bundle: folders of batches, and proofs that this command wrote")
        ->type_name("")
        ->expected(1, 16)
        ->required();
    command->add_option("--state", options->state, "the state directory that the batches were executed on")
        ->type_name("DIR");
    command->add_option("--out", options->out, "the proof to write, and FILE.statement.json beside it")
        ->type_name("FILE")
        ->required();
    command
        ->add_option("--work", options->work,
                     "the folder of the work, from which the same command goes on (default: FILE.work)")
        ->type_name("DIR");
    command
        ->add_option(
            "--data", options->data,
            "how the batches' words are on L1: calldata (at most 4096), blobs (known by development hashes), or "
            "calldata where it fits")
        ->type_name("")
        ->check(CLI::IsMember({"auto", "calldata", "blobs"}))
        ->capture_default_str();
    add_prover_options(*command, options->payee, options->miner_tag);
    add_number(*command, "--segments", options->segments, 1, 1024,
               "cut a batch into at least so many segments; more where they are too large")
        ->capture_default_str();
    add_worker_options(*command, options->workers);
}

}  // namespace quarry::apps
