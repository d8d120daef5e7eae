#include "quarry/node/batch_work.hpp"

#include <fmt/format.h>

#include <array>

#include "quarry/node/file_io.hpp"
#include "quarry/node/node_tasks.hpp"
#include "quarry/node/statement_json.hpp"
#include "quarry/node/task_parameters.hpp"
#include "quarry/proof/wire.hpp"
#include "quarry/recursion/catalog.hpp"

namespace quarry::node {
namespace {

constexpr const char* kSegment = "segment";
constexpr std::uint32_t kSegmentProofMagic = 0x51535031;  // "QSP1"

/// What every task of the work has in common.
std::map<std::string, std::string> common_parameters(const BatchWork& work) {
    return {{"batch", quarry::to_hex(keccak256(rollup::encode(work.header)))},
            {"miner_tag", std::to_string(work.miner_tag)},
            {"payee", to_hex(work.payee.bytes)},
            {"security_bits", std::to_string(work.security_bits)},
            {"segments", std::to_string(work.segments)}};
}

/// The heights of the profile that the task names; null: it names none. No value: there is no such profile.
std::optional<const Heights*> heights_of(const Task& task) {
    const std::string name = text_of(task, "profile");
    if (name.empty()) return nullptr;
    for (const recursion::SegmentProfile& profile : recursion::segment_profiles()) {
        if (profile.name == name) return &profile.heights;
    }
    return std::nullopt;
}

Outcome<std::vector<std::uint8_t>> run_segment(const TaskRun& run) {
    const Problem bad_task{Problem::Kind::bad_input, "bad_task", "the task is none of proving a segment",
                           "use the release of quarry that made the folder"};
    const auto prover = prover_of(run.task);
    const std::optional<const Heights*> profile = heights_of(run.task);
    if (!prover || !profile || run.inputs.size() != 1) return bad_task;
    const auto input = parse_segment_input(run.inputs[0]);
    if (!input) {
        return Problem{Problem::Kind::bad_input, rollup::reject_name(input.code()),
                       fmt::format("the segment's input is damaged: {}", rollup::reject_text(input.code())),
                       "make the work folder again"};
    }
    BatchProverOptions options;
    options.payee = prover->payee;
    options.miner_tag = prover->miner_tag;
    options.security_bits = prover->security_bits;
    options.least_heights = *profile;
    options.on_phase = run.on_phase;
    auto proof = prove_segment(input.value(), options);
    if (!proof) return proof.error();
    return encode(SegmentProof{proof.value().statement, std::move(proof.value().bytes)});
}

bool check_segment(const Task& task, std::span<const std::uint8_t> output) {
    const auto segment = parse_segment_proof(output);
    const auto bits = number<unsigned>(task, "security_bits");
    if (!segment || !bits) return false;
    if (to_hex(rollup::digest(segment->statement)) != text_of(task, "statement")) return false;
    const std::optional<const Heights*> profile = heights_of(task);
    const auto header = decode_header(segment->proof);
    if (!profile || !header || (*profile != nullptr && header.value().heights != **profile)) return false;
    return circuits::verify_segment(segment->statement, segment->proof, *bits).ok();
}

}  // namespace

std::span<const TaskKind> task_kinds() {
    static const std::array<TaskKind, 5> kinds{{{kSegment, run_segment, check_segment},
                                                {"data", run_data, check_data},
                                                {"join", run_node, check_node},
                                                {"bundle", run_node, check_node},
                                                {"terminal", run_terminal, check_terminal}}};
    return kinds;
}

const TaskKind* find_task_kind(const std::string& name) {
    for (const TaskKind& kind : task_kinds()) {
        if (kind.name == name) return &kind;
    }
    return nullptr;
}

bool check_task_output(const Task& task, std::span<const std::uint8_t> output) {
    const TaskKind* kind = find_task_kind(task.kind);
    return kind != nullptr && kind->check(task, output);
}

std::vector<std::uint8_t> encode(const SegmentProof& segment) {
    const std::string statement = to_json(segment.statement);
    std::vector<std::uint8_t> bytes;
    rollup::WordWriter w(bytes);
    w.integer(kSegmentProofMagic);
    w.integer(static_cast<std::uint32_t>(statement.size()));
    w.bytes(as_bytes(statement));
    w.bytes(segment.proof);
    return bytes;
}

std::optional<SegmentProof> parse_segment_proof(std::span<const std::uint8_t> bytes) {
    rollup::WordReader r(bytes);
    const bool right_kind = r.integer<std::uint32_t>() == kSegmentProofMagic;
    const auto size = r.integer<std::uint32_t>();
    if (!right_kind || size > kMaxStatementBytes || size > r.left()) return std::nullopt;
    const auto rest = bytes.last(r.left());
    const auto statement = parse_segment_statement(as_text(rest.first(size)));
    if (!statement) return std::nullopt;
    const auto proof = rest.subspan(size);
    return SegmentProof{statement.value(), {proof.begin(), proof.end()}};
}

Outcome<Done> plan_batch(WorkFolder& folder, const BatchWork& work, std::span<const SegmentInput> segments) {
    WorkTree tree;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const auto executed = execute_segment(segments[i]);
        QUARRY_CHECK(executed.ok());  // split_batch made it
        const auto statement = circuits::statement_of(executed.value()->source, work.payee, work.miner_tag);
        const auto input = folder.put_object(encode(segments[i]));
        if (!input) return input.error();
        Task task{.kind = kSegment,
                  .parameters = common_parameters(work),
                  .inputs = {{TaskInput::Source::object, input.value()}}};
        task.parameters["index"] = std::to_string(i);
        task.parameters["statement"] = to_hex(rollup::digest(statement));
        task.parameters["units"] = std::to_string(statement.work.units);
        tree.add(task);
    }
    return folder.write_tree(tree);
}

bool is_planned(const WorkFolder& folder, const BatchWork& work) {
    const auto nodes = folder.tree().nodes();
    const auto wanted = common_parameters(work);
    return !nodes.empty() && std::all_of(nodes.begin(), nodes.end(), [&](const WorkTree::Node& node) {
        return std::all_of(wanted.begin(), wanted.end(),
                           [&](const auto& p) { return text_of(node.task, p.first) == p.second; });
    });
}

bool has_inputs(const WorkFolder& folder) {
    for (const WorkTree::Node& node : folder.tree().nodes()) {
        for (const TaskInput& input : node.task.inputs) {
            if (input.source == TaskInput::Source::object && !folder.read_object(input.id)) return false;
        }
    }
    return true;
}

Outcome<SegmentProofs> collect_segments(const WorkFolder& folder, const rollup::Header& header) {
    const auto refused = [&](rollup::RejectCode code) {
        return Problem{Problem::Kind::refused, rollup::reject_name(code),
                       fmt::format("{}: the segments are not the batch: {}", folder.path(), rollup::reject_text(code)),
                       "start again in a new folder"};
    };
    SegmentProofs r;
    for (const WorkTree::Node& node : folder.tree().nodes()) {
        if (node.task.kind != kSegment) continue;
        auto output = folder.read_output(node.id);
        if (!output) return output.error();
        QUARRY_CHECK(output.value().has_value());
        auto segment = parse_segment_proof(*output.value());
        QUARRY_CHECK(segment.has_value());  // checked when it was made or found
        if (r.segments.empty()) {
            r.statement = segment->statement;
        } else {
            const auto merged = merge(r.statement, segment->statement);
            if (!merged) return refused(merged.code());
            r.statement = merged.value();
        }
        r.segments.push_back(std::move(*segment));
    }
    const auto whole = rollup::check_whole(r.statement.header, r.statement.before, r.statement.after, header);
    if (!whole) return refused(whole.code());
    return r;
}

}  // namespace quarry::node
