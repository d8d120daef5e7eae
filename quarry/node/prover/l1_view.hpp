#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/node/batch_files.hpp"
#include "quarry/node/data_proof.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/terminal_proof.hpp"

/// What a prover sees of the chain that rollups settle on, and how it hands in proofs. The view is of the chain as it
/// is after the last refresh(): a reorganisation shows as another batch, or none, under a number. Whoever keeps
/// something of a batch keeps its hash with it and compares, so nothing has to be delivered exactly once.
namespace quarry::node::prover {

/// Below 2^127 in every sum that is made of them.
using Wei = unsigned __int128;

struct L1Head {
    bool connected = false;  ///< the last refresh reached an endpoint
    std::uint64_t block = 0;
    rollup::Timestamp timestamp = 0;  ///< of that block
    Wei base_fee = 0;                 ///< of a unit of gas in the next block
    Wei priority_fee = 0;             ///< what gets a transaction into one of the next blocks
};

/// A rollup of the hub.
struct RollupOnL1 {
    rollup::RollupParameters parameters;  ///< whose genesis is the empty state
    std::uint64_t head = 0;               ///< last submitted batch
    std::uint64_t finalised = 0;          ///< last final batch
    /// Last final batch whose finality is buried so deep that no reorganisation reaches it: never falls.
    std::uint64_t irreversible = 0;
};

enum class BatchPhase {
    pending,    ///< waits for a proof
    proven,     ///< has one, waits for its parent
    finalised,  ///< settled
};
const char* batch_phase_name(BatchPhase phase) noexcept;

/// A submission: the batch that has its number now.
struct BatchOnL1 {
    rollup::Header header;
    rollup::Bytes32 hash{};           ///< Keccak-256 of the header's bytes
    std::uint64_t submission = 0;     ///< the hub's own number; another one for the same header submitted again
    std::uint64_t block = 0;          ///< in which it was submitted
    rollup::Timestamp posted_at = 0;  ///< of that block
    std::uint32_t key = 0;            ///< its verifying contracts
    bool trusted = false;             ///< these are of the hub's pinned list
    DataPlacement placement = DataPlacement::blobs;
    std::vector<rollup::Bytes32> l1_hashes;  ///< versioned hashes of the blobs, or the Keccak-256 of the calldata
    BatchPhase phase = BatchPhase::pending;
    rollup::L1Address payee;  ///< of the proof; zero while pending

    // What a proof earns: settlement.md, section 3.2.
    Wei base = 0;
    Wei max = 0;
    Wei raised = 0;                     ///< by raises that count in the next block
    Wei awarded = 0;                    ///< of the slashed bond, once the batch is late
    Wei rebate_cap = 0;                 ///< most that is repaid for gas
    Wei rebate_gas = 0;                 ///< gas that is repaid at the block's base fee
    rollup::Timestamp expected_at = 0;  ///< the bounty begins to grow
    rollup::Timestamp deadline = 0;     ///< it has grown; from here on the batch may be replaced
};

/// A proof and all that the hub wants to see beside it.
struct ProofToSubmit {
    struct Item {
        std::optional<rollup::Header> parent;  ///< none: the batch is number 1
        std::vector<std::uint8_t> data;        ///< the batch's words: what openings of blobs are made from
        std::vector<std::uint8_t> effects;     ///< words
    };
    /// Names the intent: submitting it again under the same name, after a restart too, is no second transaction while
    /// the first may still be mined.
    std::string id;
    std::uint32_t key = 0;
    TerminalProofFile proof;
    std::vector<Item> items;  ///< of proof.bundle.items, in order
    Wei max_fee = 0;          ///< most that the transaction may cost; 0: whatever it costs
};

enum class SubmissionPhase {
    unknown,    ///< no such intent, or its transaction was dropped: submit again if it is still worth it
    sending,    ///< on its way, or in a block that is not deep enough
    accepted,   ///< counted, deep enough
    refused,    ///< reverted, or would revert
    cancelled,  ///< taken back: nothing comes of this name any more
};
const char* submission_phase_name(SubmissionPhase phase) noexcept;

struct SubmissionStatus {
    SubmissionPhase phase = SubmissionPhase::unknown;
    rollup::Bytes32 transaction{};  ///< the last one sent; zero before
    std::uint64_t gas_used = 0;     ///< once it is in a block
    Wei fee = 0;                    ///< what it cost
    std::string code;               ///< refused: the contract's error, or a stable word of the sender
    std::string reason;             ///< refused: a sentence
    bool above_max_fee = false;     ///< sending: it waits, since it would cost more than its max_fee
};

/// One thread calls, except where a function says otherwise.
class L1View {
  public:
    virtual ~L1View() = default;

    /// Follows the chain as far as it goes now. environment: no endpoint answers; what was known stays.
    virtual Outcome<Done> refresh() = 0;
    /// What kept own transactions from being looked after, at the last refresh.
    [[nodiscard]] virtual std::optional<Problem> sender_trouble() const { return std::nullopt; }
    [[nodiscard]] virtual L1Head head() const = 0;

    /// Every rollup of the hub, by rising id.
    [[nodiscard]] virtual std::vector<RollupOnL1> rollups() const = 0;
    /// The batch that has this number now; no value: none has.
    [[nodiscard]] virtual std::optional<BatchOnL1> batch(std::uint32_t rollup, std::uint64_t number) const = 0;
    /// The rollup's queues with their true rolling hashes. Lives as long as the view; changes with refresh().
    [[nodiscard]] virtual const rollup::L1Queues& queues(std::uint32_t rollup) const = 0;

    /// The batch's words, header.byte_length bytes, checked against its hashes. May take seconds. environment
    /// (data_unavailable): not to be had now, or not any more; refused: L1 has other content than words of a batch
    /// (bad_word, nonzero_padding, bad_length, bad_point): the batch cannot be proven.
    virtual Outcome<std::vector<std::uint8_t>> fetch_data(const BatchOnL1& batch) = 0;

    /// Takes the proof over: when this returns, the intent is on disk. environment: not now; refused: no call can be
    /// made of it.
    virtual Outcome<Done> submit(const ProofToSubmit& proof) = 0;
    [[nodiscard]] virtual SubmissionStatus submission(const std::string& id) const = 0;
    /// Takes back what waits: its name is used up. environment: not now, or it is too late.
    virtual Outcome<Done> cancel(const std::string& id) = 0;
};

}  // namespace quarry::node::prover
