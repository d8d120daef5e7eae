// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Digests, Header, Headers, Horner} from "./Headers.sol";
import {QueueState} from "./IBridge.sol";
import {Parameters} from "./IHub.sol";
import {Rewards} from "./Rewards.sol";
import {EMPTY_ROOT} from "./RollupDomain.sol";
import {Statements} from "./Statements.sol";

/// The rules that a submitted header must keep, and what is kept of it.
abstract contract Batches is Rewards {
    uint256 private constant MAX_AGE = 12 hours;
    uint256 private constant MAX_SLOTS = 2 ** 30;

    function _parse(bytes calldata header) internal pure returns (Header memory) {
        require(header.length == Headers.SIZE, HeaderLength());
        return Headers.parse(header);
    }

    /// The header that `h` names as its parent; of the genesis the state alone is set.
    function _parent(bytes calldata parentHeader, Header memory h) internal pure returns (Header memory parent) {
        if (parentHeader.length == 0) {
            require(h.parentHash == 0 && h.number == 1, WrongParent());
            parent.postRoot = EMPTY_ROOT;
        } else {
            require(parentHeader.length == Headers.SIZE, HeaderLength());
            require(keccak256(parentHeader) == h.parentHash, WrongParent());
            parent = Headers.parse(parentHeader);
        }
    }

    /// The rules for the next batch of a rollup. Precondition: keccak256 of `parent` is h's parent hash.
    function _checkHeader(Parameters memory p, Header memory h, Header memory parent) internal view {
        Rollup storage r = rollups[h.rollup];
        uint64 head = r.head;
        require(h.version == keys[p.key].version, WrongVersion());
        require(h.number == head + 1, WrongNumber());
        require(h.parentHash == _headerHash(r, head), WrongParent());
        require(h.timestamp >= parent.timestamp, TimestampOrder());
        require(h.timestamp <= block.timestamp, TimestampInFuture());
        require(h.timestamp + MAX_AGE >= block.timestamp, TimestampTooOld());
        require(Digests.canonical(h.feeReceiver) && Digests.canonical(h.postRoot), NonCanonicalDigest());
        require(h.numEffects <= p.maxEffects, TooManyEffects());
        require(h.postSlotCount >= parent.postSlotCount && h.postSlotCount <= MAX_SLOTS, SlotCount());
        _checkQueues(p, h, parent);
        require(h.byteLength != 0 && h.byteLength % Headers.WORD == 0, DataLength());
        require(Headers.words(h) <= Headers.MAX_BLOBS * Headers.BLOB_WORDS, DataLength());
        require(head - r.finalised < p.maxPending, TooManyPending());
    }

    /// That the batch consumes what is there, and at least min(due, forcedCap) of the forced queue.
    function _checkQueues(Parameters memory p, Header memory h, Header memory parent) private view {
        QueueState memory q = bridgeContract.queues(h.rollup, h.depositCursor, h.forcedCursor);
        require(h.depositCursor >= parent.depositCursor && h.depositCursor <= q.depositCount, DepositCursor());
        require(h.forcedCursor >= parent.forcedCursor && h.forcedCursor <= q.forcedCount, ForcedCursor());
        uint256 forced = h.forcedCursor - parent.forcedCursor;
        require(h.depositCursor - parent.depositCursor + forced <= h.numEffects, EffectsMissing());
        require(h.depositHash == q.depositHash, DepositHash());
        require(h.forcedHash == q.forcedHash, ForcedHash());
        // Entries are due in order, so one that is not consumed and not due has none due behind it.
        require(forced >= p.forcedCap || q.forcedTime == 0 || block.timestamp < q.forcedTime + p.forcedDelay, ForcedSkipped());
    }

    /// The versioned hashes of the transaction's blobs, which must be as many as the batch fills.
    function _blobs(Header memory h) internal view returns (bytes32[] memory hashes) {
        uint256 count = (Headers.words(h) + Headers.BLOB_WORDS - 1) / Headers.BLOB_WORDS;
        hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            hashes[i] = blobhash(i);
            require(hashes[i] != 0, BlobCount());
        }
        require(blobhash(count) == 0, BlobCount());
    }

    function _blobCommitment(bytes32[] memory hashes) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(Statements.FORM_BLOB), hashes));
    }

    /// Evaluates calldata where its submitter says that the proof will; the proof shows that he was right. The call must be the transaction:
    /// what a contract, or an account with code, puts together itself is in no transaction, and only who re-executes the chain could follow.
    function _calldataCommitment(Header memory h, bytes calldata data, bytes32 point) internal view returns (bytes32) {
        require(msg.sender == tx.origin && msg.sender.code.length == 0, DataNotInTransaction());
        require(data.length == h.byteLength && Headers.words(h) <= Headers.BLOB_WORDS, DataLength());
        require(Digests.canonical(point), NonCanonicalDigest());
        return _calldataCommitment(keccak256(data), point, bytes32(Horner.evaluate(data, Digests.scalar(point))));
    }

    function _calldataCommitment(bytes32 hash, bytes32 point, bytes32 value) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(Statements.FORM_CALLDATA), hash, point, value));
    }

    /// The next submission, without money.
    function _append(Parameters memory p, Header memory h, address sequencer, bytes32 headerHash, bytes32 dataHash) internal returns (uint64 id) {
        id = ++submissionCount;
        Submission storage s = submissions[id];
        s.headerHash = headerHash;
        s.dataHash = dataHash;
        s.sequencer = sequencer;
        s.submittedAt = uint40(block.timestamp);
        s.key = p.key;
        s.expectedTime = p.expectedTime;
        s.provingWindow = p.provingWindow;
        s.replaceWindow = p.replaceWindow;
        s.rollup = h.rollup;
        s.slashBps = p.slashBps;
        s.number = h.number;
        s.depositCursor = h.depositCursor;
        s.forcedCursor = h.forcedCursor;
        s.rebateGas = uint24(p.rebateGas);
        Rollup storage r = rollups[h.rollup];
        r.head = h.number;
        r.chain[h.number] = id;
    }
}
