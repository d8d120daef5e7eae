#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "quarry/node/batch_prover.hpp"
#include "quarry/node/work_folder.hpp"

/// What the tasks of a work folder do, and the work of proving a batch. A kind of task that is to come is one more
/// entry of task_kinds() and one more loop in plan_batch.
namespace quarry::node {

struct TaskRun {
    const Task& task;
    std::span<const std::vector<std::uint8_t>> inputs;  ///< in the task's order
    std::function<void(const char*)> on_phase;          ///< may be empty
};

struct TaskKind {
    std::string name;
    /// What the task makes. Deterministic.
    Outcome<std::vector<std::uint8_t>> (*run)(const TaskRun& run);
    /// Whether these bytes, from whomever, are what the task asks for. Cheap: a verification.
    bool (*check)(const Task& task, std::span<const std::uint8_t> output);
};
std::span<const TaskKind> task_kinds();
/// Null: nobody here can do such tasks.
const TaskKind* find_task_kind(const std::string& name);
/// For execute_work: a kind that is unknown has no valid output.
bool check_task_output(const Task& task, std::span<const std::uint8_t> output);

/// A proof with what it proves: what a segment task makes.
struct SegmentProof {
    rollup::SegmentStatement statement;
    std::vector<std::uint8_t> proof;
};
std::vector<std::uint8_t> encode(const SegmentProof& segment);
std::optional<SegmentProof> parse_segment_proof(std::span<const std::uint8_t> bytes);

/// What is to be proven of a batch, and for whom: part of the name of each of its tasks.
struct BatchWork {
    rollup::Header header;
    std::size_t segments = 1;  ///< asked for; a batch of fewer operations has fewer
    rollup::L1Address payee;
    std::uint64_t miner_tag = 0;
    unsigned security_bits = 100;
};
/// Puts the segments' inputs and the tree into the folder. Doing it again with the same arguments repairs what is
/// damaged and changes nothing else.
Outcome<Done> plan_batch(WorkFolder& folder, const BatchWork& work, std::span<const SegmentInput> segments);
/// Whether the folder's tree is of this work.
bool is_planned(const WorkFolder& folder, const BatchWork& work);
/// Whether every object that the tree starts from is there and undamaged.
bool has_inputs(const WorkFolder& folder);

/// The proofs of the segments in order, with the statement of all of them together, which is that of the whole batch:
/// equal to the one of the batch as one segment but for the work root, which tells in how many pieces it was proven.
struct SegmentProofs {
    std::vector<SegmentProof> segments;
    rollup::SegmentStatement statement;
};
/// refused: they do not meet, or are not the whole batch. Precondition: is_planned, all tasks done.
Outcome<SegmentProofs> collect_segments(const WorkFolder& folder, const rollup::Header& header);

}  // namespace quarry::node
