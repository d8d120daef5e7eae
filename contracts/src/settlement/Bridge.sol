// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Queues, WithdrawalTree} from "./Effects.sol";
import {Digests} from "./Headers.sol";
import {IBridge, QueueState} from "./IBridge.sol";
import {IHubCore} from "./IHub.sol";

/// See IBridge. Tokens are foreign code, called while the guard is up; the hub's call is not guarded, since a token may well
/// call the hub: it touches no balance.
contract Bridge is IBridge, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Counters {
        uint64 deposits; // ever queued
        uint64 forced;
        uint64 finalDeposits; // consumed by final batches
        uint64 finalForced;
    }

    struct ForcedEntry {
        bytes32 hash; // rolling hash after it
        uint40 time;
        uint96 feeSum; // what sequencers get for all entries up to it
    }

    uint256 private constant MAX_TOKENS = 2 ** 16;

    IHubCore private immutable HUB;

    mapping(uint32 rollup => address[]) private tokens;
    mapping(uint32 rollup => mapping(address token => bool)) private known;
    mapping(uint32 rollup => mapping(uint16 token => uint256)) public balanceOf;
    mapping(uint32 rollup => Counters) private counters;
    mapping(uint32 rollup => mapping(uint64 count => bytes32)) private depositHashes;
    mapping(uint32 rollup => mapping(uint64 index => ForcedEntry)) private forcedEntries;
    mapping(uint32 rollup => mapping(uint64 number => bytes32)) public withdrawalsRoot;
    mapping(uint32 rollup => mapping(uint64 number => uint256)) private claimed;
    mapping(address sequencer => uint256) public fees;

    modifier onlyHub() {
        require(msg.sender == address(HUB), NotHub());
        _;
    }

    constructor() {
        HUB = IHubCore(msg.sender);
    }

    // ---- rollups and tokens

    function open(uint32 rollup) external onlyHub {
        tokens[rollup].push(address(0));
    }

    function addToken(uint32 rollup, address token) external returns (uint16 id) {
        address[] storage list = tokens[rollup];
        require(list.length != 0, UnknownRollup());
        require(msg.sender == HUB.ownerOf(rollup), NotOwner());
        require(list.length < MAX_TOKENS, TokenListFull());
        require(token.code.length != 0, NotAToken());
        require(!known[rollup][token], TokenExists());
        known[rollup][token] = true;
        id = uint16(list.length);
        list.push(token);
        emit TokenAdded(rollup, id, token);
    }

    // ---- what enters

    function deposit(uint32 rollup, uint16 token, uint256 amount, bytes32 keyHash, address owner, uint32 target) external payable nonReentrant returns (uint64 index) {
        address erc20 = tokenOf(rollup, token);
        require(Digests.canonical(keyHash), NonCanonicalKeyHash());
        uint256 arrived = token == 0 ? takeEther(amount) : takeToken(IERC20(erc20), amount);
        require(arrived != 0, ZeroAmount());
        uint256 balance = balanceOf[rollup][token] + arrived;
        require(balance < 2 ** 96, AmountTooLarge());
        balanceOf[rollup][token] = balance;
        index = counters[rollup].deposits++;
        bytes32 hash = Queues.rollDeposit(depositHashes[rollup][index], index, target, token, uint96(arrived), msg.sender, owner, keyHash);
        depositHashes[rollup][index + 1] = hash;
        emit DepositQueued(rollup, index, msg.sender, token, uint96(arrived), owner, keyHash, target, hash);
    }

    function takeEther(uint256 amount) private view returns (uint256) {
        require(msg.value == amount, WrongValue());
        return amount;
    }

    /// What arrives may be less than what is drawn.
    function takeToken(IERC20 token, uint256 amount) private returns (uint256) {
        require(msg.value == 0, WrongValue());
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 balance = token.balanceOf(address(this));
        return balance > before ? balance - before : 0;
    }

    function forceWithdraw(uint32 rollup, uint32 slot) external payable nonReentrant returns (uint64 index) {
        bytes32 hash;
        (index, hash) = lastForced(rollup);
        hash = Queues.rollWithdrawal(hash, index, slot, msg.sender);
        uint96 fee = pushForced(rollup, index, hash);
        emit ForcedQueued(rollup, index, msg.sender, 4, slot, 0, fee, hash);
        returnExcess(fee);
    }

    function forceSetKey(uint32 rollup, uint32 slot, bytes32 keyHash) external payable nonReentrant returns (uint64 index) {
        require(Digests.canonical(keyHash), NonCanonicalKeyHash());
        bytes32 hash;
        (index, hash) = lastForced(rollup);
        hash = Queues.rollSetKey(hash, index, slot, msg.sender, keyHash);
        uint96 fee = pushForced(rollup, index, hash);
        emit ForcedQueued(rollup, index, msg.sender, 6, slot, keyHash, fee, hash);
        returnExcess(fee);
    }

    /// The next entry's number, and the rolling hash before it.
    function lastForced(uint32 rollup) private view returns (uint64 index, bytes32 hash) {
        require(tokens[rollup].length != 0, UnknownRollup());
        index = counters[rollup].forced;
        hash = forcedHash(rollup, index);
    }

    /// Takes the entry's fee. What the length of the queue adds to it burns: fees go to sequencers, one of whom could otherwise fill the
    /// queue with entries of its own, at no cost, until nobody else can pay for one.
    function pushForced(uint32 rollup, uint64 index, bytes32 hash) private returns (uint96) {
        (uint256 base, uint256 added) = forcedFee(rollup);
        require(msg.value >= base + added, FeeTooSmall());
        forcedEntries[rollup][index] = ForcedEntry(hash, uint40(block.timestamp), uint96(feeSum(rollup, index) + base));
        counters[rollup].forced = index + 1;
        if (added != 0) send(address(0), added);
        return uint96(base + added);
    }

    function returnExcess(uint256 fee) private {
        if (msg.value > fee) send(msg.sender, msg.value - fee);
    }

    // ---- what leaves

    function claimWithdrawal(uint32 rollup, uint64 number, uint8 index, uint16 token, uint96 amount, address recipient, bytes32[8] calldata path) external nonReentrant {
        bytes32 root = withdrawalsRoot[rollup][number];
        require(root != 0 && WithdrawalTree.climb(WithdrawalTree.leaf(index, token, amount, recipient), index, path) == root, NoSuchWithdrawal());
        require(!isClaimed(rollup, number, index), AlreadyClaimed());
        claimed[rollup][number] |= 1 << index;
        uint256 balance = balanceOf[rollup][token];
        require(amount <= balance, BalanceTooSmall());
        balanceOf[rollup][token] = balance - amount;
        emit WithdrawalClaimed(rollup, number, index, token, amount, recipient);
        if (token == 0) send(recipient, amount);
        else IERC20(tokenOf(rollup, token)).safeTransfer(recipient, amount);
    }

    function collectFees(address sequencer) external nonReentrant {
        uint256 amount = fees[sequencer];
        require(amount != 0, NothingToCollect());
        fees[sequencer] = 0;
        emit FeesCollected(sequencer, amount);
        send(sequencer, amount);
    }

    function send(address to, uint256 amount) private {
        (bool done,) = to.call{value: amount}("");
        require(done, TransferFailed());
    }

    function finalise(uint32 rollup, uint64 number, bytes32 root, uint64 depositCursor, uint64 forcedCursor, address sequencer) external onlyHub {
        Counters storage c = counters[rollup];
        uint64 consumed = c.finalForced;
        if (forcedCursor != consumed) fees[sequencer] += feeSum(rollup, forcedCursor) - feeSum(rollup, consumed);
        c.finalDeposits = depositCursor;
        c.finalForced = forcedCursor;
        if (root != 0) withdrawalsRoot[rollup][number] = root;
        emit CursorsFinal(rollup, number, depositCursor, forcedCursor, root);
    }

    // ---- views

    function queues(uint32 rollup, uint64 depositCursor, uint64 forcedCursor) external view returns (QueueState memory r) {
        Counters storage c = counters[rollup];
        r.depositCount = c.deposits;
        r.forcedCount = c.forced;
        r.depositHash = depositHashes[rollup][depositCursor];
        r.forcedHash = forcedHash(rollup, forcedCursor);
        r.forcedTime = forcedEntries[rollup][forcedCursor].time;
    }

    function forcedHead(uint32 rollup) external view returns (uint64 index, uint40 time, uint64 waiting) {
        Counters storage c = counters[rollup];
        index = c.finalForced;
        time = forcedEntries[rollup][index].time;
        waiting = c.forced - index;
    }

    function currentForcedFee(uint32 rollup) external view returns (uint256) {
        (uint256 base, uint256 added) = forcedFee(rollup);
        return base + added;
    }

    function tokenOf(uint32 rollup, uint16 id) public view returns (address) {
        address[] storage list = tokens[rollup];
        require(list.length != 0, UnknownRollup());
        require(id < list.length, UnknownToken());
        return list[id];
    }

    function tokenCount(uint32 rollup) external view returns (uint256) {
        return tokens[rollup].length;
    }

    function isClaimed(uint32 rollup, uint64 number, uint8 index) public view returns (bool) {
        return claimed[rollup][number] >> index & 1 == 1;
    }

    function finalCursors(uint32 rollup) external view returns (uint64 deposits, uint64 forced) {
        return (counters[rollup].finalDeposits, counters[rollup].finalForced);
    }

    function hub() external view returns (address) {
        return address(HUB);
    }

    /// The rolling hash of the forced queue before entry number `index`.
    function forcedHash(uint32 rollup, uint64 index) private view returns (bytes32) {
        return index == 0 ? bytes32(0) : forcedEntries[rollup][index - 1].hash;
    }

    /// The next entry's fee: what a sequencer will get of it, and what the entries that wait add.
    function forcedFee(uint32 rollup) private view returns (uint256 base, uint256 added) {
        (uint96 fee, uint96 step) = HUB.forcedTerms(rollup);
        Counters storage c = counters[rollup];
        return (fee, uint256(step) * (c.forced - c.finalForced));
    }

    /// What sequencers get for all entries before number `index`.
    function feeSum(uint32 rollup, uint64 index) private view returns (uint256) {
        return index == 0 ? 0 : forcedEntries[rollup][index - 1].feeSum;
    }
}
