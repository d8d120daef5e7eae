// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "./Ext.sol";

/// Evaluations that the opening needs. Arrays are plain words in memory without a length, given by their position.
library Poly {
    uint256 private constant P = 0x7f000001;
    /// Four words of 32 bits, 64 apart; the same of 2^32 - p, and of 2^32.
    uint256 private constant WIDE_MASK = 0xffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    uint256 private constant WIDE_ABOVE = 0x80ffffff0000000080ffffff0000000080ffffff0000000080ffffff;
    uint256 private constant WIDE_BIT_32 = 0x100000000000000010000000000000001000000000000000100000000;

    uint256 private constant M = 0x800000000000000000000000000000000000003fffffffffffffffffffffffff;
    uint256 private constant LANES_ABOVE = 0x80ffffff0000101fffffe0000203fffffc0000407fffff8000080ffffff;
    uint256 private constant LANES_BIT_32 = 0x100000000000020000000000004000000000000800000000000100000000;
    /// Five lanes whose low 11 bits are set.
    uint256 private constant PIECE = 0x7ff0000000000ffe0000000001ffc0000000003ff80000000007ff;
    /// The largest multiples of 32 p 2047 that coefficients of rowDotInE fall below zero: 1, 0, 4, 3, 2 of them.
    uint256 private constant OFFSET_ROW = 0xfde04001ffc02f9a0c005ff407ef02000ffe0000000000000007ef02000ffe0;

    /// Reserves `words` words of memory.
    function allocate(uint256 words) internal pure returns (uint256 r) {
        assembly ("memory-safe") {
            r := mload(0x40)
            mstore(0x40, add(r, shl(5, words)))
        }
    }

    /// eq(r, b) for all b < 2^n; bit v of b belongs to word v at `r`. Returns its position.
    function eqTable(uint256 r, uint256 n) internal pure returns (uint256 table) {
        table = allocate(1 << n);
        unchecked {
            assembly ("memory-safe") { mstore(table, 1) }
            for (uint256 v = n; v-- > 0;) {
                uint256 challenge;
                assembly ("memory-safe") { challenge := mload(add(r, shl(5, v))) }
                // From the last prefix, so that each is read before it is overwritten by its two children.
                for (uint256 i = 1 << (n - 1 - v); i-- > 0;) {
                    uint256 prefix;
                    assembly ("memory-safe") { prefix := mload(add(table, shl(5, i))) }
                    uint256 high = Ext.mul(challenge, prefix);
                    uint256 low = Ext.sub(prefix, high);
                    low = Ext.reduce(low);
                    assembly ("memory-safe") {
                        mstore(add(table, shl(6, i)), low)
                        mstore(add(add(table, 0x20), shl(6, i)), high)
                    }
                }
            }
        }
    }

    /// The weights of a row of elements of F_p for rowDot(): `count` elements of E, reduced. Rows are cut into words of eight
    /// elements (rowDot() takes the whole ones, rowEnd() what is left), each into its odd and its even ones; for each of these
    /// fours the table holds five words, one for a coefficient of E, lanes of 64 bits in opposite order.
    function rowWeights(uint256 weights, uint256 count) internal pure returns (uint256 table, uint256 words) {
        unchecked {
            words = count / 8;
            uint256 size = (count + 7) / 8 * 10;
            table = allocate(size);
            assembly ("memory-safe") { calldatacopy(table, calldatasize(), shl(5, size)) }
            for (uint256 e = 0; e < count; e++) {
                uint256 w;
                assembly ("memory-safe") { w := mload(add(weights, shl(5, e))) }
                _place(table, e, w);
            }
        }
    }

    /// Element e of a row is at bits 32 (7 - e % 8) of word e / 8: odd e in the lanes that the mask keeps as they are, even e
    /// in those that it keeps after a shift. Element e % 8 is in lane 3 - e / 2 of its four, its weight in lane e / 2.
    function _place(uint256 table, uint256 e, uint256 w) private pure {
        assembly ("memory-safe") {
            let four := add(table, add(mul(shr(3, e), 320), mul(iszero(and(e, 1)), 160)))
            let lane := shl(5, and(e, 6)) // 64 times half of e % 8
            mstore(four, or(mload(four), shl(lane, and(w, 0x7ffffffffffff))))
            four := add(four, 0x20)
            mstore(four, or(mload(four), shl(lane, and(shr(51, w), 0x7ffffffffffff))))
            four := add(four, 0x20)
            mstore(four, or(mload(four), shl(lane, and(shr(102, w), 0x7ffffffffffff))))
            four := add(four, 0x20)
            mstore(four, or(mload(four), shl(lane, and(shr(153, w), 0x7ffffffffffff))))
            four := add(four, 0x20)
            mstore(four, or(mload(four), shl(lane, shr(204, w))))
        }
    }

    /// sum of weight times element over the row of `words` words in calldata at `src`; bad as in Ext.load. The top lane of a
    /// product of two words of four lanes is a sum of four products, below 4 * 1.0055 p * p < 2^64.
    function rowDot(uint256 src, uint256 table, uint256 words) internal pure returns (uint256 r, uint256 bad) {
        assembly ("memory-safe") {
            let s0 := 0
            let s1 := 0
            let s2 := 0
            let s3 := 0
            let s4 := 0
            for { let end := add(src, shl(5, words)) } lt(src, end) { src := add(src, 0x20) } {
                let w := calldataload(src)
                let x := and(w, WIDE_MASK)
                bad := or(bad, and(add(x, WIDE_ABOVE), WIDE_BIT_32))
                s0 := add(s0, shr(192, mul(x, mload(table))))
                s1 := add(s1, shr(192, mul(x, mload(add(table, 0x20)))))
                s2 := add(s2, shr(192, mul(x, mload(add(table, 0x40)))))
                s3 := add(s3, shr(192, mul(x, mload(add(table, 0x60)))))
                s4 := add(s4, shr(192, mul(x, mload(add(table, 0x80)))))
                x := and(shr(32, w), WIDE_MASK)
                bad := or(bad, and(add(x, WIDE_ABOVE), WIDE_BIT_32))
                s0 := add(s0, shr(192, mul(x, mload(add(table, 0xa0)))))
                s1 := add(s1, shr(192, mul(x, mload(add(table, 0xc0)))))
                s2 := add(s2, shr(192, mul(x, mload(add(table, 0xe0)))))
                s3 := add(s3, shr(192, mul(x, mload(add(table, 0x100)))))
                s4 := add(s4, shr(192, mul(x, mload(add(table, 0x120)))))
                table := add(table, 0x140)
            }
            r := or(
                or(or(mod(s0, P), shl(51, mod(s1, P))), or(shl(102, mod(s2, P)), shl(153, mod(s3, P)))),
                shl(204, mod(s4, P))
            )
        }
    }

    /// What a row adds behind its last whole word: the first `count` < 8 elements at `src`, their weights in the table's next
    /// ten words.
    function rowEnd(uint256 src, uint256 table, uint256 count) internal pure returns (uint256 r, uint256 bad) {
        assembly ("memory-safe") {
            let w := and(calldataload(src), not(shr(shl(5, count), not(0))))
            let odd := and(w, WIDE_MASK)
            let even := and(shr(32, w), WIDE_MASK)
            bad := and(or(add(odd, WIDE_ABOVE), add(even, WIDE_ABOVE)), WIDE_BIT_32)
            for { let lane := 0 } lt(lane, 255) { lane := add(lane, 51) } {
                let sum := add(shr(192, mul(odd, mload(table))), shr(192, mul(even, mload(add(table, 0xa0)))))
                r := or(r, shl(lane, mod(sum, P)))
                table := add(table, 0x20)
            }
        }
    }

    /// The weights of a row of elements of E for rowDotInE(): each of the `count` weights cut into pieces of 11 bits.
    function rowWeightsInE(uint256 weights, uint256 count) internal pure returns (uint256 table) {
        table = allocate(3 * count);
        assembly ("memory-safe") {
            let to := table
            for { let end := add(weights, shl(5, count)) } lt(weights, end) { weights := add(weights, 0x20) } {
                let w := mload(weights)
                mstore(to, and(w, PIECE))
                mstore(add(to, 0x20), and(shr(11, w), PIECE))
                mstore(add(to, 0x40), and(shr(22, w), PIECE))
                to := add(to, 0x60)
            }
        }
    }

    /// sum of weight times element over a row of count <= 32 elements of E in calldata at `src`; bad as in Ext.load. The
    /// coefficients of a sum of products with pieces of 11 bits stay between -4 and 6 times 32 p 2047: one lane.
    function rowDotInE(uint256 src, uint256 table, uint256 count) internal pure returns (uint256 r, uint256 bad) {
        uint256 s1;
        uint256 s2;
        assembly ("memory-safe") {
            for { let end := add(src, mul(20, count)) } lt(src, end) { src := add(src, 20) } {
                let w := calldataload(src)
                let x := or(
                    or(shr(224, w), and(shr(141, w), shl(51, 0xffffffff))),
                    or(and(shr(58, w), shl(102, 0xffffffff)), or(and(shl(25, w), shl(153, 0xffffffff)), and(shl(108, w), shl(204, 0xffffffff))))
                )
                bad := or(bad, and(add(x, LANES_ABOVE), LANES_BIT_32))
                r := addmod(r, mulmod(x, mload(table), M), M)
                s1 := addmod(s1, mulmod(x, mload(add(table, 0x20)), M), M)
                s2 := addmod(s2, mulmod(x, mload(add(table, 0x40)), M), M)
                table := add(table, 0x60)
            }
            s2 := addmod(s2, OFFSET_ROW, M)
        }
        unchecked {
            s2 = Ext.reduce(s2) << 11;
            assembly ("memory-safe") { s1 := addmod(s1, add(s2, OFFSET_ROW), M) }
            s1 = Ext.reduce(s1) << 11;
            assembly ("memory-safe") { r := addmod(r, add(s1, OFFSET_ROW), M) }
            r = Ext.reduce(r);
        }
    }

    /// Coefficients for powAt(): for each pair of variables (r, s) at `r` the four products of 1 - r, r and 1 - s, s. n even.
    function powTable(uint256 r, uint256 n) internal pure returns (uint256 table) {
        table = allocate(2 * n);
        unchecked {
            for (uint256 v = 0; v < n; v += 2) {
                uint256 a;
                uint256 b;
                assembly ("memory-safe") {
                    a := mload(add(r, shl(5, v)))
                    b := mload(add(add(r, 0x20), shl(5, v)))
                }
                uint256 both = Ext.mul(a, b);
                uint256 onlyA = Ext.reduce(Ext.sub(a, both));
                uint256 onlyB = Ext.reduce(Ext.sub(b, both));
                // (1 - a)(1 - b) = 1 - a - b + ab
                uint256 none = Ext.reduce(1 + 2 * Ext.LANES_2P + both - a - b);
                assembly ("memory-safe") {
                    let to := add(table, shl(6, v))
                    mstore(to, none)
                    mstore(add(to, 0x20), onlyA)
                    mstore(add(to, 0x40), onlyB)
                    mstore(add(to, 0x60), both)
                }
            }
        }
    }

    /// pow(x, r) = prod_v (1 - r_v + r_v x^(2^v)) for x in F_p, from the table of an even number n of variables.
    function powAt(uint256 x, uint256 table, uint256 n) internal pure returns (uint256 product) {
        product = 1;
        unchecked {
            for (uint256 end = table + n * 64; table < end; table += 128) {
                uint256 low;
                uint256 high;
                assembly ("memory-safe") {
                    let x2 := mulmod(x, x, P)
                    let x3 := mulmod(x2, x, P)
                    let c := mload(add(table, 0x20))
                    low := add(mload(table), mul(c, and(x, 0xffff)))
                    high := mul(c, shr(16, x))
                    c := mload(add(table, 0x40))
                    low := add(low, mul(c, and(x2, 0xffff)))
                    high := add(high, mul(c, shr(16, x2)))
                    c := mload(add(table, 0x60))
                    low := add(low, mul(c, and(x3, 0xffff)))
                    high := add(high, mul(c, shr(16, x3)))
                    x := mulmod(x2, x2, P)
                }
                product = Ext.mul(product, Ext.joinHalves(low, high));
            }
        }
    }

    /// Bit i of a position multiplies its point by two_adic_root(i + 1), whatever the code's length. A table of all products
    /// of four neighbouring bits, from the roots less one, `fours` times four words in memory at `roots`.
    function pointTable(uint256 roots, uint256 fours) internal pure returns (uint256 table) {
        table = allocate(fours << 4);
        assembly ("memory-safe") {
            for { let i := 0 } lt(i, fours) { i := add(i, 1) } {
                let to := add(table, shl(9, i))
                mstore(to, 1)
                for { let size := 0x20 } lt(size, 0x200) { size := shl(1, size) } {
                    let root := add(mload(roots), 1)
                    for { let k := 0 } lt(k, size) { k := add(k, 0x20) } {
                        mstore(add(add(to, size), k), mulmod(mload(add(to, k)), root, P))
                    }
                    roots := add(roots, 0x20)
                }
            }
        }
    }

    /// The point of position j < 2^(4 fours): w^brev(j), w of the order of the code's length.
    function queryPoint(uint256 j, uint256 table, uint256 fours) internal pure returns (uint256 x) {
        assembly ("memory-safe") {
            x := mload(add(table, shl(5, and(j, 15))))
            for { let end := add(table, shl(9, fours)) } 1 {} {
                j := shr(4, j)
                table := add(table, 0x200)
                if iszero(lt(table, end)) { break }
                x := mulmod(x, mload(add(table, shl(5, and(j, 15)))), P)
            }
        }
    }

    /// sum_b f(b) x^b, x in F_p, f in memory, size >= 1.
    function horner(uint256 f, uint256 size, uint256 x) internal pure returns (uint256 value) {
        unchecked {
            for (uint256 src = f + 32 * size; src > f;) {
                src -= 32;
                uint256 c;
                assembly ("memory-safe") { c := mload(src) }
                value = Ext.mulBaseAdd(value, x, c);
            }
        }
    }

    /// f(r), f of 2^n elements in memory, which are overwritten; word v at `r` is the variable of bit v.
    function foldAll(uint256 f, uint256 r, uint256 n) internal pure returns (uint256 value) {
        unchecked {
            for (uint256 v = 0; v < n; v++) {
                uint256 challenge;
                assembly ("memory-safe") { challenge := mload(add(r, shl(5, v))) }
                uint256 to = f;
                for (uint256 from = f; to < f + (32 << (n - 1 - v)); from += 64) {
                    uint256 a;
                    uint256 b;
                    assembly ("memory-safe") {
                        a := mload(from)
                        b := mload(add(from, 0x20))
                    }
                    a = Ext.mulAdd(challenge, Ext.sub(b, a), a);
                    assembly ("memory-safe") { mstore(to, a) }
                    to += 32;
                }
            }
            assembly ("memory-safe") { value := mload(f) }
        }
    }
}
