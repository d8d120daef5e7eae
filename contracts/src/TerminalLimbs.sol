// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The public input of a terminal proof: limbs of 16 bits, two bytes each, big-endian. A head of four limbs (kind 6,
/// version 1, the profile, the number of items), then `profile` items of 529 limbs, zeros where there is no item.
///
/// Three kinds of fields of several limbs:
///   integer   its lowest limb first; also 32-byte hashes, y and payees, which are big-endian integers (16 and 10 limbs)
///   digest    eight elements in 32-byte words, element 0 in the four highest bytes: of each element the low half, then
///             the high half
/// so that integer() and digest() turn a word into the 32 bytes that stand for it here.
library TerminalLimbs {
    /// An element of a digest is not below p: the same element would have two forms.
    error NonCanonicalDigest();

    uint256 internal constant KIND = 6;
    uint256 internal constant VERSION = 1;
    uint256 internal constant HEAD_BYTES = 8;
    uint256 internal constant ITEM_BYTES = 1058;

    // Places in an item, in bytes, and after each the number of its bytes.
    uint256 internal constant DOMAIN = 0; // 32, digest
    // The batch's header.
    uint256 internal constant HEADER_VERSION = 32; // 2
    uint256 internal constant ROLLUP_ID = 34; // 4
    uint256 internal constant NUMBER = 38; // 8
    uint256 internal constant PARENT_HASH = 46; // 32
    uint256 internal constant BYTE_LENGTH = 78; // 4
    uint256 internal constant TIMESTAMP = 82; // 4
    uint256 internal constant FEE_RECEIVER = 86; // 32, digest
    uint256 internal constant NUM_EFFECTS = 118; // 2
    uint256 internal constant DEPOSIT_CURSOR = 120; // 8
    uint256 internal constant DEPOSIT_HASH = 128; // 32
    uint256 internal constant FORCED_CURSOR = 160; // 8
    uint256 internal constant FORCED_HASH = 168; // 32
    uint256 internal constant POST_ROOT = 200; // 32, digest
    uint256 internal constant POST_SLOT_COUNT = 232; // 4
    // The rest of its statement.
    uint256 internal constant PAYEE = 236; // 20
    uint256 internal constant PRE_ROOT = 256; // 32, digest
    uint256 internal constant PRE_SLOT_COUNT = 288; // 4
    uint256 internal constant PRE_DEPOSIT_CURSOR = 292; // 8
    uint256 internal constant PRE_FORCED_CURSOR = 300; // 8
    uint256 internal constant UNITS = 308; // 4
    uint256 internal constant WORK_ROOT = 312; // 32, digest
    // Six bindings of data, then one of effects; zeros where there is none.
    uint256 internal constant BINDINGS = 344;
    uint256 internal constant BINDING_BYTES = 102;
    uint256 internal constant NUM_BINDINGS = 7;
    uint256 internal constant EFFECTS_BINDING = 956;
    // Places in a binding.
    uint256 internal constant FORM_PLUS_ONE = 0; // 2; 1: calldata, 2: blob
    uint256 internal constant WORDS = 2; // 4
    uint256 internal constant L1_HASH = 6; // 32
    uint256 internal constant POINT = 38; // 32, digest
    uint256 internal constant VALUE = 70; // 32

    /// Bytes of the public input with room for `items` items.
    function length(uint256 items) internal pure returns (uint256) {
        return HEAD_BYTES + items * ITEM_BYTES;
    }

    /// The limbs of a big-endian integer of 256 bits, lowest first. Of a shorter one of n limbs: the first 2 n bytes.
    function integer(uint256 x) internal pure returns (bytes32) {
        unchecked {
            uint256 mask = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
            x = ((x >> 16) & mask) | ((x & mask) << 16);
            mask = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
            x = ((x >> 32) & mask) | ((x & mask) << 32);
            mask = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
            x = ((x >> 64) & mask) | ((x & mask) << 64);
            return bytes32((x >> 128) | (x << 128));
        }
    }

    /// The limbs of a digest in a word, eight elements of 32 bits from the highest bits down; and back.
    function digest(bytes32 word) internal pure returns (bytes32) {
        uint256 mask = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
        uint256 x = uint256(word);
        return bytes32(((x >> 16) & mask) | ((x & mask) << 16));
    }

    /// Reverts with NonCanonicalDigest unless every digest of the `items` items of the public input at calldata position
    /// `limbs` is canonical: domain, fee receiver, post root, root before, work root, and the point of each binding.
    function checkDigests(uint256 limbs, uint256 items) internal pure {
        uint256 bad;
        assembly ("memory-safe") {
            // Of eight elements: x < p iff neither x nor x + 2^24 - 1 has bit 31.
            function excess(src) -> r {
                let w := calldataload(src)
                let mask := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                w := or(and(shr(16, w), mask), shl(16, and(w, mask)))
                let top := 0x8000000080000000800000008000000080000000800000008000000080000000
                let low := 0x7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff
                let reach := 0x00ffffff00ffffff00ffffff00ffffff00ffffff00ffffff00ffffff00ffffff
                r := and(or(w, add(and(w, low), reach)), top)
            }
            let src := add(limbs, HEAD_BYTES)
            for { let end := add(src, mul(items, ITEM_BYTES)) } lt(src, end) { src := add(src, ITEM_BYTES) } {
                bad := or(bad, or(excess(src), excess(add(src, FEE_RECEIVER))))
                bad := or(bad, or(excess(add(src, POST_ROOT)), excess(add(src, PRE_ROOT))))
                bad := or(bad, excess(add(src, WORK_ROOT)))
                let binding := add(src, add(BINDINGS, POINT))
                for { let last := add(src, ITEM_BYTES) } lt(binding, last) { binding := add(binding, BINDING_BYTES) } {
                    bad := or(bad, excess(binding))
                }
            }
        }
        require(bad == 0, NonCanonicalDigest());
    }
}
