// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HubStorage} from "./HubStorage.sol";
import {IHubCore, Parameters, RollupView, VerifierSet} from "./IHub.sol";
import {RollupDomain} from "./RollupDomain.sol";
import {Bridge} from "./Bridge.sol";

/// The rollups of a hub: who owns them, who submits to them, under which parameters and keys.
abstract contract Registry is HubStorage, IHubCore {
    /// More than anyone can pay for: the list is open to all, and filling it would keep every rollup from another key.
    uint32 private constant KEYS_MAX = type(uint32).max;
    uint8 private constant RACE = 0;
    uint256 private constant MAX_FEE = 2 ** 72;
    uint32 private constant MAX_WINDOW = 30 days;
    uint32 private constant MAX_SECOND_WINDOW = 7 days;
    uint32 private constant MAX_FORCED_DELAY = 6 hours;
    uint16 private constant MAX_EFFECTS = 256;
    uint16 private constant MAX_PENDING = 1024;
    uint32 private constant MAX_REBATE_GAS = 2 ** 24 - 1; // what a transaction may use
    uint96 private constant MAX_FORCED_FEE = 1 ether;

    RollupDomain private immutable DOMAIN;
    uint32 public immutable minUpgradeDelay;
    uint256 private immutable PINNED;

    constructor(VerifierSet[] memory pinned, uint32 upgradeDelay) {
        bridgeContract = new Bridge();
        DOMAIN = new RollupDomain();
        minUpgradeDelay = upgradeDelay;
        PINNED = pinned.length;
        for (uint256 i = 0; i < pinned.length; i++) {
            _addVerifiers(pinned[i]);
        }
    }

    function registerRollup(address owner, address[] calldata sequencers, uint96 minNewPairFee, Parameters calldata parameters) external returns (uint32 id) {
        require(minNewPairFee < MAX_FEE, FeeOutOfRange());
        require(owner != address(0), NotOwner());
        _checkParameters(parameters);
        id = ++rollupCount;
        Rollup storage r = rollups[id];
        r.owner = owner;
        r.minNewPairFee = minNewPairFee;
        r.parameters = parameters;
        r.domain = DOMAIN.domain(block.chainid, address(this), id, minNewPairFee);
        bridgeContract.open(id);
        emit RollupRegistered(id, owner, r.domain, minNewPairFee, parameters);
        for (uint256 i = 0; i < sequencers.length; i++) {
            r.sequencers[sequencers[i]] = true;
            emit SequencerSet(id, sequencers[i], true);
        }
    }

    function addVerifiers(VerifierSet calldata set) external returns (uint32) {
        return _addVerifiers(set);
    }

    function setSequencer(uint32 rollup, address account, bool allowed) external {
        _owned(rollup).sequencers[account] = allowed;
        emit SequencerSet(rollup, account, allowed);
    }

    function scheduleUpgrade(uint32 rollup, Parameters calldata parameters) external {
        Rollup storage r = _owned(rollup);
        _checkParameters(parameters);
        r.scheduled = parameters;
        r.upgradeAt = uint40(block.timestamp) + minUpgradeDelay;
        emit UpgradeScheduled(rollup, r.upgradeAt, parameters);
    }

    function cancelUpgrade(uint32 rollup) external {
        Rollup storage r = _owned(rollup);
        require(r.upgradeAt != 0, NoUpgrade());
        r.upgradeAt = 0;
        emit UpgradeCancelled(rollup);
    }

    function applyUpgrade(uint32 rollup) external {
        Rollup storage r = _rollup(rollup);
        require(r.upgradeAt != 0, NoUpgrade());
        require(block.timestamp >= r.upgradeAt, UpgradeTooEarly());
        r.upgradeAt = 0;
        r.parameters = r.scheduled;
        emit UpgradeApplied(rollup, r.parameters);
    }

    function offerOwnership(uint32 rollup, address newOwner) external {
        _owned(rollup).pendingOwner = newOwner;
        emit OwnershipOffered(rollup, newOwner);
    }

    function acceptOwnership(uint32 rollup) external {
        Rollup storage r = _rollup(rollup);
        require(msg.sender == r.pendingOwner, NotPendingOwner());
        r.owner = msg.sender;
        r.pendingOwner = address(0);
        emit OwnershipTransferred(rollup, msg.sender);
    }

    // ---- views

    function isSequencer(uint32 rollup, address account) external view returns (bool) {
        return rollups[rollup].sequencers[account];
    }

    function ownerOf(uint32 rollup) external view returns (address) {
        return rollups[rollup].owner;
    }

    function forcedTerms(uint32 rollup) external view returns (uint96 fee, uint96 step) {
        Parameters storage p = rollups[rollup].parameters;
        return (p.forcedFee, p.forcedFeeStep);
    }

    function verifiers(uint32 key) external view returns (VerifierSet memory set, bool pinned) {
        require(key < keys.length, UnknownKey());
        return (keys[key], key < PINNED);
    }

    function bridge() external view returns (address) {
        return address(bridgeContract);
    }

    function rollupInfo(uint32 rollup) external view returns (RollupView memory v) {
        Rollup storage r = _rollup(rollup);
        v.owner = r.owner;
        v.pendingOwner = r.pendingOwner;
        v.domain = r.domain;
        v.minNewPairFee = r.minNewPairFee;
        v.parameters = r.parameters;
        v.trusted = r.parameters.key < PINNED;
        v.head = r.head;
        v.finalised = r.finalised;
        v.headHash = _headerHash(r, r.head);
        v.finalisedHash = _headerHash(r, r.finalised);
        v.upgradeAt = r.upgradeAt;
    }

    // ---- shared

    function _owned(uint32 id) private view returns (Rollup storage r) {
        r = _rollup(id);
        require(msg.sender == r.owner, NotOwner());
    }

    function _addVerifiers(VerifierSet memory set) private returns (uint32 key) {
        require(keys.length < KEYS_MAX, UnknownKey());
        require(set.one.code.length != 0 && set.four.code.length != 0 && set.sixteen.code.length != 0, NoVerifier());
        key = uint32(keys.length);
        keys.push(set);
        emit VerifiersAdded(key, set.version, key < PINNED, set.one, set.four, set.sixteen);
    }

    function _checkParameters(Parameters calldata p) private view {
        require(p.key < keys.length, UnknownKey());
        require(p.policy == RACE, BadParameters("policy"));
        require(p.expectedTime != 0 && p.expectedTime <= p.provingWindow, BadParameters("expectedTime"));
        require(p.provingWindow <= MAX_WINDOW, BadParameters("provingWindow"));
        require(p.replaceWindow <= MAX_SECOND_WINDOW, BadParameters("replaceWindow"));
        require(p.commitWindow <= MAX_SECOND_WINDOW, BadParameters("commitWindow"));
        require(p.slashBps <= 10_000, BadParameters("slashBps"));
        require(p.rebateGas <= MAX_REBATE_GAS, BadParameters("rebateGas"));
        require(p.maxEffects <= MAX_EFFECTS, BadParameters("maxEffects"));
        require(p.maxPending != 0 && p.maxPending <= MAX_PENDING, BadParameters("maxPending"));
        // An entry that never becomes due, or that no batch has to take, would be no way out.
        require(p.forcedDelay <= MAX_FORCED_DELAY, BadParameters("forcedDelay"));
        require(p.forcedCap != 0 && p.forcedCap <= p.maxEffects, BadParameters("forcedCap"));
        require(p.forcedFee <= MAX_FORCED_FEE && p.forcedFeeStep <= MAX_FORCED_FEE, BadParameters("forcedFee"));
    }
}
