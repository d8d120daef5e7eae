// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IHub, IHubProofs, Item, Parameters, RollupView, Status, VerifierSet} from "../../src/settlement/IHub.sol";
import {vm} from "./Cheats.sol";
import {Fixture} from "./Fixture.sol";

contract RegistryTest is Fixture {
    function test_registration() public {
        RollupView memory v = hub.rollupInfo(rollup);
        equal(rollup, 1, "ids count from 1");
        equal(v.owner, OWNER, "owner");
        equal(v.minNewPairFee, 10, "fee");
        require(v.trusted && v.head == 0 && v.finalised == 0 && v.headHash == 0, "fresh");
        require(keccak256(abi.encode(v.parameters)) == keccak256(abi.encode(parameters())), "parameters");
        require(hub.isSequencer(rollup, SEQUENCER) && !hub.isSequencer(rollup, OWNER), "sequencers");
        equal(bridge.tokenCount(rollup), 1, "ether is token 0");
        equal(hub.minUpgradeDelay(), UPGRADE_DELAY, "delay");
        equal(bridge.hub(), address(hub), "bridge");
        equal(register(parameters()), 2, "next id");
    }

    /// Replay across chain ids, hubs and rollup ids: the domain, which is in every signed message and every statement, differs.
    function test_domains_differ() public {
        bytes32 first = hub.rollupInfo(rollup).domain;
        require(hub.rollupInfo(register(parameters())).domain != first, "rollup id");
        VerifierSet[] memory pinned = new VerifierSet[](1);
        (pinned[0],) = hub.verifiers(0);
        IHub other = deployHub(pinned);
        address[] memory none;
        require(other.rollupInfo(other.registerRollup(OWNER, none, 10, parameters())).domain != first, "hub");
        vm.chainId(5);
        uint32 id = hub.registerRollup(OWNER, none, 11, parameters());
        vm.chainId(31337);
        require(hub.rollupInfo(id).domain != hub.rollupInfo(hub.registerRollup(OWNER, none, 11, parameters())).domain, "chain id");
    }

    function test_registration_refuses() public {
        address[] memory none;
        vm.expectRevert(FeeOutOfRange.selector);
        hub.registerRollup(OWNER, none, 2 ** 72, parameters());
        vm.expectRevert(NotOwner.selector);
        hub.registerRollup(address(0), none, 0, parameters());
    }

    function refused(Parameters memory p, string memory field) private {
        address[] memory none;
        vm.expectRevert(abi.encodeWithSelector(BadParameters.selector, field));
        hub.registerRollup(OWNER, none, 0, p);
        vm.prank(OWNER, OWNER);
        vm.expectRevert(abi.encodeWithSelector(BadParameters.selector, field));
        hub.scheduleUpgrade(rollup, p);
    }

    function test_parameters() public {
        Parameters memory p = parameters();
        p.policy = 1;
        refused(p, "policy");
        p = parameters();
        p.expectedTime = 0;
        refused(p, "expectedTime");
        p.expectedTime = p.provingWindow + 1;
        refused(p, "expectedTime");
        p = parameters();
        p.provingWindow = 30 days + 1;
        refused(p, "provingWindow");
        p = parameters();
        p.replaceWindow = 7 days + 1;
        refused(p, "replaceWindow");
        p = parameters();
        p.commitWindow = 7 days + 1;
        refused(p, "commitWindow");
        p = parameters();
        p.slashBps = 10_001;
        refused(p, "slashBps");
        p = parameters();
        p.rebateGas = 2 ** 24;
        refused(p, "rebateGas");
        p = parameters();
        p.maxEffects = 257;
        refused(p, "maxEffects");
        p = parameters();
        p.maxPending = 0;
        refused(p, "maxPending");
        p = parameters();
        p.forcedFeeStep = 1 ether + 1;
        refused(p, "forcedFee");
        p = parameters();
        p.key = 1;
        vm.prank(OWNER, OWNER);
        vm.expectRevert(UnknownKey.selector);
        hub.scheduleUpgrade(rollup, p);
    }

    /// A forced entry that never becomes due: no parameters allow it.
    function test_forced_entries_become_due() public {
        Parameters memory p = parameters();
        p.forcedDelay = 6 hours + 1;
        refused(p, "forcedDelay");
        p = parameters();
        p.forcedCap = 0;
        refused(p, "forcedCap");
        p.maxEffects = 3;
        p.forcedCap = 4;
        refused(p, "forcedCap");
    }

    function test_upgrade_takes_its_delay() public {
        Parameters memory p = parameters();
        p.provingWindow = 9000;
        vm.expectRevert(NotOwner.selector);
        hub.scheduleUpgrade(rollup, p);
        vm.expectRevert(NoUpgrade.selector);
        hub.applyUpgrade(rollup);
        vm.prank(OWNER, OWNER);
        hub.scheduleUpgrade(rollup, p);
        equal(hub.rollupInfo(rollup).upgradeAt, START + UPGRADE_DELAY, "time");
        vm.warp(START + UPGRADE_DELAY - 1);
        vm.expectRevert(UpgradeTooEarly.selector);
        hub.applyUpgrade(rollup);
        vm.warp(START + UPGRADE_DELAY);
        hub.applyUpgrade(rollup);
        equal(hub.rollupInfo(rollup).parameters.provingWindow, 9000, "applied");
        vm.expectRevert(NoUpgrade.selector);
        hub.applyUpgrade(rollup);
    }

    function test_upgrade_cancelled() public {
        vm.startPrank(OWNER, OWNER);
        vm.expectRevert(NoUpgrade.selector);
        hub.cancelUpgrade(rollup);
        hub.scheduleUpgrade(rollup, parameters());
        hub.cancelUpgrade(rollup);
        vm.stopPrank();
        vm.warp(START + UPGRADE_DELAY);
        vm.expectRevert(NoUpgrade.selector);
        hub.applyUpgrade(rollup);
    }

    function test_keys() public {
        VerifierSet memory set = verifierSet();
        set.version = 2;
        uint32 key = hub.addVerifiers(set);
        (VerifierSet memory kept, bool pinned) = hub.verifiers(key);
        require(!pinned && keccak256(abi.encode(kept)) == keccak256(abi.encode(set)), "kept");
        (, pinned) = hub.verifiers(0);
        require(pinned, "pinned");
        Parameters memory p = parameters();
        p.key = key;
        require(!hub.rollupInfo(register(p)).trusted, "untrusted");
        vm.expectRevert(UnknownKey.selector);
        hub.verifiers(2);
        set.four = address(1);
        vm.expectRevert(NoVerifier.selector);
        hub.addVerifiers(set);
    }

    /// The list is open to all: who fills it with 2^16 sets, for the price of a few ether, must not keep everybody from a new key.
    function test_keys_cannot_run_out() public {
        bytes32 listSlot = bytes32(uint256(1)); // of HubStorage.keys: its length
        require(uint256(vm.load(address(hub), listSlot)) == 1, "place of the list");
        vm.store(address(hub), listSlot, bytes32(uint256(2 ** 16)));
        Parameters memory p = parameters();
        p.key = hub.addVerifiers(verifierSet());
        equal(p.key, 2 ** 16, "key");
        uint32 id = register(p);
        equal(hub.rollupInfo(id).parameters.key, 2 ** 16, "key of a rollup");
        Item memory item = itemOf(submitNext(id));
        equal(hub.batch(id, 1).key, 2 ** 16, "key of a batch");
        hub.submitAggregate(p.key, 0, one(item), proven(0, one(item)));
        require(hub.batch(id, 1).status == Status.Finalised, "final");
    }

    function test_ownership() public {
        vm.expectRevert(NotOwner.selector);
        hub.offerOwnership(rollup, USER);
        vm.prank(OWNER, OWNER);
        hub.offerOwnership(rollup, USER);
        vm.expectRevert(NotPendingOwner.selector);
        hub.acceptOwnership(rollup);
        vm.prank(USER, USER);
        hub.acceptOwnership(rollup);
        equal(hub.ownerOf(rollup), USER, "owner");
        vm.prank(USER, USER);
        hub.setSequencer(rollup, USER, true);
        require(hub.isSequencer(rollup, USER), "sequencer");
        vm.prank(OWNER, OWNER);
        vm.expectRevert(NotOwner.selector);
        hub.setSequencer(rollup, USER, false);
    }

    function test_unknown_rollup() public {
        bytes4 code = UnknownRollup.selector;
        vm.expectRevert(code);
        hub.rollupInfo(7);
        vm.expectRevert(code);
        hub.setSequencer(7, USER, true);
        vm.expectRevert(code);
        hub.scheduleUpgrade(0, parameters());
        vm.expectRevert(code);
        hub.raiseBounty{value: 1}(7, 1);
        vm.expectRevert(code);
        hub.advance(7, 1);
        vm.expectRevert(code);
        hub.discardUnproven(7, 1);
    }

    /// Only Proofs' functions are delegated to it; it has no money and knows no rollup of its own.
    function test_unknown_functions() public {
        (bool done,) = address(hub).call(abi.encodeWithSignature("nothing()"));
        require(!done, "an unknown function");
        (done,) = address(hub).call{value: 1}("");
        require(!done, "ether without a function");
        (done,) = address(hub).call{value: 1}(abi.encodeCall(IHubProofs.discardUnproven, (rollup, 1)));
        require(!done, "ether to a function that takes none");
    }

    /// EIP-170 and EIP-3860, and the creation in one transaction under EIP-7825.
    function test_sizes() public view {
        equalOrLess(address(hub).code.length, 24_576, "hub");
        equalOrLess(address(bridge).code.length, 24_576, "bridge");
        equalOrLess(artifact("Hub").length, 49_152 - 512, "creation of the hub");
        equalOrLess(artifact("Proofs").length, 49_152, "creation of the proofs");
    }

    function test_creation_gas() public {
        VerifierSet[] memory pinned = new VerifierSet[](1);
        (pinned[0],) = hub.verifiers(0);
        bytes memory code = bytes.concat(artifact("Hub"), abi.encode(deploy("Proofs", ""), pinned, UPGRADE_DELAY));
        uint256 gas = gasleft();
        address r;
        assembly ("memory-safe") { r := create(0, add(code, 0x20), mload(code)) }
        gas -= gasleft();
        require(r != address(0), "created");
        equalOrLess(gas + 21_000 + 32_000 + 16 * code.length, 16_777_216, "creation");
    }

    function equalOrLess(uint256 a, uint256 b, string memory what) private pure {
        require(a <= b, string.concat(what, ": ", vm.toString(a), " is above ", vm.toString(b)));
    }
}
