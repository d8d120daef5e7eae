// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a rollup's owner chooses and may change, after a delay. Times in seconds, money in wei.
struct Parameters {
    uint32 key; ///< which verifying contracts: a number of the hub's list
    uint8 policy; ///< 0: RACE. There is no other yet
    uint32 expectedTime; ///< after which a batch's bounty grows from base to max
    uint32 provingWindow; ///< after which it is late: growth ends, the bond is slashed, the batch may be replaced
    uint32 replaceWindow; ///< after the proving window: only a sequencer replaces or discards; then anyone replaces, after as long again discards
    uint32 commitWindow; ///< for how long a committed proof keeps a late batch from being replaced
    uint96 batchBond; ///< a sequencer's, for each batch that is not final
    uint16 slashBps; ///< ten-thousandths of the bond that a late batch loses
    uint96 commitDeposit; ///< of a committed proof; lost if the batch is replaced or discarded unproven
    uint32 rebateGas; ///< gas of one batch's settlement, repaid at the block's base fee up to the batch's rebate cap
    uint16 maxEffects; ///< of one batch, at most 256
    uint16 maxPending; ///< batches that are not final
    uint32 forcedDelay; ///< after which an entry of the forced queue is due, at most 6 hours
    uint16 forcedCap; ///< due entries that one batch must consume, at most maxEffects
    uint96 forcedFee; ///< of an entry: the sequencer's whose batch consumes it
    uint96 forcedFeeStep; ///< more for each entry that waits, burnt
}

/// What a sequencer offers for one batch, all of it escrowed with the batch.
struct Terms {
    uint96 base; ///< bounty until expectedTime
    uint96 max; ///< bounty from the proving window's end on
    uint96 rebateCap; ///< most that is repaid for gas
}

/// How L1 knows one polynomial: the words of a blob, or of calldata.
struct Opening {
    bytes32 l1Hash; ///< versioned hash of the blob, or Keccak-256 of the calldata
    bytes32 point; ///< the digest h, whose number is z
    bytes32 value; ///< y = p(z)
    bytes32[3] kzg; ///< commitment (48 bytes) and proof (48 bytes) of a blob; unused for calldata
}

/// Everything that the statement of one batch says, and what opens it.
struct Item {
    bytes header; ///< 204 bytes
    bytes parentHeader; ///< its parent's, whose post state is this batch's pre state; empty for batch 1
    address payee;
    uint32 units;
    bytes32 workRoot;
    uint8 form; ///< of the data: 1 blobs, 0 calldata
    Opening[] data; ///< one a blob, or one for calldata
    bytes32 effectsPoint; ///< the digest h of the effects' calldata; 0 without effects
    bytes effects; ///< words of 31 bytes
}

/// Verifying contracts of one header version, by the number of items they have room for.
struct VerifierSet {
    uint16 version;
    address one;
    address four;
    address sixteen;
}

enum Status {
    None, // no such submission
    Pending, // waits for a proof
    Proven, // waits for its parent
    Finalised,
    Orphaned, // its number was discarded or replaced; not settled yet
    Closed // orphaned and settled
}

/// A submission as views show it.
struct BatchView {
    Status status;
    uint64 id; ///< of the submission: unlike the number never used twice
    uint32 rollup;
    uint64 number;
    bytes32 headerHash;
    bytes32 dataHash;
    address sequencer;
    uint32 key;
    uint40 submittedAt;
    uint40 expectedAt; ///< the bounty begins to grow
    uint40 deadline; ///< the proving window ends
    uint40 openAt; ///< from here on anyone may replace, and a replaceWindow later discard
    uint40 lockedUntil; ///< of a committed proof, while the batch waits for one; 0 without
    uint96 base;
    uint96 max; ///< of the bounty; once proven: what of the escrow is paid
    uint96 rebateCap; ///< once proven: 0
    uint96 bond; ///< once slashed: the rest
    address payee; ///< 0 while unproven
    uint96 owed; ///< what the payee gets when the batch is final
    uint40 provenAt;
}

struct RollupView {
    address owner;
    address pendingOwner;
    bytes32 domain; ///< hash of chain id, hub, rollup id, genesis root and minimum fee, computed by the hub
    uint96 minNewPairFee;
    bool trusted; ///< whether its verifying contracts are of the list that the hub was deployed with
    uint64 head; ///< last submitted batch
    uint64 finalised; ///< last final batch
    bytes32 headHash; ///< header hash of the last submitted batch
    bytes32 finalisedHash;
    uint40 upgradeAt; ///< when the scheduled parameters may be applied; 0: none are
    Parameters parameters;
}

/// What the hub reports, and why it refuses.
interface IHubEvents {
    // ---- events

    event VerifiersAdded(uint32 indexed key, uint16 version, bool pinned, address one, address four, address sixteen);
    event RollupRegistered(uint32 indexed rollup, address indexed owner, bytes32 domain, uint96 minNewPairFee, Parameters parameters);
    event SequencerSet(uint32 indexed rollup, address indexed account, bool allowed);
    event UpgradeScheduled(uint32 indexed rollup, uint40 time, Parameters parameters);
    event UpgradeCancelled(uint32 indexed rollup);
    event UpgradeApplied(uint32 indexed rollup, Parameters parameters);
    event OwnershipOffered(uint32 indexed rollup, address indexed newOwner);
    event OwnershipTransferred(uint32 indexed rollup, address indexed newOwner);

    /// sequencer: of a replacement its payee. l1Hashes: versioned hashes of the blobs, or the Keccak-256 of the calldata (form 0), which is
    /// then in the transaction.
    event BatchSubmitted(
        uint32 indexed rollup, uint64 indexed number, address indexed sequencer, uint64 id, bytes32 headerHash, bytes header, uint8 form, bytes32[] l1Hashes, Terms terms, uint96 bond
    );
    event BountyRaised(uint32 indexed rollup, uint64 indexed number, uint64 id, uint256 index, address from, uint96 amount, uint64 effectiveBlock);
    event RaiseReclaimed(uint64 indexed id, uint256 index, address to, uint96 amount);
    /// lockedUntil: or commitWindow after the batch before it becomes final, if that is later.
    event ProofCommitted(uint32 indexed rollup, uint64 indexed number, uint64 id, address from, bytes32 commitment, uint40 lockedUntil);
    event CommitReturned(uint64 indexed id, address to, uint96 amount);
    event CommitForfeited(uint64 indexed id, uint96 amount);
    /// withdrawals: what can be claimed once the batch is final, 34 bytes each by index: token (2), amount (12), recipient (20).
    event BatchProven(
        uint32 indexed rollup, uint64 indexed number, address indexed payee, uint64 id, address relayer, uint96 owed, uint32 units, bytes32 workRoot, bytes withdrawals
    );
    event BatchFinalised(uint32 indexed rollup, uint64 indexed number, uint64 id, bytes32 headerHash);
    event BatchReplaced(uint32 indexed rollup, uint64 indexed number, uint64 oldId, uint64 newId);
    event BatchesDiscarded(uint32 indexed rollup, uint64 from, uint64 to);
    event BondSlashed(uint64 indexed id, uint96 burned, uint96 awarded);
    event Settled(uint64 indexed id, address indexed sequencer, uint256 returned);
    /// reason: selector of the error that a submission of the item alone would have reverted with.
    event ItemSkipped(uint256 index, uint32 indexed rollup, uint64 indexed number, bytes4 reason);
    event CreditCollected(address indexed account, uint256 amount);

    // ---- errors

    error UnknownRollup();
    error UnknownKey();
    error NotOwner();
    error NotPendingOwner();
    error NotSequencer();
    error BadParameters(string field);
    error FeeOutOfRange();
    error NoUpgrade();
    error UpgradeTooEarly();
    error NoVerifier();

    error HeaderLength();
    error WrongVersion();
    error WrongNumber();
    error WrongParent();
    error DataNotInTransaction();
    error DataLength();
    error TimestampOrder();
    error TimestampInFuture();
    error TimestampTooOld();
    error NonCanonicalDigest();
    error TooManyEffects();
    error EffectsMissing();
    error SlotCount();
    error DepositCursor();
    error DepositHash();
    error ForcedCursor();
    error ForcedHash();
    error ForcedSkipped();
    error TooManyPending();
    error BlobCount();
    error BadTerms();
    error NotEnoughValue();

    error NotOpen();
    error NothingSent();
    error NotRaiser();
    error RaiseSpent();
    error AlreadyCommitted();
    error CommitTooEarly();
    error WrongDeposit();

    error BadProfile();
    error NoItems();
    error TooManyItems();
    error WrongKey();
    error BatchMismatch();
    error AlreadyProven();
    error NoPayee();
    error DataMismatch();
    error OpeningCount();
    error PointEvaluation();
    error EffectsLength();
    error EffectsMalformed();
    error EffectsCount();
    error EffectsQueue();
    error ProofRejected(bytes cause);

    error NotFirst();
    error NotLate();
    error SequencersFirst();
    error ReplacementLocked();
    error NotOrphaned();
    error NothingToCollect();
    error TransferFailed();
}

/// Registry of rollups, their batches, what batches hold.
interface IHubCore is IHubEvents {
    // ---- rollups

    /// A new rollup, which starts from the empty state. Its domain is computed here, so that nothing signed or proven for
    /// another rollup, hub or chain is valid in it.
    function registerRollup(address owner, address[] calldata sequencers, uint96 minNewPairFee, Parameters calldata parameters) external returns (uint32 rollup);

    /// Adds verifying contracts to the list. Anyone may; a rollup that uses them is shown as untrusted.
    function addVerifiers(VerifierSet calldata set) external returns (uint32 key);

    /// Owner: who may submit batches. Takes effect at once.
    function setSequencer(uint32 rollup, address account, bool allowed) external;

    /// Owner: the parameters that may be applied after the upgrade delay. Replaces what was scheduled.
    function scheduleUpgrade(uint32 rollup, Parameters calldata parameters) external;

    /// Owner: drops what was scheduled.
    function cancelUpgrade(uint32 rollup) external;

    /// Anyone, once the delay is over. Batches that are submitted keep the terms and the key of their submission.
    function applyUpgrade(uint32 rollup) external;

    /// Owner: offers the rollup to another owner, who must accept.
    function offerOwnership(uint32 rollup, address newOwner) external;

    function acceptOwnership(uint32 rollup) external;

    // ---- batches

    /// Sequencer: the next batch, whose data are the transaction's blobs, all of them. Escrows terms.max, terms.rebateCap
    /// and the bond; what the value does not cover is taken from the sender's credit, what it exceeds is added to it.
    function submitBatch(bytes calldata parentHeader, bytes calldata header, Terms calldata terms) external payable returns (uint64 id);

    /// The same with the data as calldata, at most 4096 words, by an account without code: the data are in the transaction. `point` is the digest h of docs/spec/data-proof.md.
    function submitBatchCalldata(bytes calldata parentHeader, bytes calldata header, bytes calldata data, bytes32 point, Terms calldata terms)
        external
        payable
        returns (uint64 id);

    /// Anyone: adds to the bounty of a batch that is not proven. Counts two blocks later.
    function raiseBounty(uint32 rollup, uint64 number) external payable;

    /// The raiser: takes back what was not paid out (too late, or the batch was orphaned).
    function reclaimRaise(uint64 id, uint256 index) external;

    /// Anyone, once a batch, from commitWindow before its deadline on: keeps it from being replaced until commitWindow after the last of
    /// its deadline, now, and when the batch before it becomes final: before each of these it cannot be replaced. `commitment` is
    /// keccak256(keccak256(proof), payee, salt); the deposit burns when this batch is replaced or discarded unproven, else it returns.
    function commitProof(uint32 rollup, uint64 number, bytes32 commitment) external payable;

    /// Anyone: pays out what an orphaned submission still holds.
    function settle(uint64 id) external;

    /// Anyone: sends an account's credit to it.
    function collect(address account) external;

    // ---- views

    /// What a proof of this batch would earn now, without rebate. 0 if it is no longer open.
    function currentBounty(uint32 rollup, uint64 number) external view returns (uint256);

    function batch(uint32 rollup, uint64 number) external view returns (BatchView memory);
    function submission(uint64 id) external view returns (BatchView memory);
    function rollupInfo(uint32 rollup) external view returns (RollupView memory);
    function isSequencer(uint32 rollup, address account) external view returns (bool);
    function ownerOf(uint32 rollup) external view returns (address);
    /// Fee of a forced entry when none waits, and what each that waits adds.
    function forcedTerms(uint32 rollup) external view returns (uint96 fee, uint96 step);
    function verifiers(uint32 key) external view returns (VerifierSet memory set, bool pinned);
    function credit(address account) external view returns (uint256);
    function bridge() external view returns (address);
    function minUpgradeDelay() external view returns (uint32);
}

/// Proofs of batches, and what becomes of batches without one.
interface IHubProofs is IHubEvents {
    // ---- proofs

    /// Anyone: one batch. Reverts with the cause if it cannot count.
    function submitProof(Item calldata item, bytes calldata proof) external;

    /// Anyone: up to 2^logProfile batches (logProfile 0, 2, 4) of rollups that use verifying contracts `key`. An item that
    /// cannot count is skipped (event), unless none counts.
    function submitAggregate(uint32 key, uint8 logProfile, Item[] calldata items, bytes calldata proof) external returns (uint256 counted);

    /// A new batch and its proof in place of the first one that is not final, which is late. All after it are discarded with it. First a
    /// sequencer's, from openAt on anyone's; the batch's sequencer is the item's payee, whoever sends it. Its data are `data`, or the transaction's blobs if that is
    /// empty. `data` are taken from an account without code alone.
    function replaceAndProve(Item calldata item, bytes calldata data, bytes calldata proof) external returns (uint64 id);

    /// Drops the first batch that is not final, which is late, and all after it. First a sequencer's, from a replaceWindow after openAt on anyone's.
    function discardUnproven(uint32 rollup, uint64 from) external;

    /// Anyone: makes proven batches final, at most `max` of them, where more were proven than one transaction settles.
    function advance(uint32 rollup, uint256 max) external;

    /// Keccak-256 of the public input that the hub builds for these items: limbs of 16 bits, two bytes each, big-endian.
    function statementDigest(uint8 logProfile, Item[] calldata items) external view returns (bytes32);
}

/// Registry of rollups, their batches, the market for their proofs: everything at the hub's address. Users' funds and the
/// queues that come from L1 are at the bridge. State machine, encodings and windows: docs/spec/settlement.md.
interface IHub is IHubCore, IHubProofs {}
