// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {QueueState} from "../../src/settlement/IBridge.sol";
import {IHub, Item, Opening, Status} from "../../src/settlement/IHub.sol";
import {vm} from "./Cheats.sol";
import {OddToken} from "./Doubles.sol";
import {Fixture} from "./Fixture.sol";

/// Two batches that the native code made (tests/evm/settlement_vectors.cpp), one in calldata with every kind of effect, one
/// in two blobs with real openings, go through the contracts: hashes, public inputs and roots are the same.
contract VectorsTest is Fixture {
    string private json;
    OddToken private token;

    function setUp() public override {
        super.setUp();
        json = vm.readFile("test/vectors/settlement.json");
        require(address(hub) == address(bytes20(field("hub"))), "the vectors are made for another hub");
        token = new OddToken(OddToken.Answer.True, 0);
        vm.prank(OWNER, OWNER);
        bridge.addToken(rollup, address(token));
    }

    function field(string memory key) private view returns (bytes memory) {
        return vm.parseJsonBytes(json, string.concat(".", key));
    }

    function word(bytes memory b, uint256 i) private pure returns (bytes32) {
        return bytes32(bytesAt(b, 32 * i, 32));
    }

    function fillQueues() private {
        bytes memory d = field("deposits"); // target, token, amount, depositor, owner, key hash: 90 bytes
        for (uint256 i = 0; i < 3; i++) {
            uint256 place = 90 * i;
            address depositor = address(uint160(bytesAt(d, place + 18, 20)));
            uint96 amount = uint96(bytesAt(d, place + 6, 12));
            uint16 id = uint16(bytesAt(d, place + 4, 2));
            vm.deal(depositor, amount);
            token.mint(depositor, amount);
            vm.startPrank(depositor, depositor);
            token.approve(address(bridge), amount);
            bridge.deposit{value: id == 0 ? amount : 0}(rollup, id, amount, bytes32(bytesAt(d, place + 58, 32)), address(uint160(bytesAt(d, place + 38, 20))), uint32(bytesAt(d, place, 4)));
            vm.stopPrank();
        }
        for (uint160 i = 0; i < 3; i++) {
            address sender = address(0x00606162636465666768696a6b6c6d6e6f70717273 + i * 0x000101010101010101010101010101010101010101);
            vm.deal(sender, 1 ether);
            vm.prank(sender, sender);
            if (i == 1) bridge.forceSetKey{value: 1 ether}(rollup, 4, 0x0200000002000001020000020200000302000004020000050200000602000007);
            else bridge.forceWithdraw{value: 1 ether}(rollup, i == 0 ? 3 : type(uint32).max);
        }
    }

    function item(string memory name, bytes memory parent, uint8 form) private view returns (Item memory r) {
        r.header = field(string.concat(name, "_header"));
        r.parentHeader = parent;
        r.payee = address(bytes20(field(string.concat(name, "_payee"))));
        r.units = uint32(bytes4(field(string.concat(name, "_units"))));
        r.workRoot = bytes32(field(string.concat(name, "_work_root")));
        r.form = form;
        bytes memory openings = field(string.concat(name, "_openings"));
        r.data = new Opening[](openings.length / 192);
        for (uint256 i = 0; i < r.data.length; i++) {
            r.data[i] = Opening(word(openings, 6 * i), word(openings, 6 * i + 1), word(openings, 6 * i + 2), [word(openings, 6 * i + 3), word(openings, 6 * i + 4), word(openings, 6 * i + 5)]);
        }
        r.effects = field(string.concat(name, "_effects"));
        r.effectsPoint = word(field(string.concat(name, "_effects_opening")), 1);
    }

    function submitBoth() private returns (Item memory first, Item memory second) {
        fillQueues();
        vm.warp(START + 10);
        first = item("first", "", 0);
        second = item("second", first.header, 1);
        bytes memory data = field("first_data");
        vm.prank(SEQUENCER, SEQUENCER);
        hub.submitBatchCalldata{value: ESCROW}("", first.header, data, first.data[0].point, terms());
        bytes32[] memory hashes = new bytes32[](2);
        (hashes[0], hashes[1]) = (second.data[0].l1Hash, second.data[1].l1Hash);
        vm.blobhashes(hashes);
        vm.prank(SEQUENCER, SEQUENCER);
        hub.submitBatch{value: ESCROW}(first.header, second.header, terms());
    }

    function test_domain() public view {
        require(hub.rollupInfo(rollup).domain == bytes32(field("domain")), "domain");
    }

    function test_queues() public {
        fillQueues();
        for (uint64 i = 0; i <= 3; i++) {
            QueueState memory q = bridge.queues(rollup, i, i);
            require(q.depositHash == word(field("deposit_hashes"), i), "deposit");
            require(q.forcedHash == word(field("forced_hashes"), i), "forced");
        }
    }

    function test_statements() public {
        (Item memory first, Item memory second) = submitBoth();
        require(hub.batch(rollup, 1).headerHash == bytes32(field("first_header_hash")), "header");
        require(hub.batch(rollup, 2).headerHash == bytes32(field("second_header_hash")), "header");
        require(hub.statementDigest(0, one(first)) == keccak256(field("statement_1")), "one item");
        Item[] memory items = new Item[](2);
        (items[0], items[1]) = (first, second);
        require(hub.statementDigest(2, items) == keccak256(field("statement_4")), "two of four items");
    }

    function test_both_batches_become_final() public {
        (Item memory first, Item memory second) = submitBoth();
        Item[] memory items = new Item[](2);
        (items[0], items[1]) = (first, second);
        doubles[1].accept(keccak256(field("statement_4")));
        equal(hub.submitAggregate(0, 2, items, ""), 2, "counted");
        requireStatus(rollup, 2, Status.Finalised);
        require(bridge.withdrawalsRoot(rollup, 1) == bytes32(field("first_withdrawals_root")), "root");
        require(bridge.withdrawalsRoot(rollup, 2) == 0, "no withdrawals");
        // What leaves is more than came in so far.
        token.mint(address(this), 1 ether);
        token.approve(address(bridge), 1 ether);
        bridge.deposit(rollup, 1, 1 ether, 0, USER, 0);
        bytes memory leaves = field("first_withdrawals");
        bytes32[] memory hashes = new bytes32[](3);
        for (uint8 i = 0; i < 3; i++) {
            hashes[i] = leaf(i, uint16(bytesAt(leaves, 34 * i, 2)), uint96(bytesAt(leaves, 34 * i + 2, 12)), address(uint160(bytesAt(leaves, 34 * i + 14, 20))));
        }
        for (uint8 i = 0; i < 3; i++) {
            (, bytes32[8] memory path) = tree(hashes, i);
            address recipient = address(uint160(bytesAt(leaves, 34 * i + 14, 20)));
            uint256 before = token.balanceOf(recipient);
            bridge.claimWithdrawal(rollup, 1, i, 1, uint96(bytesAt(leaves, 34 * i + 2, 12)), recipient, path);
            equal(token.balanceOf(recipient) - before, bytesAt(leaves, 34 * i + 2, 12), "claimed");
        }
    }

    /// Calldata bounds: each word of an opening is checked by the precompile.
    function test_wrong_openings() public {
        (Item memory first, Item memory second) = submitBoth();
        doubles[0].accept(keccak256(field("statement_1")));
        hub.submitProof(first, "");
        for (uint256 i = 0; i < 5; i++) {
            Item memory bad = item("second", first.header, 1);
            Opening memory o = bad.data[1];
            if (i == 0) o.point = bytes32(uint256(o.point) ^ 1);
            else if (i == 1) o.value = bytes32(uint256(o.value) ^ 1);
            else if (i == 2) o.kzg = second.data[0].kzg;
            else if (i == 3) o.kzg[0] = 0;
            else o.point = bytes32(uint256(P));
            proveFails(bad, PointEvaluation.selector);
        }
        Item memory swapped = item("second", first.header, 1);
        (swapped.data[0], swapped.data[1]) = (swapped.data[1], swapped.data[0]);
        proveFails(swapped, DataMismatch.selector);
    }
}
