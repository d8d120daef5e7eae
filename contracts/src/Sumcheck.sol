// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "./Ext.sol";
import {Transcript} from "./Transcript.sol";

/// Rounds of sumcheck as the specification sends them (section 1): coefficients, without the one that the claim fixes.
/// Each function reads one round's message at `src`, and returns state, challenge, next claim, and bad (see Ext.load).
library Sumcheck {
    /// Degree 2: sends a_0, a_2; a_1 = claim - 2 a_0 - a_2; next claim a_0 + r (a_1 + r a_2). 40 bytes.
    function plain(bytes32 state, uint256 claim, uint256 src)
        internal
        pure
        returns (bytes32 next, uint256 r, uint256 value, uint256 bad)
    {
        next = Transcript.absorb(state, src, 40);
        r = Transcript.challenge(next);
        (uint256 a0, uint256 bad0) = Ext.load(src);
        (uint256 a2, uint256 bad2) = Ext.load(src + 20);
        bad = bad0 | bad2;
        unchecked {
            uint256 a1 = claim + Ext.LANES_3P - 2 * a0 - a2;
            value = Ext.mulAdd(r, Ext.mulAdd(r, a2, a1), a0);
        }
    }

    /// Degree 2 after the factor eq(rho, X) is taken out: sends a_1, a_2; a_0 = claim - rho (a_1 + a_2). 40 bytes.
    function withEq(bytes32 state, uint256 claim, uint256 rho, uint256 src)
        internal
        pure
        returns (bytes32 next, uint256 r, uint256 value, uint256 bad)
    {
        next = Transcript.absorb(state, src, 40);
        r = Transcript.challenge(next);
        (uint256 a1, uint256 bad1) = Ext.load(src);
        (uint256 a2, uint256 bad2) = Ext.load(src + 20);
        bad = bad1 | bad2;
        unchecked {
            uint256 a0 = Ext.sub(claim, Ext.mul(rho, a1 + a2));
            value = Ext.mulAdd(r, Ext.mulAdd(r, a2, a1), a0);
        }
    }

    /// The same for any degree: sends a_1, .., a_degree. 20 degree bytes.
    function withEqOfDegree(bytes32 state, uint256 claim, uint256 rho, uint256 degree, uint256 src)
        internal
        pure
        returns (bytes32 next, uint256 r, uint256 value, uint256 bad)
    {
        next = Transcript.absorb(state, src, 20 * degree);
        r = Transcript.challenge(next);
        unchecked {
            uint256 sum = 0;
            for (uint256 i = degree; i-- > 0;) {
                (uint256 a, uint256 b) = Ext.load(src + 20 * i);
                bad |= b;
                sum += a;
                value = Ext.mulAdd(r, value, a);
            }
            // value = a_1 + r a_2 + ..; a_0 = claim - rho sum
            value = Ext.mulAdd(r, value, Ext.sub(claim, Ext.mul(rho, Ext.reduce(sum))));
        }
    }
}
