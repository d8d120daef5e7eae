#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/rollup/store_codec.hpp"

/// The records of a state directory: what DurableStore keeps under which key. Integers are big-endian, so that the
/// engine's order is the order of slots and batches.
///
///   key                    value
///   f                      magic, format version
///   p                      RollupParameters
///   h                      Head: written last when a state is made, so that a state without it is incomplete
///   l slot                 the leaf
///   k key hash             the account key
///   u batch number         undo record (BatchCommit) of an unfinalised batch
///   n batch number         the owner's note after that batch, if not empty
namespace quarry::node {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint32_t kStateMagic = 0x51445331;  ///< "QDS1"
inline constexpr std::uint32_t kStateVersion = 1;

/// First byte of a key.
enum class RecordKind : std::uint8_t {
    format = 'f',
    head = 'h',
    account_key = 'k',
    leaf = 'l',
    note = 'n',
    parameters = 'p',
    undo = 'u',
};

/// Where the state stands.
struct Head {
    std::uint64_t batch_number = 0;
    std::uint64_t finalised_number = 0;  ///< undo records exist from the next batch on
    rollup::State state;
    friend bool operator==(const Head&, const Head&) noexcept = default;
};

Bytes record_key(RecordKind kind);
Bytes leaf_record_key(rollup::SlotIndex slot);
Bytes account_key_record_key(const rollup::KeyHash& hash);
/// Of a note or an undo record.
Bytes batch_record_key(RecordKind kind, std::uint64_t batch_number);

Bytes encode_format();
/// Refuses (bad_magic, unsupported_version) what this program cannot read.
rollup::Verdict parse_format(std::span<const std::uint8_t> bytes);

/// Chain id, hub, rollup id, genesis root, minimum fee.
Bytes encode(const rollup::RollupParameters& parameters);
rollup::Checked<rollup::RollupParameters> parse_parameters(std::span<const std::uint8_t> bytes);

Bytes encode(const Head& head);
/// Refuses (limit_exceeded) a finalised batch after the last one.
rollup::Checked<Head> parse_head(std::span<const std::uint8_t> bytes);

/// The integer after the kind in the key of a leaf, note or undo record.
rollup::Checked<rollup::SlotIndex> parse_leaf_record_key(std::span<const std::uint8_t> key);
rollup::Checked<std::uint64_t> parse_batch_record_key(std::span<const std::uint8_t> key);

}  // namespace quarry::node
