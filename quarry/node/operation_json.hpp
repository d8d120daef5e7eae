#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "quarry/node/flat_json.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/rollup/effects.hpp"

/// Signed operations and L1 queue entries as JSON Lines, so that other programs can write and read them.
/// Specification: docs/spec/json-lines.md.
namespace quarry::node {

inline constexpr std::size_t kMaxLineBytes = 4096;

/// An entry of one of the L1 queues.
using QueueEntry = std::variant<rollup::DepositEntry, rollup::ForcedWithdrawalEntry, rollup::SetKeyEntry>;
/// What one line of an input file asks for. The receiver's number of a TransferNew is 0: whoever executes it sets it.
using InputLine = std::variant<SignedTransaction, QueueEntry>;

/// One line, without its end. Total; to_json(parse_input_line(x)) has the fields and values of x.
Parsed<InputLine> parse_input_line(std::string_view line);
/// Precondition: a signed operation.
std::string to_json(const SignedTransaction& tx);
std::string to_json(const InputLine& line);

/// An entry with its place in its queue (deposits and the others have one each).
struct IndexedEntry {
    std::uint64_t index = 0;
    QueueEntry entry;
    friend bool operator==(const IndexedEntry&, const IndexedEntry&) = default;
};
Parsed<IndexedEntry> parse_queue_line(std::string_view line);
std::string to_json(const IndexedEntry& entry);

}  // namespace quarry::node
