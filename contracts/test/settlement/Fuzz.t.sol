// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBridge} from "../../src/settlement/IBridge.sol";
import {BatchView, IHub, IHubCore, IHubProofs, Item, Parameters, Status, Terms, VerifierSet} from "../../src/settlement/IHub.sol";
import {vm} from "./Cheats.sol";
import {Draft, Fixture} from "./Fixture.sol";

/// Every external function with arguments that nobody chose.
contract FuzzTest is Fixture {
    // ---- registry

    function testFuzz_register(Parameters memory p, uint96 fee) public {
        p.key = 0;
        p.policy = p.policy % 2;
        p.expectedTime = uint32(bound(p.expectedTime, 0, 9000));
        p.provingWindow = uint32(bound(p.provingWindow, 0, 9000));
        p.replaceWindow = uint32(bound(p.replaceWindow, 0, 8 days));
        p.commitWindow = uint32(bound(p.commitWindow, 0, 8 days));
        p.slashBps = uint16(bound(p.slashBps, 0, 11_000));
        p.maxEffects = uint16(bound(p.maxEffects, 0, 300));
        p.forcedCap = uint16(bound(p.forcedCap, 0, 300));
        p.forcedDelay = uint32(bound(p.forcedDelay, 0, 7 hours));
        p.forcedFee = uint96(bound(p.forcedFee, 0, 2 ether));
        p.forcedFeeStep = uint96(bound(p.forcedFeeStep, 0, 2 ether));
        bool good = p.policy == 0 && p.expectedTime != 0 && p.expectedTime <= p.provingWindow && p.replaceWindow <= 7 days && p.commitWindow <= 7 days;
        good = good && p.slashBps <= 10_000 && p.rebateGas < 2 ** 24 && p.maxEffects <= 256 && p.maxPending != 0 && p.maxPending <= 1024;
        good = good && p.forcedDelay <= 6 hours && p.forcedCap != 0 && p.forcedCap <= p.maxEffects && p.forcedFee <= 1 ether && p.forcedFeeStep <= 1 ether;
        address[] memory none;
        try hub.registerRollup(OWNER, none, fee, p) returns (uint32 id) {
            require(good && fee < 2 ** 72, "should be refused");
            require(keccak256(abi.encode(hub.rollupInfo(id).parameters)) == keccak256(abi.encode(p)), "kept");
        } catch {
            require(!good || fee >= 2 ** 72, "should be accepted");
        }
    }

    function testFuzz_owners_functions(address sender, address account, uint8 which) public {
        vm.assume(sender != OWNER);
        bytes[5] memory calls = [
            abi.encodeCall(IHubCore.setSequencer, (rollup, account, true)),
            abi.encodeCall(IHubCore.scheduleUpgrade, (rollup, parameters())),
            abi.encodeCall(IHubCore.cancelUpgrade, (rollup)),
            abi.encodeCall(IHubCore.offerOwnership, (rollup, account)),
            abi.encodeCall(IHubCore.acceptOwnership, (rollup))
        ];
        vm.prank(sender, sender);
        (bool done, bytes memory cause) = address(hub).call(calls[which % 5]);
        require(!done && (bytes4(cause) == NotOwner.selector || bytes4(cause) == NotPendingOwner.selector), "somebody else");
        vm.prank(sender, sender);
        (done,) = address(bridge).call(abi.encodeCall(IBridge.addToken, (rollup, address(doubles[0]))));
        require(!done, "somebody else");
        vm.assume(sender != address(hub));
        vm.prank(sender, sender);
        (done,) = address(bridge).call(which % 2 == 0 ? abi.encodeCall(IBridge.open, (3)) : abi.encodeCall(IBridge.finalise, (rollup, 1, 0, 0, 0, account)));
        require(!done, "somebody else");
    }

    function testFuzz_upgrade_time(uint64 wait) public {
        wait = uint64(bound(wait, 0, 30 days));
        vm.prank(OWNER, OWNER);
        hub.scheduleUpgrade(rollup, parameters());
        vm.warp(START + wait);
        if (wait < UPGRADE_DELAY) vm.expectRevert(UpgradeTooEarly.selector);
        hub.applyUpgrade(rollup);
    }

    function testFuzz_verifiers(VerifierSet memory set) public {
        bool code = set.one.code.length != 0 && set.four.code.length != 0 && set.sixteen.code.length != 0;
        if (!code) vm.expectRevert(NoVerifier.selector);
        hub.addVerifiers(set);
    }

    // ---- submission

    /// A header with one byte changed is refused, unless the byte is the sequencer's to choose.
    function testFuzz_header_byte(uint8 place, bytes1 change) public {
        vm.assume(change != 0 && place < 204);
        Draft memory d = draft(rollup);
        bytes memory header = encode(d.header);
        header[place] ^= change;
        // fee receiver, number of effects, post root, slot count
        bool free = (place >= 54 && place < 88) || place >= 168;
        vm.prank(SEQUENCER, SEQUENCER);
        try hub.submitBatchCalldata{value: ESCROW}("", header, d.data, POINT, terms()) {
            require(free || (place >= 50 && place < 54), "not the sequencer's to choose");
            require(hub.batch(rollup, 1).headerHash == keccak256(header), "kept");
        } catch (bytes memory cause) {
            require(cause.length == 4, "a custom error");
        }
    }

    function testFuzz_submit_garbage(bytes calldata parent, bytes calldata header, bytes calldata data, bytes32 point, Terms calldata t) public {
        vm.deal(SEQUENCER, type(uint128).max);
        vm.startPrank(SEQUENCER, SEQUENCER);
        (bool done,) = address(hub).call{value: 2 ** 100}(abi.encodeCall(IHubCore.submitBatchCalldata, (parent, header, data, point, t)));
        require(!done, "garbage");
        (done,) = address(hub).call{value: 2 ** 100}(abi.encodeCall(IHubCore.submitBatch, (parent, header, t)));
        require(!done, "garbage");
        vm.stopPrank();
    }

    function testFuzz_data_and_money(uint16 words, bytes32 point, uint96 base, uint96 max, uint96 cap, uint256 value) public {
        words = uint16(bound(words, 1, 64));
        (base, max, cap) = (uint96(bound(base, 0, 1e20)), uint96(bound(max, 0, 1e20)), uint96(bound(cap, 0, 1e19)));
        value = bound(value, 0, 2e20);
        Draft memory d = draft(rollup);
        d.data = new bytes(31 * uint256(words));
        for (uint256 i = 0; i < d.data.length; i++) {
            d.data[i] = bytes1(uint8(uint256(point) >> (i % 32)));
        }
        d.header.byteLength = 31 * uint32(words);
        bytes memory header = encode(d.header);
        bool canonical = true;
        uint256 z;
        for (uint256 i = 0; i < 8; i++) {
            uint256 h = uint256(point) >> (224 - 32 * i) & 0xffffffff;
            canonical = canonical && h < P;
            z += h << (31 * i);
        }
        vm.deal(SEQUENCER, value);
        vm.prank(SEQUENCER, SEQUENCER);
        try hub.submitBatchCalldata{value: value}("", header, d.data, point, Terms(base, max, cap)) {
            require(canonical && base <= max && value >= uint256(max) + cap + 1 ether, "should be refused");
            bytes32 y = bytes32(horner(d.data, z));
            require(hub.batch(rollup, 1).dataHash == keccak256(abi.encodePacked(uint8(0), keccak256(d.data), point, y)), "data");
            equal(hub.credit(SEQUENCER), value - max - cap - 1 ether, "change");
        } catch {
            require(!canonical || base > max || value < uint256(max) + cap + 1 ether, "should be accepted");
        }
    }

    function testFuzz_queue_cursors(uint8 deposits, uint8 forced, uint8 depositCursor, uint8 forcedCursor, uint16 effects, uint32 wait) public {
        (deposits, forced) = (uint8(bound(deposits, 0, 6)), uint8(bound(forced, 0, 6)));
        (depositCursor, forcedCursor, effects) = (uint8(bound(depositCursor, 0, 8)), uint8(bound(forcedCursor, 0, 8)), uint16(bound(effects, 0, 20)));
        wait = uint32(bound(wait, 0, 12 hours));
        for (uint256 i = 0; i < deposits; i++) {
            depositEther(rollup, USER, 5);
        }
        for (uint256 i = 0; i < forced; i++) {
            vm.prank(USER, USER);
            bridge.forceWithdraw{value: 1 ether}(rollup, 3);
        }
        vm.warp(START + wait);
        Draft memory d = draft(rollup);
        (d.header.depositCursor, d.header.forcedCursor, d.header.numEffects) = (depositCursor, forcedCursor, effects);
        setQueues(d);
        bool due = wait >= 6 hours && forcedCursor < forced && forcedCursor < 4;
        bool good = depositCursor <= deposits && forcedCursor <= forced && depositCursor + forcedCursor <= effects && !due;
        bytes memory header = encode(d.header);
        vm.prank(SEQUENCER, SEQUENCER);
        try hub.submitBatchCalldata{value: ESCROW}("", header, d.data, POINT, terms()) {
            require(good, "should be refused");
        } catch {
            require(!good, "should be accepted");
        }
    }

    // ---- market

    function testFuzz_bounty(uint32 expected, uint32 window, uint96 base, uint96 max, uint32 age) public {
        Parameters memory p = parameters();
        p.expectedTime = uint32(bound(expected, 1, 20 days));
        p.provingWindow = uint32(bound(window, p.expectedTime, 30 days));
        (base, age) = (uint96(bound(base, 0, 1e26)), uint32(bound(age, 0, 31 days)));
        max = uint96(bound(max, base, 1e26));
        p.batchBond = 0;
        uint32 id = register(p);
        Draft memory d = draft(id);
        bytes memory header = encode(d.header);
        vm.deal(SEQUENCER, max);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.submitBatchCalldata{value: max}("", header, d.data, POINT, Terms(base, max, 0));
        vm.warp(START + age);
        uint256 bounty = hub.currentBounty(id, 1);
        require(bounty >= base && bounty <= max, "between");
        if (age <= p.expectedTime && age < p.provingWindow) equal(bounty, base, "base");
        else if (age >= p.provingWindow) equal(bounty, max, "max");
        else equal(bounty, base + uint256(max - base) * (age - p.expectedTime) / (p.provingWindow - p.expectedTime), "ramp");
        prove(d);
        equal(hub.credit(PROVER), bounty, "what is shown is paid");
        equal(hub.credit(PROVER) + hub.credit(SEQUENCER), max, "all of it");
    }

    /// The raises that count are those of two blocks ago and before, however they are spread.
    function testFuzz_raises(uint8[12] memory gaps, uint64[12] memory values) public {
        submitNext(rollup);
        uint256[12] memory blocks;
        uint256 number = 1000;
        for (uint256 i = 0; i < 12; i++) {
            number += gaps[i] % 3;
            vm.roll(number);
            blocks[i] = number;
            uint256 value = uint256(values[i]) + 1;
            vm.deal(USER, value);
            vm.prank(USER, USER);
            hub.raiseBounty{value: value}(rollup, 1);
            uint256 sum = 1 ether;
            for (uint256 k = 0; k <= i; k++) {
                if (blocks[k] + 2 <= number) sum += uint256(values[k]) + 1;
            }
            equal(hub.currentBounty(rollup, 1), sum, "counted");
        }
    }

    function testFuzz_commit(uint64 wait, uint96 value) public {
        submitNext(rollup);
        wait = uint64(bound(wait, 0, 10 days));
        value = uint96(bound(value, 0.1 ether - 1, 0.1 ether + 1));
        vm.warp(START + wait);
        vm.deal(USER, 1 ether);
        vm.prank(USER, USER);
        try hub.commitProof{value: value}(rollup, 1, 0) {
            require(value == 0.1 ether && wait >= 7200 - 600, "should be refused");
            equal(hub.batch(rollup, 1).lockedUntil, START + (wait < 7200 ? 7200 : wait) + 600, "locked");
        } catch {
            require(value != 0.1 ether || wait < 7200 - 600, "should be accepted");
        }
    }

    /// Functions that pay out, with any arguments and in any state: what is not owed is not paid.
    function testFuzz_nothing_for_nothing(uint64 id, uint256 index, address account, uint32 r, uint64 number, uint256 max, address sender) public {
        submitNext(rollup);
        prove(submitNext(rollup));
        uint256 held = address(hub).balance;
        (id, r, number, index) = (id % 4, r % 3, number % 4, index % 3);
        vm.startPrank(sender, sender);
        bytes[6] memory calls = [
            abi.encodeCall(IHubCore.reclaimRaise, (id, index)),
            abi.encodeCall(IHubCore.settle, (id)),
            abi.encodeCall(IHubCore.applyUpgrade, (r)),
            abi.encodeCall(IHubProofs.discardUnproven, (r, number)),
            abi.encodeCall(IHubProofs.advance, (r, max)),
            abi.encodeCall(IHubCore.collect, (account == SEQUENCER ? USER : account))
        ];
        for (uint256 i = 0; i < 6; i++) {
            (bool done,) = address(hub).call(calls[i]);
            require(!done || i == 4, "only advance has nothing to refuse");
        }
        vm.stopPrank();
        equal(address(hub).balance, held, "held");
        requireStatus(rollup, 1, Status.Pending);
        requireStatus(rollup, 2, Status.Proven);
    }

    // ---- proofs: calldata with bytes changed

    function effectful() private returns (Draft memory d) {
        depositEther(rollup, USER, 5);
        d = draft(rollup);
        addWithdrawal(d, 0, 1, USER);
        consumeDeposit(d, USER, 5, false);
    }

    /// Calldata bounds: whatever byte is changed, the call is refused or says the same.
    function testFuzz_submitProof(uint16 place, bytes1 change, bool cut) public {
        Draft memory d = effectful();
        submit(d);
        Item memory item = itemOf(d);
        tampered(abi.encodeCall(IHubProofs.submitProof, (item, proven(0, one(item)))), place, change, cut);
    }

    function testFuzz_submitAggregate(uint16 place, bytes1 change, bool cut) public {
        Draft memory d = effectful();
        submit(d);
        Item[] memory items = one(itemOf(d));
        tampered(abi.encodeCall(IHubProofs.submitAggregate, (0, 2, items, proven(2, items))), place, change, cut);
    }

    function testFuzz_replaceAndProve(uint16 place, bytes1 change, bool cut) public {
        submitNext(rollup);
        vm.warp(START + 7200);
        depositEther(rollup, USER, 5);
        Draft memory d = draftAfter(rollup, "", 0);
        addWithdrawal(d, 0, 1, USER);
        consumeDeposit(d, USER, 5, false);
        Item memory item = itemOf(d);
        bytes memory call = abi.encodeCall(IHubProofs.replaceAndProve, (item, d.data, proven(0, one(item))));
        vm.prank(SEQUENCER, SEQUENCER);
        tampered(call, place, change, cut);
    }

    function tampered(bytes memory input, uint256 place, bytes1 change, bool cut) private {
        place %= input.length;
        if (cut) assembly ("memory-safe") { mstore(input, place) }
        else input[place] ^= change;
        (bool done,) = address(hub).call(input);
        if (!done) return;
        BatchView memory v = hub.batch(rollup, 1);
        require(v.status == Status.Finalised && v.payee == PROVER, "another statement");
    }

    function testFuzz_effects_are_read_totally(bytes calldata effects) public {
        Draft memory d = submitNext(rollup);
        Item memory item = itemOf(d);
        item.effects = effects[:effects.length - effects.length % 31];
        if (item.effects.length == 0) return;
        item.effectsPoint = bytes32(uint256(9));
        bytes memory proof = proven(0, one(item));
        try hub.submitProof(item, proof) {
            revert("a batch without effects");
        } catch (bytes memory cause) {
            require(bytes4(cause) == EffectsMalformed.selector || bytes4(cause) == EffectsCount.selector, "cause");
        }
    }

    // ---- bridge

    function testFuzz_deposit(uint128 amount, bytes32 keyHash, address owner, uint32 target, uint16 token, uint32 r) public {
        (token, r) = (token % 2, r % 3);
        bool canonical = true;
        for (uint256 i = 0; i < 8; i++) {
            canonical = canonical && (uint256(keyHash) >> (32 * i) & 0xffffffff) < P;
        }
        vm.deal(USER, amount);
        vm.prank(USER, USER);
        try bridge.deposit{value: amount}(r, token, amount, keyHash, owner, target) {
            require(r == rollup && token == 0 && canonical && amount != 0 && amount < 2 ** 96, "should be refused");
            equal(bridge.balanceOf(r, 0), amount, "balance");
            bytes memory words = effectWords(2, 4, abi.encodePacked(uint64(0), target, uint16(0), uint96(amount), USER, owner, keyHash));
            require(bridge.queues(r, 1, 0).depositHash == keccak256(abi.encodePacked(bytes32(0), words)), "hash");
        } catch {
            require(r != rollup || token != 0 || !canonical || amount == 0 || amount >= 2 ** 96, "should be accepted");
        }
    }

    function testFuzz_force(uint32 slot, bytes32 keyHash, uint64 value, bool withdraw) public {
        keyHash &= 0x3fffffff3fffffff3fffffff3fffffff3fffffff3fffffff3fffffff3fffffff;
        vm.deal(USER, value);
        vm.prank(USER, USER);
        if (value < 0.01 ether) vm.expectRevert(IBridge.FeeTooSmall.selector);
        if (withdraw) bridge.forceWithdraw{value: value}(rollup, slot);
        else bridge.forceSetKey{value: value}(rollup, slot, keyHash);
        if (value < 0.01 ether) return;
        equal(USER.balance, value - 0.01 ether, "change");
        bytes memory words = withdraw
            ? effectWords(4, 2, abi.encodePacked(uint64(0), slot, uint112(0), USER))
            : effectWords(6, 3, abi.encodePacked(uint64(0), slot, USER, keyHash));
        require(bridge.queues(rollup, 0, 1).forcedHash == keccak256(abi.encodePacked(bytes32(0), words)), "hash");
    }

    function testFuzz_claims(uint8 count, uint8 index, uint96 amount, bytes32 junk, uint8 level) public {
        count = uint8(bound(count, 1, 40));
        index = index % count;
        amount = uint96(bound(amount, 1, 100));
        depositEther(rollup, USER, 100_000);
        Draft memory d = draft(rollup);
        bytes32[] memory leaves = new bytes32[](count);
        for (uint8 i = 0; i < count; i++) {
            addWithdrawal(d, 0, amount + i, address(0xb0b));
            leaves[i] = leaf(i, 0, amount + i, address(0xb0b));
        }
        submit(d);
        prove(d);
        (bytes32 root, bytes32[8] memory path) = tree(leaves, index);
        require(bridge.withdrawalsRoot(rollup, 1) == root, "root");
        bytes32 kept = path[level % 8];
        if (junk != kept) {
            path[level % 8] = junk;
            vm.expectRevert(IBridge.NoSuchWithdrawal.selector);
            bridge.claimWithdrawal(rollup, 1, index, 0, amount + index, address(0xb0b), path);
            path[level % 8] = kept;
        }
        bridge.claimWithdrawal(rollup, 1, index, 0, amount + index, address(0xb0b), path);
        equal(address(0xb0b).balance, amount + index, "paid");
    }

    function testFuzz_collectFees(address sequencer) public {
        vm.expectRevert(IBridge.NothingToCollect.selector);
        bridge.collectFees(sequencer);
    }

    // ---- views

    function testFuzz_views(uint32 r, uint64 number, uint64 id, address account) public {
        submitNext(rollup);
        hub.batch(r, number);
        hub.submission(id);
        hub.currentBounty(r, number);
        hub.isSequencer(r, account);
        hub.ownerOf(r);
        hub.credit(account);
        bridge.queues(r, number, id);
        bridge.forcedHead(r);
        bridge.currentForcedFee(r);
        bridge.isClaimed(r, number, uint8(id));
        bridge.finalCursors(r);
    }
}
