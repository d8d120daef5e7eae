// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Parameters, Terms} from "./IHub.sol";
import {HubStorage} from "./HubStorage.sol";

/// The life of a submission's money: escrowed bounty and bond, raises, commitments, until all of it is credit.
abstract contract Rewards is HubStorage {
    /// Blocks after which a raise counts.
    uint256 internal constant RAISE_DELAY = 2;

    /// Takes `amount` from the value, then from the sender's credit; credits what the value exceeds it by.
    function _charge(uint256 amount) internal {
        if (msg.value > amount) {
            credits[msg.sender] += msg.value - amount;
        } else if (msg.value < amount) {
            uint256 missing = amount - msg.value;
            uint256 have = credits[msg.sender];
            require(have >= missing, NotEnoughValue());
            credits[msg.sender] = have - missing;
        }
    }

    /// Escrows what a sequencer offers for the submission.
    function _escrow(Submission storage s, Parameters memory p, Terms calldata terms) internal {
        require(terms.base <= terms.max, BadTerms());
        s.base = terms.base;
        s.max = terms.max;
        s.rebateCap = terms.rebateCap;
        s.bond = p.batchBond;
        _charge(uint256(terms.max) + terms.rebateCap + p.batchBond);
    }

    /// Fixes what a batch that is proven now earns, and gives the sequencer back what is not needed for it.
    function _fixReward(uint64 id, Submission storage s) internal returns (uint96 owed) {
        uint96 paid = uint96(_bounty(s)) + uint96(_rebate(s));
        uint256 unspent = uint256(s.max) + s.rebateCap - paid;
        (uint256 raised, uint256 count) = _countedRaises(id);
        if (count != 0) raisesPaid[id] = count;
        uint96 awarded = _slash(id, s, true);
        owed = paid + uint96(raised) + awarded;
        s.max = paid;
        s.rebateCap = 0;
        s.owed = owed;
        if (unspent != 0) credits[s.sequencer] += unspent;
        _returnCommit(id);
    }

    /// A final batch: its payee and its sequencer get what is theirs.
    function _pay(uint64 id, Submission storage s) internal {
        credits[s.payee] += s.owed;
        uint96 bond = s.bond;
        if (bond != 0) credits[s.sequencer] += bond;
        emit Settled(id, s.sequencer, bond);
    }

    /// An orphan's money: a prover gets base at most, raisers take theirs back, the sequencer gets the rest.
    function _close(uint64 id, Submission storage s) internal {
        s.closed = true;
        uint256 left = uint256(s.max) + s.rebateCap + s.bond;
        if (s.provenAt != 0) {
            // Of an award nobody is entitled any more: it burns like the other half.
            uint256 count = raisesPaid[id];
            uint96 raised = count == 0 ? 0 : raises[id][count - 1].total;
            _burn(s.owed - s.max - raised);
            // What is paid of the escrow is base at least.
            credits[s.payee] += s.base;
            left -= s.base;
        }
        credits[s.sequencer] += left;
        emit Settled(id, s.sequencer, left);
    }

    /// Slashes the bond of a late submission, once. At least half burns; the rest, if there is somebody to award it to, is returned.
    function _slash(uint64 id, Submission storage s, bool award) internal returns (uint96 awarded) {
        uint96 burned;
        (burned, awarded) = _slashed(s);
        if (burned == 0) return 0;
        s.bond -= burned + awarded;
        if (!award) (burned, awarded) = (burned + awarded, 0);
        emit BondSlashed(id, burned, awarded);
        _burn(burned);
    }

    /// Burns the deposit of a proof that did not come.
    function _forfeitCommit(uint64 id) internal {
        Commit storage c = commits[id];
        uint96 deposit = c.deposit;
        if (deposit == 0) return;
        c.deposit = 0;
        emit CommitForfeited(id, deposit);
        _burn(deposit);
    }

    function _returnCommit(uint64 id) internal {
        Commit storage c = commits[id];
        uint96 deposit = c.deposit;
        if (deposit == 0) return;
        c.deposit = 0;
        credits[c.from] += deposit;
        emit CommitReturned(id, c.from, deposit);
    }

    function _burn(uint256 amount) internal {
        if (amount == 0) return;
        (bool done,) = address(0).call{value: amount}("");
        require(done, TransferFailed());
    }

    // ---- what follows from a submission

    function _deadline(Submission storage s) internal view returns (uint40) {
        return s.submittedAt + s.provingWindow;
    }

    function _late(Submission storage s) internal view returns (bool) {
        return block.timestamp >= _deadline(s);
    }

    /// Until when a commitment keeps the first batch that is not final from being dropped; 0 without one. It counts from when the
    /// batch could be dropped: one that ran out before that would only keep others from committing.
    function _lockedUntil(uint64 id) internal view returns (uint40) {
        Commit storage c = commits[id];
        if (c.from == address(0)) return 0;
        uint40 first = rollups[submissions[id].rollup].finalisedAt;
        return (first > c.start ? first : c.start) + c.window;
    }

    /// Without raises and award.
    function _bounty(Submission storage s) internal view returns (uint256) {
        uint256 age = block.timestamp - s.submittedAt;
        uint256 expected = s.expectedTime;
        uint256 window = s.provingWindow;
        if (age >= window) return s.max;
        if (age <= expected) return s.base;
        return s.base + uint256(s.max - s.base) * (age - expected) / (window - expected);
    }

    function _rebate(Submission storage s) internal view returns (uint256) {
        uint256 spent = uint256(s.rebateGas) * block.basefee;
        return spent < s.rebateCap ? spent : s.rebateCap;
    }

    function _slashed(Submission storage s) internal view returns (uint96 burned, uint96 awarded) {
        if (!_late(s)) return (0, 0);
        uint256 amount = uint256(s.bond) * s.slashBps / 10_000;
        awarded = uint96(amount / 2);
        burned = uint96(amount) - awarded;
    }

    /// Raises that are old enough: their sum and their number. Blocks of raises do not fall.
    function _countedRaises(uint64 id) internal view returns (uint256 total, uint256 count) {
        Raise[] storage list = raises[id];
        uint256 high = list.length;
        while (count < high) {
            uint256 middle = (count + high) / 2;
            if (list[middle].blockNumber + RAISE_DELAY <= block.number) count = middle + 1;
            else high = middle;
        }
        if (count != 0) total = list[count - 1].total;
    }
}
