// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "../src/Ext.sol";
import {Places} from "./Places.sol";

/// Each function once, so that the compiler does not inline it into every test.
contract ExtCalls is Places {
    function mul(uint256 a, uint256 b) external pure returns (uint256) {
        return Ext.mul(a, b);
    }

    function mulAdd(uint256 a, uint256 b, uint256 c) external pure returns (uint256) {
        return Ext.mulAdd(a, b, c);
    }

    function mulBaseAdd(uint256 a, uint256 s, uint256 c) external pure returns (uint256) {
        return Ext.mulBaseAdd(a, s, c);
    }

    function mulX(uint256 a) external pure returns (uint256) {
        return Ext.mulX(a);
    }

    function reduce(uint256 t) external pure returns (uint256) {
        return Ext.reduce(t);
    }

    function joinHalves(uint256 low, uint256 high) external pure returns (uint256) {
        return Ext.joinHalves(low, high);
    }

    function sub(uint256 a, uint256 b) external pure returns (uint256) {
        return Ext.sub(a, b);
    }

    function canonical(uint256 t) external pure returns (uint256) {
        return Ext.canonical(t);
    }

    function load(bytes calldata data) external pure returns (uint256 x, uint256 bad) {
        (x, bad) = Ext.load(start(data));
    }

    /// The library's constants, in the order of its text.
    function constants() external pure returns (uint256[18] memory) {
        return [
            Ext.P,
            Ext.M,
            Ext.LANES_P,
            Ext.LANES_2P,
            Ext.LANES_3P,
            Ext.OFFSET_HIGH,
            Ext.OFFSET_LOW,
            Ext.MASK_16,
            Ext.MASK_20,
            Ext.MASK_21,
            Ext.MASK_29,
            Ext.MASK_31,
            Ext.MASK_32,
            Ext.MASK_35,
            Ext.TWO_47,
            Ext.RECIPROCAL,
            Ext.LANES_ABOVE,
            Ext.LANES_BIT_32
        ];
    }
}
