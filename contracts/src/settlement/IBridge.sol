// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The two L1 queues of a rollup as its batches meet them.
struct QueueState {
    bytes32 depositHash; ///< rolling Keccak at the cursor that was asked for; 0 beyond the queue's end
    bytes32 forcedHash;
    uint64 depositCount; ///< entries ever queued
    uint64 forcedCount;
    uint40 forcedTime; ///< when the entry at the forced cursor was queued; 0 if there is none
}

/// Where users' funds are: one balance for every (rollup, token), and the queues of what enters a rollup from L1.
interface IBridge {
    /// Hub: there is a new rollup.
    function open(uint32 rollup) external;

    /// Owner of the rollup: gives the contract the rollup's next token id. Ids are never reused or changed; 0 is ETH.
    function addToken(uint32 rollup, address token) external returns (uint16 id);

    /// Queues a deposit. ETH: amount is the value. A token: `amount` is drawn from the sender, what arrives is credited.
    /// target: a slot number, or 2^32 - 1 for a new slot of (keyHash, owner). A deposit that does not apply is refunded to
    /// the sender by a withdrawal of the batch that consumes it.
    function deposit(uint32 rollup, uint16 token, uint256 amount, bytes32 keyHash, address owner, uint32 target) external payable returns (uint64 index);

    /// Queues the withdrawal of everything in a slot, which applies if the sender is the slot's L1 address. The value is
    /// the fee; what it exceeds currentForcedFee is returned. Of the fee, what waiting entries add to it burns.
    function forceWithdraw(uint32 rollup, uint32 slot) external payable returns (uint64 index);

    /// Queues a new key for a slot, under the same condition.
    function forceSetKey(uint32 rollup, uint32 slot, bytes32 keyHash) external payable returns (uint64 index);

    /// Anyone: pays withdrawal `index` of a final batch to its recipient. `path`: eight siblings, from the leaf upwards.
    function claimWithdrawal(uint32 rollup, uint64 number, uint8 index, uint16 token, uint96 amount, address recipient, bytes32[8] calldata path) external;

    /// Anyone: sends the fees of consumed forced entries to the sequencer whose batches consumed them.
    function collectFees(address sequencer) external;

    /// Hub: batch `number` is final.
    function finalise(uint32 rollup, uint64 number, bytes32 withdrawalsRoot, uint64 depositCursor, uint64 forcedCursor, address sequencer) external;

    // ---- views

    function queues(uint32 rollup, uint64 depositCursor, uint64 forcedCursor) external view returns (QueueState memory);
    /// The oldest forced entry that no final batch consumed: its number, when it was queued (0: none), how many wait.
    function forcedHead(uint32 rollup) external view returns (uint64 index, uint40 time, uint64 waiting);
    function currentForcedFee(uint32 rollup) external view returns (uint256);
    function tokenOf(uint32 rollup, uint16 id) external view returns (address);
    function tokenCount(uint32 rollup) external view returns (uint256);
    function balanceOf(uint32 rollup, uint16 token) external view returns (uint256);
    function withdrawalsRoot(uint32 rollup, uint64 number) external view returns (bytes32);
    function isClaimed(uint32 rollup, uint64 number, uint8 index) external view returns (bool);
    function finalCursors(uint32 rollup) external view returns (uint64 deposits, uint64 forced);
    function fees(address sequencer) external view returns (uint256);
    function hub() external view returns (address);

    // ---- events

    event TokenAdded(uint32 indexed rollup, uint16 indexed id, address token);
    event DepositQueued(
        uint32 indexed rollup, uint64 indexed index, address indexed depositor, uint16 token, uint96 amount, address owner, bytes32 keyHash, uint32 target, bytes32 hash
    );
    /// keyHash is 0 in a forced withdrawal (kind 4), the new one in a change of key (kind 6).
    event ForcedQueued(uint32 indexed rollup, uint64 indexed index, address indexed sender, uint8 kind, uint32 slot, bytes32 keyHash, uint96 fee, bytes32 hash);
    event CursorsFinal(uint32 indexed rollup, uint64 indexed number, uint64 depositCursor, uint64 forcedCursor, bytes32 withdrawalsRoot);
    event WithdrawalClaimed(uint32 indexed rollup, uint64 indexed number, uint8 index, uint16 token, uint96 amount, address indexed recipient);
    event FeesCollected(address indexed sequencer, uint256 amount);

    // ---- errors

    error NotHub();
    error NotOwner();
    error UnknownRollup();
    error UnknownToken();
    error TokenListFull();
    error TokenExists();
    error NotAToken();
    error ZeroAmount();
    error AmountTooLarge();
    error WrongValue();
    error NonCanonicalKeyHash();
    error FeeTooSmall();
    error NoSuchWithdrawal();
    error AlreadyClaimed();
    error BalanceTooSmall();
    error NothingToCollect();
    error TransferFailed();
}
