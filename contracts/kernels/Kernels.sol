// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "../src/Ext.sol";
import {Gkr} from "../src/Gkr.sol";
import {Merkle} from "../src/Merkle.sol";
import {Poly} from "../src/Poly.sol";
import {Sumcheck} from "../src/Sumcheck.sol";
import {Transcript} from "../src/Transcript.sol";
import {Places} from "./Places.sol";

/// Gas of what a verifier consists of. Each function returns gas and a value, so that nothing is optimised away.
/// What is timed stands between two gasleft(); repeated ones are timed with their loop.
contract Kernels is Places {
    uint256 private constant N = 64;

    function emptyLoop(uint256 x, uint256 y) external view returns (uint256 gas, uint256) {
        unchecked {
            gas = gasleft();
            for (uint256 i = 0; i < N; i++) {
                x ^= y;
            }
            gas -= gasleft() + 3 * N; // the xor itself
            return (gas, x);
        }
    }

    function mul(uint256 x, uint256 y) external view returns (uint256 gas, uint256) {
        unchecked {
            gas = gasleft();
            for (uint256 i = 0; i < N; i++) {
                x = Ext.mul(x, y);
            }
            return (gas - gasleft(), x);
        }
    }

    function mulAdd(uint256 x, uint256 y) external view returns (uint256 gas, uint256) {
        unchecked {
            gas = gasleft();
            for (uint256 i = 0; i < N; i++) {
                x = Ext.mulAdd(x, y, y);
            }
            return (gas - gasleft(), x);
        }
    }

    function mulBaseAdd(uint256 x, uint256 s) external view returns (uint256 gas, uint256) {
        unchecked {
            gas = gasleft();
            for (uint256 i = 0; i < N; i++) {
                x = Ext.mulBaseAdd(x, s, s);
            }
            return (gas - gasleft(), x);
        }
    }

    function reduce(uint256 x, uint256 y) external view returns (uint256 gas, uint256) {
        unchecked {
            gas = gasleft();
            for (uint256 i = 0; i < N; i++) {
                x = Ext.reduce(x + y);
            }
            return (gas - gasleft(), x);
        }
    }

    function load(bytes calldata data) external view returns (uint256 gas, uint256 x) {
        unchecked {
            uint256 source = start(data);
            uint256 bad;
            gas = gasleft();
            for (uint256 i = 0; i < N; i++) {
                (uint256 y, uint256 b) = Ext.load(source + i);
                bad |= b;
                x ^= y;
            }
            return (gas - gasleft(), x + bad);
        }
    }

    /// One element of E from calldata into a running sum: how a list of claims is batched by Horner.
    function loadMulAdd(bytes calldata data, uint256 challenge) external view returns (uint256 gas, uint256 x) {
        unchecked {
            uint256 source = start(data);
            uint256 bad;
            gas = gasleft();
            for (uint256 i = 0; i < N; i++) {
                (uint256 y, uint256 b) = Ext.load(source + i);
                bad |= b;
                x = Ext.mulAdd(challenge, x, y);
            }
            return (gas - gasleft(), x + bad);
        }
    }

    /// sum_i c_i x_i over 16 elements in memory, c_i < 2^8: a row of a circulant matrix.
    function smallForm(uint256[] memory x) external view returns (uint256 gas, uint256 r) {
        unchecked {
            uint256 p = place(x);
            gas = gasleft();
            assembly ("memory-safe") {
                r := mul(mload(p), 101)
                r := add(r, mul(mload(add(p, 0x020)), 3))
                r := add(r, mul(mload(add(p, 0x040)), 55))
                r := add(r, mul(mload(add(p, 0x060)), 17))
                r := add(r, mul(mload(add(p, 0x080)), 29))
                r := add(r, mul(mload(add(p, 0x0a0)), 91))
                r := add(r, mul(mload(add(p, 0x0c0)), 2))
                r := add(r, mul(mload(add(p, 0x0e0)), 44))
                r := add(r, mul(mload(add(p, 0x100)), 63))
                r := add(r, mul(mload(add(p, 0x120)), 15))
                r := add(r, mul(mload(add(p, 0x140)), 8))
                r := add(r, mul(mload(add(p, 0x160)), 76))
                r := add(r, mul(mload(add(p, 0x180)), 33))
                r := add(r, mul(mload(add(p, 0x1a0)), 127))
                r := add(r, mul(mload(add(p, 0x1c0)), 5))
                r := add(r, mul(mload(add(p, 0x1e0)), 12))
            }
            r = Ext.reduce(r);
            return (gas - gasleft(), r);
        }
    }

    /// sum_i c_i x_i over 14 elements in memory, c_i any constants of F_p, each cut into its halves by the generator.
    function largeForm(uint256[] memory x) external view returns (uint256 gas, uint256 r) {
        unchecked {
            uint256 p = place(x);
            uint256 high;
            gas = gasleft();
            assembly ("memory-safe") {
                let t := mload(p)
                r := mul(t, 0x1a2b)
                high := mul(t, 0x3c4d)
                t := mload(add(p, 0x20))
                r := add(r, mul(t, 0xa265))
                high := add(high, mul(t, 0x2409))
                t := mload(add(p, 0x40))
                r := add(r, mul(t, 0xc14c))
                high := add(high, mul(t, 0x278b))
                t := mload(add(p, 0x60))
                r := add(r, mul(t, 0xfed4))
                high := add(high, mul(t, 0x3cc4))
                t := mload(add(p, 0x80))
                r := add(r, mul(t, 0xf8e5))
                high := add(high, mul(t, 0x384b))
                t := mload(add(p, 0xa0))
                r := add(r, mul(t, 0xb5bf))
                high := add(high, mul(t, 0x2601))
                t := mload(add(p, 0xc0))
                r := add(r, mul(t, 0xfce4))
                high := add(high, mul(t, 0x21d0))
                t := mload(add(p, 0xe0))
                r := add(r, mul(t, 0xe3ca))
                high := add(high, mul(t, 0x3bb2))
                t := mload(add(p, 0x100))
                r := add(r, mul(t, 0x808a))
                high := add(high, mul(t, 0x3c81))
                t := mload(add(p, 0x120))
                r := add(r, mul(t, 0xc42e))
                high := add(high, mul(t, 0x2ea4))
                t := mload(add(p, 0x140))
                r := add(r, mul(t, 0x9a2b))
                high := add(high, mul(t, 0x3450))
                t := mload(add(p, 0x160))
                r := add(r, mul(t, 0x87d4))
                high := add(high, mul(t, 0x216d))
                t := mload(add(p, 0x180))
                r := add(r, mul(t, 0x8683))
                high := add(high, mul(t, 0x2096))
                t := mload(add(p, 0x1a0))
                r := add(r, mul(t, 0xe196))
                high := add(high, mul(t, 0x2ddc))
            }
            r = Ext.joinHalves(r, high);
            return (gas - gasleft(), r);
        }
    }

    function absorb(bytes calldata data, uint256 length) external view returns (uint256 gas, uint256) {
        unchecked {
            uint256 source = start(data);
            bytes32 state = bytes32(length);
            Transcript.absorb(state, source, data.length); // memory is paid for once a verification
            gas = gasleft();
            state = Transcript.absorb(state, source, length);
            uint256 x = Transcript.challenge(state);
            return (gas - gasleft(), x);
        }
    }

    function positions(uint256 count) external view returns (uint256 gas, bytes32) {
        unchecked {
            uint256 to = Poly.allocate(count);
            gas = gasleft();
            bytes32 state = Transcript.positions(0, count, 23, to);
            return (gas - gasleft(), state);
        }
    }

    function leaf(bytes calldata data, uint256 length) external view returns (uint256 gas, bytes32 x) {
        unchecked {
            x = Merkle.leaf(start(data), data.length);
            gas = gasleft();
            x ^= Merkle.leaf(start(data), length);
            return (gas - gasleft(), x);
        }
    }

    function climb(bytes calldata data, uint256 count) external view returns (uint256 gas, bytes32 x) {
        unchecked {
            x = Merkle.leaf(start(data), data.length);
            gas = gasleft();
            x = Merkle.climb(x, 0x5a5a5a, start(data), count);
            return (gas - gasleft(), x);
        }
    }

    function capRoot(bytes calldata data, uint256 log) external view returns (uint256 gas, bytes32 x) {
        unchecked {
            x = Merkle.leaf(start(data), data.length);
            gas = gasleft();
            x = Merkle.capRoot(start(data), log);
            return (gas - gasleft(), x);
        }
    }

    /// Sorts `count` random positions below 2^height, and walks up: siblings are what they are, work is the same.
    function pruned(bytes calldata data, uint256 count, uint256 height)
        external
        view
        returns (uint256 gas, uint256 sortGas, uint256 bytesRead)
    {
        unchecked {
            uint256 p = Poly.allocate(count);
            uint256 nodes = Poly.allocate(count);
            Transcript.positions(bytes32(count), count, height, p);
            sortGas = gasleft();
            assembly ("memory-safe") {
                let size := shl(5, count)
                for { let i := 0x20 } lt(i, size) { i := add(i, 0x20) } {
                    let x := mload(add(p, i))
                    let j := i
                    for {} j { j := sub(j, 0x20) } {
                        let y := mload(add(p, sub(j, 0x20)))
                        if iszero(gt(y, x)) { break }
                        mstore(add(p, j), y)
                    }
                    mstore(add(p, j), x)
                }
            }
            sortGas -= gasleft();
            gas = gasleft();
            (, uint256 end) = Merkle.prunedRoot(p, nodes, count, height, start(data));
            gas -= gasleft();
            bytesRead = end - start(data);
        }
    }

    function plain(bytes calldata data) external view returns (uint256 gas, uint256) {
        unchecked {
            bytes32 state;
            uint256 claim = 5;
            uint256 bad;
            gas = gasleft();
            for (uint256 i = 0; i < N; i++) {
                uint256 b;
                (state,, claim, b) = Sumcheck.plain(state, claim, start(data) + i);
                bad |= b;
            }
            return (gas - gasleft(), claim + bad);
        }
    }

    function withEq(bytes calldata data) external view returns (uint256 gas, uint256) {
        unchecked {
            bytes32 state;
            uint256 claim = 5;
            uint256 bad;
            gas = gasleft();
            for (uint256 i = 0; i < N; i++) {
                uint256 b;
                (state,, claim, b) = Sumcheck.withEq(state, claim, claim, start(data) + i);
                bad |= b;
            }
            return (gas - gasleft(), claim + bad);
        }
    }

    function withEqOfDegree(bytes calldata data, uint256 degree) external view returns (uint256 gas, uint256) {
        unchecked {
            bytes32 state;
            uint256 claim = 5;
            gas = gasleft();
            uint256 b;
            (state,, claim, b) = Sumcheck.withEqOfDegree(state, claim, claim, degree, start(data));
            return (gas - gasleft(), claim + b);
        }
    }

    /// A layer of zeros: it passes, and costs what any other does.
    function gkrLayer(bytes calldata data, uint256 rounds) external view returns (uint256 gas, uint256) {
        unchecked {
            Gkr.Claim memory claim;
            claim.point = new uint256[](rounds + 1);
            claim.rounds = rounds;
            claim.src = start(data);
            gas = gasleft();
            Gkr.layer(claim);
            return (gas - gasleft(), claim.p + claim.q);
        }
    }

    function eqTable(uint256[] memory r) external view returns (uint256 gas, uint256 x) {
        unchecked {
            gas = gasleft();
            x = Poly.eqTable(place(r), r.length);
            return (gas - gasleft(), x);
        }
    }

    function rowWeights(uint256[] memory w) external view returns (uint256 gas, uint256 x) {
        unchecked {
            gas = gasleft();
            (x,) = Poly.rowWeights(place(w), w.length);
            return (gas - gasleft(), x);
        }
    }

    function rowDot(bytes calldata data, uint256[] memory w) external view returns (uint256 gas, uint256) {
        unchecked {
            (uint256 table, uint256 words) = Poly.rowWeights(place(w), w.length);
            gas = gasleft();
            (uint256 x, uint256 bad) = Poly.rowDot(start(data), table, words);
            return (gas - gasleft(), x + bad);
        }
    }

    function rowWeightsInE(uint256[] memory w) external view returns (uint256 gas, uint256 x) {
        unchecked {
            gas = gasleft();
            x = Poly.rowWeightsInE(place(w), w.length);
            return (gas - gasleft(), x);
        }
    }

    function rowDotInE(bytes calldata data, uint256[] memory w) external view returns (uint256 gas, uint256) {
        unchecked {
            uint256 table = Poly.rowWeightsInE(place(w), w.length);
            gas = gasleft();
            (uint256 x, uint256 bad) = Poly.rowDotInE(start(data), table, w.length);
            return (gas - gasleft(), x + bad);
        }
    }

    function powTable(uint256[] memory r) external view returns (uint256 gas, uint256 x) {
        unchecked {
            gas = gasleft();
            x = Poly.powTable(place(r), r.length);
            return (gas - gasleft(), x);
        }
    }

    function powAt(uint256[] memory r) external view returns (uint256 gas, uint256 x) {
        unchecked {
            uint256 table = Poly.powTable(place(r), r.length);
            gas = gasleft();
            x = Poly.powAt(12345678, table, r.length);
            return (gas - gasleft(), x);
        }
    }

    function pointTable(uint256[] memory roots) external view returns (uint256 gas, uint256 x) {
        unchecked {
            gas = gasleft();
            x = Poly.pointTable(place(roots), roots.length / 4);
            return (gas - gasleft(), x);
        }
    }

    function queryPoint(uint256[] memory roots) external view returns (uint256 gas, uint256 x) {
        unchecked {
            uint256 table = Poly.pointTable(place(roots), roots.length / 4);
            gas = gasleft();
            x = Poly.queryPoint(0x5a5a5a, table, roots.length / 4);
            return (gas - gasleft(), x);
        }
    }

    function horner(uint256[] memory f) external view returns (uint256 gas, uint256 x) {
        unchecked {
            gas = gasleft();
            x = Poly.horner(place(f), f.length, 12345678);
            return (gas - gasleft(), x);
        }
    }

    function foldAll(uint256[] memory f, uint256[] memory r) external view returns (uint256 gas, uint256 x) {
        unchecked {
            gas = gasleft();
            x = Poly.foldAll(place(f), place(r), r.length);
            return (gas - gasleft(), x);
        }
    }
}
