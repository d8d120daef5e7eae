#pragma once
#include <optional>
#include <span>
#include <vector>

#include "quarry/ethereum/kzg.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/l1/hub_types.hpp"
#include "quarry/node/terminal_proof.hpp"

/// From a terminal proof to the call that hands it in.
namespace quarry::node::l1 {

/// What the hub wants to see of a batch beside its statement.
struct ItemContent {
    std::optional<rollup::Header> parent;  ///< none: the batch is number 1
    ByteView data;                         ///< words
    ByteView effects;                      ///< words
};

/// The item of a batch as contracts take it; of blobs with the openings at z, 0.1 s each. `kzg` may be null for
/// calldata. refused (opening_mismatch): the content is not what the statement binds (another blob, value, length);
/// environment: no KZG setup.
Outcome<Item> make_item_call(const rollup::TerminalItem& item, const ItemContent& content, const ethereum::Kzg* kzg);

struct ProofCall {
    Bytes calldata;
    std::size_t num_items = 0;
};
/// submitProof for profile 1, submitAggregate for the others. `contents`: of file.bundle.items, in order. refused: as
/// make_item_call; too_large: more bytes than a transaction may have.
Outcome<ProofCall> make_proof_call(const TerminalProofFile& file, std::uint32_t key,
                                   std::span<const ItemContent> contents, const ethereum::Kzg* kzg);

}  // namespace quarry::node::l1
