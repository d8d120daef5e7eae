// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchView, Status, Terms} from "../../src/settlement/IHub.sol";
import {vm} from "./Cheats.sol";
import {Draft, Fixture} from "./Fixture.sol";

contract SubmissionTest is Fixture {
    function test_calldata_batch() public {
        Draft memory d = draft(rollup);
        uint256 before = SEQUENCER.balance;
        uint64 id = submit(d);
        equal(before - SEQUENCER.balance, ESCROW, "escrowed");
        BatchView memory v = hub.batch(rollup, 1);
        equal(v.id, id, "id");
        requireStatus(rollup, 1, Status.Pending);
        require(v.headerHash == keccak256(encode(d.header)), "header");
        bytes32 value = bytes32(horner(d.data, 7 << 217));
        require(v.dataHash == keccak256(abi.encodePacked(uint8(0), keccak256(d.data), POINT, value)), "data");
        equal(v.sequencer, SEQUENCER, "sequencer");
        equal(v.submittedAt, START, "submitted");
        equal(v.expectedAt, START + 600, "expected");
        equal(v.deadline, START + 7200, "deadline");
        equal(v.openAt, START + 10_800, "open");
        require(v.base == 1 ether && v.max == 3 ether && v.rebateCap == 0.5 ether && v.bond == 1 ether, "terms");
        require(hub.rollupInfo(rollup).head == 1 && hub.rollupInfo(rollup).headHash == v.headerHash, "head");
        require(keccak256(abi.encode(hub.submission(id))) == keccak256(abi.encode(v)), "by id");
    }

    function test_blob_batch() public {
        Draft memory d = draft(rollup);
        d.header.byteLength = 31 * (2 * 4096 + 1);
        bytes memory header = encode(d.header);
        bytes32[] memory hashes = new bytes32[](3);
        for (uint256 i = 0; i < 3; i++) {
            hashes[i] = bytes32(uint256(1) << 248 | i);
        }
        for (uint256 count = 2; count <= 4; count += 2) {
            bytes32[] memory other = new bytes32[](count);
            for (uint256 i = 0; i < count; i++) {
                other[i] = hashes[i % 3];
            }
            vm.blobhashes(other);
            vm.prank(SEQUENCER, SEQUENCER);
            vm.expectRevert(BlobCount.selector);
            hub.submitBatch{value: ESCROW}("", header, terms());
        }
        vm.blobhashes(hashes);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.submitBatch{value: ESCROW}("", header, terms());
        require(hub.batch(rollup, 1).dataHash == keccak256(abi.encodePacked(uint8(1), hashes)), "data");
        vm.expectRevert(NotSequencer.selector);
        hub.submitBatch("", header, terms());
    }

    /// A rule's refusal, each from a batch that is right but for it.
    function test_header_rules() public {
        depositEther(rollup, USER, 5);
        vm.prank(USER, USER);
        bridge.forceWithdraw{value: 1 ether}(rollup, 3);
        Draft memory first = draft(rollup);
        first.header.postSlotCount = 9;
        addWithdrawal(first, 0, 1, USER);
        consumeDeposit(first, USER, 5, true);
        submit(first);
        vm.warp(START + 100);

        Draft memory d = draft(rollup);
        d.header.rollup = 9;
        submitFails(d, UnknownRollup.selector);
        d = draft(rollup);
        bytes memory header = encode(d.header);
        vm.expectRevert(NotSequencer.selector);
        hub.submitBatchCalldata(d.parent, header, d.data, POINT, terms());
        d.header.version = 2;
        submitFails(d, WrongVersion.selector);
        d = draft(rollup);
        d.header.number = 3;
        submitFails(d, WrongNumber.selector);
        d.header.number = 1;
        submitFails(d, WrongNumber.selector);
        d = draft(rollup);
        d.parent = "";
        submitFails(d, WrongParent.selector);
        d = draft(rollup);
        d.header.parentHash = keccak256("other");
        submitFails(d, WrongParent.selector);
        d.parent = bytes.concat(d.parent, "");
        d.parent[203] = 0xff; // consistent with itself, not with the chain
        d.header.parentHash = keccak256(d.parent);
        submitFails(d, WrongParent.selector);
        d.parent = new bytes(203);
        submitFails(d, HeaderLength.selector);
        d = draft(rollup);
        d.header.timestamp = first.header.timestamp - 1;
        submitFails(d, TimestampOrder.selector);
        d.header.timestamp = uint32(block.timestamp) + 1;
        submitFails(d, TimestampInFuture.selector);
        vm.warp(START + 12 hours + 1);
        d.header.timestamp = uint32(START);
        submitFails(d, TimestampTooOld.selector);
        vm.warp(START + 100);
        otherRules();
    }

    function otherRules() private {
        Draft memory d = draft(rollup);
        d.header.feeReceiver = bytes32(P << 224);
        submitFails(d, NonCanonicalDigest.selector);
        d = draft(rollup);
        d.header.postRoot = bytes32(P);
        submitFails(d, NonCanonicalDigest.selector);
        d = draft(rollup);
        d.header.numEffects = 257;
        submitFails(d, TooManyEffects.selector);
        d = draft(rollup);
        d.header.postSlotCount = 8;
        submitFails(d, SlotCount.selector);
        d.header.postSlotCount = 2 ** 30 + 1;
        submitFails(d, SlotCount.selector);
        d = draft(rollup);
        d.header.depositCursor = 0;
        submitFails(d, DepositCursor.selector);
        d.header.depositCursor = 2;
        d.header.numEffects = 9;
        submitFails(d, DepositCursor.selector);
        d = draft(rollup);
        d.header.forcedCursor = 2;
        submitFails(d, ForcedCursor.selector);
        d.header.forcedCursor = 1;
        submitFails(d, EffectsMissing.selector);
        d.header.numEffects = 1;
        submitFails(d, ForcedHash.selector);
        d = draft(rollup);
        d.header.depositHash = 0;
        submitFails(d, DepositHash.selector);
        d = draft(rollup);
        d.header.byteLength = 0;
        submitFails(d, DataLength.selector);
        d.header.byteLength = 94;
        submitFails(d, DataLength.selector);
        d.header.byteLength = 62;
        submitFails(d, DataLength.selector);
        d.header.byteLength = 31 * (6 * 4096 + 1);
        submitFails(d, DataLength.selector);
    }

    function test_calldata_limits() public {
        Draft memory d = draft(rollup);
        d.data = new bytes(31 * 4097);
        d.header.byteLength = 31 * 4097;
        submitFails(d, DataLength.selector);
        d = draft(rollup);
        bytes memory header = encode(d.header);
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(NonCanonicalDigest.selector);
        hub.submitBatchCalldata{value: ESCROW}(d.parent, header, d.data, bytes32(P), terms());
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(HeaderLength.selector);
        hub.submitBatchCalldata{value: ESCROW}(d.parent, new bytes(205), d.data, POINT, terms());
        submit(d);
    }

    function test_pending_are_limited() public {
        for (uint256 i = 0; i < 8; i++) {
            submitNext(rollup);
        }
        Draft memory d = draft(rollup);
        submitFails(d, TooManyPending.selector);
        // Before what depends on how the data come.
        bytes memory header = encode(d.header);
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(TooManyPending.selector);
        hub.submitBatch{value: ESCROW}(d.parent, header, terms()); // without a blob
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(TooManyPending.selector);
        hub.submitBatchCalldata{value: ESCROW}(d.parent, header, new bytes(31), POINT, terms());
        d.header.byteLength = 0;
        submitFails(d, DataLength.selector);
    }

    function test_money() public {
        Draft memory d = draft(rollup);
        bytes memory header = encode(d.header);
        vm.startPrank(SEQUENCER, SEQUENCER);
        vm.expectRevert(BadTerms.selector);
        hub.submitBatchCalldata{value: 9 ether}("", header, d.data, POINT, Terms(2, 1, 0));
        vm.expectRevert(NotEnoughValue.selector);
        hub.submitBatchCalldata{value: ESCROW - 1}("", header, d.data, POINT, terms());
        // What is too much becomes credit, which pays for the next one.
        hub.submitBatchCalldata{value: ESCROW + 1 ether}("", header, d.data, POINT, terms());
        vm.stopPrank();
        headers[rollup][1] = header;
        equal(hub.credit(SEQUENCER), 1 ether, "credit");
        d = draft(rollup);
        header = encode(d.header);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.submitBatchCalldata{value: ESCROW - 0.4 ether}(d.parent, header, d.data, POINT, terms());
        equal(hub.credit(SEQUENCER), 0.6 ether, "credit");
        hub.collect(SEQUENCER);
        equal(hub.credit(SEQUENCER), 0, "collected");
        vm.expectRevert(NothingToCollect.selector);
        hub.collect(SEQUENCER);
        equal(address(hub).balance, 2 * ESCROW, "escrowed");
    }

    // ---- forced entries

    function force(uint256 count) private {
        for (uint256 i = 0; i < count; i++) {
            vm.prank(USER, USER);
            bridge.forceWithdraw{value: 1 ether}(rollup, 3);
        }
    }

    function consume(Draft memory d, uint256 count) private view {
        for (uint256 i = 0; i < count; i++) {
            consumeForced(d, USER, 3, 0, 0, false);
        }
    }

    function test_due_entries_are_consumed() public {
        force(2);
        submitNext(rollup); // none is due
        vm.warp(START + 1 hours);
        force(1);
        vm.warp(START + 6 hours - 1);
        submitNext(rollup);
        vm.warp(START + 6 hours);
        Draft memory d = draft(rollup);
        submitFails(d, ForcedSkipped.selector);
        consume(d, 1);
        submitFails(d, ForcedSkipped.selector);
        consume(d, 1); // the third is not due
        submit(d);
        vm.warp(START + 7 hours);
        submitFails(draft(rollup), ForcedSkipped.selector);
    }

    /// A flood of the forced queue: a batch takes at most its cap, and the fee grows with what waits.
    function test_forced_queue_flood() public {
        equal(bridge.currentForcedFee(rollup), 0.01 ether, "fee");
        force(10);
        equal(bridge.currentForcedFee(rollup), 0.02 ether, "fee grows");
        vm.prank(USER, USER);
        vm.expectRevert(bytes4(keccak256("FeeTooSmall()")));
        bridge.forceWithdraw{value: 0.02 ether - 1}(rollup, 3);
        vm.warp(START + 6 hours);
        Draft memory d = draft(rollup);
        consume(d, 3);
        submitFails(d, ForcedSkipped.selector);
        consume(d, 1); // the cap
        submit(d);
        equal(bridge.currentForcedFee(rollup), 0.02 ether, "only final batches end the wait");
        prove(d);
        equal(bridge.currentForcedFee(rollup), 0.016 ether, "final");
    }

    /// A sequencer that fills the queue itself, so that nobody else can pay for an entry: its fees return to it, what they add to each
    /// other does not.
    function test_forced_queue_flood_by_the_sequencer() public {
        uint256 before = SEQUENCER.balance;
        for (uint256 i = 0; i < 8; i++) {
            vm.prank(SEQUENCER, SEQUENCER);
            bridge.forceWithdraw{value: 1 ether}(rollup, 3);
        }
        equal(before - SEQUENCER.balance, 0.108 ether, "paid");
        for (uint256 i = 0; i < 2; i++) {
            Draft memory d = draft(rollup);
            for (uint256 k = 0; k < 4; k++) {
                consumeForced(d, SEQUENCER, 3, 0, 0, false);
            }
            submit(d);
            prove(d);
        }
        (, , uint64 waiting) = bridge.forcedHead(rollup);
        equal(waiting, 0, "all are consumed");
        equal(bridge.fees(SEQUENCER), 0.08 ether, "what returns");
        equal(address(0).balance, 0.028 ether, "what it cost");
        require(address(bridge).balance == 0.08 ether, "the bridge has the rest");
    }

    /// Unprovable batches used to reset the forced clock: entries that they consumed are as old as they were.
    function test_unprovable_batches_do_not_reset_the_clock() public {
        force(1);
        vm.warp(START + 6 hours);
        Draft memory d = draft(rollup);
        consume(d, 1);
        submit(d);
        (uint64 index, uint40 time, uint64 waiting) = bridge.forcedHead(rollup);
        require(index == 0 && time == START && waiting == 1, "still waits");
        vm.warp(START + 6 hours + 7200);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.discardUnproven(rollup, 1);
        d = draft(rollup);
        submitFails(d, ForcedSkipped.selector);
        consume(d, 1);
        submit(d);
        prove(d);
        (index, time, waiting) = bridge.forcedHead(rollup);
        require(index == 1 && time == 0 && waiting == 0, "final");
        equal(bridge.fees(SEQUENCER), 0.01 ether, "the fee is the sequencer's");
    }
}
