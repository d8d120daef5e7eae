// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Positions in memory and calldata, as the libraries take them.
abstract contract Places {
    /// Where the words of an array lie in memory.
    function place(uint256[] memory array) internal pure returns (uint256 r) {
        assembly ("memory-safe") { r := add(array, 0x20) }
    }

    function start(bytes calldata data) internal pure returns (uint256 r) {
        assembly ("memory-safe") { r := data.offset }
    }
}
