// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBridge} from "./IBridge.sol";
import {IHubEvents, Parameters, Status, VerifierSet} from "./IHub.sol";

/// What the hub stores. Its code is two contracts over this one layout: the hub, and Proofs, which the hub delegates to.
abstract contract HubStorage is IHubEvents {
    struct Rollup {
        address owner;
        uint40 upgradeAt;
        address pendingOwner;
        uint96 minNewPairFee;
        bytes32 domain;
        uint64 head; // last submitted batch
        uint64 finalised; // last final batch
        uint40 finalisedAt; // when it became final
        Parameters parameters;
        Parameters scheduled;
        mapping(address account => bool) sequencers;
        mapping(uint64 number => uint64) chain; // submission ids
    }

    struct Submission {
        bytes32 headerHash;
        bytes32 dataHash;
        address sequencer;
        uint40 submittedAt;
        uint16 slashBps;
        uint32 expectedTime;
        bool closed; // an orphan that was settled
        uint96 base;
        uint96 max; // of the bounty; once proven: what of the escrow is paid
        uint32 provingWindow;
        uint32 replaceWindow;
        uint96 bond; // once slashed: the rest
        uint96 rebateCap; // once proven: 0
        uint32 rollup;
        uint32 key;
        uint64 number;
        uint64 depositCursor;
        uint64 forcedCursor;
        uint40 provenAt;
        uint24 rebateGas;
        address payee;
        uint96 owed;
        bytes32 withdrawalsRoot;
    }

    struct Raise {
        address from;
        uint96 amount; // 0 once reclaimed
        uint64 blockNumber;
        uint96 total; // of all raises up to it
    }

    struct Commit {
        address from;
        uint96 deposit;
        uint40 start; // of the lock, unless the batch becomes the first that is not final later
        uint32 window;
    }

    IBridge internal bridgeContract;
    VerifierSet[] internal keys;
    mapping(uint32 id => Rollup) internal rollups;
    uint32 internal rollupCount;
    uint64 internal submissionCount;
    mapping(uint64 id => Submission) internal submissions;
    mapping(uint64 id => Raise[]) internal raises;
    mapping(uint64 id => uint256) internal raisesPaid; // how many of a proven batch's raises its payee gets
    mapping(uint64 id => Commit) internal commits;
    mapping(address account => uint256) internal credits;

    function _rollup(uint32 id) internal view returns (Rollup storage r) {
        r = rollups[id];
        require(r.owner != address(0), UnknownRollup());
    }

    /// The submission of a batch that waits for a proof.
    function _open(uint32 rollup, uint64 number) internal view returns (uint64 id) {
        id = _rollup(rollup).chain[number];
        require(_status(id) == Status.Pending, NotOpen());
    }

    function _status(uint64 id) internal view returns (Status) {
        Submission storage s = submissions[id];
        if (s.number == 0) return Status.None;
        if (s.closed) return Status.Closed;
        Rollup storage r = rollups[s.rollup];
        if (s.number > r.head || r.chain[s.number] != id) return Status.Orphaned;
        if (s.number <= r.finalised) return Status.Finalised;
        return s.provenAt != 0 ? Status.Proven : Status.Pending;
    }

    /// Keccak-256 of the header of the rollup's batch `number`, 0 for the genesis. Precondition: number <= head.
    function _headerHash(Rollup storage r, uint64 number) internal view returns (bytes32) {
        return number == 0 ? bytes32(0) : submissions[r.chain[number]].headerHash;
    }
}
