// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKernels, IQueryRound, Round} from "./Calls.sol";
import {Vectors, vm} from "./Vm.sol";

/// Writes out/evm-units.json: name, gas, number of repetitions, in the order measured. tools/evm_units.py turns them into
/// units.
contract UnitsTest is Vectors {
    string private json = "";
    IKernels private immutable kernels = IKernels(deploy("Kernels"));
    uint256 private constant X = 0x3a3a3a3a00001a3a3a3a3a00000a3a3a3a3a00003a3a3a3a00002a3a3a3a;

    function put(string memory name, uint256 gas, uint256 count) private {
        json = string.concat(
            json, bytes(json).length == 0 ? "[" : ",\n ", '["', name, '", ', vm.toString(gas), ", ", vm.toString(count), "]"
        );
    }

    function elements(uint256 count) private pure returns (uint256[] memory r) {
        r = new uint256[](count);
        for (uint256 i = 0; i < count; i++) {
            r[i] = (uint256(keccak256(abi.encode(i))) & 0x7fffffff00000fffffffe00001fffffffc00003fffffff800007fffffff) >> 1;
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
        measureRound();
        json = string.concat(json, "]\n");
        vm.writeFile("../out/evm-units.json", json);
    }

    /// 17 queries of 16 lanes in a tree of height 22, nodes at level 4 in the proof, 12 variables left.
    function measureRound() private {
        Round memory round;
        (round.queries, round.depth, round.cap, round.lanes, round.gamma) = (17, 22, 4, 16, X);
        IQueryRound rounds = IQueryRound(deploy("QueryRound"));
        (uint256 gas,) = rounds.run(message(16000), round, elements(16), elements(12), elements(24));
        put("query_round", gas, 1);
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
