// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "./Ext.sol";
import {Sumcheck} from "./Sumcheck.sol";
import {BusImbalance, NonCanonicalElement, ZeroDenominator} from "./TerminalErrors.sol";
import {Transcript} from "./Transcript.sol";

/// One layer of LogUp-GKR (specification, section 4), from claims (p, q) at a point to claims one layer down.
library Gkr {
    error LayerMismatch();

    struct Claim {
        bytes32 state;
        uint256 p;
        uint256 q;
        uint256 src; // calldata of the next message
        uint256[] point; // in the order in which variables appear, each bound before those that are there; `rounds` are set
        uint256 rounds;
    }

    /// `rounds` sumcheck messages of 40 bytes, then p0, p1, q0, q1.
    function layer(Claim memory c) internal pure {
        unchecked {
            bytes32 state = Transcript.again(c.state);
            uint256 lambda = Transcript.challenge(state);
            uint256 claim = Ext.mulAdd(lambda, c.q, c.p);
            uint256 src = c.src;
            uint256 bad;
            uint256[] memory point = c.point;
            for (uint256 i = c.rounds; i-- > 0;) {
                uint256 b;
                uint256 rho;
                assembly ("memory-safe") { rho := mload(add(add(point, 0x20), shl(5, i))) }
                (state, rho, claim, b) = Sumcheck.withEq(state, claim, rho, src);
                assembly ("memory-safe") { mstore(add(add(point, 0x20), shl(5, i)), rho) }
                bad |= b;
                src += 40;
            }
            (c.state, c.p, c.q) = merge(state, claim, lambda, src, bad, point, c.rounds);
            c.src = src + 80;
            c.rounds++;
        }
    }

    /// claim = p0 q1 + p1 q0 + lambda q0 q1 at the bound point; then the line through both halves at a new challenge.
    function merge(
        bytes32 state,
        uint256 claim,
        uint256 lambda,
        uint256 src,
        uint256 bad,
        uint256[] memory point,
        uint256 rounds
    ) private pure returns (bytes32, uint256 p, uint256 q) {
        unchecked {
            (uint256 p0, uint256 b0) = Ext.load(src);
            (uint256 p1, uint256 b1) = Ext.load(src + 20);
            (uint256 q0, uint256 b2) = Ext.load(src + 40);
            (uint256 q1, uint256 b3) = Ext.load(src + 60);
            require(bad | b0 | b1 | b2 | b3 == 0, NonCanonicalElement());
            state = Transcript.absorb(state, src, 80);
            uint256 expected = Ext.mulAdd(Ext.mulAdd(lambda, q0, p0), q1, Ext.mul(p1, q0));
            require(Ext.canonical(Ext.sub(expected, claim)) == 0, LayerMismatch());
            uint256 c = Transcript.challenge(state);
            p = Ext.mulAdd(c, Ext.sub(p1, p0), p0);
            q = Ext.mulAdd(c, Ext.sub(q1, q0), q0);
            assembly ("memory-safe") { mstore(add(add(point, 0x20), shl(5, rounds)), c) }
            return (state, p, q);
        }
    }

    /// Layer 0: p0, p1, q0, q1 at c.src, which with the public fraction P / Q must add up to zero, no denominator being zero.
    /// Sets the claims on layer 1, and its point.
    function root(Claim memory c, uint256 publicP, uint256 publicQ) internal pure {
        unchecked {
            uint256 src = c.src;
            (uint256 p0, uint256 b0) = Ext.load(src);
            (uint256 p1, uint256 b1) = Ext.load(src + 20);
            (uint256 q0, uint256 b2) = Ext.load(src + 40);
            (uint256 q1, uint256 b3) = Ext.load(src + 60);
            require(b0 | b1 | b2 | b3 == 0, NonCanonicalElement());
            uint256 q = Ext.mul(q0, q1);
            uint256 sum = Ext.mulAdd(p0, q1, Ext.mul(p1, q0));
            require(Ext.canonical(Ext.mul(q, publicQ)) != 0, ZeroDenominator());
            require(Ext.canonical(Ext.mulAdd(sum, publicQ, Ext.mul(q, publicP))) == 0, BusImbalance());
            c.state = Transcript.absorb(c.state, src, 80);
            uint256 challenge = Transcript.challenge(c.state);
            c.p = Ext.mulAdd(challenge, Ext.sub(p1, p0), p0);
            c.q = Ext.mulAdd(challenge, Ext.sub(q1, q0), q0);
            uint256[] memory point = c.point;
            assembly ("memory-safe") { mstore(add(point, 0x20), challenge) }
            c.rounds = 1;
            c.src = src + 80;
        }
    }
}
