// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBridge} from "../../src/settlement/IBridge.sol";
import {BatchView, Item, Parameters, RollupView, Status} from "../../src/settlement/IHub.sol";
import {vm} from "./Cheats.sol";
import {OddToken} from "./Doubles.sol";
import {Draft, Fixture} from "./Fixture.sol";

/// Two rollups whose users, sequencers and provers do what they may in any order. Beside what the contracts store it keeps
/// its own books. An action that would be refused is left out.
contract Handler is Fixture {
    uint256 public constant ROLLUPS = 2;
    OddToken public token;
    uint64 public submissions;
    mapping(uint64 id => uint256) public counted; // raises that a proof's payee gets
    mapping(uint64 id => uint256) public raised; // not taken back
    mapping(uint64 id => uint256) public committed;
    mapping(uint32 rollup => mapping(uint16 token => uint256)) public entered; // deposits less claims
    mapping(uint32 rollup => mapping(uint64 number => bytes32)) public finalHashes;
    mapping(uint32 rollup => uint64) public finalSeen;
    uint256 public feesHeld;
    bool public claimedTwice;
    bool public finalChanged;
    /// How often each kind of action was carried out.
    mapping(bytes32 action => uint256) public done;

    struct Leaf {
        uint64 number;
        uint8 index;
        uint16 token;
        uint96 amount;
        bytes32[] leaves;
        bool claimed;
    }

    mapping(uint64 id => Draft) private drafts;
    mapping(uint32 rollup => Leaf[]) private claimable;
    mapping(uint64 id => Leaf[]) private promised;
    address[] private raisers; // of raise i
    uint64[] private raiseIds;
    uint256[] private raiseIndex;
    mapping(uint64 id => uint256) private raiseCount;

    constructor() {
        setUp();
        register(parameters());
        token = new OddToken(OddToken.Answer.True, 100);
        for (uint32 r = 1; r <= ROLLUPS; r++) {
            vm.prank(OWNER, OWNER);
            bridge.addToken(r, address(token));
        }
        token.mint(USER, 2 ** 90);
        vm.prank(USER, USER);
        token.approve(address(bridge), 2 ** 90);
        vm.deal(SEQUENCER, 1e9 ether);
        vm.deal(USER, 1e9 ether);
    }

    function hubOf() external view returns (address, address) {
        return (address(hub), address(bridge));
    }

    function pick(uint256 seed) private pure returns (uint32) {
        return uint32(seed % ROLLUPS) + 1;
    }

    function parameters() internal pure override returns (Parameters memory p) {
        p = super.parameters();
        p.maxPending = 5;
        p.forcedCap = 2;
        p.forcedDelay = 2 hours;
    }

    // ---- users

    function deposit(uint256 seed, uint96 amount) external {
        uint32 r = pick(seed);
        uint16 id = uint16(seed >> 8 & 1);
        amount = uint96(bound(amount, 100, 1e20));
        vm.prank(USER, USER);
        bridge.deposit{value: id == 0 ? amount : 0}(r, id, amount, bytes32(uint256(11)), USER, type(uint32).max);
        uint256 arrived = id == 0 ? amount : amount - amount / 100;
        entered[r][id] += arrived;
        amounts[r].push(uint96(arrived));
        tokens[r].push(id);
        done["deposit"]++;
    }

    mapping(uint32 rollup => uint96[]) private amounts; // of the deposits
    mapping(uint32 rollup => uint16[]) private tokens;

    function force(uint256 seed) external {
        uint32 r = pick(seed);
        (uint96 fee,) = hub.forcedTerms(r); // what the queue adds burns
        feesHeld += fee;
        vm.prank(USER, USER);
        bridge.forceWithdraw{value: 5 ether}(r, uint32(seed >> 8));
        slots[r].push(uint32(seed >> 8));
        done["force"]++;
    }

    mapping(uint32 rollup => uint32[]) private slots;

    function claim(uint256 seed) external {
        uint32 r = pick(seed);
        if (claimable[r].length == 0) return;
        Leaf storage l = claimable[r][(seed >> 8) % claimable[r].length];
        (, bytes32[8] memory path) = tree(l.leaves, l.index);
        try bridge.claimWithdrawal(r, l.number, l.index, l.token, l.amount, USER, path) {
            if (l.claimed) claimedTwice = true;
            l.claimed = true;
            entered[r][l.token] -= l.amount; // underflow: more than was deposited
            done["claim"]++;
        } catch {
            require(l.claimed || l.amount > entered[r][l.token], "a claim that is due was refused");
        }
    }

    // ---- sequencers

    function submitBatch(uint256 seed) external {
        uint32 r = pick(seed);
        RollupView memory v = hub.rollupInfo(r);
        if (v.head - v.finalised == 5) return;
        Draft memory d = draft(r);
        fill(d, seed >> 8);
        uint64 id = submit(d);
        remember(id, d);
        done["submit"]++;
    }

    /// Consumes up to three deposits and the forced entries that are due, and withdraws twice.
    function fill(Draft memory d, uint256 seed) private {
        uint32 r = d.header.rollup;
        delete pendingLeaves;
        for (uint256 i = 0; i < seed % 4 && d.header.depositCursor < amounts[r].length; i++) {
            uint64 index = d.header.depositCursor;
            bool applied = (seed >> (8 + i)) & 1 == 1;
            addEffect(d, applied ? 2 : 3, 4, abi.encodePacked(index, type(uint32).max, tokens[r][index], amounts[r][index], USER, USER, bytes32(uint256(11))));
            d.header.depositCursor++;
            if (!applied) pendingLeaves.push(Leaf(0, 0, tokens[r][index], amounts[r][index], new bytes32[](0), false));
        }
        for (uint256 i = 0; i < 2 && d.header.forcedCursor < slots[r].length; i++) {
            uint96 taken = uint96(seed >> 16 & 0xffff);
            addEffect(d, 4, 2, abi.encodePacked(d.header.forcedCursor, slots[r][d.header.forcedCursor], uint16(0), taken, USER));
            d.header.forcedCursor++;
            if (taken != 0) pendingLeaves.push(Leaf(0, 0, 0, taken, new bytes32[](0), false));
        }
        uint96 amount = uint96(bound(seed >> 32, 1, 5e19));
        for (uint16 id = 0; id < 2; id++) {
            addWithdrawal(d, id, amount, USER);
            pendingLeaves.push(Leaf(0, 0, id, amount, new bytes32[](0), false));
        }
        setQueues(d);
        d.data[4] = bytes1(uint8(seed));
        d.header.postRoot = bytes32(seed & 0x00ffffff);
    }

    Leaf[] private pendingLeaves;

    function remember(uint64 id, Draft memory d) private {
        submissions = id;
        drafts[id] = d;
        uint256 count = pendingLeaves.length;
        bytes32[] memory hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            hashes[i] = leaf(uint8(i), pendingLeaves[i].token, pendingLeaves[i].amount, USER);
        }
        for (uint256 i = 0; i < count; i++) {
            promised[id].push(Leaf(d.header.number, uint8(i), pendingLeaves[i].token, pendingLeaves[i].amount, hashes, false));
        }
    }

    function discard(uint256 seed) external {
        uint32 r = pick(seed);
        uint64 first = hub.rollupInfo(r).finalised + 1;
        if (!droppable(r, first)) return;
        uint64 id = hub.batch(r, first).id;
        vm.prank(SEQUENCER, SEQUENCER);
        hub.discardUnproven(r, first);
        committed[id] = 0;
        done["discard"]++;
    }

    function droppable(uint32 r, uint64 first) private view returns (bool) {
        BatchView memory v = hub.batch(r, first);
        return v.status == Status.Pending && block.timestamp >= v.deadline && block.timestamp >= v.lockedUntil;
    }

    function replace(uint256 seed) external {
        uint32 r = pick(seed);
        uint64 finalised = hub.rollupInfo(r).finalised;
        if (!droppable(r, finalised + 1)) return;
        uint64 old = hub.batch(r, finalised + 1).id;
        Draft memory d = draftAfter(r, headers[r][finalised], finalised);
        fill(d, seed >> 8);
        Item memory item = itemOf(d);
        bytes memory proof = proven(0, one(item));
        vm.prank(SEQUENCER, SEQUENCER);
        uint64 id = hub.replaceAndProve(item, d.data, proof);
        committed[old] = 0;
        headers[r][d.header.number] = item.header;
        remember(id, d);
        settled(r);
        done["replace"]++;
    }

    // ---- provers and others

    function proveBatch(uint256 seed) external {
        if (submissions == 0) return;
        uint64 id = uint64(seed % submissions) + 1;
        BatchView memory before = hub.submission(id);
        if (before.status != Status.Pending) return;
        prove(drafts[id]);
        BatchView memory v = hub.submission(id);
        counted[id] = v.owed - v.max - (before.bond - v.bond) / 2;
        committed[id] = 0;
        settled(before.rollup);
        done["prove"]++;
    }

    /// Looks at what is final: it must be what was final, and more.
    function settled(uint32 r) private {
        RollupView memory v = hub.rollupInfo(r);
        if (v.finalised < finalSeen[r]) finalChanged = true;
        for (uint64 n = 1; n <= finalSeen[r]; n++) {
            if (hub.batch(r, n).headerHash != finalHashes[r][n]) finalChanged = true;
        }
        for (uint64 n = finalSeen[r] + 1; n <= v.finalised; n++) {
            BatchView memory b = hub.batch(r, n);
            finalHashes[r][n] = b.headerHash;
            for (uint256 i = 0; i < promised[b.id].length; i++) {
                claimable[r].push(promised[b.id][i]);
            }
        }
        finalSeen[r] = v.finalised;
    }

    function raise(uint256 seed, uint96 amount) external {
        if (submissions == 0) return;
        uint64 id = uint64(seed % submissions) + 1;
        BatchView memory v = hub.submission(id);
        if (v.status != Status.Pending) return;
        amount = uint96(bound(amount, 1, 10 ether));
        vm.prank(USER, USER);
        hub.raiseBounty{value: amount}(v.rollup, v.number);
        raised[id] += amount;
        raiseIds.push(id);
        raiseIndex.push(raiseCount[id]++);
        raiseAmounts.push(amount);
        done["raise"]++;
    }

    uint256[] private raiseAmounts;

    function reclaim(uint256 seed) external {
        if (raiseIds.length == 0) return;
        uint256 i = seed % raiseIds.length;
        vm.prank(USER, USER);
        try hub.reclaimRaise(raiseIds[i], raiseIndex[i]) {
            raised[raiseIds[i]] -= raiseAmounts[i];
            done["reclaim"]++;
        } catch {}
    }

    function commit(uint256 seed) external {
        if (submissions == 0) return;
        uint64 id = uint64(seed % submissions) + 1;
        BatchView memory v = hub.submission(id);
        if (v.status != Status.Pending || v.lockedUntil != 0 || block.timestamp + 600 < v.deadline) return;
        vm.prank(USER, USER);
        hub.commitProof{value: 0.1 ether}(v.rollup, v.number, bytes32(seed));
        committed[id] = 0.1 ether;
        done["commit"]++;
    }

    function settle(uint256 seed) external {
        if (submissions == 0) return;
        uint64 id = uint64(seed % submissions) + 1;
        if (hub.submission(id).status != Status.Orphaned) return;
        hub.settle(id);
        committed[id] = 0;
        done["settle"]++;
    }

    function collect(uint256 seed) external {
        address account = [USER, SEQUENCER, PROVER, RELAYER][seed % 4];
        if (hub.credit(account) != 0) hub.collect(account);
        if (bridge.fees(SEQUENCER) != 0) {
            feesHeld -= bridge.fees(SEQUENCER);
            bridge.collectFees(SEQUENCER);
        }
        done["collect"]++;
    }

    function wait_(uint256 seed) external {
        vm.warp(block.timestamp + seed % 4000);
        vm.roll(block.number + seed % 3);
        done["wait"]++;
    }

    // ---- books

    /// What the hub must have: what submissions hold, and all credit.
    function owedByHub() external view returns (uint256 sum) {
        sum = hub.credit(USER) + hub.credit(SEQUENCER) + hub.credit(PROVER) + hub.credit(RELAYER);
        for (uint64 id = 1; id <= submissions; id++) {
            BatchView memory v = hub.submission(id);
            bool hasProof = v.payee != address(0);
            sum += raised[id];
            if (v.status == Status.Finalised) sum -= counted[id];
            else if (v.status == Status.Pending || (v.status == Status.Orphaned && !hasProof)) sum += uint256(v.max) + v.rebateCap + v.bond + committed[id];
            else if (v.status != Status.Closed) sum += v.owed - counted[id] + v.bond;
        }
    }

    /// Along the final batches the cursors never fall, and they are the bridge's.
    function requireCursors(uint32 r) external view {
        uint64 finalised = hub.rollupInfo(r).finalised;
        (uint64 deposits, uint64 forced) = bridge.finalCursors(r);
        uint256 last;
        uint256 lastForced;
        for (uint64 n = 1; n <= finalised; n++) {
            bytes memory h = headers[r][n];
            require(keccak256(h) == finalHashes[r][n], "header");
            require(n == 1 || bytesAt(h, 14, 32) == uint256(finalHashes[r][n - 1]), "parent");
            require(bytesAt(h, 88, 8) >= last && bytesAt(h, 128, 8) >= lastForced, "cursors fall");
            (last, lastForced) = (bytesAt(h, 88, 8), bytesAt(h, 128, 8));
        }
        require(deposits == last && forced == lastForced, "cursors");
        require(deposits <= amounts[r].length && forced <= slots[r].length, "beyond the queues");
    }
}

struct FuzzSelector {
    address addr;
    bytes4[] selectors;
}

contract InvariantsTest {
    Handler private handler;
    address private hub;
    address private bridge;

    function setUp() public {
        handler = new Handler();
        (hub, bridge) = handler.hubOf();
    }

    function targetContracts() external view returns (address[] memory r) {
        r = new address[](1);
        r[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory r) {
        bytes4[16] memory all = [
            Handler.deposit.selector,
            Handler.force.selector,
            Handler.claim.selector,
            Handler.submitBatch.selector,
            Handler.submitBatch.selector,
            Handler.submitBatch.selector,
            Handler.proveBatch.selector,
            Handler.proveBatch.selector,
            Handler.discard.selector,
            Handler.replace.selector,
            Handler.raise.selector,
            Handler.reclaim.selector,
            Handler.commit.selector,
            Handler.settle.selector,
            Handler.collect.selector,
            Handler.wait_.selector
        ];
        r = new FuzzSelector[](1);
        r[0].addr = address(handler);
        r[0].selectors = new bytes4[](16);
        for (uint256 i = 0; i < 16; i++) {
            r[0].selectors[i] = all[i];
        }
    }

    /// One campaign for all, checked after every action.
    function invariant_books() external view {
        checkEscrow();
        checkBridge();
        require(!handler.claimedTwice(), "no double claim");
        require(!handler.finalChanged(), "the final prefix only grows");
        // Deposits are consumed once, in order.
        for (uint32 r = 1; r <= handler.ROLLUPS(); r++) {
            handler.requireCursors(r);
        }
    }

    /// Escrow solvency, and more: to the wei.
    function checkEscrow() private view {
        require(hub.balance == handler.owedByHub(), "escrow");
    }

    /// The bridge's balance of each (rollup, token) is what came in less what went out, and it is all there.
    function checkBridge() private view {
        uint256[2] memory sums;
        for (uint32 r = 1; r <= handler.ROLLUPS(); r++) {
            for (uint16 t = 0; t < 2; t++) {
                require(IBridge(bridge).balanceOf(r, t) == handler.entered(r, t), "balance of a rollup");
                sums[t] += handler.entered(r, t);
            }
        }
        require(bridge.balance == sums[0] + handler.feesHeld(), "ether");
        require(handler.token().balanceOf(bridge) == sums[1], "token");
    }

    /// A longer walk, which shows that every kind of action is carried out.
    function test_every_action_happens() external {
        bytes4[] memory actions = this.targetSelectors()[0].selectors;
        for (uint256 i = 0; i < 400; i++) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            (bool done,) = address(handler).call(bytes.concat(actions[seed >> 128 & 15], abi.encode(seed, uint96(seed >> 64))));
            require(done, "an action was refused");
            if (i % 20 == 19) this.invariant_books();
        }
        string[12] memory names = ["deposit", "force", "claim", "submit", "prove", "discard", "replace", "raise", "reclaim", "commit", "settle", "collect"];
        for (uint256 i = 0; i < names.length; i++) {
            require(handler.done(bytes32(bytes(names[i]))) != 0, names[i]);
        }
    }
}
