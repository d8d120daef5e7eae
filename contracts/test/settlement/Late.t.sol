// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Item, Parameters, Status} from "../../src/settlement/IHub.sol";
import {vm} from "./Cheats.sol";
import {VerifierDouble} from "./Doubles.sol";
import {Draft, Fixture} from "./Fixture.sol";

/// Raises, late batches: slashing, replacement, discarding, commitments, and where the money goes.
contract LateTest is Fixture {
    uint64 private constant DEADLINE = START + 7200;
    uint64 private constant OPEN = DEADLINE + 3600;
    uint64 private constant DISCARDABLE = OPEN + 3600; // by anyone

    /// All that the hub holds is credit.
    function requireSettled() private view {
        equal(address(hub).balance, hub.credit(PROVER) + hub.credit(SEQUENCER) + hub.credit(RELAYER) + hub.credit(USER), "held");
    }

    function raise(address from, uint64 number, uint256 amount) private {
        vm.prank(from, from);
        hub.raiseBounty{value: amount}(rollup, number);
    }

    // ---- raises

    function test_raise_counts_two_blocks_later() public {
        Draft memory d = submitNext(rollup);
        raise(USER, 1, 1 ether);
        vm.roll(1001);
        raise(RELAYER, 1, 2 ether);
        equal(hub.currentBounty(rollup, 1), 1 ether, "none counts");
        vm.roll(1002);
        equal(hub.currentBounty(rollup, 1), 2 ether, "one counts");
        prove(d);
        equal(hub.credit(PROVER), 2 ether, "paid");
        vm.prank(USER, USER);
        vm.expectRevert(RaiseSpent.selector);
        hub.reclaimRaise(1, 0);
        vm.expectRevert(NotRaiser.selector);
        hub.reclaimRaise(1, 1);
        vm.startPrank(RELAYER, RELAYER);
        hub.reclaimRaise(1, 1);
        equal(hub.credit(RELAYER), 2 ether, "taken back");
        vm.expectRevert(RaiseSpent.selector);
        hub.reclaimRaise(1, 1);
        vm.expectRevert(RaiseSpent.selector);
        hub.reclaimRaise(1, 2);
        vm.stopPrank();
        requireSettled();
    }

    function test_raise_refused() public {
        vm.expectRevert(NotOpen.selector);
        hub.raiseBounty{value: 1}(rollup, 1);
        Draft memory d = submitNext(rollup);
        vm.expectRevert(NothingSent.selector);
        hub.raiseBounty(rollup, 1);
        raise(USER, 1, 1);
        vm.prank(USER, USER);
        vm.expectRevert(RaiseSpent.selector);
        hub.reclaimRaise(1, 0); // not while the batch is open
        prove(d);
        vm.expectRevert(NotOpen.selector);
        hub.raiseBounty{value: 1}(rollup, 1);
    }

    function test_raise_of_an_orphan_returns() public {
        submitNext(rollup);
        Draft memory second = submitNext(rollup);
        raise(USER, 2, 3 ether);
        vm.roll(1005);
        prove(second);
        vm.warp(DEADLINE);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.discardUnproven(rollup, 1);
        requireStatus(rollup, 2, Status.Orphaned);
        vm.prank(USER, USER);
        hub.reclaimRaise(2, 0);
        hub.settle(2);
        equal(hub.credit(USER), 3 ether, "taken back");
        equal(hub.credit(PROVER), 1 ether, "the orphan's base");
        requireSettled();
    }

    // ---- late proofs

    function test_late_proof() public {
        Draft memory d = submitNext(rollup);
        vm.warp(DEADLINE);
        prove(d);
        equal(hub.credit(PROVER), 3.25 ether, "max, and half of the slashed half");
        equal(hub.credit(SEQUENCER), 1 ether, "unspent rebate and half of the bond");
        equal(address(0).balance, 0.25 ether, "burned");
        requireSettled();
    }

    function test_early_proof_keeps_the_bond() public {
        Draft memory d = submitNext(rollup);
        vm.warp(DEADLINE - 1);
        prove(d);
        equal(address(0).balance, 0, "nothing burns");
        requireSettled();
    }

    // ---- who may replace, and when

    function test_only_the_first_late_batch() public {
        vm.startPrank(SEQUENCER, SEQUENCER);
        vm.expectRevert(NotFirst.selector);
        hub.discardUnproven(rollup, 1); // there is none
        vm.stopPrank();
        Draft memory first = submitNext(rollup);
        submitNext(rollup);
        vm.startPrank(SEQUENCER, SEQUENCER);
        vm.expectRevert(NotFirst.selector);
        hub.discardUnproven(rollup, 2);
        vm.warp(DEADLINE - 1);
        vm.expectRevert(NotLate.selector);
        hub.discardUnproven(rollup, 1);
        vm.stopPrank();
        prove(first);
        vm.startPrank(SEQUENCER, SEQUENCER);
        vm.expectRevert(NotFirst.selector);
        hub.discardUnproven(rollup, 1);
        vm.stopPrank();
        vm.warp(DEADLINE);
        vm.expectRevert(SequencersFirst.selector);
        hub.discardUnproven(rollup, 2);
        vm.warp(DISCARDABLE - 1);
        vm.expectRevert(SequencersFirst.selector);
        hub.discardUnproven(rollup, 2);
        vm.warp(DISCARDABLE);
        hub.discardUnproven(rollup, 2);
        equal(hub.rollupInfo(rollup).head, 1, "head");
    }

    function test_proven_batch_cannot_be_dropped() public {
        Parameters memory p = parameters();
        p.maxPending = 20;
        rollup = register(p);
        Draft[] memory drafts = new Draft[](18);
        for (uint256 i = 0; i < 18; i++) {
            drafts[i] = submitNext(rollup);
        }
        for (uint256 i = 1; i <= 18; i++) {
            prove(drafts[18 - i]);
        }
        vm.warp(DISCARDABLE);
        vm.expectRevert(AlreadyProven.selector);
        hub.discardUnproven(rollup, 17); // proven, and not advanced to yet
    }

    // ---- discarding

    function test_discard() public {
        submitNext(rollup);
        submitNext(rollup);
        Draft memory third = submitNext(rollup);
        prove(third);
        vm.warp(DEADLINE);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.discardUnproven(rollup, 1);
        equal(address(0).balance, 0.5 ether, "the slashed half burns");
        equal(uint256(hub.submission(1).status), uint256(Status.Closed), "the late one is settled");
        equal(uint256(hub.submission(2).status), uint256(Status.Orphaned), "an orphan");
        equal(hub.credit(SEQUENCER), ESCROW - 0.5 ether + 2 ether + 0.5 ether - 0, "of the first, and what the third's proof left over");
        vm.expectRevert(NotOrphaned.selector);
        hub.settle(1);
        hub.settle(2);
        hub.settle(3);
        vm.expectRevert(NotOrphaned.selector);
        hub.settle(3);
        equal(hub.credit(PROVER), 1 ether, "base of the orphan that was proven");
        equal(hub.credit(SEQUENCER), 3 * ESCROW - 0.5 ether - 1 ether, "the rest");
        requireSettled();
        // The chain goes on from the last final batch.
        Draft memory d = settleNext(rollup);
        equal(d.header.number, 1, "number");
        requireStatus(rollup, 1, Status.Finalised);
        vm.expectRevert(NotOrphaned.selector);
        hub.settle(4);
    }

    function test_cursors_rewind() public {
        depositEther(rollup, USER, 5);
        Draft memory d = draft(rollup);
        consumeDeposit(d, USER, 5, true);
        submit(d);
        vm.warp(DEADLINE);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.discardUnproven(rollup, 1);
        d = draft(rollup);
        equal(d.header.depositCursor, 0, "rewound");
        consumeDeposit(d, USER, 5, true);
        submit(d);
        prove(d);
        (uint64 deposits,) = bridge.finalCursors(rollup);
        equal(deposits, 1, "consumed once");
    }

    /// An award that was fixed by a late proof burns when the batch is orphaned after all.
    function test_late_orphan_gets_base_at_most() public {
        submitNext(rollup);
        Draft memory second = submitNext(rollup);
        vm.warp(DEADLINE);
        prove(second);
        equal(hub.submission(2).owed, 3.25 ether, "owed");
        vm.prank(SEQUENCER, SEQUENCER);
        hub.discardUnproven(rollup, 1);
        hub.settle(2);
        equal(hub.credit(PROVER), 1 ether, "base");
        equal(address(0).balance, 0.5 ether + 0.5 ether, "both slashed halves burn");
        requireSettled();
    }

    // ---- replacement

    function replacement() private view returns (Draft memory d) {
        d = draftAfter(rollup, "", 0);
        d.header.postRoot = bytes32(uint256(0x777));
        d.data[1] = 0x55;
    }

    function replace(address who, Draft memory d) private returns (uint64 id) {
        Item memory item = itemOf(d);
        bytes memory proof = proven(0, one(item));
        vm.prank(who, who);
        id = hub.replaceAndProve(item, d.data, proof);
        headers[rollup][d.header.number] = encode(d.header);
    }

    function replaceFails(address who, Draft memory d, bytes4 code) private {
        Item memory item = itemOf(d);
        bytes memory proof = proven(0, one(item));
        vm.prank(who, who);
        vm.expectRevert(code);
        hub.replaceAndProve(item, d.data, proof);
    }

    function test_replacement() public {
        submitNext(rollup);
        submitNext(rollup);
        Draft memory d = replacement();
        replaceFails(SEQUENCER, d, NotLate.selector);
        vm.warp(DEADLINE);
        d = replacement();
        replaceFails(RELAYER, d, SequencersFirst.selector);
        d.header.number = 2;
        d.header.parentHash = keccak256(headers[rollup][1]);
        d.parent = headers[rollup][1];
        replaceFails(SEQUENCER, d, NotFirst.selector);
        d = replacement();
        d.header.timestamp = uint32(DEADLINE + 1);
        replaceFails(SEQUENCER, d, TimestampInFuture.selector);
        d = replacement();
        uint64 id = replace(SEQUENCER, d);
        equal(hub.rollupInfo(rollup).finalised, 1, "final at once");
        equal(hub.rollupInfo(rollup).head, 1, "later batches are gone");
        equal(hub.batch(rollup, 1).id, id, "id");
        equal(hub.credit(PROVER), 0.25 ether, "half of what was slashed");
        equal(address(0).balance, 0.25 ether, "burned");
        equal(hub.credit(SEQUENCER), ESCROW - 0.5 ether, "escrow and the rest of the bond");
        equal(uint256(hub.submission(1).status), uint256(Status.Closed), "closed");
        hub.settle(2);
        requireSettled();
        settleNext(rollup);
        equal(hub.rollupInfo(rollup).finalised, 2, "goes on");
    }

    function test_anyone_replaces_after_the_second_window() public {
        submitNext(rollup);
        vm.warp(OPEN - 1);
        replaceFails(USER, replacement(), SequencersFirst.selector);
        vm.warp(OPEN);
        replace(USER, replacement());
        requireStatus(rollup, 1, Status.Finalised);
        equal(hub.submission(2).sequencer, PROVER, "the payee's");
    }

    /// A discard costs little and leaves the number to sequencers: it must not come before a stranger's replacement, or the batch's own proof.
    function test_discard_does_not_end_public_replacement() public {
        submitNext(rollup);
        vm.warp(OPEN);
        vm.prank(RELAYER, RELAYER);
        vm.expectRevert(SequencersFirst.selector);
        hub.discardUnproven(rollup, 1);
        replace(USER, replacement());
        requireStatus(rollup, 1, Status.Finalised);
    }

    function test_replacement_carries_its_own_proof() public {
        submitNext(rollup);
        vm.warp(DEADLINE);
        Draft memory d = replacement();
        Item memory item = itemOf(d);
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(abi.encodeWithSelector(ProofRejected.selector, abi.encodePacked(VerifierDouble.NotProven.selector)));
        hub.replaceAndProve(item, d.data, "");
        requireStatus(rollup, 1, Status.Pending);
        bytes memory proof = proven(0, one(item));
        d.data[5] = 0x77; // other data than what was proven
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(DataMismatch.selector);
        hub.replaceAndProve(item, d.data, proof);
        item.payee = address(0);
        proof = proven(0, one(item));
        d = replacement();
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(NoPayee.selector);
        hub.replaceAndProve(item, d.data, proof);
    }

    function test_replacement_by_blob() public {
        submitNext(rollup);
        vm.warp(DEADLINE);
        Draft memory d = replacement();
        Item memory item = itemOf(d);
        item.form = 1;
        item.data[0].l1Hash = bytes32(uint256(1) << 248 | 5);
        bytes memory proof = proven(0, one(item));
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(BlobCount.selector);
        hub.replaceAndProve(item, "", proof);
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = item.data[0].l1Hash;
        vm.blobhashes(hashes);
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(PointEvaluation.selector); // no opening is made up
        hub.replaceAndProve(item, "", proof);
    }

    // ---- commitments

    function commit(uint64 number) private {
        vm.prank(RELAYER, RELAYER);
        hub.commitProof{value: 0.1 ether}(rollup, number, keccak256("commitment"));
    }

    /// Replacement racing a committed proof: the commitment holds it off for a bounded time, once.
    function test_commitment_locks_replacement() public {
        Draft memory d = submitNext(rollup);
        vm.warp(DEADLINE - 601);
        vm.prank(RELAYER, RELAYER);
        vm.expectRevert(CommitTooEarly.selector);
        hub.commitProof{value: 0.1 ether}(rollup, 1, 0);
        vm.warp(DEADLINE - 1);
        vm.prank(RELAYER, RELAYER);
        vm.expectRevert(WrongDeposit.selector);
        hub.commitProof{value: 0.2 ether}(rollup, 1, 0);
        commit(1);
        equal(hub.batch(rollup, 1).lockedUntil, DEADLINE + 600, "locked");
        vm.prank(USER, USER);
        vm.expectRevert(AlreadyCommitted.selector);
        hub.commitProof{value: 0.1 ether}(rollup, 1, 0);
        vm.warp(DEADLINE + 599);
        replaceFails(SEQUENCER, replacement(), ReplacementLocked.selector);
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(ReplacementLocked.selector);
        hub.discardUnproven(rollup, 1);
        prove(d);
        equal(hub.credit(RELAYER), 0.1 ether, "the deposit returns");
        vm.expectRevert(NotOpen.selector);
        hub.commitProof{value: 0.1 ether}(rollup, 1, 0);
        requireSettled();
    }

    /// The only commitment, taken by the sequencer itself as early as can be so that it ends before it can serve a prover: it does not.
    function test_commitment_cannot_be_used_up_before_the_deadline() public {
        Draft memory d = submitNext(rollup);
        vm.warp(DEADLINE - 600);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.commitProof{value: 0.1 ether}(rollup, 1, 0);
        vm.warp(DEADLINE);
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(ReplacementLocked.selector);
        hub.discardUnproven(rollup, 1);
        prove(d);
        requireStatus(rollup, 1, Status.Finalised);
        requireSettled();
        // A later one counts from when it is made, so the end is bounded.
        submitNext(rollup);
        vm.warp(DEADLINE + 7200 + 100);
        commit(2);
        equal(hub.batch(rollup, 2).lockedUntil, DEADLINE + 7200 + 100 + 600, "from now on");
    }

    /// The same of a batch that is late and not the first: its lock counts from when the one before it is final.
    function test_commitment_cannot_be_used_up_before_the_batch_is_first() public {
        Draft memory first = submitNext(rollup);
        Draft memory second = submitNext(rollup);
        vm.warp(DEADLINE);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.commitProof{value: 0.1 ether}(rollup, 2, 0);
        equal(hub.batch(rollup, 2).lockedUntil, DEADLINE + 600, "as if it were the first");
        vm.warp(DEADLINE + 601);
        prove(first);
        equal(hub.batch(rollup, 2).lockedUntil, DEADLINE + 1201, "from now on");
        vm.warp(DEADLINE + 1200);
        vm.prank(SEQUENCER, SEQUENCER);
        vm.expectRevert(ReplacementLocked.selector);
        hub.discardUnproven(rollup, 2);
        prove(second);
        requireStatus(rollup, 2, Status.Finalised);
        requireSettled();
        // It ends all the same.
        first = submitNext(rollup);
        submitNext(rollup);
        vm.warp(block.timestamp + 7200);
        commit(4);
        vm.warp(block.timestamp + 601);
        prove(first);
        vm.warp(block.timestamp + 600);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.discardUnproven(rollup, 4);
        requireSettled();
    }

    function test_commitment_without_a_proof_is_lost() public {
        submitNext(rollup);
        vm.warp(DEADLINE - 1);
        commit(1);
        vm.warp(DEADLINE + 600);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.discardUnproven(rollup, 1);
        equal(hub.credit(RELAYER), 0, "lost");
        equal(address(0).balance, 0.5 ether + 0.1 ether, "burned");
        requireSettled();
    }

    function test_commitment_of_an_orphan_returns() public {
        submitNext(rollup);
        submitNext(rollup);
        vm.warp(DEADLINE - 1);
        commit(2);
        vm.warp(DEADLINE);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.discardUnproven(rollup, 1);
        hub.settle(2);
        equal(hub.credit(RELAYER), 0.1 ether, "another batch was late");
        requireSettled();
    }
}
