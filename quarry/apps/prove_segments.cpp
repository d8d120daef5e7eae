#include "quarry/apps/prove_segments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "quarry/apps/output.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/statement_json.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

node::WorkFolder open_work(const SegmentsJob& job, Progress& progress) {
    node::WorkFolder folder = value_of(node::WorkFolder::create(job.folder));
    if (!folder.tree().nodes().empty() && !node::is_planned(folder, job.work)) {
        throw Failure(exit_environment, "other_work",
                      fmt::format("{} is the work of another batch, payee, level or number of segments", job.folder),
                      "choose another folder, or delete this one");
    }
    if (!folder.tree().nodes().empty() && node::has_inputs(folder)) return folder;
    // Two who plan at once would do no harm, but neither would know what the other is about to do.
    const auto lock = value_of(node::WorkLock::take(job.folder));
    progress.show("reading the state", 0);
    const rollup::MemoryStore before = job.before();
    progress.show("cutting the batch into segments", 0);
    const auto queues = job.batch.queues();
    const auto inputs = value_of(node::split_batch(job.batches.parameters(), before, queues, job.batch.header,
                                                   job.batch.data, job.work.segments));
    value_of(node::plan_batch(folder, job.work, inputs));
    return folder;
}

double least_bits(const node::SegmentProofs& proofs, unsigned security_bits) {
    double least = 1e9;
    for (const node::SegmentProof& segment : proofs.segments) {
        const auto header = decode_header(segment.proof);
        const auto layout = make_stack_layout(circuits::segment_circuit(), header.value().heights);
        least = std::min(least, provable_bits(layout.value().log_size, security_bits));
    }
    return least;
}

/// The paths of the proofs that were written.
std::vector<std::string> write_proofs(const SegmentsJob& job, const node::SegmentProofs& proofs) {
    value_of(node::make_folder(job.folder + "/proofs"));
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < proofs.segments.size(); ++i) {
        const node::SegmentProof& segment = proofs.segments[i];
        paths.push_back(fmt::format("{}/proofs/segment-{:04}.bin", job.folder, i + 1));
        value_of(node::replace_file(paths.back(), segment.proof));
        value_of(
            node::replace_file(paths.back() + ".statement.json", node::as_bytes(node::to_json(segment.statement))));
    }
    value_of(node::replace_file(job.folder + "/statement.json", node::as_bytes(node::to_json(proofs.statement))));
    return paths;
}

}  // namespace

void prove_segments(const SegmentsJob& job, const Session& session, Progress& progress) {
    const double start = now_seconds();
    const node::WorkFolder folder = open_work(job, progress);
    const node::WorkReport report = run_tasks(folder, job.workers, session, progress);
    const auto proofs = value_of(node::collect_segments(folder, job.batch.header));
    const auto paths = write_proofs(job, proofs);
    const double seconds = now_seconds() - start;
    progress.clear();

    const std::uint32_t words = proofs.statement.work.units;
    std::size_t bytes = 0;
    for (const node::SegmentProof& segment : proofs.segments) bytes += segment.proof.size();
    const double bits = least_bits(proofs, job.work.security_bits);
    const std::string statement = job.folder + "/statement.json";
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"batch", job.name.number},
                                {"words", words},
                                {"segments", proofs.segments.size()},
                                {"reused", report.reused},
                                {"executed", report.executed},
                                {"failed", report.failed},
                                {"damaged", report.damaged},
                                {"seconds", rounded(seconds, 6)},
                                {"worker_cpu_seconds", rounded(static_cast<double>(report.cpu_ms) / 1e3, 3)},
                                {"worker_peak_rss_bytes", report.peak_rss_bytes},
                                {"provable_bits", bits},
                                {"proof_bytes", bytes},
                                {"proofs", json::array(paths.begin(), paths.end())},
                                {"statement", statement}});
        return;
    }
    print(fmt::format("batch {}: {} words proven in {} segments in {}; {} of them were done before\n", job.name.number,
                      with_commas(words), proofs.segments.size(), human_seconds(seconds), report.reused));
    print(fmt::format("  {:.2f} provable bits; workers: {} of CPU time, peak memory {}\n", bits,
                      human_seconds(static_cast<double>(report.cpu_ms) / 1e3), human_bytes(report.peak_rss_bytes)));
    print(fmt::format("  proofs     {}/proofs ({})\n  statement  {} (of the whole batch)\n", job.folder,
                      human_bytes(bytes), statement));
}

}  // namespace quarry::apps
