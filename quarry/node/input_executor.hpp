#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quarry/node/durable_store.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/rollup/types.hpp"

/// Executes a file of operations on a durable state, batch by batch, so that a run that was killed is continued by the
/// next one and ends in the same state.
namespace quarry::node {

/// How far an input file has been executed: the note that goes into the store with each batch.
struct ExecutionNote {
    rollup::Bytes32 parent_hash{};  ///< of the last batch's header
    rollup::Timestamp timestamp = 0;
    rollup::Bytes32 input_id{};
    std::uint64_t offset = 0;    ///< bytes of the input that are done with
    std::uint64_t lines = 0;     ///< lines of the input that are done with
    std::uint64_t executed = 0;  ///< signed operations
    std::uint64_t queued = 0;    ///< L1 queue entries
    std::uint64_t rejected = 0;
    std::uint64_t reject_bytes = 0;  ///< of the file of rejects
    std::uint64_t first_batch = 0;   ///< that this input made
    friend bool operator==(const ExecutionNote&, const ExecutionNote&) = default;
};
std::vector<std::uint8_t> encode(const ExecutionNote& note);
/// No value: it is not such a note.
std::optional<ExecutionNote> parse_execution_note(const std::vector<std::uint8_t>& bytes);

struct ExecutionOptions {
    std::size_t batch_size = 4096;  ///< signed operations in a batch
    /// Of the batches. No value: `now`, or what the interrupted run used, or the last batch's where that is later.
    std::optional<rollup::Timestamp> timestamp;
    rollup::Timestamp now = 0;
    /// Whether to write the batches' statements too, after the last one. Nothing else depends on them, and whoever
    /// proves or verifies a batch can derive them from its files: about 20 us of one core a transfer.
    bool write_statements = true;
    /// Called from time to time, by the executing thread, with what is done and the fraction of the input.
    std::function<void(const ExecutionNote&, double)> on_progress;
};

struct ExecutionReport {
    ExecutionNote totals;  ///< of the input, earlier runs included
    std::map<std::string, std::uint64_t> rejects_by_code;
    std::uint64_t num_batches = 0;    ///< that the input made, earlier runs included
    std::uint64_t executed_here = 0;  ///< by this run alone, signed operations and queue entries
    bool resumed = false;
};

/// Name of the file of rejects in the folder of batches: one object a line, with line, code, reason and field.
inline constexpr const char* kRejectsFile = "rejects.jsonl";

/// Executes `input` on `store`. Parsing and signature checks run on the caller's TBB arena, beside a thread that
/// executes the lines before. For each batch the files are written to `folder` first, then the store commits; both are
/// durable. A line that is refused changes nothing and is listed in the file of rejects. Fees go to slot 0.
Outcome<ExecutionReport> execute_file(DurableStore& store, const std::string& input, const std::string& folder,
                                      const ExecutionOptions& options);

}  // namespace quarry::node
