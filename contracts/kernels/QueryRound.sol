// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "../src/Ext.sol";
import {Merkle} from "../src/Merkle.sol";
import {Poly} from "../src/Poly.sol";
import {Transcript} from "../src/Transcript.sol";
import {Places} from "./Places.sol";

/// All queries of one round of WHIR, put together from the libraries as the verifier will: what the sum of the parts leaves
/// out shows here.
contract QueryRound is Places {
    struct Round {
        uint256 queries;
        uint256 depth; // of the tree
        uint256 cap; // level of the nodes that the proof brings, before the rows
        uint256 lanes; // elements of E in a row
        uint256 source; // in calldata; moves on
        uint256 gamma;
        uint256 claim;
        uint256 weight;
        uint256 bad;
    }

    /// A row and its path for each query, then the round's new claim and weight. `weights`: of the lanes; `r`: point of an even
    /// number of variables; `roots`: less one, 24 of them.
    function run(
        bytes calldata data,
        Round memory round,
        uint256[] memory weights,
        uint256[] memory r,
        uint256[] memory roots
    ) external view returns (uint256 gas, uint256) {
        unchecked {
            uint256 points = Poly.pointTable(place(roots), 6);
            uint256 positions = Poly.allocate(round.queries);
            Merkle.leaf(start(data), data.length); // memory is paid for once a verification
            gas = gasleft();
            uint256 lanes = Poly.rowWeightsInE(place(weights), round.lanes);
            uint256 powers = Poly.powTable(place(r), r.length);
            Transcript.positions(bytes32(round.gamma), round.queries, round.depth, positions);
            uint256 caps = start(data);
            round.source = caps + (32 << round.cap);
            for (uint256 i = 0; i < round.queries; i++) {
                uint256 position;
                assembly ("memory-safe") { position := mload(add(positions, shl(5, i))) }
                open(round, position, lanes, caps);
                uint256 x = Poly.queryPoint(position, points, 6);
                round.weight = Ext.mulAdd(round.gamma, round.weight, Poly.powAt(x, powers, r.length));
            }
            return (gas - gasleft(), round.claim ^ round.weight ^ round.bad);
        }
    }

    function open(Round memory round, uint256 position, uint256 lanes, uint256 caps) private pure {
        unchecked {
            uint256 source = round.source;
            (uint256 folded, uint256 bad) = Poly.rowDotInE(source, lanes, round.lanes);
            round.claim = Ext.mulAdd(round.gamma, round.claim, folded);
            bytes32 node = Merkle.leaf(source, 20 * round.lanes);
            source += 20 * round.lanes;
            uint256 levels = round.depth - round.cap;
            node = Merkle.climb(node, position, source, levels);
            bytes32 expected;
            assembly ("memory-safe") { expected := calldataload(add(caps, shl(5, shr(levels, position)))) }
            round.bad |= bad | (uint256(node) ^ uint256(expected));
            round.source = source + 32 * levels;
        }
    }
}
