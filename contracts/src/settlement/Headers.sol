// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A batch's header (docs/spec/operations.md, section 6).
struct Header {
    uint16 version;
    uint32 rollup;
    uint64 number;
    bytes32 parentHash;
    uint32 byteLength;
    uint32 timestamp;
    bytes32 feeReceiver;
    uint16 numEffects;
    uint64 depositCursor;
    bytes32 depositHash;
    uint64 forcedCursor;
    bytes32 forcedHash;
    bytes32 postRoot;
    uint32 postSlotCount;
}

library Headers {
    uint256 internal constant SIZE = 204;
    uint256 internal constant WORD = 31;
    uint256 internal constant BLOB_WORDS = 4096;
    uint256 internal constant MAX_BLOBS = 6;

    /// Precondition: SIZE bytes.
    function parse(bytes calldata b) internal pure returns (Header memory h) {
        h.version = uint16(bytes2(b[0:]));
        h.rollup = uint32(bytes4(b[2:]));
        h.number = uint64(bytes8(b[6:]));
        h.parentHash = bytes32(b[14:]);
        h.byteLength = uint32(bytes4(b[46:]));
        h.timestamp = uint32(bytes4(b[50:]));
        h.feeReceiver = bytes32(b[54:]);
        h.numEffects = uint16(bytes2(b[86:]));
        h.depositCursor = uint64(bytes8(b[88:]));
        h.depositHash = bytes32(b[96:]);
        h.forcedCursor = uint64(bytes8(b[128:]));
        h.forcedHash = bytes32(b[136:]);
        h.postRoot = bytes32(b[168:]);
        h.postSlotCount = uint32(bytes4(b[200:]));
    }

    /// Words of 31 bytes of the batch's data.
    function words(Header memory h) internal pure returns (uint256) {
        return h.byteLength / WORD;
    }
}

/// Digests: eight elements of 31 bits in a word, element 0 in the highest 32 bits.
library Digests {
    uint256 private constant TOP = 0x8000000080000000800000008000000080000000800000008000000080000000;
    uint256 private constant REACH = 0x00ffffff00ffffff00ffffff00ffffff00ffffff00ffffff00ffffff00ffffff;

    /// Whether each element is below p = 2^31 - 2^24 + 1: neither it nor it + 2^24 - 1 has bit 31. (A carry out of an element
    /// takes bit 31 in that element.)
    function canonical(bytes32 digest) internal pure returns (bool) {
        unchecked {
            uint256 w = uint256(digest);
            return (w | (w + REACH)) & TOP == 0;
        }
    }

    /// z = sum of h_i 2^(31 i).
    function scalar(bytes32 digest) internal pure returns (uint256 z) {
        for (uint256 shift = 0; shift < 256; shift += 32) {
            z = (z << 31) + (uint256(digest) >> shift & 0xffffffff); // element 7 first
        }
    }
}

/// Words of 31 bytes as a polynomial over the scalar field of BLS12-381 (docs/spec/data-proof.md).
library Horner {
    uint256 internal constant R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    /// w_0 z^(n-1) + .. + w_(n-1) mod R. Precondition: whole words.
    function evaluate(bytes calldata data, uint256 z) internal pure returns (uint256 y) {
        uint256 r = R;
        assembly ("memory-safe") {
            let end := add(data.offset, data.length)
            for { let src := data.offset } lt(src, end) { src := add(src, 31) } {
                y := addmod(mulmod(y, z, r), shr(8, calldataload(src)), r)
            }
        }
    }
}
