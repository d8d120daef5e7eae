// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TerminalLimbs} from "../TerminalLimbs.sol";
import {Digests, Header, Headers, Horner} from "./Headers.sol";
import {Item, Opening} from "./IHub.sol";

/// The public input of a terminal proof, made of items: TerminalLimbs has the places.
library Statements {
    uint256 internal constant FORM_CALLDATA = 0;
    uint256 internal constant FORM_BLOB = 1;

    /// Room for `room` items, and the head for `count`.
    function create(uint256 room, uint256 count) internal pure returns (bytes memory limbs) {
        limbs = new bytes(TerminalLimbs.length(room));
        put(limbs, 0, bytes32((TerminalLimbs.KIND << 48 | TerminalLimbs.VERSION << 32 | room << 16 | count) << 192));
    }

    /// Writes item number `i`; `parent` is its parent's header, of which the post state counts. Fields in rising order: each is
    /// written as a whole word, and the next one overwrites what is behind it. The last one is a whole word.
    function write(bytes memory limbs, uint256 i, bytes32 domain, Header memory h, Header memory parent, Item calldata item) internal pure {
        uint256 place = TerminalLimbs.HEAD_BYTES + i * TerminalLimbs.ITEM_BYTES;
        putDigest(limbs, place + TerminalLimbs.DOMAIN, domain);
        writeHeader(limbs, place, h);
        putInteger(limbs, place + TerminalLimbs.PAYEE, uint160(item.payee));
        putDigest(limbs, place + TerminalLimbs.PRE_ROOT, parent.postRoot);
        putInteger(limbs, place + TerminalLimbs.PRE_SLOT_COUNT, parent.postSlotCount);
        putInteger(limbs, place + TerminalLimbs.PRE_DEPOSIT_CURSOR, parent.depositCursor);
        putInteger(limbs, place + TerminalLimbs.PRE_FORCED_CURSOR, parent.forcedCursor);
        putInteger(limbs, place + TerminalLimbs.UNITS, item.units);
        putDigest(limbs, place + TerminalLimbs.WORK_ROOT, item.workRoot);
        writeData(limbs, place + TerminalLimbs.BINDINGS, Headers.words(h), item);
        if (item.effects.length != 0) writeEffects(limbs, place + TerminalLimbs.EFFECTS_BINDING, item);
    }

    function writeHeader(bytes memory limbs, uint256 place, Header memory h) private pure {
        putInteger(limbs, place + TerminalLimbs.HEADER_VERSION, h.version);
        putInteger(limbs, place + TerminalLimbs.ROLLUP_ID, h.rollup);
        putInteger(limbs, place + TerminalLimbs.NUMBER, h.number);
        putInteger(limbs, place + TerminalLimbs.PARENT_HASH, uint256(h.parentHash));
        putInteger(limbs, place + TerminalLimbs.BYTE_LENGTH, h.byteLength);
        putInteger(limbs, place + TerminalLimbs.TIMESTAMP, h.timestamp);
        putDigest(limbs, place + TerminalLimbs.FEE_RECEIVER, h.feeReceiver);
        putInteger(limbs, place + TerminalLimbs.NUM_EFFECTS, h.numEffects);
        putInteger(limbs, place + TerminalLimbs.DEPOSIT_CURSOR, h.depositCursor);
        putInteger(limbs, place + TerminalLimbs.DEPOSIT_HASH, uint256(h.depositHash));
        putInteger(limbs, place + TerminalLimbs.FORCED_CURSOR, h.forcedCursor);
        putInteger(limbs, place + TerminalLimbs.FORCED_HASH, uint256(h.forcedHash));
        putDigest(limbs, place + TerminalLimbs.POST_ROOT, h.postRoot);
        putInteger(limbs, place + TerminalLimbs.POST_SLOT_COUNT, h.postSlotCount);
    }

    /// One binding a blob, all full but the last, or one for calldata.
    function writeData(bytes memory limbs, uint256 place, uint256 words, Item calldata item) private pure {
        for (uint256 k = 0; k < item.data.length; k++) {
            Opening calldata o = item.data[k];
            uint256 here = words < Headers.BLOB_WORDS ? words : Headers.BLOB_WORDS;
            writeBinding(limbs, place + k * TerminalLimbs.BINDING_BYTES, item.form, here, o.l1Hash, o.point);
            putInteger(limbs, place + k * TerminalLimbs.BINDING_BYTES + TerminalLimbs.VALUE, uint256(o.value));
            words -= here;
        }
    }

    /// The calldata is here, so what L1 knows of it is computed.
    function writeEffects(bytes memory limbs, uint256 place, Item calldata item) private pure {
        writeBinding(limbs, place, FORM_CALLDATA, item.effects.length / Headers.WORD, keccak256(item.effects), item.effectsPoint);
        putInteger(limbs, place + TerminalLimbs.VALUE, Horner.evaluate(item.effects, Digests.scalar(item.effectsPoint)));
    }

    /// All of a binding but its value.
    function writeBinding(bytes memory limbs, uint256 place, uint256 form, uint256 words, bytes32 l1Hash, bytes32 point) private pure {
        putInteger(limbs, place + TerminalLimbs.FORM_PLUS_ONE, form + 1);
        putInteger(limbs, place + TerminalLimbs.WORDS, words);
        putInteger(limbs, place + TerminalLimbs.L1_HASH, uint256(l1Hash));
        putDigest(limbs, place + TerminalLimbs.POINT, point);
    }

    function putInteger(bytes memory limbs, uint256 place, uint256 x) private pure {
        put(limbs, place, TerminalLimbs.integer(x));
    }

    function putDigest(bytes memory limbs, uint256 place, bytes32 x) private pure {
        put(limbs, place, TerminalLimbs.digest(x));
    }

    function put(bytes memory limbs, uint256 place, bytes32 x) private pure {
        assembly ("memory-safe") { mstore(add(add(limbs, 0x20), place), x) }
    }
}
