// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// E = F_p[X]/(X^5 + X^2 - 1), p = 2^31 - 2^24 + 1, one element in one word: five lanes of 51 bits, the coefficient of
/// X^i at bit 51 i.
///
/// The word is the value of the polynomial at X = 2^51, and M = X^5 + X^2 - 1 there is a 256-bit number: so
/// mulmod(a, b, M) multiplies two polynomials *and* reduces by the field's polynomial, as long as the five coefficients
/// of the result fit their lanes. Those of a product are up to 6 a_max b_max and down to -4 a_max b_max; 51 bits hold
/// them if b is cut into two halves of 16 bits. Negative coefficients get a multiple of p added.
///
/// Lanes are representatives, not canonical. Bounds used throughout (test/Ext.t.sol recomputes every constant):
///
///   reduced    lane <= 1.0055 p: what every function here returns unless it says otherwise
///   left       the first factor of a product must be reduced
///   right      the second factor may be up to 3.1 p: a sum of three reduced ones, or a difference by sub()
///   addend     up to 2^17 p
library Ext {
    uint256 internal constant P = 0x7f000001;
    /// X^5 + X^2 - 1 at X = 2^51.
    uint256 internal constant M = 0x800000000000000000000000000000000000003fffffffffffffffffffffffff;
    uint256 internal constant LANES_P = 0x7f00000100000fe00000200001fc00000400003f800000800007f000001;
    uint256 internal constant LANES_2P = 0xfe00000200001fc00000400003f800000800007f00000100000fe000002;
    uint256 internal constant LANES_3P = 0x17d00000300002fa00000600005f400000c0000be800001800017d000003;
    /// Multiples of p above the most negative coefficients of a product with the upper and the lower half of b.
    uint256 internal constant OFFSET_HIGH = 0x188c6440317bc49a51ce094732c46302418bddc0000000000000c46322018bde;
    uint256 internal constant OFFSET_LOW = 0xff64b10202cf2fe2e9206086e7fb258810167800000000000007fb298010168;
    /// Five lanes whose low 16, 20, 21, 29, 31, 32, 35 bits are set.
    uint256 internal constant MASK_16 = 0xffff000000001fffe000000003fffc000000007fff800000000ffff;
    uint256 internal constant MASK_20 = 0xfffff00000001ffffe00000003ffffc00000007ffff80000000fffff;
    uint256 internal constant MASK_21 = 0x1fffff00000003ffffe00000007ffffc0000000fffff80000001fffff;
    uint256 internal constant MASK_29 = 0x1fffffff000003ffffffe000007ffffffc00000fffffff800001fffffff;
    uint256 internal constant MASK_31 = 0x7fffffff00000fffffffe00001fffffffc00003fffffff800007fffffff;
    uint256 internal constant MASK_32 = 0xffffffff00001fffffffe00003fffffffc00007fffffff80000ffffffff;
    uint256 internal constant MASK_35 = 0x7ffffffff0000ffffffffe0001ffffffffc0003ffffffff80007ffffffff;
    /// 2^47 mod p.
    uint256 internal constant TWO_47 = 0x3fefdfc;
    /// floor(2^52 / p): with 22 + 30 = 52, floor(floor(t / 2^22) RECIPROCAL / 2^30) is t / p less at most 1.0055.
    uint256 internal constant RECIPROCAL = 0x204081;
    /// Five lanes of 2^32 - p, and of 2^32: a lane below 2^32 is canonical if adding the first does not reach the second.
    uint256 internal constant LANES_ABOVE = 0x80ffffff0000101fffffe0000203fffffc0000407fffff8000080ffffff;
    uint256 internal constant LANES_BIT_32 = 0x100000000000020000000000004000000000000800000000000100000000;

    /// Lanes of any 51-bit value to reduced ones.
    function reduce(uint256 t) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            r := sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P))
        }
    }

    /// a b + c. a left, b right, c an addend.
    function mulAdd(uint256 a, uint256 b, uint256 c) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            // high < 2^51; 2^16 high = 2^16 (high mod 2^31) + 2^47 (high / 2^31), the latter reduced by a constant
            let high := addmod(mulmod(a, and(shr(16, b), MASK_35), M), OFFSET_HIGH, M)
            high := add(shl(16, and(high, MASK_31)), mul(and(shr(31, high), MASK_20), TWO_47))
            let t := add(addmod(mulmod(a, and(b, MASK_16), M), add(high, OFFSET_LOW), M), c)
            r := sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P))
        }
    }

    /// a b. a left, b right.
    function mul(uint256 a, uint256 b) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            let high := addmod(mulmod(a, and(shr(16, b), MASK_35), M), OFFSET_HIGH, M)
            high := add(shl(16, and(high, MASK_31)), mul(and(shr(31, high), MASK_20), TWO_47))
            let t := addmod(mulmod(a, and(b, MASK_16), M), add(high, OFFSET_LOW), M)
            r := sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P))
        }
    }

    /// a s + c for s < 2^31 in F_p. a left, c an addend.
    function mulBaseAdd(uint256 a, uint256 s, uint256 c) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            let high := mul(a, shr(16, s))
            let t := add(add(mul(a, and(s, 0xffff)), c), add(shl(16, and(high, MASK_31)), mul(and(shr(31, high), MASK_20), TWO_47)))
            r := sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P))
        }
    }

    /// low + 2^16 high, lanes of 50.9 bits and of 51: how a sum of products by halves of base elements ends.
    function joinHalves(uint256 low, uint256 high) internal pure returns (uint256) {
        unchecked {
            return reduce(low + ((high & MASK_31) << 16) + ((high >> 31) & MASK_20) * TWO_47);
        }
    }

    /// a - b + 2p in every lane: up to 3.0055 p, a right factor. b <= 2p.
    function sub(uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            return a + LANES_2P - b;
        }
    }

    /// a X, reduced. a reduced.
    function mulX(uint256 a) internal pure returns (uint256) {
        unchecked {
            uint256 top = a >> 204;
            // X^5 = 1 - X^2
            return reduce(((a << 51) & (type(uint256).max >> 1)) + top + (2 * P << 102) - (top << 102));
        }
    }

    /// All lanes below p. t: any lanes of 51 bits.
    function canonical(uint256 t) internal pure returns (uint256 r) {
        r = reduce(t);
        assembly ("memory-safe") {
            r := sub(r, mul(shr(32, and(add(r, LANES_ABOVE), LANES_BIT_32)), P))
        }
    }

    /// The element at calldata position `src`: five big-endian words of four bytes, constant term first. Lanes below 2^32;
    /// bad is not zero if one of them is p or more. Callers gather `bad` of all they read and refuse once.
    function load(uint256 src) internal pure returns (uint256 r, uint256 bad) {
        assembly ("memory-safe") {
            let w := calldataload(src)
            r := or(
                or(shr(224, w), and(shr(141, w), shl(51, 0xffffffff))),
                or(and(shr(58, w), shl(102, 0xffffffff)), or(and(shl(25, w), shl(153, 0xffffffff)), and(shl(108, w), shl(204, 0xffffffff))))
            )
            bad := and(add(r, LANES_ABOVE), LANES_BIT_32)
        }
    }

    /// Five elements of F_p as one of E.
    function pack(uint256 c0, uint256 c1, uint256 c2, uint256 c3, uint256 c4) internal pure returns (uint256) {
        return c0 | (c1 << 51) | (c2 << 102) | (c3 << 153) | (c4 << 204);
    }
}
