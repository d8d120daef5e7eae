#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "quarry/node/sequencer/ledger_records.hpp"

/// What a sequencer tells its users of their operations and its batches.
namespace quarry::node::sequencer {

enum class Stage { received, executed, posted, proven, claimable, reverted, rejected };
const char* stage_name(Stage stage) noexcept;
/// Of the operations of a batch in this phase.
Stage stage_of(BatchPhase phase) noexcept;

struct Receipt {
    Digest id{};
    std::string type;  ///< transfer, transfer_new, withdraw, change_key
    rollup::SlotIndex slot = 0;
    std::optional<rollup::SlotIndex> receiver;  ///< the slot that is paid; not part of the JSON
    rollup::Nonce nonce = 0;
    rollup::TokenId token = 0;
    rollup::Amount fee;
    Stage stage = Stage::received;
    std::uint64_t batch = 0;
    std::uint32_t index = 0;
    std::optional<rollup::SlotIndex> created_slot;
    std::string code;
    std::string reason;
    std::uint32_t reverts = 0;
};

struct BatchSummary {
    BatchRecord record;
    Stage stage = Stage::executed;
};

/// Why an operation is refused, or a request about it.
struct Refusal {
    enum class Kind { refused, malformed, limit } kind = Kind::refused;
    std::string code;    ///< a stable word
    std::string reason;  ///< a sentence
    std::string field;   ///< that it is about, or empty
};

/// The name of a signed operation's kind.
std::string operation_type(const rollup::Operation& op);

/// The objects of docs/rpc.md.
std::string to_json(const Receipt& receipt);
std::string to_json(const BatchSummary& batch);

}  // namespace quarry::node::sequencer
