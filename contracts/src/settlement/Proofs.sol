// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITerminalVerifier} from "../ITerminalVerifier.sol";
import {Batches} from "./Batches.sol";
import {Effects, Reading, WithdrawalTree} from "./Effects.sol";
import {Digests, Header, Headers} from "./Headers.sol";
import {QueueState} from "./IBridge.sol";
import {IHubProofs, Item, Opening, Parameters, Status, Terms, VerifierSet} from "./IHub.sol";
import {Statements} from "./Statements.sol";

/// See IHubProofs. What an item says becomes the public input; the proof shows that it is so; what L1 knows of the batch must
/// say the same. Code of the hub, which delegates to it: called itself, it knows no rollup and has no money.
contract Proofs is Batches, IHubProofs {
    /// An item as it was read.
    struct Reader {
        Header header;
        Header parent;
        uint64 id; // of the batch's submission
        bytes4 refused; // why the item cannot count
        bytes withdrawals;
    }

    address private constant POINT_EVALUATION = address(0x0a);
    uint256 private constant POINT_EVALUATION_GAS = 50_000;
    uint256 private constant MAX_ADVANCE = 16;

    // ---- proofs

    function submitProof(Item calldata item, bytes calldata proof) external {
        bytes memory limbs = Statements.create(1, 1);
        Reader memory read = _read(limbs, 0, item);
        uint64 id = rollups[read.header.rollup].chain[read.header.number];
        _check(read, item, submissions[id].key);
        if (read.refused != 0) _revert(read.refused);
        _verify(submissions[id].key, 0, limbs, proof);
        _prove(read, item, 0);
        _advance(read.header.rollup, MAX_ADVANCE);
    }

    function submitAggregate(uint32 key, uint8 logProfile, Item[] calldata items, bytes calldata proof) external returns (uint256 counted) {
        require(key < keys.length, UnknownKey());
        (bytes memory limbs, Reader[] memory read) = _statement(logProfile, items);
        for (uint256 i = 0; i < items.length; i++) {
            _check(read[i], items[i], key);
            if (read[i].refused == 0) counted++;
        }
        if (counted == 0) _revert(read[items.length - 1].refused);
        _verify(key, logProfile, limbs, proof);
        for (uint256 i = 0; i < items.length; i++) {
            Reader memory one = read[i];
            // An earlier item may have been the same batch.
            if (one.refused == 0 && submissions[one.id].provenAt != 0) (one.refused, counted) = (AlreadyProven.selector, counted - 1);
            if (one.refused == 0) _prove(one, items[i], 0);
            else emit ItemSkipped(i, one.header.rollup, one.header.number, one.refused);
        }
        uint256 left = 2 * MAX_ADVANCE; // the items', and as many that waited for them
        for (uint256 i = 0; i < items.length; i++) {
            if (read[i].refused == 0) left -= _advance(read[i].header.rollup, left);
        }
    }

    function replaceAndProve(Item calldata item, bytes calldata data, bytes calldata proof) external returns (uint64 id) {
        bytes memory limbs = Statements.create(1, 1);
        Reader memory read = _read(limbs, 0, item);
        uint96 awarded;
        (id, awarded) = _replace(read, item, data);
        uint32 key = submissions[id].key;
        _check(read, item, key);
        if (read.refused != 0) _revert(read.refused);
        _verify(key, 0, limbs, proof);
        _prove(read, item, awarded);
        _advance(read.header.rollup, 1);
    }

    function discardUnproven(uint32 rollup, uint64 from) external {
        _dropFirst(rollup, from, false);
    }

    function advance(uint32 rollup, uint256 max) external {
        _rollup(rollup);
        _advance(rollup, max);
    }

    function statementDigest(uint8 logProfile, Item[] calldata items) external view returns (bytes32) {
        (bytes memory limbs,) = _statement(logProfile, items);
        return keccak256(limbs);
    }

    // ---- reading items

    function _statement(uint8 logProfile, Item[] calldata items) private view returns (bytes memory limbs, Reader[] memory read) {
        require(logProfile == 0 || logProfile == 2 || logProfile == 4, BadProfile());
        require(items.length != 0, NoItems());
        uint256 room = 1 << logProfile;
        require(items.length <= room, TooManyItems());
        limbs = Statements.create(room, items.length);
        read = new Reader[](items.length);
        for (uint256 i = 0; i < items.length; i++) {
            read[i] = _read(limbs, i, items[i]);
        }
    }

    /// Reads item number `i` and writes what it says into the statement. Reverts if it is none that a statement could say.
    function _read(bytes memory limbs, uint256 i, Item calldata item) private view returns (Reader memory read) {
        read.header = _parse(item.header);
        read.parent = _parent(item.parentHeader, read.header);
        Header memory h = read.header;
        bytes32 domain = _rollup(h.rollup).domain;
        uint256 count = (Headers.words(h) + Headers.BLOB_WORDS - 1) / Headers.BLOB_WORDS;
        require(count != 0 && count <= Headers.MAX_BLOBS && item.data.length == count, OpeningCount());
        require(item.form == Statements.FORM_BLOB || (item.form == Statements.FORM_CALLDATA && count == 1), OpeningCount());
        require(item.effects.length % Effects.WORD == 0 && item.effects.length <= Effects.MAX_WORDS * Effects.WORD, EffectsLength());
        require(Digests.canonical(item.effectsPoint), NonCanonicalDigest());
        Statements.write(limbs, i, domain, h, read.parent, item);
    }

    /// Whether the item is what L1 knows of a batch that waits for a proof; else `refused` says why not. Never reverts: one
    /// item must not spoil others. Cheap checks first.
    function _check(Reader memory read, Item calldata item, uint32 key) private view {
        Header memory h = read.header;
        uint64 id = rollups[h.rollup].chain[h.number];
        read.id = id;
        Status status = _status(id);
        Submission storage s = submissions[id];
        if (status == Status.None || status >= Status.Orphaned || s.headerHash != keccak256(item.header)) {
            read.refused = BatchMismatch.selector;
        } else if (s.key != key) {
            read.refused = WrongKey.selector;
        } else if (status != Status.Pending) {
            read.refused = AlreadyProven.selector;
        } else if (item.payee == address(0)) {
            read.refused = NoPayee.selector;
        } else if (_dataHash(item) != s.dataHash) {
            read.refused = DataMismatch.selector;
        } else {
            read.refused = _checkEffects(read, item);
            if (read.refused == 0 && item.form == Statements.FORM_BLOB && !_evaluated(item.data)) read.refused = PointEvaluation.selector;
        }
    }

    function _dataHash(Item calldata item) private pure returns (bytes32) {
        if (item.form == Statements.FORM_CALLDATA) return _calldataCommitment(item.data[0].l1Hash, item.data[0].point, item.data[0].value);
        bytes32[] memory hashes = new bytes32[](item.data.length);
        for (uint256 i = 0; i < hashes.length; i++) {
            hashes[i] = item.data[i].l1Hash;
        }
        return _blobCommitment(hashes);
    }

    /// That the effects consume exactly the queue entries between the parent's cursors and the header's.
    function _checkEffects(Reader memory read, Item calldata item) private view returns (bytes4) {
        Header memory h = read.header;
        Header memory parent = read.parent;
        QueueState memory q = bridgeContract.queues(h.rollup, parent.depositCursor, parent.forcedCursor);
        Reading memory e = Effects.read(item.effects, q.depositHash, q.forcedHash);
        if (e.malformed) return EffectsMalformed.selector;
        if (e.count != h.numEffects) return EffectsCount.selector;
        bool consumed = parent.depositCursor + e.deposits == h.depositCursor && parent.forcedCursor + e.forced == h.forcedCursor
            && e.depositHash == h.depositHash && e.forcedHash == h.forcedHash;
        if (!consumed) return EffectsQueue.selector;
        read.withdrawals = e.withdrawals;
        return 0;
    }

    /// Whether every blob's polynomial has the value y at z. [EIP-4844]
    function _evaluated(Opening[] calldata data) private view returns (bool) {
        for (uint256 i = 0; i < data.length; i++) {
            Opening calldata o = data[i];
            if (!Digests.canonical(o.point)) return false;
            bytes memory input = abi.encode(o.l1Hash, Digests.scalar(o.point), o.value, o.kzg);
            // A call that is refused takes all gas that it is given.
            (bool done, bytes memory answer) = POINT_EVALUATION.staticcall{gas: POINT_EVALUATION_GAS}(input);
            if (!done || answer.length != 64) return false;
        }
        return true;
    }

    function _verify(uint32 key, uint8 logProfile, bytes memory limbs, bytes calldata proof) private view {
        VerifierSet storage set = keys[key];
        address verifier = logProfile == 0 ? set.one : logProfile == 2 ? set.four : set.sixteen;
        try ITerminalVerifier(verifier).verify(limbs, proof) {}
        catch (bytes memory cause) {
            revert ProofRejected(cause);
        }
    }

    function _revert(bytes4 reason) private pure {
        assembly ("memory-safe") {
            mstore(0, reason)
            revert(0, 4)
        }
    }

    // ---- what a proof changes

    /// Keeps what was proven of a batch, and fixes what it earns. `awarded` is what a late batch lost to its replacement.
    function _prove(Reader memory read, Item calldata item, uint96 awarded) private {
        Submission storage s = submissions[read.id];
        s.provenAt = uint40(block.timestamp);
        s.payee = item.payee;
        uint96 owed = _fixReward(read.id, s);
        if (awarded != 0) {
            owed += awarded;
            s.owed = owed;
        }
        bytes32 root = WithdrawalTree.root(read.withdrawals);
        if (root != 0) s.withdrawalsRoot = root;
        emit BatchProven(s.rollup, s.number, item.payee, read.id, msg.sender, owed, item.units, item.workRoot, read.withdrawals);
    }

    /// Makes at most `max` batches final: each that is proven and whose parent is final. The state that it was proven from is
    /// the one that its parent claims, since its header names its parent's header. Returns how many there were.
    function _advance(uint32 rollup, uint256 max) private returns (uint256 count) {
        Rollup storage r = rollups[rollup];
        uint64 number = r.finalised;
        uint64 head = r.head;
        for (; count < max && number < head; count++) {
            uint64 id = r.chain[number + 1];
            Submission storage s = submissions[id];
            if (s.provenAt == 0) break;
            number++;
            (r.finalised, r.finalisedAt) = (number, uint40(block.timestamp));
            _pay(id, s);
            bridgeContract.finalise(rollup, number, s.withdrawalsRoot, s.depositCursor, s.forcedCursor, s.sequencer);
            emit BatchFinalised(rollup, number, id, s.headerHash);
        }
    }

    /// Puts the item's batch in the place of the first one that is not final.
    function _replace(Reader memory read, Item calldata item, bytes calldata data) private returns (uint64 id, uint96 awarded) {
        Header memory h = read.header;
        uint64 oldId;
        (oldId, awarded) = _dropFirst(h.rollup, h.number, true);
        Parameters memory p = rollups[h.rollup].parameters;
        _checkHeader(p, h, read.parent);
        bytes32 commitment = data.length == 0 ? _blobCommitment(_blobs(h)) : _calldataCommitment(h, data, item.data[0].point);
        // Whoever sends it: a copy that comes first must not take the fees of the forced entries.
        id = _append(p, h, item.payee, keccak256(item.header), commitment);
        _reportReplacement(id, item);
        emit BatchReplaced(h.rollup, h.number, oldId, id);
    }

    /// What a follower of events must know of the batch. Its item's hashes are checked against the commitment afterwards.
    function _reportReplacement(uint64 id, Item calldata item) private {
        bytes32[] memory hashes = new bytes32[](item.data.length);
        for (uint256 i = 0; i < hashes.length; i++) {
            hashes[i] = item.data[i].l1Hash;
        }
        Terms memory none;
        emit BatchSubmitted(submissions[id].rollup, submissions[id].number, item.payee, id, keccak256(item.header), item.header, item.form, hashes, none, 0);
    }

    /// Drops the first batch that is not final, which must be late and not locked, and all after it. Returns what of its bond is
    /// awarded to the proof of the batch that replaces it. Others than sequencers replace a whole window before they may discard:
    /// only a sequencer submits the number again, so a discard that came before every replacement would end them.
    function _dropFirst(uint32 rollup, uint64 number, bool replaced) private returns (uint64 id, uint96 awarded) {
        Rollup storage r = _rollup(rollup);
        require(number == r.finalised + 1 && number <= r.head, NotFirst());
        id = r.chain[number];
        Submission storage s = submissions[id];
        require(s.provenAt == 0, AlreadyProven());
        require(_late(s), NotLate());
        uint256 open = uint256(_deadline(s)) + s.replaceWindow;
        if (!replaced) open += s.replaceWindow;
        require(r.sequencers[msg.sender] || block.timestamp >= open, SequencersFirst());
        require(block.timestamp >= _lockedUntil(id), ReplacementLocked());
        emit BatchesDiscarded(rollup, number, r.head);
        r.head = number - 1;
        awarded = _slash(id, s, replaced);
        _forfeitCommit(id);
        _close(id, s);
    }
}
