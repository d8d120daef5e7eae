#include "quarry/node/sequencer/receipt.hpp"

#include "quarry/base/printable.hpp"
#include "quarry/node/flat_json.hpp"

namespace quarry::node::sequencer {

const char* stage_name(Stage stage) noexcept {
    switch (stage) {
        case Stage::received:
            return "received";
        case Stage::executed:
            return "executed";
        case Stage::posted:
            return "posted";
        case Stage::proven:
            return "proven";
        case Stage::claimable:
            return "claimable";
        case Stage::reverted:
            return "reverted";
        case Stage::rejected:
            return "rejected";
    }
    return "unknown";
}

Stage stage_of(BatchPhase phase) noexcept {
    switch (phase) {
        case BatchPhase::posted:
            return Stage::posted;
        case BatchPhase::proven:
            return Stage::proven;
        case BatchPhase::finalised:
            return Stage::claimable;
        case BatchPhase::reverted:
            return Stage::reverted;
        case BatchPhase::unknown:
        case BatchPhase::sending:
            break;
    }
    return Stage::executed;
}

std::string operation_type(const rollup::Operation& op) {
    switch (rollup::opcode(op)) {
        case rollup::Opcode::transfer:
            return "transfer";
        case rollup::Opcode::transfer_new:
            return "transfer_new";
        case rollup::Opcode::withdraw:
            return "withdraw";
        case rollup::Opcode::change_key:
            return "change_key";
        default:
            return "unsigned";
    }
}

std::string to_json(const Receipt& receipt) {
    ObjectWriter w;
    w.elements("id", receipt.id).text("type", receipt.type).integer("slot", receipt.slot);
    w.integer("nonce", receipt.nonce).integer("token", receipt.token).amount("fee", receipt.fee);
    w.text("stage", stage_name(receipt.stage));
    if (receipt.batch != 0) w.integer("batch", receipt.batch).integer("index", receipt.index);
    if (receipt.created_slot) w.integer("created_slot", *receipt.created_slot);
    // Causes come from other programs too.
    if (!receipt.code.empty()) w.text("code", printable(receipt.code)).text("reason", printable(receipt.reason));
    if (receipt.reverts != 0) w.integer("reverts", receipt.reverts);
    return std::move(w).finish();
}

std::string to_json(const BatchSummary& batch) {
    const BatchRecord& record = batch.record;
    const rollup::Header& header = record.header;
    ObjectWriter w;
    w.integer("number", header.number).text("stage", stage_name(batch.stage));
    w.hex("header", rollup::encode(header)).hex("hash", record.hash);
    w.integer("timestamp", header.timestamp).integer("byte_length", header.byte_length);
    w.integer("num_effects", header.num_effects).elements("post_root", header.post_root);
    w.integer("post_slot_count", header.post_slot_count).integer("deposit_cursor", header.deposit_cursor);
    w.integer("forced_cursor", header.forced_cursor).integer("num_operations", record.operations);
    if (record.status.transaction != rollup::Bytes32{})
        w.hex("l1_transaction", record.status.transaction).integer("l1_block", record.status.block);
    return std::move(w).finish();
}

}  // namespace quarry::node::sequencer
