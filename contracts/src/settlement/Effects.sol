// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What effects say to L1: the queue entries that a batch consumed, as the rolling hash that they lead to, and withdrawals.
struct Reading {
    bool malformed;
    uint256 count;
    uint256 deposits; ///< entries consumed
    uint256 forced;
    bytes32 depositHash; ///< rolling hashes after them
    bytes32 forcedHash;
    bytes withdrawals; ///< 34 bytes each: token (2), amount (12), recipient (20)
}

/// Effects (docs/spec/operations.md, section 5): words of 31 bytes. A word is read as an integer of 248 bits: byte 0 in bits
/// 240 to 247, then 30 bytes of fields.
library Effects {
    uint256 internal constant WORD = 31;
    uint256 internal constant MAX_EFFECTS = 256;
    uint256 internal constant MAX_WORDS = 4 * MAX_EFFECTS;

    uint256 internal constant WITHDRAWAL = 1;
    uint256 internal constant DEPOSIT = 2;
    uint256 internal constant DEPOSIT_REFUNDED = 3;
    uint256 internal constant FORCED_WITHDRAWAL = 4;
    uint256 internal constant FORCED_WITHDRAWAL_VOID = 5;
    uint256 internal constant SET_KEY = 6;
    uint256 internal constant LAST_KIND = 7;

    /// Reads the effects in order, from the queues' rolling hashes before the batch. Total: what is no effect is `malformed`.
    function read(bytes calldata data, bytes32 depositHash, bytes32 forcedHash) internal pure returns (Reading memory r) {
        r.depositHash = depositHash;
        r.forcedHash = forcedHash;
        // A withdrawal has 62 bytes or more, its leaf 34; appending writes 12 bytes beyond.
        bytes memory leaves = new bytes(data.length + 32);
        assembly ("memory-safe") { mstore(leaves, 0) }
        r.withdrawals = leaves;
        while (data.length != 0) {
            uint256 kind = uint8(data[0]);
            uint256 length = WORD * numWords(kind);
            if (length == 0 || length > data.length || r.count == MAX_EFFECTS || !step(data[:length], kind, r)) {
                r.malformed = true;
                return r;
            }
            r.count++;
            data = data[length:];
        }
    }

    /// Of an effect of this kind; 0 if there is none.
    function numWords(uint256 kind) private pure returns (uint256) {
        if (kind == 0 || kind > LAST_KIND) return 0;
        if (kind == DEPOSIT || kind == DEPOSIT_REFUNDED) return 4;
        return kind >= SET_KEY ? 3 : 2;
    }

    /// One effect. False: bytes that must be zero are not.
    function step(bytes calldata effect, uint256 kind, Reading memory r) private pure returns (bool) {
        uint256 w0 = word(effect, 0);
        uint256 w1 = word(effect, 1);
        uint256 last = word(effect, effect.length / WORD - 1);
        if (w1 >> 240 != 0 || last >> 240 != 0) return false;
        if (kind == WITHDRAWAL) {
            append(r.withdrawals, w0 >> 128 & (2 ** 112 - 1), (w0 & (2 ** 128 - 1)) << 32 | w1 >> 208);
            return w1 << 48 == 0;
        }
        if (kind <= DEPOSIT_REFUNDED) {
            r.deposits++;
            r.depositHash = roll(r.depositHash, effect, DEPOSIT, false);
            if (kind == DEPOSIT_REFUNDED) append(r.withdrawals, w0 >> 32 & (2 ** 112 - 1), sender(w0, w1));
            return word(effect, 2) >> 240 == 0 && last << 80 == 0;
        }
        r.forced++;
        if (kind >= SET_KEY) {
            r.forcedHash = roll(r.forcedHash, effect, SET_KEY, false);
            return last << 48 == 0;
        }
        r.forcedHash = roll(r.forcedHash, effect, FORCED_WITHDRAWAL, true);
        uint256 taken = w0 >> 32 & (2 ** 112 - 1);
        if (kind == FORCED_WITHDRAWAL_VOID) return taken == 0 && w1 << 144 == 0;
        // A whole balance may be 0.
        if (taken & (2 ** 96 - 1) != 0) append(r.withdrawals, taken, sender(w0, w1));
        return w1 << 144 == 0;
    }

    /// The address that begins with the last 4 bytes of word 0 and goes on behind byte 0 of word 1.
    function sender(uint256 w0, uint256 w1) private pure returns (uint256) {
        return (w0 & (2 ** 32 - 1)) << 128 | (w1 >> 112 & (2 ** 128 - 1));
    }

    /// Word number i.
    function word(bytes calldata data, uint256 i) private pure returns (uint256 r) {
        assembly ("memory-safe") { r := shr(8, calldataload(add(data.offset, mul(31, i)))) }
    }

    /// q' = keccak256(q || the effect as if it applied): its kind is `kind`, and if `blank` it has no token and amount.
    function roll(bytes32 q, bytes calldata effect, uint256 kind, bool blank) private pure returns (bytes32 r) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, q)
            let place := add(m, 0x20)
            calldatacopy(place, effect.offset, effect.length)
            mstore8(place, kind)
            // Kind, index and slot are 13 bytes; token and amount 14.
            if blank { calldatacopy(add(place, 13), calldatasize(), 14) }
            r := keccak256(m, add(effect.length, 0x20))
        }
    }

    /// Adds a leaf: token and amount, recipient. Precondition: there is room.
    function append(bytes memory leaves, uint256 what, uint256 recipient) private pure {
        assembly ("memory-safe") {
            let used := mload(leaves)
            let place := add(add(leaves, 0x20), used)
            mstore(place, shl(144, what))
            mstore(add(place, 14), shl(96, recipient))
            mstore(leaves, add(used, 34))
        }
    }
}

/// The rolling hashes of the queues that come from L1: entry after entry as Effects reads it back.
library Queues {
    /// q' after a deposit.
    function rollDeposit(bytes32 q, uint64 index, uint32 target, uint16 token, uint96 amount, address depositor, address owner, bytes32 keyHash) internal pure returns (bytes32) {
        bytes memory f = abi.encodePacked(index, target, token, amount, depositor, owner, keyHash);
        return keccak256(bytes.concat(q, bytes1(uint8(Effects.DEPOSIT)), part(f, 0), bytes1(0), part(f, 30), bytes1(0), part(f, 60), bytes1(0), part(f, 90)));
    }

    /// q' after a forced withdrawal.
    function rollWithdrawal(bytes32 q, uint64 index, uint32 slot, address sender) internal pure returns (bytes32) {
        bytes memory f = abi.encodePacked(index, slot, uint112(0), sender);
        return keccak256(bytes.concat(q, bytes1(uint8(Effects.FORCED_WITHDRAWAL)), part(f, 0), bytes1(0), part(f, 30)));
    }

    /// q' after a change of key.
    function rollSetKey(bytes32 q, uint64 index, uint32 slot, address sender, bytes32 keyHash) internal pure returns (bytes32) {
        bytes memory f = abi.encodePacked(index, slot, sender, keyHash);
        return keccak256(bytes.concat(q, bytes1(uint8(Effects.SET_KEY)), part(f, 0), bytes1(0), part(f, 30), bytes1(0), part(f, 60)));
    }

    /// 30 bytes of `fields` from byte `start` on, zeros behind their end.
    function part(bytes memory fields, uint256 start) private pure returns (bytes30 r) {
        uint256 left = fields.length - start;
        assembly ("memory-safe") { r := mload(add(add(fields, 0x20), start)) }
        if (left < 30) r &= bytes30(~uint240(0)) << (8 * (30 - left));
    }
}

/// The tree of a batch's withdrawals: height 8, Keccak-256, absent leaves zero.
library WithdrawalTree {
    uint256 internal constant HEIGHT = 8;

    function leaf(uint8 index, uint16 token, uint96 amount, address recipient) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0), index, token, amount, recipient));
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 r) {
        assembly ("memory-safe") {
            mstore8(0x1f, 1) // scratch space, up to the word of the free-memory pointer, which is put back
            let free := mload(0x40)
            mstore(0x20, left)
            mstore(0x40, right)
            r := keccak256(0x1f, 65)
            mstore(0x40, free)
        }
    }

    /// 34 bytes a leaf, at most 256; 0 if there is none.
    function root(bytes memory withdrawals) internal pure returns (bytes32) {
        uint256 count = withdrawals.length / 34;
        if (count == 0) return 0;
        bytes32[] memory level = new bytes32[](count + 1);
        for (uint256 i = 0; i < count; i++) {
            bytes32 r;
            assembly ("memory-safe") {
                let m := mload(0x40)
                mstore8(m, 0)
                mstore8(add(m, 1), i)
                mcopy(add(m, 2), add(add(withdrawals, 0x20), mul(34, i)), 34)
                r := keccak256(m, 36)
            }
            level[i] = r;
        }
        bytes32 absent;
        for (uint256 height = 0; height < HEIGHT; height++) {
            level[count] = absent; // the sibling of a last node that has none
            count = (count + 1) / 2;
            for (uint256 i = 0; i < count; i++) {
                level[i] = node(level[2 * i], level[2 * i + 1]);
            }
            absent = node(absent, absent);
        }
        return level[0];
    }

    /// The root that a leaf and its siblings, from the leaf upwards, lead to.
    function climb(bytes32 r, uint8 index, bytes32[8] calldata path) internal pure returns (bytes32) {
        for (uint256 i = 0; i < HEIGHT; i++) {
            r = index >> i & 1 == 0 ? node(r, path[i]) : node(path[i], r);
        }
        return r;
    }
}
