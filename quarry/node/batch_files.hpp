#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/node/expected.hpp"
#include "quarry/node/operation_json.hpp"
#include "quarry/node/queue_window.hpp"
#include "quarry/rollup/batch.hpp"

/// Batches as files, the stand-in for L1 until there is one. A batch folder holds
///     rollup.json                 the parameters of the rollup whose batches these are
///     batch-000001/header.bin     encode(Header)
///                  data.bin       the operations' words
///                  effects.bin    the effects' words
///                  queue.jsonl    the state before the batch, then the queue entries that it consumed
///                  statement.json what the batch claims: derived from the others
/// A batch's folder appears as a whole. Specification: docs/spec/json-lines.md.
namespace quarry::node {

/// Everything about a batch that L1 shows, and the state that it starts from.
struct BatchFiles {
    rollup::Header header;
    std::vector<std::uint8_t> data;
    std::vector<rollup::Effect> effects;
    rollup::State before;
    std::vector<IndexedEntry> entries;  ///< in the order in which the batch consumed them

    /// With the rolling hashes that the header claims: whether they are L1's is for who has L1's queues to say.
    [[nodiscard]] QueueWindow queues() const;
};
/// Takes the entries from the batch's effects.
BatchFiles make_batch_files(const rollup::ExecutedBatch& batch);

class BatchFolder {
  public:
    /// Makes the folder if it is not there, or checks that it is of this rollup (wrong_rollup; not_empty: it holds
    /// other files and no batches).
    static Outcome<BatchFolder> create(const std::string& path, const rollup::RollupParameters& parameters);
    /// An existing folder.
    static Outcome<BatchFolder> open(const std::string& path);

    [[nodiscard]] const rollup::RollupParameters& parameters() const noexcept { return parameters_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Where the files of a batch are.
    [[nodiscard]] std::string batch_path(std::uint64_t number) const;
    /// The numbers of the batches here, rising.
    [[nodiscard]] std::vector<std::uint64_t> numbers() const;

    /// Durable when it returns, and so are the files `with`. Replaces what is there under this number. What a power
    /// failure leaves of an unfinished call is to be written again.
    Outcome<Done> write(const BatchFiles& batch, std::span<const std::string> with = {}) const;
    /// Reads and checks everything that can be checked without executing: lengths, counts, cursors.
    [[nodiscard]] Outcome<BatchFiles> read(std::uint64_t number) const;

    /// What the batch claims; payee zero and one unit of work a word under miner tag 0, until a prover puts in its own.
    [[nodiscard]] Outcome<rollup::SegmentStatement> read_statement(std::uint64_t number) const;
    /// Makes the missing statements of the batches `first` to `last`. Cost: about a microsecond a word, less when many
    /// are missing.
    Outcome<Done> write_statements(std::uint64_t first, std::uint64_t last) const;

  private:
    Outcome<Done> write_group(std::span<const BatchFiles> group) const;
    BatchFolder(std::string path, const rollup::RollupParameters& parameters)
        : path_(std::move(path)), parameters_(parameters) {}
    std::string path_;
    rollup::RollupParameters parameters_;
};

/// The statements of whole batches, their accumulators computed side by side.
std::vector<rollup::SegmentStatement> batch_statements(const rollup::RollupParameters& parameters,
                                                       std::span<const BatchFiles> batches);

/// That the statement is about operations of this batch: its accumulators are those of the batch's words and effects at
/// its two counts, and where it starts at the batch's start or ends at its end, everything is as the batch claims. The
/// states in between are not in the files: joining the segments, or executing the batch, shows them.
rollup::Verdict check_part(const rollup::RollupParameters& parameters, const BatchFiles& batch,
                           const rollup::SegmentStatement& statement);

}  // namespace quarry::node
