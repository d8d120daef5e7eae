// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "./Ext.sol";
import {Poly} from "./Poly.sol";
import {TerminalLimbs} from "./TerminalLimbs.sol";

/// The public input as the circuit has it: rows of 58 values, numbered from 0 and padded with zeros (docs/spec/recursion.md,
/// section 5). The first holds the head's 4 limbs; of each item three hold the limbs before the bindings (58, 58, 56), seven
/// a binding of 51 limbs each.
library PublicInput {
    uint256 private constant P = 0x7f000001;
    uint256 internal constant VALUES = 58;
    uint256 private constant HEAD_LIMBS = 4;
    uint256 private constant THIRD_LIMBS = 56;
    uint256 private constant BINDING_LIMBS = 51;
    uint256 private constant ROWS_OF_ITEM = 10;
    /// A row's number and its values, four bytes each.
    uint256 private constant ROW_BYTES = 236;
    /// The bus that the rows are put on.
    uint256 private constant BUS = 4;

    function numRows(uint256 items) internal pure returns (uint256) {
        return 1 + ROWS_OF_ITEM * items;
    }

    /// How many limbs row `row` has.
    function _limbs(uint256 row) private pure returns (uint256) {
        if (row == 0) return HEAD_LIMBS;
        uint256 place = (row - 1) % ROWS_OF_ITEM;
        return place < 2 ? VALUES : place == 2 ? THIRD_LIMBS : BINDING_LIMBS;
    }

    /// Writes all rows to memory at `to`, as they are absorbed, the limbs being at calldata position `limbs`.
    /// Returns where they end. Up to a word behind that is overwritten.
    function write(uint256 limbs, uint256 items, uint256 to) internal pure returns (uint256) {
        unchecked {
            uint256 rows = numRows(items);
            for (uint256 row = 0; row < rows; row++) {
                uint256 count = _limbs(row);
                assembly ("memory-safe") {
                    // The first word's high half is the row's number.
                    mstore(to, shl(224, row))
                    let place := add(to, 4)
                    // Eight limbs become a word.
                    for { let end := add(limbs, shl(1, count)) } lt(limbs, end) {
                        limbs := add(limbs, 16)
                        place := add(place, 32)
                    } {
                        let x := shr(128, calldataload(limbs))
                        // Of the last ones, only those that are the row's.
                        let beyond := sub(add(limbs, 16), end)
                        if slt(0, beyond) { x := shl(shl(3, beyond), shr(shl(3, beyond), x)) }
                        x := and(or(x, shl(64, x)), 0xffffffffffffffff0000000000000000ffffffffffffffff)
                        x := and(or(x, shl(32, x)), 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff)
                        x := and(or(x, shl(16, x)), 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff)
                        mstore(place, x)
                    }
                    // The end of what was read: back to the end of the row.
                    limbs := sub(limbs, and(sub(0, shl(1, count)), 15))
                    to := add(to, ROW_BYTES)
                    for {} lt(place, to) { place := add(place, 32) } { mstore(place, 0) }
                }
            }
            return to;
        }
    }

    /// sum over rows of 1 / (alpha - bus - beta number - sum_k beta^(k + 2) value_k), as numerator and denominator.
    function fraction(uint256 limbs, uint256 items, uint256 alpha, uint256 beta)
        internal
        pure
        returns (uint256 numerator, uint256 denominator)
    {
        unchecked {
            uint256 powers = Poly.allocate(64);
            uint256 power = beta;
            for (uint256 k = 0; k < VALUES; k++) {
                power = Ext.mul(power, beta);
                assembly ("memory-safe") { mstore(add(powers, shl(5, k)), power) }
            }
            // Behind the values there are zeros, whatever they weigh.
            assembly ("memory-safe") { calldatacopy(add(powers, 1856), calldatasize(), 192) }
            denominator = 1;
            uint256 base = Ext.reduce(Ext.sub(alpha, BUS));
            uint256 rows = numRows(items);
            for (uint256 row = 0; row < rows; row++) {
                uint256 count = _limbs(row);
                uint256 fingerprint = Ext.reduce(base + 4 * Ext.LANES_2P - _dot(limbs, count, powers));
                numerator = Ext.mulAdd(numerator, fingerprint, denominator);
                denominator = Ext.mul(denominator, fingerprint);
                base = Ext.reduce(Ext.sub(base, beta));
                limbs += 2 * count;
            }
        }
    }

    /// sum of limb times power over `count` limbs in calldata at `src`: four sums of sixteen, each reduced. (16 2^16 1.0055 p is
    /// less than 2^51.)
    function _dot(uint256 src, uint256 count, uint256 powers) private pure returns (uint256 r) {
        assembly ("memory-safe") {
            let end := add(src, shl(1, count))
            for {} lt(src, end) { src := add(src, 0x20) } {
                let w := calldataload(src)
                let beyond := sub(add(src, 0x20), end)
                if slt(0, beyond) { w := shl(shl(3, beyond), shr(shl(3, beyond), w)) }
                if w {
                    let t := mul(mload(powers), shr(240, w))
                    t := add(t, mul(mload(add(powers, 0x020)), and(shr(224, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x040)), and(shr(208, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x060)), and(shr(192, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x080)), and(shr(176, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x0a0)), and(shr(160, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x0c0)), and(shr(144, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x0e0)), and(shr(128, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x100)), and(shr(112, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x120)), and(shr(96, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x140)), and(shr(80, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x160)), and(shr(64, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x180)), and(shr(48, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x1a0)), and(shr(32, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x1c0)), and(shr(16, w), 0xffff)))
                    t := add(t, mul(mload(add(powers, 0x1e0)), and(w, 0xffff)))
                    // Ext.reduce
                    t := sub(
                        t,
                        mul(and(shr(30, mul(and(shr(22, t), 0x1fffffff000003ffffffe000007ffffffc00000fffffff800001fffffff), 0x204081)), 0x1fffff00000003ffffe00000007ffffc0000000fffff80000001fffff), P)
                    )
                    r := add(r, t)
                }
                powers := add(powers, 0x200)
            }
        }
    }
}
