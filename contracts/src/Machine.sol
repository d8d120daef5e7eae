// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Straight-line programs over elements of E in memory: what depends on a circuit in its verifier. The programs are made
/// by quarry/codegen, whose machine.hpp says what the operations are and how they are written. A program is code, trusted
/// like code: nothing of it is checked here, and what it may read and write follows from how it was made.
///
/// Bounds are those of Ext: every operand but the addend of a product is reduced, and so is every result but that of
/// `raw`, which is an addend.
library Machine {
    uint256 private constant P = 0x7f000001;
    uint256 private constant M = 0x800000000000000000000000000000000000003fffffffffffffffffffffffff;
    uint256 private constant LANES_P = 0x7f00000100000fe00000200001fc00000400003f800000800007f000001;
    uint256 private constant LANES_2P = 0xfe00000200001fc00000400003f800000800007f00000100000fe000002;
    uint256 private constant OFFSET_HIGH = 0x188c6440317bc49a51ce094732c46302418bddc0000000000000c46322018bde;
    uint256 private constant OFFSET_LOW = 0xff64b10202cf2fe2e9206086e7fb258810167800000000000007fb298010168;
    uint256 private constant MASK_16 = 0xffff000000001fffe000000003fffc000000007fff800000000ffff;
    uint256 private constant MASK_20 = 0xfffff00000001ffffe00000003ffffc00000007ffff80000000fffff;
    uint256 private constant MASK_21 = 0x1fffff00000003ffffe00000007ffffc0000000fffff80000001fffff;
    uint256 private constant MASK_29 = 0x1fffffff000003ffffffe000007ffffffc00000fffffff800001fffffff;
    uint256 private constant MASK_31 = 0x7fffffff00000fffffffe00001fffffffc00003fffffff800007fffffff;
    uint256 private constant MASK_35 = 0x7ffffffff0000ffffffffe0001ffffffffc0003ffffffff80007ffffffff;
    uint256 private constant TWO_47 = 0x3fefdfc;
    uint256 private constant RECIPROCAL = 0x204081;

    /// Runs the program at [ip, end) of memory.
    function run(uint256 ip, uint256 end) internal pure {
        assembly ("memory-safe") {
            // Products are Ext.mulAdd, what is stored is reduced by Ext.reduce: in place, as calls are a fifth of them.

            // A form with small coefficients; where it ends and where its value goes.
            function form(from) -> sum, to, out {
                let w := mload(from)
                sum := add(and(shr(160, w), 0xffffffff), mul(and(shr(128, w), 0xffffffff), LANES_P))
                sum := sub(add(sum, mload(and(shr(208, w), 0xffff))), mload(and(shr(192, w), 0xffff)))
                out := and(shr(224, w), 0xffff)
                from := add(from, 16)
                to := add(from, shl(4, shr(248, w)))
                let less := shl(4, and(shr(240, w), 0xff))
                for {} lt(from, to) { from := add(from, 16) } {
                    w := mload(from)
                    sum := add(sum, mul(mload(shr(240, w)), and(shr(224, w), 0xffff)))
                    sum := add(sum, mul(mload(and(shr(208, w), 0xffff)), and(shr(192, w), 0xffff)))
                    sum := add(sum, mul(mload(and(shr(176, w), 0xffff)), and(shr(160, w), 0xffff)))
                    sum := add(sum, mul(mload(and(shr(144, w), 0xffff)), and(shr(128, w), 0xffff)))
                }
                to := add(from, less)
                for {} lt(from, to) { from := add(from, 16) } {
                    w := mload(from)
                    sum := sub(sum, mul(mload(shr(240, w)), and(shr(224, w), 0xffff)))
                    sum := sub(sum, mul(mload(and(shr(208, w), 0xffff)), and(shr(192, w), 0xffff)))
                    sum := sub(sum, mul(mload(and(shr(176, w), 0xffff)), and(shr(160, w), 0xffff)))
                    sum := sub(sum, mul(mload(and(shr(144, w), 0xffff)), and(shr(128, w), 0xffff)))
                }
            }
            for {} lt(ip, end) {} {
                let w := mload(ip)
                let count := and(shr(232, w), 0xffff)
                ip := add(ip, 3)
                switch shr(248, w)
                case 3 {
                    for { let last := add(ip, mul(count, 6)) } lt(ip, last) { ip := add(ip, 6) } {
                        w := mload(ip)
                        let a := mload(shr(240, w))
                        let b := mload(and(shr(224, w), 0xffff))
                        let high := addmod(mulmod(a, and(shr(16, b), MASK_35), M), OFFSET_HIGH, M)
                        high := add(shl(16, and(high, MASK_31)), mul(and(shr(31, high), MASK_20), TWO_47))
                        let t := addmod(mulmod(a, and(b, MASK_16), M), add(high, OFFSET_LOW), M)
                        mstore(and(shr(208, w), 0xffff), sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P)))
                    }
                }
                case 4 {
                    for { let last := add(ip, shl(3, count)) } lt(ip, last) { ip := add(ip, 8) } {
                        w := mload(ip)
                        let a := mload(shr(240, w))
                        let b := mload(and(shr(224, w), 0xffff))
                        let high := addmod(mulmod(a, and(shr(16, b), MASK_35), M), OFFSET_HIGH, M)
                        high := add(shl(16, and(high, MASK_31)), mul(and(shr(31, high), MASK_20), TWO_47))
                        let t := add(addmod(mulmod(a, and(b, MASK_16), M), add(high, OFFSET_LOW), M), mload(and(shr(208, w), 0xffff)))
                        mstore(and(shr(192, w), 0xffff), sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P)))
                    }
                }
                case 5 {
                    for { let last := add(ip, shl(3, count)) } lt(ip, last) { ip := add(ip, 8) } {
                        w := mload(ip)
                        let a := mload(and(shr(224, w), 0xffff))
                        let b := sub(add(mload(and(shr(208, w), 0xffff)), LANES_2P), a)
                        let r := mload(shr(240, w))
                        let high := addmod(mulmod(r, and(shr(16, b), MASK_35), M), OFFSET_HIGH, M)
                        high := add(shl(16, and(high, MASK_31)), mul(and(shr(31, high), MASK_20), TWO_47))
                        let t := add(addmod(mulmod(r, and(b, MASK_16), M), add(high, OFFSET_LOW), M), a)
                        mstore(and(shr(192, w), 0xffff), sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P)))
                    }
                }
                case 6 {
                    for { let last := add(ip, shl(2, count)) } lt(ip, last) { ip := add(ip, 4) } {
                        w := mload(ip)
                        let a := mload(shr(240, w))
                        let upper := and(shr(16, a), MASK_35)
                        let lower := and(a, MASK_16)
                        let high := addmod(mulmod(a, upper, M), OFFSET_HIGH, M)
                        high := add(shl(16, and(high, MASK_31)), mul(and(shr(31, high), MASK_20), TWO_47))
                        let t := addmod(mulmod(a, lower, M), add(high, OFFSET_LOW), M)
                        t := sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P))
                        high := addmod(mulmod(t, upper, M), OFFSET_HIGH, M)
                        high := add(shl(16, and(high, MASK_31)), mul(and(shr(31, high), MASK_20), TWO_47))
                        t := addmod(mulmod(t, lower, M), add(high, OFFSET_LOW), M)
                        mstore(and(shr(224, w), 0xffff), sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P)))
                    }
                }
                case 7 {
                    for {} count { count := sub(count, 1) } {
                        let sum, to, out := form(ip)
                        mstore(out, sub(sum, mul(and(shr(30, mul(and(shr(22, sum), MASK_29), RECIPROCAL)), MASK_21), P)))
                        ip := to
                    }
                }
                case 8 {
                    for {} count { count := sub(count, 1) } {
                        let sum, to, out := form(ip)
                        mstore(out, sum)
                        ip := to
                    }
                }
                case 9 {
                    for {} count { count := sub(count, 1) } {
                        w := mload(ip)
                        let out := and(shr(224, w), 0xffff)
                        let low := add(and(shr(160, w), 0xffffffff), mload(and(shr(208, w), 0xffff)))
                        let high := 0
                        ip := add(ip, 16)
                        for { let last := add(ip, mul(30, shr(248, w))) } lt(ip, last) { ip := add(ip, 30) } {
                            w := mload(ip)
                            let x := mload(shr(240, w))
                            low := add(low, mul(x, and(shr(224, w), 0xffff)))
                            high := add(high, mul(x, and(shr(208, w), 0xffff)))
                            x := mload(and(shr(192, w), 0xffff))
                            low := add(low, mul(x, and(shr(176, w), 0xffff)))
                            high := add(high, mul(x, and(shr(160, w), 0xffff)))
                            x := mload(and(shr(144, w), 0xffff))
                            low := add(low, mul(x, and(shr(128, w), 0xffff)))
                            high := add(high, mul(x, and(shr(112, w), 0xffff)))
                            x := mload(and(shr(96, w), 0xffff))
                            low := add(low, mul(x, and(shr(80, w), 0xffff)))
                            high := add(high, mul(x, and(shr(64, w), 0xffff)))
                            x := mload(and(shr(48, w), 0xffff))
                            low := add(low, mul(x, and(shr(32, w), 0xffff)))
                            high := add(high, mul(x, and(shr(16, w), 0xffff)))
                        }
                        // Ext.joinHalves
                        low := add(low, add(shl(16, and(high, MASK_31)), mul(and(shr(31, high), MASK_20), TWO_47)))
                        mstore(out, sub(low, mul(and(shr(30, mul(and(shr(22, low), MASK_29), RECIPROCAL)), MASK_21), P)))
                    }
                }
                case 1 {
                    for { let last := add(ip, mul(count, 6)) } lt(ip, last) { ip := add(ip, 6) } {
                        w := mload(ip)
                        let t := add(mload(shr(240, w)), mload(and(shr(224, w), 0xffff)))
                        mstore(and(shr(208, w), 0xffff), sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P)))
                    }
                }
                default {
                    for { let last := add(ip, mul(count, 6)) } lt(ip, last) { ip := add(ip, 6) } {
                        w := mload(ip)
                        let t := sub(add(mload(shr(240, w)), LANES_2P), mload(and(shr(224, w), 0xffff)))
                        mstore(and(shr(208, w), 0xffff), sub(t, mul(and(shr(30, mul(and(shr(22, t), MASK_29), RECIPROCAL)), MASK_21), P)))
                    }
                }
            }
        }
    }
}
