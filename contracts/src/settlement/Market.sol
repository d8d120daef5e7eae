// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchView, IHubCore, Parameters, Status} from "./IHub.sol";
import {Rewards} from "./Rewards.sol";

/// What anyone may do about a batch's bounty, and what batches show.
abstract contract Market is Rewards, IHubCore {
    function raiseBounty(uint32 rollup, uint64 number) external payable {
        uint64 id = _open(rollup, number);
        require(msg.value != 0, NothingSent());
        Raise[] storage list = raises[id];
        uint96 amount = uint96(msg.value); // there is less ether than 2^96 wei
        uint96 total = amount + (list.length == 0 ? 0 : list[list.length - 1].total);
        list.push(Raise(msg.sender, amount, uint64(block.number), total));
        emit BountyRaised(rollup, number, id, list.length - 1, msg.sender, amount, uint64(block.number + RAISE_DELAY));
    }

    function reclaimRaise(uint64 id, uint256 index) external {
        Status status = _status(id);
        require(status != Status.None && status != Status.Pending, RaiseSpent());
        bool orphan = status == Status.Orphaned || status == Status.Closed;
        require(index < raises[id].length && (orphan || index >= raisesPaid[id]), RaiseSpent());
        Raise storage r = raises[id][index];
        require(msg.sender == r.from, NotRaiser());
        uint96 amount = r.amount;
        require(amount != 0, RaiseSpent());
        r.amount = 0;
        credits[msg.sender] += amount;
        emit RaiseReclaimed(id, index, msg.sender, amount);
    }

    function commitProof(uint32 rollup, uint64 number, bytes32 commitment) external payable {
        uint64 id = _open(rollup, number);
        Parameters storage p = rollups[rollup].parameters;
        Commit storage c = commits[id];
        require(c.from == address(0), AlreadyCommitted());
        require(msg.value == p.commitDeposit, WrongDeposit());
        uint40 start = _deadline(submissions[id]);
        require(block.timestamp + p.commitWindow >= start, CommitTooEarly());
        if (block.timestamp > start) start = uint40(block.timestamp);
        c.from = msg.sender;
        c.deposit = uint96(msg.value);
        c.start = start;
        c.window = p.commitWindow;
        emit ProofCommitted(rollup, number, id, msg.sender, commitment, _lockedUntil(id));
    }

    function settle(uint64 id) external {
        require(_status(id) == Status.Orphaned, NotOrphaned());
        _returnCommit(id); // it was another batch that was late
        _close(id, submissions[id]);
    }

    function collect(address account) external {
        uint256 amount = credits[account];
        require(amount != 0, NothingToCollect());
        credits[account] = 0;
        emit CreditCollected(account, amount);
        (bool done,) = account.call{value: amount}("");
        require(done, TransferFailed());
    }

    // ---- views

    function currentBounty(uint32 rollup, uint64 number) external view returns (uint256) {
        uint64 id = rollups[rollup].chain[number];
        if (_status(id) != Status.Pending) return 0;
        Submission storage s = submissions[id];
        (uint256 total,) = _countedRaises(id);
        (, uint96 awarded) = _slashed(s);
        return _bounty(s) + total + awarded;
    }

    function credit(address account) external view returns (uint256) {
        return credits[account];
    }

    function batch(uint32 rollup, uint64 number) external view returns (BatchView memory) {
        return submission(rollups[rollup].chain[number]);
    }

    function submission(uint64 id) public view returns (BatchView memory v) {
        Submission storage s = submissions[id];
        v.status = _status(id);
        if (v.status == Status.None) return v;
        v.id = id;
        v.rollup = s.rollup;
        v.number = s.number;
        v.headerHash = s.headerHash;
        v.dataHash = s.dataHash;
        v.sequencer = s.sequencer;
        v.key = s.key;
        v.submittedAt = s.submittedAt;
        v.expectedAt = s.submittedAt + s.expectedTime;
        v.deadline = _deadline(s);
        v.openAt = v.deadline + s.replaceWindow;
        v.lockedUntil = _lockedUntil(id);
        v.base = s.base;
        v.max = s.max;
        v.rebateCap = s.rebateCap;
        v.bond = s.bond;
        v.payee = s.payee;
        v.owed = s.owed;
        v.provenAt = s.provenAt;
    }
}
