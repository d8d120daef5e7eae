// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBridge} from "../../src/settlement/IBridge.sol";
import {IHub, Item, Status, VerifierSet} from "../../src/settlement/IHub.sol";
import {vm} from "./Cheats.sol";
import {VerifierDouble} from "./Doubles.sol";
import {Draft, Fixture} from "./Fixture.sol";

/// What has been tried against settlement contracts, one test a line. The other lines: forced-queue flood, unprovable
/// batches and the forced clock in Submission.t.sol; a rollup that claims more than was deposited, odd ERC-20s, the same
/// withdrawal twice, re-entrancy of the bridge in Bridge.t.sol; a forced entry that never becomes due, domains of chain ids
/// and hubs in Registry.t.sol; replacement racing a committed proof in Late.t.sol; proof-supplied configuration, replay of a
/// proof in Proofs.t.sol; escrow insolvency in Invariants.t.sol; calldata bounds in Vectors.t.sol and Fuzz.t.sol.
contract AttacksTest is Fixture {

    /// The overlapping-range theft. Batch 1 claims an inflated state; batch 2 empties the slot by a forced withdrawal and is
    /// proven from that state; then the true batch 1 is settled. The huge withdrawal must not become claimable.
    function test_false_claimed_post_state_with_overlapping_range() public {
        depositEther(rollup, USER, 100 ether);
        vm.prank(RELAYER, RELAYER);
        bridge.forceWithdraw{value: 1 ether}(rollup, 3);

        Draft memory inflated = draft(rollup);
        inflated.header.postRoot = bytes32(uint256(0xbad));
        submit(inflated);
        Draft memory theft = draft(rollup);
        consumeForced(theft, RELAYER, 3, 0, 100 ether, true);
        submit(theft);
        prove(theft); // true of the state that batch 1 claims
        requireStatus(rollup, 2, Status.Proven);
        hub.advance(rollup, 9);
        require(bridge.withdrawalsRoot(rollup, 2) == 0, "not claimable");

        // A proof of batch 2 from the true state would be of another header; one of the same header names the parent's.
        Item memory item = itemOf(theft);
        Draft memory honest = draftAfter(rollup, "", 0);
        honest.header.postRoot = bytes32(uint256(0x600d));
        item.parentHeader = encode(honest.header);
        vm.expectRevert(WrongParent.selector);
        hub.submitProof(item, "");

        // The inflated batch has no proof. It is replaced by the true one.
        vm.warp(START + 7200);
        honest.header.timestamp = uint32(block.timestamp);
        item = itemOf(honest);
        bytes memory proof = proven(0, one(item));
        vm.prank(SEQUENCER, SEQUENCER);
        hub.replaceAndProve(item, honest.data, proof);
        headers[rollup][1] = item.header;
        requireStatus(rollup, 1, Status.Finalised);
        hub.advance(rollup, 9);
        equal(hub.rollupInfo(rollup).finalised, 1, "what was proven from the false state is not final");
        require(bridge.withdrawalsRoot(rollup, 2) == 0, "not claimable");

        // The same bytes submitted again are not the next batch, and the old proof belongs to the old submission.
        vm.warp(START + 7300);
        bytes memory header = encode(theft.header);
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(WrongParent.selector);
        hub.submitBatchCalldata{value: ESCROW}(theft.parent, header, theft.data, POINT, terms());
        Draft memory next = draft(rollup);
        consumeForced(next, RELAYER, 3, 0, 0, true); // the slot is empty in truth
        submit(next);
        prove(next);
        equal(hub.rollupInfo(rollup).finalised, 2, "goes on");
        require(bridge.withdrawalsRoot(rollup, 2) == 0, "nothing to take");
        equal(bridge.balanceOf(rollup, 0), 100 ether, "all is there");
    }

    /// A submission's proof is its own: the same header with other data must be proven again.
    function test_stale_proof_of_the_same_header() public {
        submitNext(rollup);
        Draft memory d = draft(rollup);
        submit(d);
        prove(d);
        vm.warp(START + 7200);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.discardUnproven(rollup, 1);
        Draft memory first = draftAfter(rollup, "", 0);
        first.header.timestamp = uint32(START);
        submit(first); // the same bytes as before
        require(keccak256(headers[rollup][1]) == d.header.parentHash, "same header");
        d.data[3] = 0x66; // the same header, other data
        submit(d);
        prove(first);
        equal(hub.rollupInfo(rollup).finalised, 1, "the old proof does not count");
        requireStatus(rollup, 2, Status.Pending);
    }

    /// A front-run copy of a proof from the mempool: the payee is in the statement.
    function test_copied_proof() public {
        Draft memory d = submitNext(rollup);
        Item memory item = itemOf(d);
        bytes memory proof = proven(0, one(item));
        item.payee = USER;
        vm.prank(USER, USER);
        vm.expectRevert(abi.encodeWithSelector(ProofRejected.selector, abi.encodePacked(VerifierDouble.NotProven.selector)));
        hub.submitProof(item, proof);
        item.payee = PROVER;
        vm.prank(USER, USER);
        hub.submitProof(item, proof); // the thief pays the gas
        equal(hub.credit(USER), 0, "thief");
        require(hub.credit(PROVER) != 0, "prover");
    }

    /// A front-run copy of a replacement: what its forced entries paid is the payee's, not who sent it.
    function test_copied_replacement() public {
        vm.prank(USER, USER);
        bridge.forceWithdraw{value: 0.01 ether}(rollup, 3);
        submitNext(rollup);
        vm.warp(START + 7200 + 3600);
        Draft memory d = draftAfter(rollup, "", 0);
        consumeForced(d, USER, 3, 0, 0, false);
        Item memory item = itemOf(d);
        bytes memory proof = proven(0, one(item));
        vm.prank(RELAYER, RELAYER);
        hub.replaceAndProve(item, d.data, proof);
        requireStatus(rollup, 1, Status.Finalised);
        equal(bridge.fees(RELAYER), 0, "thief");
        equal(bridge.fees(PROVER), 0.01 ether, "payee");
    }

    /// Replay over hubs and rollup ids: the same batch, proven for one, says another domain in the other.
    function test_replay_elsewhere() public {
        VerifierSet[] memory pinned = new VerifierSet[](1);
        (pinned[0],) = hub.verifiers(0);
        Draft memory d = submitNext(rollup);
        Item memory item = itemOf(d);
        proven(0, one(item));
        hub.submitProof(item, "");
        IHub first = hub;
        hub = deployHub(pinned);
        bridge = IBridge(hub.bridge());
        uint32 id = register(parameters());
        equal(id, rollup, "the same id at another hub");
        bytes memory header = encode(d.header);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.submitBatchCalldata{value: ESCROW}("", header, d.data, POINT, terms());
        require(hub.batch(id, 1).headerHash == first.batch(id, 1).headerHash, "the same batch");
        vm.expectRevert(abi.encodeWithSelector(ProofRejected.selector, abi.encodePacked(VerifierDouble.NotProven.selector)));
        hub.submitProof(item, "");
        // In another rollup of the same hub even the header differs.
        d = draft(register(parameters()));
        submit(d);
        vm.expectRevert(abi.encodeWithSelector(ProofRejected.selector, abi.encodePacked(VerifierDouble.NotProven.selector)));
        item = itemOf(d);
        hub.submitProof(item, "");
    }

    /// Modulus-bias underflow and other bounds of numbers: z and y of calldata at their extremes.
    function test_extreme_points() public {
        bytes32 largest = bytes32(uint256(0x7f0000007f0000007f0000007f0000007f0000007f0000007f0000007f000000));
        Draft memory d = draft(rollup);
        for (uint256 i = 0; i < d.data.length; i++) {
            d.data[i] = 0xff;
        }
        bytes memory header = encode(d.header);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.submitBatchCalldata{value: ESCROW}("", header, d.data, largest, terms());
        uint256 z;
        for (uint256 i = 0; i < 8; i++) {
            z += uint256(0x7f000000) << (31 * i);
        }
        Item memory item = itemOf(d);
        item.data[0].point = largest;
        item.data[0].value = bytes32(horner(d.data, z));
        bytes memory proof = proven(0, one(item));
        hub.submitProof(item, proof);
        for (uint256 i = 0; i < 8; i++) {
            bytes32 over = bytes32(uint256(largest) + (uint256(1) << (32 * i)));
            d = draftAfter(rollup, header, 1);
            bytes memory next = encode(d.header);
            vm.prank(SEQUENCER, SEQUENCER);
            vm.expectRevert(NonCanonicalDigest.selector);
            hub.submitBatchCalldata{value: ESCROW}(header, next, d.data, over, terms());
        }
    }

    /// One rollup's revert must not spoil another's settlement: a rollup with a batch that cannot count, one whose payee and
    /// sequencer refuse ether, one that is in order.
    function test_one_rollup_does_not_spoil_another() public {
        Draft memory broken = draft(rollup);
        addWithdrawal(broken, 0, 1, USER);
        submit(broken);
        Item[] memory items = new Item[](3);
        items[0] = itemOf(broken);
        items[0].effects = new bytes(62); // unreadable effects
        Draft memory refusing = draft(register(parameters()));
        refusing.payee = address(this); // has no receive
        submit(refusing);
        items[1] = itemOf(refusing);
        uint32 last = register(parameters());
        items[2] = itemOf(submitNext(last));
        bytes memory proof = proven(2, items);
        equal(hub.submitAggregate(0, 2, items, proof), 2, "counted");
        requireStatus(last, 1, Status.Finalised);
        requireStatus(rollup, 1, Status.Pending);
        vm.expectRevert(TransferFailed.selector);
        hub.collect(address(this));
        hub.collect(PROVER);
    }

    /// A failed point evaluation takes the gas it was given: not that of the other items.
    function test_bad_opening_does_not_take_the_gas() public {
        Draft memory blob = draft(rollup);
        bytes memory header = encode(blob.header);
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = bytes32(uint256(1) << 248 | 5);
        vm.blobhashes(hashes);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.submitBatch{value: ESCROW}("", header, terms());
        Item[] memory items = new Item[](2);
        items[0] = itemOf(blob);
        items[0].form = 1;
        items[0].data[0].l1Hash = hashes[0];
        uint32 other = register(parameters());
        items[1] = itemOf(submitNext(other));
        bytes memory proof = proven(2, items);
        uint256 gas = gasleft();
        equal(hub.submitAggregate(0, 2, items, proof), 1, "counted");
        require(gas - gasleft() < 600_000, "gas");
        requireStatus(other, 1, Status.Finalised);
    }

    /// Re-entrancy of the hub: whoever collects and collects again in between gets what is his once.
    function test_collect_again() public {
        Collector collector = new Collector(hub);
        Draft memory d = draft(rollup);
        d.payee = address(collector);
        submit(d);
        prove(d);
        uint256 owed = hub.credit(address(collector));
        hub.collect(address(collector));
        equal(address(collector).balance, owed, "once");
        require(collector.refused(), "tried again");
    }

    /// A batch at the effects cap fits one transaction: 256 deposits, the longest effects, and what the hub adds to the
    /// verification, calldata of a proof included.
    function test_batch_at_the_effects_cap() public {
        for (uint256 i = 0; i < 256; i++) {
            depositEther(rollup, USER, 5);
        }
        Draft memory d = draft(rollup);
        for (uint256 i = 0; i < 256; i++) {
            consumeDeposit(d, USER, 5, false); // refunds: 256 leaves too
        }
        submit(d);
        Item memory item = itemOf(d);
        bytes memory proof = bytes.concat(proven(0, one(item)), new bytes(80 * 1024));
        bytes memory call = abi.encodeCall(hub.submitProof, (item, proof));
        require(call.length < 128 * 1024, "fits a transaction");
        uint256 gas = gasleft();
        hub.submitProof(item, proof);
        gas -= gasleft();
        uint256 standard = gas + 8_000_000 + 21_000 + 16 * call.length;
        uint256 floor = 21_000 + 40 * call.length; // EIP-7623
        require(standard < 16_777_216 && floor < 16_777_216, "fits the cap");
        requireStatus(rollup, 1, Status.Finalised);
        equal(uint256(uint160(bridge.hub())), uint256(uint160(address(hub))), "hub");
        require(bridge.withdrawalsRoot(rollup, 1) != 0, "256 refunds");
    }

    /// Data that are withheld: a sequencer's contract, or its account with code (EIP-7702), could make them up on the way, so that
    /// they are in no transaction.
    function test_calldata_from_code() public {
        vm.prank(OWNER, OWNER);
        hub.setSequencer(rollup, address(this), true);
        Draft memory d = draft(rollup);
        bytes memory header = encode(d.header);
        vm.deal(address(this), 2 * ESCROW);
        vm.expectRevert(DataNotInTransaction.selector);
        hub.submitBatchCalldata{value: ESCROW}(d.parent, header, d.data, POINT, terms());
        vm.prank(address(this), address(this)); // the transaction's sender, but with code
        vm.expectRevert(DataNotInTransaction.selector);
        hub.submitBatchCalldata{value: ESCROW}(d.parent, header, d.data, POINT, terms());
        submit(d);
        vm.warp(START + 7200);
        Draft memory other = draftAfter(rollup, "", 0);
        Item memory item = itemOf(other);
        bytes memory proof = proven(0, one(item));
        vm.expectRevert(DataNotInTransaction.selector);
        hub.replaceAndProve(item, other.data, proof);
    }

    /// Escrow of a batch with a slashing sequencer that proves its own junk: at least half of what is slashed is gone.
    function test_slashed_sequencer_pays_itself() public {
        Draft memory d = draft(rollup);
        d.payee = SEQUENCER;
        submit(d);
        uint256 before = SEQUENCER.balance;
        vm.warp(START + 7200);
        prove(d);
        hub.collect(SEQUENCER);
        equal(SEQUENCER.balance - before, ESCROW - 0.25 ether, "half of the slashed half burned");
    }
}



contract Collector {
    IHub private immutable hub;
    bool public refused;

    constructor(IHub hub_) {
        hub = hub_;
    }

    receive() external payable {
        (bool done,) = address(hub).call(abi.encodeCall(hub.collect, (address(this))));
        refused = !done;
    }
}
