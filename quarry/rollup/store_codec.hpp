#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/store.hpp"
#include "quarry/rollup/types.hpp"
#include "quarry/rollup/words.hpp"

/// The records that stores and snapshots are made of. Big-endian, fixed layouts, canonical.
namespace quarry::rollup {

inline constexpr std::size_t kLeafBytes = 32 + 20 + 2 + 1 + 12 + 4;
inline constexpr std::size_t kStateBytes = 32 + 4 + 8 + 8;
inline constexpr std::size_t kAccountKeyBytes = 4 * (AccountKey::kX + AccountKey::kY);

/// Key hash, address, token, published, balance, nonce. The pair is not stored: read_leaf leaves it empty (set_pairs).
void write_leaf(WordWriter& w, const Leaf& leaf);
Leaf read_leaf(WordReader& r);
void write_state(WordWriter& w, const State& state);
State read_state(WordReader& r);
/// x_0 .. x_10, y_0 .. y_3.
void write_account_key(WordWriter& w, const AccountKey& key);
AccountKey read_account_key(WordReader& r);

/// One leaf as a store's record, pair included on the way back.
std::vector<std::uint8_t> encode(const Leaf& leaf);
Checked<Leaf> parse_leaf(std::span<const std::uint8_t> bytes);

/// A batch's undo record: number, states, changes (slot, 1 if it existed, leaf before, leaf after), keys.
std::vector<std::uint8_t> encode(const BatchCommit& batch);
/// Refuses changes out of order and leaves that vanish.
Checked<BatchCommit> parse_batch_commit(std::span<const std::uint8_t> bytes);

}  // namespace quarry::rollup
