// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Item, Opening, Parameters, Status, VerifierSet} from "../../src/settlement/IHub.sol";
import {Log, vm} from "./Cheats.sol";
import {VerifierDouble} from "./Doubles.sol";
import {Draft, Fixture} from "./Fixture.sol";

contract ProofsTest is Fixture {
    function test_first_proof_finalises_at_once() public {
        Draft memory d = submitNext(rollup);
        vm.warp(START + 600);
        vm.fee(0);
        equal(hub.currentBounty(rollup, 1), 1 ether, "base");
        prove(d);
        requireStatus(rollup, 1, Status.Finalised);
        equal(hub.rollupInfo(rollup).finalised, 1, "finalised");
        require(hub.rollupInfo(rollup).finalisedHash == keccak256(encode(d.header)), "hash");
        equal(hub.credit(PROVER), 1 ether, "bounty");
        equal(hub.credit(RELAYER), 0, "anyone relays, the payee is paid");
        equal(hub.credit(SEQUENCER), ESCROW - 1 ether, "the rest returns");
        equal(hub.currentBounty(rollup, 1), 0, "no bounty any more");
        uint256 before = PROVER.balance;
        hub.collect(PROVER);
        equal(PROVER.balance - before, 1 ether, "collected");
        proveFails(itemOf(d), AlreadyProven.selector); // replay of a proof
    }

    function test_out_of_order() public {
        Draft memory first = submitNext(rollup);
        Draft memory second = submitNext(rollup);
        Draft memory third = submitNext(rollup);
        prove(third);
        prove(second);
        requireStatus(rollup, 2, Status.Proven);
        equal(hub.rollupInfo(rollup).finalised, 0, "nothing is final");
        equal(hub.credit(PROVER), 0, "nothing is paid");
        hub.advance(rollup, 9);
        equal(hub.rollupInfo(rollup).finalised, 0, "nothing to advance");
        prove(first);
        equal(hub.rollupInfo(rollup).finalised, 3, "all are final");
        equal(hub.credit(PROVER), 3 ether, "all are paid");
    }

    function test_advance_goes_on() public {
        Parameters memory p = parameters();
        p.maxPending = 20;
        uint32 id = register(p);
        Draft[] memory drafts = new Draft[](20);
        for (uint256 i = 0; i < 20; i++) {
            drafts[i] = submitNext(id);
        }
        for (uint256 i = 1; i <= 20; i++) {
            prove(drafts[20 - i]);
        }
        equal(hub.rollupInfo(id).finalised, 16, "as many as one transaction settles");
        hub.advance(id, 3);
        equal(hub.rollupInfo(id).finalised, 19, "three more");
        hub.advance(id, 3);
        equal(hub.rollupInfo(id).finalised, 20, "all");
    }

    /// An aggregate whose items have many proven successors stays within one transaction.
    function test_aggregate_makes_a_bounded_number_final() public {
        Parameters memory p = parameters();
        p.maxPending = 40;
        uint32 id = register(p);
        Item[] memory items = new Item[](16);
        Draft[] memory later = new Draft[](24);
        for (uint256 i = 0; i < 40; i++) {
            Draft memory d = submitNext(id);
            if (i < 16) items[i] = itemOf(d);
            else later[i - 16] = d;
        }
        for (uint256 i = 0; i < 24; i++) {
            prove(later[i]);
        }
        equal(hub.rollupInfo(id).finalised, 0, "none is final");
        bytes memory proof = proven(4, items);
        equal(hub.submitAggregate(0, 4, items, proof), 16, "counted");
        equal(hub.rollupInfo(id).finalised, 32, "and as many that waited");
        hub.advance(id, 100);
        equal(hub.rollupInfo(id).finalised, 40, "the rest");
    }

    function test_bounty_grows_linearly() public {
        submitNext(rollup);
        uint256[6] memory times = [uint256(0), 600, 601, 3900, 7199, 7200];
        uint256[6] memory bounties = [uint256(1 ether), 1 ether, 1 ether + uint256(2 ether) / 6600, 2 ether, 1 ether + uint256(2 ether) * 6599 / 6600, 0];
        bounties[5] = 3 ether + 0.25 ether; // at the deadline: max, and half of the slashed half of the bond
        for (uint256 i = 0; i < 6; i++) {
            vm.warp(START + times[i]);
            equal(hub.currentBounty(rollup, 1), bounties[i], "bounty");
        }
        vm.warp(START + 1 days);
        equal(hub.currentBounty(rollup, 1), bounties[5], "no further");
    }

    function test_rebate_follows_the_base_fee_up_to_its_cap() public {
        Draft memory d = submitNext(rollup);
        vm.fee(100 gwei);
        prove(d);
        equal(hub.credit(PROVER), 1 ether + 0.05 ether, "500,000 gas at 100 gwei");
        d = submitNext(rollup);
        vm.fee(5000 gwei);
        prove(d);
        equal(hub.credit(PROVER), 2.05 ether + 0.5 ether, "the cap");
        equal(address(hub).balance, hub.credit(PROVER) + hub.credit(SEQUENCER), "nothing else is held");
    }

    // ---- what does not count

    function test_item_is_not_the_batch() public {
        Draft memory d = draft(rollup);
        proveFails(itemOf(d), BatchMismatch.selector); // not submitted
        submit(d);
        Draft memory other = draft(rollup);
        other.header.number = 1;
        other.header.parentHash = 0;
        other.parent = "";
        other.header.postRoot = bytes32(uint256(99));
        proveFails(itemOf(other), BatchMismatch.selector);
    }

    function test_data_is_not_the_batchs() public {
        Draft memory d = submitNext(rollup);
        Item memory item = itemOf(d);
        item.data[0].l1Hash = bytes32(uint256(1));
        proveFails(item, DataMismatch.selector);
        item = itemOf(d);
        item.data[0].value = bytes32(uint256(item.data[0].value) + 1);
        proveFails(item, DataMismatch.selector);
        item = itemOf(d);
        item.data[0].point = bytes32(uint256(8));
        proveFails(item, DataMismatch.selector);
        item = itemOf(d);
        item.form = 1;
        proveFails(item, DataMismatch.selector);
        item = itemOf(d);
        item.payee = address(0);
        proveFails(item, NoPayee.selector);
    }

    function unreadable(Item memory item, bytes4 code) private {
        vm.expectRevert(code);
        hub.submitProof(item, "");
        vm.expectRevert(code);
        hub.statementDigest(0, one(item));
    }

    function test_items_that_no_statement_says() public {
        Draft memory d = submitNext(rollup);
        Item memory item = itemOf(d);
        item.header = new bytes(203);
        unreadable(item, HeaderLength.selector);
        item = itemOf(d);
        item.parentHeader = new bytes(204);
        unreadable(item, WrongParent.selector);
        item.parentHeader = new bytes(1);
        unreadable(item, HeaderLength.selector);
        item = itemOf(d);
        d.header.rollup = 8;
        item.header = encode(d.header);
        unreadable(item, UnknownRollup.selector);
        d.header.rollup = rollup;
        d.header.number = 2; // the genesis is the parent of number 1 only
        item.header = encode(d.header);
        unreadable(item, WrongParent.selector);
        d.header.number = 1;
        item = itemOf(d);
        item.data = new Opening[](2);
        unreadable(item, OpeningCount.selector);
        item.data = new Opening[](0);
        unreadable(item, OpeningCount.selector);
        item = itemOf(d);
        item.form = 2;
        unreadable(item, OpeningCount.selector);
        item = itemOf(d);
        item.effects = new bytes(32);
        unreadable(item, EffectsLength.selector);
        item.effects = new bytes(31 * 1025);
        unreadable(item, EffectsLength.selector);
        item = itemOf(d);
        item.effectsPoint = bytes32(P);
        unreadable(item, NonCanonicalDigest.selector);
    }

    function test_verifier_refuses() public {
        Draft memory d = submitNext(rollup);
        Item memory item = itemOf(d);
        vm.expectRevert(abi.encodeWithSelector(ProofRejected.selector, abi.encodePacked(VerifierDouble.NotProven.selector)));
        hub.submitProof(item, "");
        // Every field that the hub does not check itself is in the statement.
        bytes memory proof = proven(0, one(item));
        item.units++;
        vm.expectRevert(abi.encodeWithSelector(ProofRejected.selector, abi.encodePacked(VerifierDouble.NotProven.selector)));
        hub.submitProof(item, proof);
        item.units--;
        item.workRoot = bytes32(uint256(6));
        vm.expectRevert(abi.encodeWithSelector(ProofRejected.selector, abi.encodePacked(VerifierDouble.NotProven.selector)));
        hub.submitProof(item, proof);
    }

    // ---- effects

    function effectsFail(Draft memory d, bytes memory effects, bytes4 code) private {
        d.effects = effects;
        proveFails(itemOf(d), code);
    }

    function test_effects_are_the_queues() public {
        depositEther(rollup, USER, 5);
        depositEther(rollup, RELAYER, 6);
        vm.prank(USER, USER);
        bridge.forceWithdraw{value: 1 ether}(rollup, 3);
        Draft memory d = draft(rollup);
        consumeDeposit(d, USER, 5, true);
        consumeDeposit(d, RELAYER, 6, false);
        consumeForced(d, USER, 3, 0, 77, true);
        submit(d);
        bytes memory effects = d.effects;

        Draft memory other = draftAfter(rollup, "", 0);
        consumeDeposit(other, USER, 5, true);
        consumeDeposit(other, RELAYER, 7, false); // another amount
        consumeForced(other, USER, 3, 0, 77, true);
        effectsFail(d, other.effects, EffectsQueue.selector);
        other = draftAfter(rollup, "", 0);
        consumeDeposit(other, USER, 5, true);
        consumeForced(other, USER, 3, 0, 77, true);
        addWithdrawal(other, 0, 1, USER); // one deposit is left out
        effectsFail(d, other.effects, EffectsQueue.selector);
        other = draftAfter(rollup, "", 0);
        consumeDeposit(other, RELAYER, 6, true); // out of order
        consumeDeposit(other, USER, 5, true);
        consumeForced(other, USER, 3, 0, 77, true);
        effectsFail(d, other.effects, EffectsQueue.selector);
        other = draftAfter(rollup, "", 0);
        consumeDeposit(other, USER, 5, true);
        consumeDeposit(other, RELAYER, 6, false);
        consumeForced(other, RELAYER, 3, 0, 77, true); // another sender
        effectsFail(d, other.effects, EffectsQueue.selector);

        d.effects = effects;
        prove(d);
        bytes32[] memory leaves = new bytes32[](2);
        leaves[0] = leaf(0, 0, 6, RELAYER);
        leaves[1] = leaf(1, 0, 77, USER);
        (bytes32 root,) = tree(leaves, 0);
        require(bridge.withdrawalsRoot(rollup, 1) == root, "refund and forced withdrawal");
        (uint64 deposits, uint64 forced) = bridge.finalCursors(rollup);
        require(deposits == 2 && forced == 1, "cursors");
    }

    function test_malformed_effects() public {
        Draft memory d = draft(rollup);
        addWithdrawal(d, 0, 5, USER);
        submit(d);
        bytes memory effects = d.effects;
        effectsFail(d, "", EffectsCount.selector);
        effectsFail(d, bytes.concat(effects, effects), EffectsCount.selector);
        effectsFail(d, new bytes(62), EffectsMalformed.selector);
        effectsFail(d, effectWords(8, 2, ""), EffectsMalformed.selector);
        effectsFail(d, effectWords(1, 1, ""), EffectsMalformed.selector);
        effectsFail(d, effectWords(2, 3, ""), EffectsMalformed.selector);
        // Each byte that must be zero, in each kind: byte 0 of later words, and the end.
        uint8[7] memory kinds = [1, 2, 3, 4, 5, 6, 7];
        uint8[7] memory words = [2, 4, 4, 2, 2, 3, 3];
        uint8[7] memory fields = [34, 98, 98, 46, 46, 64, 64];
        for (uint256 k = 0; k < 7; k++) {
            for (uint256 w = 1; w < words[k]; w++) {
                effects = effectWords(kinds[k], words[k], "");
                effects[31 * w] = 0x01;
                effectsFail(d, effects, EffectsMalformed.selector);
            }
            effects = effectWords(kinds[k], words[k], abi.encodePacked(new bytes(fields[k]), bytes1(0x01)));
            effectsFail(d, effects, EffectsMalformed.selector);
            effects = effectWords(kinds[k], words[k], "");
            effects[effects.length - 1] = 0x01;
            effectsFail(d, effects, EffectsMalformed.selector);
        }
        // A void withdrawal that takes something.
        effectsFail(d, effectWords(5, 2, abi.encodePacked(uint64(0), uint32(0), uint16(0), uint96(1), USER)), EffectsMalformed.selector);
    }

    function test_withdrawals_in_the_event() public {
        Draft memory d = draft(rollup);
        addWithdrawal(d, 0, 5, USER);
        addWithdrawal(d, 3, 6, RELAYER);
        submit(d);
        vm.recordLogs();
        prove(d);
        Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] != BatchProven.selector) continue;
            (,,, uint32 units, bytes32 workRoot, bytes memory withdrawals) = abi.decode(logs[i].data, (uint64, address, uint96, uint32, bytes32, bytes));
            require(units == 3 && workRoot == bytes32(uint256(5)), "work");
            require(keccak256(withdrawals) == keccak256(abi.encodePacked(uint16(0), uint96(5), USER, uint16(3), uint96(6), RELAYER)), "leaves");
            return;
        }
        revert("no event");
    }

    // ---- aggregates

    function test_aggregate_skips_what_cannot_count() public {
        uint32 second = register(parameters());
        Draft memory a = submitNext(rollup);
        Draft memory b = submitNext(second);
        Draft memory c = submitNext(second);
        Draft memory unknown = draft(rollup);
        Item[] memory items = new Item[](5);
        (items[0], items[1], items[2], items[3], items[4]) = (itemOf(a), itemOf(unknown), itemOf(b), itemOf(c), itemOf(a));
        bytes memory proof = proven(4, items);
        vm.recordLogs();
        equal(hub.submitAggregate(0, 4, items, proof), 3, "counted");
        requireStatus(rollup, 1, Status.Finalised);
        requireStatus(second, 2, Status.Finalised);
        uint256 skipped;
        Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] != ItemSkipped.selector) continue;
            (uint256 index, bytes4 reason) = abi.decode(logs[i].data, (uint256, bytes4));
            require(index == 1 ? reason == BatchMismatch.selector : index == 4 && reason == AlreadyProven.selector, "reason");
            skipped++;
        }
        equal(skipped, 2, "skipped");
        equal(hub.credit(PROVER), 3 ether, "each batch is paid once");
        vm.expectRevert(AlreadyProven.selector);
        hub.submitAggregate(0, 4, items, proof);
    }

    function test_aggregate_arguments() public {
        Draft memory d = submitNext(rollup);
        Item[] memory items = one(itemOf(d));
        vm.expectRevert(BadProfile.selector);
        hub.submitAggregate(0, 1, items, "");
        vm.expectRevert(UnknownKey.selector);
        hub.submitAggregate(1, 0, items, "");
        vm.expectRevert(TooManyItems.selector);
        hub.submitAggregate(0, 0, new Item[](2), "");
        vm.expectRevert(NoItems.selector);
        hub.submitAggregate(0, 2, new Item[](0), "");
        bytes memory proof = proven(2, items);
        vm.expectRevert(abi.encodeWithSelector(ProofRejected.selector, abi.encodePacked(VerifierDouble.NotProven.selector)));
        hub.submitAggregate(0, 4, items, proof); // another profile
        equal(hub.submitAggregate(0, 2, items, proof), 1, "counted");
    }

    /// Proof-supplied configuration: the key is that of the batch's submission, whatever the caller names.
    function test_key_is_the_batchs() public {
        VerifierSet memory set = VerifierSet(1, address(new VerifierDouble(1)), address(new VerifierDouble(4)), address(new VerifierDouble(16)));
        uint32 key = hub.addVerifiers(set);
        Draft memory d = submitNext(rollup);
        Item[] memory items = one(itemOf(d));
        bytes32 digest = hub.statementDigest(2, items);
        VerifierDouble(set.four).accept(digest);
        vm.expectRevert(WrongKey.selector);
        hub.submitAggregate(key, 2, items, "");
        // A pending batch keeps its key over an upgrade.
        Parameters memory p = parameters();
        p.key = key;
        vm.prank(OWNER, OWNER);
        hub.scheduleUpgrade(rollup, p);
        vm.warp(START + UPGRADE_DELAY);
        hub.applyUpgrade(rollup);
        vm.expectRevert(WrongKey.selector);
        hub.submitAggregate(key, 2, items, "");
        prove(d);
        equal(hub.submission(1).key, 0, "old key");
        d = submitNext(rollup);
        equal(hub.submission(2).key, key, "new key");
        Item memory item = itemOf(d);
        bytes memory proof = proven(0, one(item)); // under the old key
        vm.expectRevert(abi.encodeWithSelector(ProofRejected.selector, abi.encodePacked(VerifierDouble.NotProven.selector)));
        hub.submitProof(item, proof);
    }
}
