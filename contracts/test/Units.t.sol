// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "../src/Ext.sol";
import {Gkr} from "../src/Gkr.sol";
import {Merkle} from "../src/Merkle.sol";
import {Poly} from "../src/Poly.sol";
import {Sumcheck} from "../src/Sumcheck.sol";
import {Transcript} from "../src/Transcript.sol";
import {Vectors, vm} from "./Vm.sol";

/// Gas of what a verifier consists of. Each function returns gas and a value, so that nothing is optimised away.
/// What is timed stands between two gasleft(); repeated ones are timed with their loop.
contract Kernels is Vectors {
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
            return (gas - gasleft(), claim.p + claim.bad);
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

/// Writes out/evm-units.json: name, gas, number of repetitions, in the order measured. tools/evm_units.py turns them into
/// units.
contract UnitsTest is Vectors {
    string private json = "";
    Kernels private immutable kernels = new Kernels();
    uint256 private constant X = 0x3a3a3a3a00001a3a3a3a3a00000a3a3a3a3a00003a3a3a3a00002a3a3a3a;

    function put(string memory name, uint256 gas, uint256 count) private {
        json = string.concat(
            json, bytes(json).length == 0 ? "[" : ",\n ", '["', name, '", ', vm.toString(gas), ", ", vm.toString(count), "]"
        );
    }

    function elements(uint256 count) private pure returns (uint256[] memory r) {
        r = new uint256[](count);
        for (uint256 i = 0; i < count; i++) {
            r[i] = (uint256(keccak256(abi.encode(i))) & Ext.MASK_31) >> 1;
        }
    }

    /// Bytes below 0x7f, so that every four are canonical, from any of them on.
    function message(uint256 length) private pure returns (bytes memory r) {
        r = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            r[i] = bytes1(uint8(uint256(keccak256(abi.encode(i))) % 0x7f));
        }
    }

    function test_measure() public {
        (uint256 gas,) = kernels.emptyLoop(X, X >> 1);
        put("loop", gas, 64);
        (gas,) = kernels.mul(X, X);
        put("ext.mul", gas, 64);
        (gas,) = kernels.mulAdd(X, X);
        put("ext.mul_add", gas, 64);
        (gas,) = kernels.mulBaseAdd(X, 123456789);
        put("ext.mul_base_add", gas, 64);
        (gas,) = kernels.reduce(X, X);
        put("ext.reduce", gas, 64);
        bytes memory data = message(4096);
        (gas,) = kernels.load(data);
        put("ext.load", gas, 64);
        (gas,) = kernels.loadMulAdd(data, X);
        put("ext.load_mul_add", gas, 64);
        (gas,) = kernels.smallForm(elements(16));
        put("form.small.16", gas, 1);
        (gas,) = kernels.largeForm(elements(14));
        put("form.large.14", gas, 1);
        measureHashing(data);
        measureProtocol(data);
        measurePolynomials(data);
        json = string.concat(json, "]\n");
        vm.writeFile("../out/evm-units.json", json);
    }

    function measureHashing(bytes memory data) private {
        uint256 gas;
        bytes32 x;
        (gas,) = kernels.absorb(data, 40);
        put("transcript.40", gas, 1);
        (gas,) = kernels.absorb(data, 4040);
        put("transcript.4040", gas, 1);
        (gas, x) = kernels.positions(10);
        put("positions.10", gas, 1);
        (gas, x) = kernels.positions(30);
        put("positions.30", gas, 1);
        (gas, x) = kernels.leaf(data, 128);
        put("leaf.128", gas, 1);
        (gas, x) = kernels.leaf(data, 640);
        put("leaf.640", gas, 1);
        (gas, x) = kernels.climb(data, 8);
        put("climb.8", gas, 1);
        (gas, x) = kernels.climb(data, 24);
        put("climb.24", gas, 1);
        (gas, x) = kernels.capRoot(data, 3);
        put("cap.3", gas, 1);
        (gas, x) = kernels.capRoot(data, 5);
        put("cap.5", gas, 1);
        uint256 sorting;
        uint256 bytesRead;
        (gas, sorting, bytesRead) = kernels.pruned(message(20000), 26, 23);
        put("pruned.26.23", gas, 1);
        put("pruned.26.23.sorting", sorting, 1);
        put("pruned.26.23.bytes", bytesRead, 1);
    }

    function measureProtocol(bytes memory data) private {
        uint256 gas;
        (gas,) = kernels.plain(data);
        put("sumcheck.plain", gas, 64);
        (gas,) = kernels.withEq(data);
        put("sumcheck.with_eq", gas, 64);
        (gas,) = kernels.withEqOfDegree(data, 3);
        put("sumcheck.degree.3", gas, 1);
        (gas,) = kernels.withEqOfDegree(data, 9);
        put("sumcheck.degree.9", gas, 1);
        (gas,) = kernels.gkrLayer(new bytes(1024), 4);
        put("gkr.layer.4", gas, 1);
        (gas,) = kernels.gkrLayer(new bytes(1024), 16);
        put("gkr.layer.16", gas, 1);
    }

    function measurePolynomials(bytes memory data) private {
        uint256 gas;
        (gas,) = kernels.eqTable(elements(3));
        put("eq_table.3", gas, 1);
        (gas,) = kernels.eqTable(elements(5));
        put("eq_table.5", gas, 1);
        (gas,) = kernels.rowWeights(elements(32));
        put("row_weights.32", gas, 1);
        (gas,) = kernels.rowWeightsInE(elements(16));
        put("row_weights_in_e.16", gas, 1);
        (gas,) = kernels.rowDot(data, elements(16));
        put("row_dot.2", gas, 1);
        (gas,) = kernels.rowDot(data, elements(80));
        put("row_dot.10", gas, 1);
        (gas,) = kernels.rowDotInE(data, elements(8));
        put("row_dot_in_e.8", gas, 1);
        (gas,) = kernels.rowDotInE(data, elements(32));
        put("row_dot_in_e.32", gas, 1);
        (gas,) = kernels.powTable(elements(16));
        put("pow_table.16", gas, 1);
        (gas,) = kernels.powAt(elements(4));
        put("pow_at.4", gas, 1);
        (gas,) = kernels.powAt(elements(16));
        put("pow_at.16", gas, 1);
        (gas,) = kernels.pointTable(elements(24));
        put("point_table.24", gas, 1);
        (gas,) = kernels.queryPoint(elements(24));
        put("query_point.24", gas, 1);
        (gas,) = kernels.horner(elements(16));
        put("horner.16", gas, 1);
        (gas,) = kernels.horner(elements(64));
        put("horner.64", gas, 1);
        (gas,) = kernels.foldAll(elements(64), elements(6));
        put("fold_all.6", gas, 1);
    }
}
