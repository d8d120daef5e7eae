#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "quarry/node/sequencer/settlement.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/rollup/header.hpp"

/// The records of a sequencer's ledger: operations, the order in which they were executed, batches. Integers are
/// big-endian, so that the engine's order is the order of numbers.
///
///   key             value
///   f               magic, format version, domain of the rollup
///   o id            OperationRecord
///   w sequence      the id of an operation that waits
///   x position      OrderEntry
///   r number        OrderEntry of a batch that was taken back: is to be taken again
///   b number        BatchRecord
namespace quarry::node::sequencer {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint32_t kLedgerMagic = 0x51534c31;  ///< "QSL1"

/// What became of an acknowledged operation.
enum class OperationState : std::uint8_t {
    waiting = 1,   ///< in the mempool
    executed = 2,  ///< in a batch, or in the open one
    reverted = 3,  ///< in the mempool again, after its batch was on L1
    rejected = 4,  ///< will not be executed
};
inline constexpr std::uint8_t kLastOperationState = 4;

struct OperationRecord {
    std::uint64_t sequence = 0;  ///< rises with arrival
    OperationState state = OperationState::waiting;
    std::uint64_t batch = 0;     ///< executed: its number
    std::uint32_t index = 0;     ///< executed: its place among the batch's operations
    std::uint32_t created = 0;   ///< executed transfers to new pairs: the slot, plus one; else 0
    std::uint32_t receiver = 0;  ///< the slot that is paid, plus one; 0: none
    std::uint32_t reverts = 0;   ///< batches with it that were taken back
    std::string code;            ///< rejected or reverted: why, a stable word
    std::string reason;          ///< and a sentence
    std::string operation;       ///< docs/spec/json-lines.md, section 2
    friend bool operator==(const OperationRecord&, const OperationRecord&) = default;
};

/// A batch was opened, with this timestamp.
struct OpenedBatch {
    rollup::Timestamp timestamp = 0;
    friend bool operator==(const OpenedBatch&, const OpenedBatch&) = default;
};
/// An operation was executed.
struct ExecutedOperation {
    Digest id{};
    friend bool operator==(const ExecutedOperation&, const ExecutedOperation&) = default;
};
/// One step of the execution: what a restart repeats, in this order.
using OrderEntry = std::variant<OpenedBatch, ExecutedOperation, ConfirmedEntry>;

struct BatchRecord {
    rollup::Header header;
    rollup::Bytes32 hash{};        ///< Keccak-256 of the header's bytes
    std::uint64_t first = 0;       ///< its run of positions in the order
    std::uint64_t end = 0;         ///< one past the last
    std::uint32_t operations = 0;  ///< signed ones
    BatchStatus status;            ///< the last one seen
    friend bool operator==(const BatchRecord&, const BatchRecord&) = default;
};

/// What the state's store keeps with each batch: where the order goes on.
struct SequencerNote {
    rollup::Bytes32 parent_hash{};
    rollup::Timestamp timestamp = 0;  ///< of the last batch
    std::uint64_t position = 0;       ///< of the first step that is in no closed batch
    rollup::Bytes32 deposit_hash{};   ///< rolling hash of the queue at the state's cursor
    rollup::Bytes32 forced_hash{};
    friend bool operator==(const SequencerNote&, const SequencerNote&) = default;
};

Bytes encode(const OperationRecord& record);
Bytes encode(const OrderEntry& entry);
Bytes encode(const BatchRecord& record);
Bytes encode(const SequencerNote& note);
/// Total and canonical. No value: these are no such bytes.
std::optional<OperationRecord> parse_operation_record(std::span<const std::uint8_t> bytes);
std::optional<OrderEntry> parse_order_entry(std::span<const std::uint8_t> bytes);
std::optional<BatchRecord> parse_batch_record(std::span<const std::uint8_t> bytes);
std::optional<SequencerNote> parse_sequencer_note(std::span<const std::uint8_t> bytes);

}  // namespace quarry::node::sequencer
