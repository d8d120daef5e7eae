#pragma once
#include <span>
#include <string>
#include <string_view>

#include "quarry/ethereum/abi.hpp"
#include "quarry/ethereum/types.hpp"

/// Signatures of the settlement contracts: contracts/src/settlement/IHub.sol and IBridge.sol. A test compares them with
/// the interfaces that the compiler writes.
namespace quarry::node::l1 {

// clang-format off
#define QUARRY_ABI_PARAMETERS                                                                                          \
    "(uint32,uint8,uint32,uint32,uint32,uint32,uint96,uint16,uint96,uint32,uint16,uint16,uint32,uint16,uint96,uint96)"
#define QUARRY_ABI_TERMS "(uint96,uint96,uint96)"
#define QUARRY_ABI_OPENING "(bytes32,bytes32,bytes32,bytes32[3])"
#define QUARRY_ABI_ITEM "(bytes,bytes,address,uint32,bytes32,uint8," QUARRY_ABI_OPENING "[],bytes32,bytes)"
#define QUARRY_ABI_VERIFIERS "(uint16,address,address,address)"
#define QUARRY_ABI_BATCH_VIEW                                                                                          \
    "(uint8,uint64,uint32,uint64,bytes32,bytes32,address,uint32,uint40,uint40,uint40,uint40,uint40,uint96,uint96,"     \
    "uint96,uint96,address,uint96,uint40)"
#define QUARRY_ABI_ROLLUP_VIEW                                                                                         \
    "(address,address,bytes32,uint96,bool,uint64,uint64,bytes32,bytes32,uint40," QUARRY_ABI_PARAMETERS ")"
#define QUARRY_ABI_QUEUES "(bytes32,bytes32,uint64,uint64,uint40)"

/// X(name, signature, results)
#define QUARRY_HUB_FUNCTIONS(X)                                                                                        \
    X(register_rollup, "registerRollup(address,address[],uint96," QUARRY_ABI_PARAMETERS ")", "(uint32)")               \
    X(add_verifiers, "addVerifiers(" QUARRY_ABI_VERIFIERS ")", "(uint32)")                                             \
    X(set_sequencer, "setSequencer(uint32,address,bool)", "()")                                                        \
    X(schedule_upgrade, "scheduleUpgrade(uint32," QUARRY_ABI_PARAMETERS ")", "()")                                     \
    X(cancel_upgrade, "cancelUpgrade(uint32)", "()")                                                                   \
    X(apply_upgrade, "applyUpgrade(uint32)", "()")                                                                     \
    X(offer_ownership, "offerOwnership(uint32,address)", "()")                                                         \
    X(accept_ownership, "acceptOwnership(uint32)", "()")                                                               \
    X(submit_batch, "submitBatch(bytes,bytes," QUARRY_ABI_TERMS ")", "(uint64)")                                       \
    X(submit_batch_calldata, "submitBatchCalldata(bytes,bytes,bytes,bytes32," QUARRY_ABI_TERMS ")", "(uint64)")        \
    X(raise_bounty, "raiseBounty(uint32,uint64)", "()")                                                                \
    X(reclaim_raise, "reclaimRaise(uint64,uint256)", "()")                                                             \
    X(commit_proof, "commitProof(uint32,uint64,bytes32)", "()")                                                        \
    X(submit_proof, "submitProof(" QUARRY_ABI_ITEM ",bytes)", "()")                                                    \
    X(submit_aggregate, "submitAggregate(uint32,uint8," QUARRY_ABI_ITEM "[],bytes)", "(uint256)")                      \
    X(replace_and_prove, "replaceAndProve(" QUARRY_ABI_ITEM ",bytes,bytes)", "(uint64)")                               \
    X(discard_unproven, "discardUnproven(uint32,uint64)", "()")                                                        \
    X(advance, "advance(uint32,uint256)", "()")                                                                        \
    X(settle, "settle(uint64)", "()")                                                                                  \
    X(collect, "collect(address)", "()")                                                                               \
    X(current_bounty, "currentBounty(uint32,uint64)", "(uint256)")                                                     \
    X(statement_digest, "statementDigest(uint8," QUARRY_ABI_ITEM "[])", "(bytes32)")                                   \
    X(batch, "batch(uint32,uint64)", "(" QUARRY_ABI_BATCH_VIEW ")")                                                    \
    X(submission, "submission(uint64)", "(" QUARRY_ABI_BATCH_VIEW ")")                                                 \
    X(rollup_info, "rollupInfo(uint32)", "(" QUARRY_ABI_ROLLUP_VIEW ")")                                               \
    X(is_sequencer, "isSequencer(uint32,address)", "(bool)")                                                           \
    X(owner_of, "ownerOf(uint32)", "(address)")                                                                        \
    X(forced_terms, "forcedTerms(uint32)", "(uint96,uint96)")                                                          \
    X(verifiers, "verifiers(uint32)", "(" QUARRY_ABI_VERIFIERS ",bool)")                                               \
    X(credit, "credit(address)", "(uint256)")                                                                          \
    X(bridge, "bridge()", "(address)")                                                                                 \
    X(min_upgrade_delay, "minUpgradeDelay()", "(uint32)")

/// X(name, signature, results)
#define QUARRY_BRIDGE_FUNCTIONS(X)                                                                                     \
    X(open, "open(uint32)", "()")                                                                                      \
    X(add_token, "addToken(uint32,address)", "(uint16)")                                                               \
    X(deposit, "deposit(uint32,uint16,uint256,bytes32,address,uint32)", "(uint64)")                                    \
    X(force_withdraw, "forceWithdraw(uint32,uint32)", "(uint64)")                                                      \
    X(force_set_key, "forceSetKey(uint32,uint32,bytes32)", "(uint64)")                                                 \
    X(claim_withdrawal, "claimWithdrawal(uint32,uint64,uint8,uint16,uint96,address,bytes32[8])", "()")                 \
    X(collect_fees, "collectFees(address)", "()")                                                                      \
    X(finalise, "finalise(uint32,uint64,bytes32,uint64,uint64,address)", "()")                                         \
    X(queues, "queues(uint32,uint64,uint64)", "(" QUARRY_ABI_QUEUES ")")                                               \
    X(forced_head, "forcedHead(uint32)", "(uint64,uint40,uint64)")                                                     \
    X(current_forced_fee, "currentForcedFee(uint32)", "(uint256)")                                                     \
    X(token_of, "tokenOf(uint32,uint16)", "(address)")                                                                 \
    X(token_count, "tokenCount(uint32)", "(uint256)")                                                                  \
    X(balance_of, "balanceOf(uint32,uint16)", "(uint256)")                                                             \
    X(withdrawals_root, "withdrawalsRoot(uint32,uint64)", "(bytes32)")                                                 \
    X(is_claimed, "isClaimed(uint32,uint64,uint8)", "(bool)")                                                          \
    X(final_cursors, "finalCursors(uint32)", "(uint64,uint64)")                                                        \
    X(fees, "fees(address)", "(uint256)")                                                                              \
    X(hub, "hub()", "(address)")

/// X(struct, signature). The structs: hub_events.hpp.
#define QUARRY_HUB_EVENTS(X)                                                                                           \
    X(VerifiersAdded, "VerifiersAdded(uint32 indexed,uint16,bool,address,address,address)")                            \
    X(RollupRegistered, "RollupRegistered(uint32 indexed,address indexed,bytes32,uint96," QUARRY_ABI_PARAMETERS ")")   \
    X(SequencerSet, "SequencerSet(uint32 indexed,address indexed,bool)")                                               \
    X(UpgradeScheduled, "UpgradeScheduled(uint32 indexed,uint40," QUARRY_ABI_PARAMETERS ")")                           \
    X(UpgradeCancelled, "UpgradeCancelled(uint32 indexed)")                                                            \
    X(UpgradeApplied, "UpgradeApplied(uint32 indexed," QUARRY_ABI_PARAMETERS ")")                                      \
    X(OwnershipOffered, "OwnershipOffered(uint32 indexed,address indexed)")                                            \
    X(OwnershipTransferred, "OwnershipTransferred(uint32 indexed,address indexed)")                                    \
    X(BatchSubmitted, "BatchSubmitted(uint32 indexed,uint64 indexed,address indexed,uint64,bytes32,bytes,uint8,"       \
                      "bytes32[]," QUARRY_ABI_TERMS ",uint96)")                                                        \
    X(BountyRaised, "BountyRaised(uint32 indexed,uint64 indexed,uint64,uint256,address,uint96,uint64)")                \
    X(RaiseReclaimed, "RaiseReclaimed(uint64 indexed,uint256,address,uint96)")                                         \
    X(ProofCommitted, "ProofCommitted(uint32 indexed,uint64 indexed,uint64,address,bytes32,uint40)")                   \
    X(CommitReturned, "CommitReturned(uint64 indexed,address,uint96)")                                                 \
    X(CommitForfeited, "CommitForfeited(uint64 indexed,uint96)")                                                       \
    X(BatchProven, "BatchProven(uint32 indexed,uint64 indexed,address indexed,uint64,address,uint96,uint32,bytes32,"   \
                   "bytes)")                                                                                           \
    X(BatchFinalised, "BatchFinalised(uint32 indexed,uint64 indexed,uint64,bytes32)")                                  \
    X(BatchReplaced, "BatchReplaced(uint32 indexed,uint64 indexed,uint64,uint64)")                                     \
    X(BatchesDiscarded, "BatchesDiscarded(uint32 indexed,uint64,uint64)")                                              \
    X(BondSlashed, "BondSlashed(uint64 indexed,uint96,uint96)")                                                        \
    X(Settled, "Settled(uint64 indexed,address indexed,uint256)")                                                      \
    X(ItemSkipped, "ItemSkipped(uint256,uint32 indexed,uint64 indexed,bytes4)")                                        \
    X(CreditCollected, "CreditCollected(address indexed,uint256)")

#define QUARRY_BRIDGE_EVENTS(X)                                                                                        \
    X(TokenAdded, "TokenAdded(uint32 indexed,uint16 indexed,address)")                                                 \
    X(DepositQueued, "DepositQueued(uint32 indexed,uint64 indexed,address indexed,uint16,uint96,address,bytes32,"      \
                     "uint32,bytes32)")                                                                                \
    X(ForcedQueued, "ForcedQueued(uint32 indexed,uint64 indexed,address indexed,uint8,uint32,bytes32,uint96,bytes32)") \
    X(CursorsFinal, "CursorsFinal(uint32 indexed,uint64 indexed,uint64,uint64,bytes32)")                               \
    X(WithdrawalClaimed, "WithdrawalClaimed(uint32 indexed,uint64 indexed,uint8,uint16,uint96,address indexed)")       \
    X(FeesCollected, "FeesCollected(address indexed,uint256)")
// clang-format on

enum class HubFunction {
#define QUARRY_X(name, signature, results) name,
    QUARRY_HUB_FUNCTIONS(QUARRY_X)
#undef QUARRY_X
};
enum class BridgeFunction {
#define QUARRY_X(name, signature, results) name,
    QUARRY_BRIDGE_FUNCTIONS(QUARRY_X)
#undef QUARRY_X
};

const ethereum::AbiFunction& abi(HubFunction function);
const ethereum::AbiFunction& abi(BridgeFunction function);
/// Canonical, with `indexed` where an event's field is.
std::span<const std::string_view> hub_function_signatures() noexcept;
std::span<const std::string_view> bridge_function_signatures() noexcept;
std::span<const std::string_view> hub_event_signatures() noexcept;
std::span<const std::string_view> bridge_event_signatures() noexcept;
/// "NotSequencer()": errors of the hub and of the bridge.
std::span<const std::string_view> error_signatures() noexcept;

/// Name of the error that a call reverted with ("NotSequencer"), for codes and messages. ProofRejected carries the
/// verifying contract's own cause: "ProofRejected" and that one's name where it is known. "unknown_revert": none of
/// ours.
std::string revert_name(ethereum::ByteView revert_data);

}  // namespace quarry::node::l1
