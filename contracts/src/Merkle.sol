// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Keccak Merkle trees of quarry/hash/merkle.hpp: leaf = keccak256(0x00 || elements), node = keccak256(0x01 || left ||
/// right), digests whole. Height and width come from the parameters, never from the proof.
///
/// An opening is paths up to a *cap*, all nodes at one level, which is hashed to the root once. Compared with one path to
/// the root for each leaf it saves most of what a pruned multi-opening saves, and needs no sorted positions.
library Merkle {
    /// The leaf of `length` bytes of calldata at `src`.
    function leaf(uint256 src, uint256 length) internal pure returns (bytes32 r) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore8(m, 0)
            calldatacopy(add(m, 1), src, length)
            r := keccak256(m, add(length, 1))
        }
    }

    /// The node that `node`, number `index` of its level, and the `count` siblings in calldata at `src` lead to.
    function climb(bytes32 node, uint256 index, uint256 src, uint256 count) internal pure returns (bytes32) {
        assembly ("memory-safe") {
            // Children at m and m + 32, m a multiple of 64, so that the bit of the index picks the place by xor.
            let m := and(add(mload(0x40), 0x7f), not(0x3f))
            let tagged := sub(m, 1)
            mstore8(tagged, 1)
            let bits := shl(5, index)
            for { let end := add(src, shl(5, count)) } lt(src, end) { src := add(src, 0x20) } {
                let place := or(m, and(bits, 0x20))
                mstore(place, node)
                mstore(xor(place, 0x20), calldataload(src))
                node := keccak256(tagged, 65)
                bits := shr(1, bits)
            }
        }
        return node;
    }

    /// The root over 2^log nodes in calldata at `src`, log >= 1.
    function capRoot(uint256 src, uint256 log) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            let m := add(mload(0x40), 0x20)
            let pair := sub(m, 1)
            let nodes := add(m, 0x40)
            let size := shl(add(log, 5), 1)
            mstore8(pair, 1)
            for { let i := 0 } lt(i, size) { i := add(i, 0x40) } {
                calldatacopy(m, add(src, i), 0x40)
                mstore(add(nodes, shr(1, i)), keccak256(pair, 65))
            }
            for { size := shr(1, size) } gt(size, 0x20) { size := shr(1, size) } {
                for { let i := 0 } lt(i, size) { i := add(i, 0x40) } {
                    mcopy(m, add(nodes, i), 0x40)
                    mstore(add(nodes, shr(1, i)), keccak256(pair, 65))
                }
            }
            root := mload(nodes)
        }
    }

    /// The root of a pruned multi-opening, for comparison: `count` distinct rising positions and their leaves in memory
    /// at `positions` and `nodes` (both are overwritten), siblings in calldata at `src` level by level.
    function prunedRoot(uint256 positions, uint256 nodes, uint256 count, uint256 height, uint256 src)
        internal
        pure
        returns (bytes32 root, uint256 end)
    {
        assembly ("memory-safe") {
            let m := and(add(mload(0x40), 0x7f), not(0x3f))
            let tagged := sub(m, 1)
            mstore8(tagged, 1)
            let size := shl(5, count)
            for {} height { height := sub(height, 1) } {
                let to := 0
                for { let i := 0 } lt(i, size) {} {
                    let position := mload(add(positions, i))
                    let place := or(m, shl(5, and(position, 1)))
                    mstore(place, mload(add(nodes, i)))
                    i := add(i, 0x20)
                    // An even position whose right neighbour is known as well: both are children of one parent.
                    switch and(lt(i, size), eq(mload(add(positions, i)), or(position, 1)))
                    case 0 {
                        mstore(xor(place, 0x20), calldataload(src))
                        src := add(src, 0x20)
                    }
                    default {
                        mstore(xor(place, 0x20), mload(add(nodes, i)))
                        i := add(i, 0x20)
                    }
                    mstore(add(positions, to), shr(1, position))
                    mstore(add(nodes, to), keccak256(tagged, 65))
                    to := add(to, 0x20)
                }
                size := to
            }
            root := mload(nodes)
            end := src
        }
    }
}
