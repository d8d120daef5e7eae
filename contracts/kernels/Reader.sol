// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "../src/Ext.sol";
import {Gkr} from "../src/Gkr.sol";
import {Merkle} from "../src/Merkle.sol";
import {Poly} from "../src/Poly.sol";
import {Sumcheck} from "../src/Sumcheck.sol";
import {Transcript} from "../src/Transcript.sol";
import {Places} from "./Places.sol";

/// What is read from calldata, from outside.
contract Reader is Places {
    function absorb(bytes32 state, bytes calldata data) external pure returns (bytes32) {
        return Transcript.absorb(state, start(data), data.length);
    }

    function checkWork(bytes32 state, bytes calldata nonce, uint256 bits) external pure returns (bytes32) {
        return Transcript.checkWork(state, start(nonce), bits);
    }

    function climb(bytes calldata row, uint256 index, bytes calldata path) external pure returns (bytes32) {
        return Merkle.climb(Merkle.leaf(start(row), row.length), index, start(path), path.length / 32);
    }

    function capRoot(bytes calldata cap, uint256 log) external pure returns (bytes32) {
        return Merkle.capRoot(start(cap), log);
    }

    function pruned(bytes calldata rows, uint256[] memory indices, bytes calldata siblings)
        external
        pure
        returns (bytes32 root, uint256 used)
    {
        uint256[] memory nodes = new uint256[](indices.length);
        for (uint256 i = 0; i < indices.length; i++) {
            nodes[i] = uint256(Merkle.leaf(start(rows) + 128 * i, 128));
        }
        (root, used) = Merkle.prunedRoot(place(indices), place(nodes), indices.length, 8, start(siblings));
        used -= start(siblings);
    }

    function rowDot(bytes calldata row, uint256[] memory weights, bool inE) external pure returns (uint256, uint256) {
        if (inE) {
            return Poly.rowDotInE(start(row), Poly.rowWeightsInE(place(weights), weights.length), weights.length);
        }
        (uint256 table, uint256 words) = Poly.rowWeights(place(weights), weights.length);
        return Poly.rowDot(start(row), table, words);
    }

    function plain(bytes32 state, uint256 claim, bytes calldata message)
        external
        pure
        returns (bytes32, uint256, uint256, uint256)
    {
        return Sumcheck.plain(state, claim, start(message));
    }

    function withEq(bytes32 state, uint256 claim, uint256 rho, bytes calldata message, uint256 degree)
        external
        pure
        returns (bytes32, uint256, uint256, uint256)
    {
        if (degree == 2) return Sumcheck.withEq(state, claim, rho, start(message));
        return Sumcheck.withEqOfDegree(state, claim, rho, degree, start(message));
    }

    function layer(Gkr.Claim memory claim, bytes calldata message) external pure returns (Gkr.Claim memory) {
        claim.src = start(message);
        Gkr.layer(claim);
        claim.src -= start(message);
        return claim;
    }

    function positions(bytes32 state, uint256 count, uint256 bits) external pure returns (uint256[] memory r, bytes32) {
        r = new uint256[](count);
        state = Transcript.positions(state, count, bits, place(r));
        return (r, state);
    }

    function challenge(bytes32 state) external pure returns (uint256) {
        return Ext.canonical(Transcript.challenge(state));
    }

    function again(bytes32 state) external pure returns (bytes32) {
        return Transcript.again(state);
    }

    function canonical(uint256 x) external pure returns (uint256) {
        return Ext.canonical(x);
    }

    function mulAdd(uint256 a, uint256 b, uint256 c) external pure returns (uint256) {
        return Ext.mulAdd(a, b, c);
    }

    function eqTable(uint256[] memory r) external pure returns (uint256[] memory values) {
        values = new uint256[](1 << r.length);
        uint256 table = Poly.eqTable(place(r), r.length);
        assembly ("memory-safe") { mcopy(add(values, 0x20), table, mul(0x20, mload(values))) }
    }

    function queryPoint(uint256 j, uint256[] memory roots) external pure returns (uint256) {
        uint256 fours = roots.length / 4;
        return Poly.queryPoint(j, Poly.pointTable(place(roots), fours), fours);
    }

    function pow(uint256 x, uint256[] memory r) external pure returns (uint256) {
        return Poly.powAt(x, Poly.powTable(place(r), r.length), r.length);
    }

    function horner(uint256[] memory f, uint256 x) external pure returns (uint256) {
        return Poly.horner(place(f), f.length, x);
    }

    function foldAll(uint256[] memory f, uint256[] memory r, uint256 n) external pure returns (uint256) {
        return Poly.foldAll(place(f), place(r), n);
    }
}
