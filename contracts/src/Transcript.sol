// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "./Ext.sol";

/// Fiat-Shamir over Keccak-256 (quarry/iop/keccak_transcript.hpp):
///
///   state := keccak256(state || messages since the last challenge)          the new state is the source of the challenge
///
/// Messages are taken where they lie in calldata, canonical bytes; which bytes come when follows from the parameters,
/// which are absorbed first. A challenge in E is the low 255 bits of the state as five lanes of 51 bits, each modulo p: a
/// value of F_p has floor or ceil(2^51 / p) preimages, so no challenge is likelier than p^-5 (1 + 2^-20)^5, which takes
/// less than 10^-5 bits off any error. Positions are slices of 25 bits: exactly uniform.
library Transcript {
    /// The next state after `length` bytes of calldata from `src`.
    function absorb(bytes32 state, uint256 src, uint256 length) internal pure returns (bytes32 next) {
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, state)
            calldatacopy(add(m, 0x20), src, length)
            next := keccak256(m, add(length, 0x20))
        }
    }

    /// Another challenge without a message.
    function again(bytes32 state) internal pure returns (bytes32 next) {
        assembly ("memory-safe") {
            mstore(0, state)
            next := keccak256(0, 0x20)
        }
    }

    /// The challenge in E that a state stands for, reduced.
    function challenge(bytes32 state) internal pure returns (uint256) {
        return Ext.reduce(uint256(state) & (type(uint256).max >> 1));
    }

    /// Absorbs the eight bytes of a nonce at `src`; reverts unless the low `bits` bits of the new state are zero. The next
    /// challenge is drawn from another state: again().
    function checkWork(bytes32 state, uint256 src, uint256 bits) internal pure returns (bytes32 next) {
        next = absorb(state, src, 8);
        require(uint256(next) & ((1 << bits) - 1) == 0, WorkMissing());
    }

    error WorkMissing();

    /// Writes `count` positions below 2^bits, bits <= 25, to memory at `to`: ten from each state, low bits first.
    function positions(bytes32 state, uint256 count, uint256 bits, uint256 to) internal pure returns (bytes32) {
        assembly ("memory-safe") {
            let mask := sub(shl(bits, 1), 1)
            let end := add(to, shl(5, count))
            for {} lt(to, end) {} {
                mstore(0, state)
                state := keccak256(0, 0x20)
                let w := state
                let last := add(to, 320)
                if gt(last, end) { last := end }
                for {} lt(to, last) { to := add(to, 0x20) } {
                    mstore(to, and(w, mask))
                    w := shr(25, w)
                }
            }
        }
        return state;
    }
}
