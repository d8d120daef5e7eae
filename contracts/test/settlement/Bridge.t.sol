// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBridge, QueueState} from "../../src/settlement/IBridge.sol";
import {vm} from "./Cheats.sol";
import {IHook, OddToken} from "./Doubles.sol";
import {Draft, Fixture} from "./Fixture.sol";

contract BridgeTest is Fixture, IHook {
    bytes32 private constant KEY = bytes32(uint256(11));
    bytes private again; // what this contract calls the bridge with when a token or ether reaches it
    bool private refuses;
    uint256 private inner; // 1: the inner call was made and refused

    function addToken(OddToken.Answer answer, uint256 feeBps) private returns (OddToken token, uint16 id) {
        token = new OddToken(answer, feeBps);
        vm.prank(OWNER, OWNER);
        id = bridge.addToken(rollup, address(token));
        token.mint(address(this), 10_000);
        token.approve(address(bridge), 10_000);
    }

    // ---- tokens

    function test_token_list() public {
        OddToken token = new OddToken(OddToken.Answer.True, 0);
        vm.expectRevert(IBridge.NotOwner.selector);
        bridge.addToken(rollup, address(token));
        vm.expectRevert(IBridge.UnknownRollup.selector);
        bridge.addToken(9, address(token));
        vm.startPrank(OWNER, OWNER);
        equal(bridge.addToken(rollup, address(token)), 1, "first id");
        vm.expectRevert(IBridge.TokenExists.selector);
        bridge.addToken(rollup, address(token));
        vm.expectRevert(IBridge.NotAToken.selector);
        bridge.addToken(rollup, address(0x1234));
        vm.expectRevert(IBridge.NotAToken.selector);
        bridge.addToken(rollup, address(0));
        vm.stopPrank();
        equal(bridge.tokenOf(rollup, 0), address(0), "ether");
        equal(bridge.tokenOf(rollup, 1), address(token), "token");
        vm.expectRevert(IBridge.UnknownToken.selector);
        bridge.tokenOf(rollup, 2);
        vm.expectRevert(IBridge.NotHub.selector);
        bridge.open(5);
        vm.expectRevert(IBridge.NotHub.selector);
        bridge.finalise(rollup, 1, 0, 0, 0, USER);
    }

    function test_token_list_ends() public {
        // The list's length, in the first mapping of the bridge.
        vm.store(address(bridge), keccak256(abi.encode(rollup, 0)), bytes32(uint256(2 ** 16)));
        equal(bridge.tokenCount(rollup), 2 ** 16, "length");
        address token = address(new OddToken(OddToken.Answer.True, 0));
        vm.prank(OWNER, OWNER);
        vm.expectRevert(IBridge.TokenListFull.selector);
        bridge.addToken(rollup, token);
    }

    // ---- deposits

    function test_deposit_of_ether() public {
        equal(depositEther(rollup, USER, 5 ether), 0, "index");
        equal(depositEther(rollup, USER, 1 ether), 1, "index");
        equal(bridge.balanceOf(rollup, 0), 6 ether, "balance");
        QueueState memory q = bridge.queues(rollup, 2, 0);
        require(q.depositCount == 2 && q.depositHash != 0, "queue");
        require(bridge.queues(rollup, 3, 0).depositHash == 0, "beyond the end");
    }

    function test_deposit_refuses() public {
        vm.expectRevert(IBridge.UnknownRollup.selector);
        bridge.deposit{value: 1}(9, 0, 1, KEY, USER, 0);
        vm.expectRevert(IBridge.UnknownToken.selector);
        bridge.deposit(rollup, 1, 1, KEY, USER, 0);
        vm.expectRevert(IBridge.NonCanonicalKeyHash.selector);
        bridge.deposit{value: 1}(rollup, 0, 1, bytes32(P << 32), USER, 0);
        vm.expectRevert(IBridge.ZeroAmount.selector);
        bridge.deposit(rollup, 0, 0, KEY, USER, 0);
        vm.expectRevert(IBridge.WrongValue.selector);
        bridge.deposit{value: 1}(rollup, 0, 2, KEY, USER, 0);
        (OddToken token, uint16 id) = addToken(OddToken.Answer.True, 0);
        vm.expectRevert(IBridge.WrongValue.selector);
        bridge.deposit{value: 1}(rollup, id, 1, KEY, USER, 0);
        token.mint(address(this), 2 ** 96);
        token.approve(address(bridge), 2 ** 97);
        vm.expectRevert(IBridge.AmountTooLarge.selector);
        bridge.deposit(rollup, id, 2 ** 96, KEY, USER, 0);
        bridge.deposit(rollup, id, 2 ** 96 - 1, KEY, USER, 0);
        vm.expectRevert(IBridge.AmountTooLarge.selector); // the sum of all
        bridge.deposit(rollup, id, 1, KEY, USER, 0);
    }

    /// ERC-20s that return nothing / return false / take a fee.
    function test_odd_tokens() public {
        (OddToken silent, uint16 id) = addToken(OddToken.Answer.Nothing, 0);
        bridge.deposit(rollup, id, 100, KEY, USER, 0);
        equal(bridge.balanceOf(rollup, id), 100, "returns nothing");
        equal(silent.balanceOf(address(bridge)), 100, "held");

        OddToken liar;
        (liar, id) = addToken(OddToken.Answer.False, 0);
        vm.expectRevert(abi.encodeWithSignature("SafeERC20FailedOperation(address)", liar));
        bridge.deposit(rollup, id, 1, KEY, USER, 0);

        (OddToken taxed, uint16 taxedId) = addToken(OddToken.Answer.True, 1000);
        bridge.deposit(rollup, taxedId, 100, KEY, address(this), type(uint32).max);
        equal(bridge.balanceOf(rollup, taxedId), 90, "what arrived is credited");
        equal(taxed.balanceOf(address(bridge)), 90, "held");
        // The queue says what arrived: an effect of the whole amount is another entry.
        Draft memory d = draft(rollup);
        addEffect(d, 2, 4, abi.encodePacked(uint64(0), uint32(0), uint16(1), uint96(100), address(this), USER, KEY));
        addEffect(d, 3, 4, abi.encodePacked(uint64(1), type(uint32).max, taxedId, uint96(90), address(this), address(this), KEY));
        d.header.depositCursor = 2;
        setQueues(d);
        submit(d);
        prove(d);
        claim(1, 0, taxedId, 90, address(this));
        equal(bridge.balanceOf(rollup, taxedId), 0, "refunded");
        equal(taxed.balanceOf(address(this)), 10_000 - 100 + 81, "the fee again");

        (, id) = addToken(OddToken.Answer.True, 10_000);
        vm.expectRevert(IBridge.ZeroAmount.selector);
        bridge.deposit(rollup, id, 100, KEY, USER, 0);
    }

    // ---- forced entries

    function test_forced_entries() public {
        vm.startPrank(USER, USER);
        vm.expectRevert(IBridge.UnknownRollup.selector);
        bridge.forceWithdraw{value: 1 ether}(9, 1);
        vm.expectRevert(IBridge.FeeTooSmall.selector);
        bridge.forceWithdraw{value: 0.01 ether - 1}(rollup, 1);
        vm.expectRevert(IBridge.NonCanonicalKeyHash.selector);
        bridge.forceSetKey{value: 1 ether}(rollup, 1, bytes32(P));
        uint256 before = USER.balance;
        equal(bridge.forceWithdraw{value: 1 ether}(rollup, 1), 0, "index");
        equal(bridge.forceSetKey{value: 1 ether}(rollup, type(uint32).max, KEY), 1, "index");
        vm.stopPrank();
        equal(before - USER.balance, 0.021 ether, "the excess returns");
        (uint64 index, uint40 time, uint64 waiting) = bridge.forcedHead(rollup);
        require(index == 0 && time == START && waiting == 2, "head");
        vm.expectRevert(IBridge.NothingToCollect.selector);
        bridge.collectFees(SEQUENCER);
        Draft memory d = draft(rollup);
        consumeForced(d, USER, 1, 0, 0, true); // an empty slot: nothing to claim
        addEffect(d, 7, 3, abi.encodePacked(uint64(1), type(uint32).max, USER, KEY));
        d.header.forcedCursor = 2;
        setQueues(d);
        submit(d);
        prove(d);
        require(bridge.withdrawalsRoot(rollup, 1) == 0, "nothing to claim");
        before = SEQUENCER.balance;
        bridge.collectFees(SEQUENCER);
        equal(SEQUENCER.balance - before, 0.02 ether, "fees, without what the queue added");
        vm.expectRevert(IBridge.NothingToCollect.selector);
        bridge.collectFees(SEQUENCER);
    }

    // ---- withdrawals

    bytes32[] private leaves;

    function withdrawals(Draft memory d, uint256 count, uint16 token, uint96 amount, address recipient) private {
        delete leaves;
        for (uint256 i = 0; i < count; i++) {
            addWithdrawal(d, token, amount, recipient);
            leaves.push(leaf(uint8(i), token, amount, recipient));
        }
        submit(d);
        prove(d);
    }

    /// Claims the only leaf of a batch, or one of `leaves`.
    function claim(uint64 number, uint8 index, uint16 token, uint96 amount, address recipient) private {
        if (leaves.length == 0) leaves.push(leaf(index, token, amount, recipient));
        (, bytes32[8] memory path) = tree(leaves, index);
        bridge.claimWithdrawal(rollup, number, index, token, amount, recipient, path);
    }

    function test_claims() public {
        depositEther(rollup, USER, 10 ether);
        withdrawals(draft(rollup), 5, 0, 1 ether, address(0xb0b));
        (bytes32 root, bytes32[8] memory path) = tree(leaves, 3);
        require(bridge.withdrawalsRoot(rollup, 1) == root, "root");
        bridge.claimWithdrawal(rollup, 1, 3, 0, 1 ether, address(0xb0b), path);
        equal(address(0xb0b).balance, 1 ether, "paid");
        require(bridge.isClaimed(rollup, 1, 3) && !bridge.isClaimed(rollup, 1, 2), "bitmap");
        equal(bridge.balanceOf(rollup, 0), 9 ether, "balance");
        vm.expectRevert(IBridge.AlreadyClaimed.selector); // the same withdrawal twice
        bridge.claimWithdrawal(rollup, 1, 3, 0, 1 ether, address(0xb0b), path);
        bytes4 none = IBridge.NoSuchWithdrawal.selector;
        vm.expectRevert(none);
        bridge.claimWithdrawal(rollup, 1, 2, 0, 1 ether, address(0xb0b), path);
        vm.expectRevert(none);
        bridge.claimWithdrawal(rollup, 2, 3, 0, 1 ether, address(0xb0b), path);
        vm.expectRevert(none);
        bridge.claimWithdrawal(2, 1, 3, 0, 1 ether, address(0xb0b), path);
        (, path) = tree(leaves, 2);
        vm.expectRevert(none);
        bridge.claimWithdrawal(rollup, 1, 2, 0, 2 ether, address(0xb0b), path);
        vm.expectRevert(none);
        bridge.claimWithdrawal(rollup, 1, 2, 0, 1 ether, USER, path);
        vm.expectRevert(none);
        bridge.claimWithdrawal(rollup, 1, 2, 1, 1 ether, address(0xb0b), path);
        bridge.claimWithdrawal(rollup, 1, 2, 0, 1 ether, address(0xb0b), path);
        // A leaf that is absent: zero is no leaf's hash.
        (, path) = tree(leaves, 7);
        vm.expectRevert(none);
        bridge.claimWithdrawal(rollup, 1, 7, 0, 0, address(0), path);
    }

    function test_claim_needs_finality() public {
        depositEther(rollup, USER, 10 ether);
        submitNext(rollup);
        Draft memory d = draft(rollup);
        withdrawals(d, 1, 0, 1 ether, USER);
        (, bytes32[8] memory path) = tree(leaves, 0);
        vm.expectRevert(IBridge.NoSuchWithdrawal.selector);
        bridge.claimWithdrawal(rollup, 2, 0, 0, 1 ether, USER, path);
    }

    /// A rollup that claims more than was deposited to it takes nothing of another's.
    function test_rollups_do_not_share_funds() public {
        uint32 other = register(parameters());
        depositEther(other, USER, 10 ether);
        depositEther(rollup, USER, 1 ether);
        withdrawals(draft(rollup), 2, 0, 1 ether, address(0xb0b));
        claim(1, 0, 0, 1 ether, address(0xb0b));
        (, bytes32[8] memory path) = tree(leaves, 1);
        vm.expectRevert(IBridge.BalanceTooSmall.selector);
        bridge.claimWithdrawal(rollup, 1, 1, 0, 1 ether, address(0xb0b), path);
        equal(address(bridge).balance, 10 ether, "the other's");
        require(!bridge.isClaimed(rollup, 1, 1), "claimable when there are funds");
    }

    function test_recipient_refuses() public {
        depositEther(rollup, USER, 10 ether);
        withdrawals(draft(rollup), 1, 0, 1 ether, address(this));
        (, bytes32[8] memory path) = tree(leaves, 0);
        refuses = true;
        vm.expectRevert(IBridge.TransferFailed.selector);
        bridge.claimWithdrawal(rollup, 1, 0, 0, 1 ether, address(this), path);
        require(!bridge.isClaimed(rollup, 1, 0), "can be tried again");
        refuses = false;
        bridge.claimWithdrawal(rollup, 1, 0, 0, 1 ether, address(this), path);
    }

    /// Tokens that freeze a recipient, or whose balances fall: a claim fails and can be made later; ether is not concerned.
    function test_tokens_that_freeze_or_shrink() public {
        (OddToken token, uint16 id) = addToken(OddToken.Answer.True, 0);
        bridge.deposit(rollup, id, 100, KEY, USER, 0);
        depositEther(rollup, USER, 1 ether);
        Draft memory d = draft(rollup);
        addWithdrawal(d, 0, 1 ether, address(0xb0b));
        leaves.push(leaf(0, 0, 1 ether, address(0xb0b)));
        for (uint8 i = 1; i < 3; i++) {
            addWithdrawal(d, id, 50, address(this));
            leaves.push(leaf(i, id, 50, address(this)));
        }
        submit(d);
        prove(d);
        token.setHooked(address(this));
        refuses = true;
        (, bytes32[8] memory path) = tree(leaves, 1);
        vm.expectRevert(abi.encodeWithSignature("Error(string)", "refused"));
        bridge.claimWithdrawal(rollup, 1, 1, id, 50, address(this), path);
        refuses = false;
        claim(1, 1, id, 50, address(this));
        token.shrink(address(bridge), 1);
        (, path) = tree(leaves, 2);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        bridge.claimWithdrawal(rollup, 1, 2, id, 50, address(this), path);
        require(!bridge.isClaimed(rollup, 1, 2), "can be tried again");
        claim(1, 0, 0, 1 ether, address(0xb0b));
        token.mint(address(bridge), 1);
        claim(1, 2, id, 50, address(this));
        equal(bridge.balanceOf(rollup, id), 0, "all of it");
    }

    function test_absent_leaf_hash_is_of_full_tree() public {
        depositEther(rollup, USER, 1 ether);
        withdrawals(draft(rollup), 256, 0, 1, USER);
        claim(1, 255, 0, 1, USER);
        claim(1, 0, 0, 1, USER);
        require(bridge.isClaimed(rollup, 1, 255) && bridge.isClaimed(rollup, 1, 0), "both ends");
    }

    // ---- re-entrancy

    receive() external payable {
        require(!refuses, "refused");
        callAgain();
    }

    function tokensMove() external {
        require(!refuses, "refused");
        callAgain();
    }

    function callAgain() private {
        if (again.length == 0) return;
        bytes memory call = again;
        again = "";
        (bool done, bytes memory cause) = address(bridge).call(call);
        require(!done && bytes4(cause) == bytes4(keccak256("ReentrancyGuardReentrantCall()")), "entered again");
        inner = 1;
    }

    /// Re-entrancy: a recipient of ether claims again; a token's hook deposits within a deposit, which would count twice.
    function test_reentrancy() public {
        depositEther(rollup, USER, 10 ether);
        withdrawals(draft(rollup), 2, 0, 1 ether, address(this));
        (, bytes32[8] memory path) = tree(leaves, 1);
        again = abi.encodeCall(IBridge.claimWithdrawal, (rollup, 1, 1, 0, 1 ether, address(this), path));
        claim(1, 0, 0, 1 ether, address(this));
        equal(inner, 1, "claim in a claim");
        (OddToken token, uint16 id) = addToken(OddToken.Answer.True, 0);
        token.setHooked(address(this));
        (again, inner) = (abi.encodeCall(IBridge.deposit, (rollup, id, 50, KEY, USER, 0)), 0);
        bridge.deposit(rollup, id, 100, KEY, USER, 0);
        equal(inner, 1, "deposit in a deposit");
        equal(bridge.balanceOf(rollup, id), 100, "counted once");
        (again, inner) = (abi.encodeCall(IBridge.collectFees, (SEQUENCER)), 0);
        bridge.forceWithdraw{value: 1 ether}(rollup, 1);
        equal(inner, 1, "fees in a forced entry");
    }
}
