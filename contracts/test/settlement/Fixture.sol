// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Header} from "../../src/settlement/Headers.sol";
import {IBridge, QueueState} from "../../src/settlement/IBridge.sol";
import {IHub, IHubEvents, Item, Opening, Parameters, RollupView, Status, Terms, VerifierSet} from "../../src/settlement/IHub.sol";
import {vm} from "./Cheats.sol";
import {VerifierDouble} from "./Doubles.sol";

/// A batch as a test makes it: what is submitted, and what is proven of it.
struct Draft {
    Header header;
    bytes parent;
    bytes data;
    bytes effects;
    address payee;
}

/// A hub with doubles of the verifiers and one rollup, and what makes batches for it.
abstract contract Fixture is IHubEvents {
    address internal constant DEPLOYER = 0x1000000000000000000000000000000000000001;
    address internal constant OWNER = address(0x0e1);
    address internal constant SEQUENCER = address(0x5e1);
    address internal constant PROVER = address(0x9201);
    address internal constant RELAYER = address(0x4e1a);
    address internal constant USER = address(0x05e4);
    bytes32 internal constant POINT = bytes32(uint256(7));
    uint256 internal constant P = 2 ** 31 - 2 ** 24 + 1;
    uint64 internal constant START = 1_900_000_000;
    uint32 internal constant UPGRADE_DELAY = 14 days;

    IHub internal hub;
    IBridge internal bridge;
    VerifierDouble[3] internal doubles;
    uint32 internal rollup;
    mapping(uint32 rollup => mapping(uint64 number => bytes)) internal headers;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(1000);
        VerifierSet[] memory pinned = new VerifierSet[](1);
        pinned[0] = verifierSet();
        hub = deployHub(pinned);
        bridge = IBridge(hub.bridge());
        for (uint256 i = 0; i < 4; i++) {
            vm.deal([SEQUENCER, PROVER, RELAYER, USER][i], 1000 ether);
        }
        rollup = register(parameters());
    }

    function verifierSet() internal returns (VerifierSet memory) {
        doubles = [new VerifierDouble(1), new VerifierDouble(4), new VerifierDouble(16)];
        return VerifierSet(1, address(doubles[0]), address(doubles[1]), address(doubles[2]));
    }

    /// The code that is deployed, not what this profile would compile.
    function deployHub(VerifierSet[] memory pinned) internal returns (IHub) {
        address proofs = deploy("Proofs", "");
        vm.prank(DEPLOYER, DEPLOYER);
        return IHub(deploy("Hub", abi.encode(proofs, pinned, UPGRADE_DELAY)));
    }

    function deploy(string memory name, bytes memory arguments) internal returns (address r) {
        bytes memory code = bytes.concat(artifact(name), arguments);
        assembly ("memory-safe") { r := create(0, add(code, 0x20), mload(code)) }
        require(r != address(0), "not deployed");
    }

    function artifact(string memory name) internal view returns (bytes memory) {
        return vm.getCode(string.concat("../out/settlement/", name, ".sol/", name, ".json"));
    }

    function parameters() internal pure virtual returns (Parameters memory p) {
        p.expectedTime = 600;
        p.provingWindow = 7200;
        p.replaceWindow = 3600;
        p.commitWindow = 600;
        p.batchBond = 1 ether;
        p.slashBps = 5000;
        p.commitDeposit = 0.1 ether;
        p.rebateGas = 500_000;
        p.maxEffects = 256;
        p.maxPending = 8;
        p.forcedDelay = 6 hours;
        p.forcedCap = 4;
        p.forcedFee = 0.01 ether;
        p.forcedFeeStep = 0.001 ether;
    }

    function terms() internal pure returns (Terms memory) {
        return Terms(1 ether, 3 ether, 0.5 ether);
    }

    /// What a submission under terms() and parameters() costs.
    uint256 internal constant ESCROW = 4.5 ether;

    function register(Parameters memory p) internal returns (uint32) {
        address[] memory sequencers = new address[](1);
        sequencers[0] = SEQUENCER;
        return hub.registerRollup(OWNER, sequencers, 10, p);
    }

    // ---- batches

    /// The next batch of a rollup, of three words, without effects.
    function draft(uint32 id) internal view returns (Draft memory d) {
        RollupView memory v = hub.rollupInfo(id);
        d = draftAfter(id, headers[id][v.head], v.head);
    }

    function draftAfter(uint32 id, bytes memory parent, uint64 number) internal view returns (Draft memory d) {
        d.parent = parent;
        Header memory h = d.header;
        h.version = 1;
        h.rollup = id;
        h.number = number + 1;
        if (parent.length != 0) {
            h.parentHash = keccak256(parent);
            h.depositCursor = uint64(bytesAt(parent, 88, 8));
            h.forcedCursor = uint64(bytesAt(parent, 128, 8));
            h.postSlotCount = uint32(bytesAt(parent, 200, 4));
        }
        h.timestamp = uint32(block.timestamp);
        h.feeReceiver = bytes32(uint256(1));
        h.postRoot = bytes32(uint256(0x1234) << 32 | h.number);
        d.data = new bytes(93);
        d.data[0] = 0x01;
        d.data[92] = bytes1(uint8(h.number));
        h.byteLength = 93;
        d.payee = PROVER;
        setQueues(d);
    }

    /// `count` bytes of a header from byte `place` on.
    function bytesAt(bytes memory b, uint256 place, uint256 count) internal pure returns (uint256 r) {
        for (uint256 i = 0; i < count; i++) {
            r = r << 8 | uint8(b[place + i]);
        }
    }

    /// The queues' hashes at the draft's cursors.
    function setQueues(Draft memory d) internal view {
        QueueState memory q = bridge.queues(d.header.rollup, d.header.depositCursor, d.header.forcedCursor);
        d.header.depositHash = q.depositHash;
        d.header.forcedHash = q.forcedHash;
    }

    /// Adds an effect: its words, of its kind and fields.
    function addEffect(Draft memory d, uint8 kind, uint256 words, bytes memory fields) internal pure {
        d.effects = bytes.concat(d.effects, effectWords(kind, words, fields));
        d.header.numEffects++;
    }

    function effectWords(uint8 kind, uint256 words, bytes memory fields) internal pure returns (bytes memory r) {
        r = new bytes(31 * words);
        r[0] = bytes1(kind);
        for (uint256 i = 0; i < fields.length; i++) {
            r[i + i / 30 + 1] = fields[i];
        }
    }

    function addWithdrawal(Draft memory d, uint16 token, uint96 amount, address recipient) internal pure {
        addEffect(d, 1, 2, abi.encodePacked(token, amount, recipient));
    }

    function encode(Header memory h) internal pure returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(h.version, h.rollup, h.number, h.parentHash, h.byteLength, h.timestamp, h.feeReceiver),
            abi.encodePacked(h.numEffects, h.depositCursor, h.depositHash, h.forcedCursor, h.forcedHash, h.postRoot, h.postSlotCount)
        );
    }

    function submit(Draft memory d) internal returns (uint64 id) {
        bytes memory header = encode(d.header);
        vm.prank(SEQUENCER, SEQUENCER);
        id = hub.submitBatchCalldata{value: ESCROW}(d.parent, header, d.data, POINT, terms());
        headers[d.header.rollup][d.header.number] = header;
    }

    function submitNext(uint32 id) internal returns (Draft memory d) {
        d = draft(id);
        submit(d);
    }

    /// Fails with `code`, and changes nothing.
    function submitFails(Draft memory d, bytes4 code) internal {
        bytes memory header = encode(d.header);
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(code);
        hub.submitBatchCalldata{value: ESCROW}(d.parent, header, d.data, POINT, terms());
    }

    // ---- proofs

    function itemOf(Draft memory d) internal pure returns (Item memory item) {
        item.header = encode(d.header);
        item.parentHeader = d.parent;
        item.payee = d.payee;
        item.units = 3;
        item.workRoot = bytes32(uint256(5));
        item.data = new Opening[](1);
        item.data[0].l1Hash = keccak256(d.data);
        item.data[0].point = POINT;
        item.data[0].value = bytes32(horner(d.data, 7 << 217));
        item.effects = d.effects;
        if (d.effects.length != 0) item.effectsPoint = bytes32(uint256(9));
    }

    function horner(bytes memory data, uint256 z) internal pure returns (uint256 y) {
        uint256 r = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
        for (uint256 i = 0; i < data.length; i += 31) {
            uint256 word;
            assembly ("memory-safe") { word := shr(8, mload(add(add(data, 0x20), i))) }
            y = addmod(mulmod(y, z, r), word, r);
        }
    }

    function one(Item memory item) internal pure returns (Item[] memory items) {
        items = new Item[](1);
        items[0] = item;
    }

    /// A proof of exactly these items.
    function proven(uint8 logProfile, Item[] memory items) internal returns (bytes memory) {
        doubles[logProfile / 2].accept(hub.statementDigest(logProfile, items));
        return "proof";
    }

    function prove(Draft memory d) internal {
        Item memory item = itemOf(d);
        bytes memory proof = proven(0, one(item));
        vm.prank(RELAYER, RELAYER);
        hub.submitProof(item, proof);
    }

    function proveFails(Item memory item, bytes4 code) internal {
        bytes memory proof = proven(0, one(item));
        vm.prank(RELAYER, RELAYER);
        vm.expectRevert(code);
        hub.submitProof(item, proof);
    }

    /// A final batch.
    function settleNext(uint32 id) internal returns (Draft memory d) {
        d = submitNext(id);
        prove(d);
    }

    // ---- the bridge

    function depositEther(uint32 id, address from, uint96 amount) internal returns (uint64) {
        vm.prank(from, from);
        return bridge.deposit{value: amount}(id, 0, amount, bytes32(uint256(11)), from, type(uint32).max);
    }

    /// Consumes the next deposit of `from` as depositEther made it.
    function consumeDeposit(Draft memory d, address from, uint96 amount, bool applied) internal view {
        addEffect(d, applied ? 2 : 3, 4, abi.encodePacked(d.header.depositCursor, type(uint32).max, uint16(0), amount, from, from, bytes32(uint256(11))));
        d.header.depositCursor++;
        setQueues(d);
    }

    /// Consumes the next forced entry, which is a withdrawal of `from`.
    function consumeForced(Draft memory d, address from, uint32 slot, uint16 token, uint96 amount, bool applied) internal view {
        addEffect(d, applied ? 4 : 5, 2, abi.encodePacked(d.header.forcedCursor, slot, token, amount, from));
        d.header.forcedCursor++;
        setQueues(d);
    }

    // ---- withdrawals

    /// Root of the tree, and the path of leaf `index`.
    function tree(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32, bytes32[8] memory path) {
        bytes32[] memory level = new bytes32[](256);
        for (uint256 i = 0; i < leaves.length; i++) {
            level[i] = leaves[i];
        }
        for (uint256 h = 0; h < 8; h++) {
            path[h] = level[index >> h ^ 1];
            for (uint256 i = 0; i < 128 >> h; i++) {
                level[i] = keccak256(abi.encodePacked(bytes1(0x01), level[2 * i], level[2 * i + 1]));
            }
        }
        return (level[0], path);
    }

    function leaf(uint8 index, uint16 token, uint96 amount, address recipient) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0), index, token, amount, recipient));
    }

    // ---- assertions

    function equal(uint256 a, uint256 b, string memory what) internal pure {
        require(a == b, string.concat(what, ": ", vm.toString(a), " is not ", vm.toString(b)));
    }

    function equal(address a, address b, string memory what) internal pure {
        require(a == b, what);
    }

    function status(uint32 id, uint64 number) internal view returns (Status) {
        return hub.batch(id, number).status;
    }

    function requireStatus(uint32 id, uint64 number, Status expected) internal view {
        equal(uint256(status(id, number)), uint256(expected), "status");
    }

    function bound(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + x % (high - low + 1);
    }
}
