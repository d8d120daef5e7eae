// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// What contracts/kernels/ offers. The tests name it here instead of importing it: importing would have them compiled like
// it, with the optimiser that the measurements need and that takes a minute for tests.

interface IExtCalls {
    function mul(uint256 a, uint256 b) external pure returns (uint256);
    function mulAdd(uint256 a, uint256 b, uint256 c) external pure returns (uint256);
    function mulBaseAdd(uint256 a, uint256 s, uint256 c) external pure returns (uint256);
    function mulX(uint256 a) external pure returns (uint256);
    function reduce(uint256 t) external pure returns (uint256);
    function joinHalves(uint256 low, uint256 high) external pure returns (uint256);
    function sub(uint256 a, uint256 b) external pure returns (uint256);
    function canonical(uint256 t) external pure returns (uint256);
    function load(bytes calldata data) external pure returns (uint256 x, uint256 bad);
    function constants() external pure returns (uint256[18] memory);
}

interface IMachineCalls {
    function run(bytes calldata program, uint256[] calldata words, uint256 count) external pure returns (uint256[] memory);
}

/// Gkr.Claim
struct Claim {
    bytes32 state;
    uint256 p;
    uint256 q;
    uint256 src;
    uint256[] point;
    uint256 rounds;
}

interface IReader {
    function absorb(bytes32 state, bytes calldata data) external pure returns (bytes32);
    function checkWork(bytes32 state, bytes calldata nonce, uint256 bits) external pure returns (bytes32);
    function climb(bytes calldata row, uint256 index, bytes calldata path) external pure returns (bytes32);
    function capRoot(bytes calldata cap, uint256 log) external pure returns (bytes32);
    function pruned(bytes calldata rows, uint256[] memory indices, bytes calldata siblings) external pure returns (bytes32 root, uint256 used);
    function rowDot(bytes calldata row, uint256[] memory weights, bool inE) external pure returns (uint256, uint256);
    function plain(bytes32 state, uint256 claim, bytes calldata message) external pure returns (bytes32, uint256, uint256, uint256);
    function withEq(bytes32 state, uint256 claim, uint256 rho, bytes calldata message, uint256 degree) external pure returns (bytes32, uint256, uint256, uint256);
    function layer(Claim memory claim, bytes calldata message) external pure returns (Claim memory);
    function positions(bytes32 state, uint256 count, uint256 bits) external pure returns (uint256[] memory r, bytes32);
    function challenge(bytes32 state) external pure returns (uint256);
    function again(bytes32 state) external pure returns (bytes32);
    function canonical(uint256 x) external pure returns (uint256);
    function mulAdd(uint256 a, uint256 b, uint256 c) external pure returns (uint256);
    function eqTable(uint256[] memory r) external pure returns (uint256[] memory values);
    function queryPoint(uint256 j, uint256[] memory roots) external pure returns (uint256);
    function pow(uint256 x, uint256[] memory r) external pure returns (uint256);
    function horner(uint256[] memory f, uint256 x) external pure returns (uint256);
    function foldAll(uint256[] memory f, uint256[] memory r, uint256 n) external pure returns (uint256);
}

interface IKernels {
    function emptyLoop(uint256 x, uint256 y) external view returns (uint256 gas, uint256);
    function mul(uint256 x, uint256 y) external view returns (uint256 gas, uint256);
    function mulAdd(uint256 x, uint256 y) external view returns (uint256 gas, uint256);
    function mulBaseAdd(uint256 x, uint256 s) external view returns (uint256 gas, uint256);
    function reduce(uint256 x, uint256 y) external view returns (uint256 gas, uint256);
    function load(bytes calldata data) external view returns (uint256 gas, uint256 x);
    function loadMulAdd(bytes calldata data, uint256 challenge) external view returns (uint256 gas, uint256 x);
    function smallForm(uint256[] memory x) external view returns (uint256 gas, uint256 r);
    function largeForm(uint256[] memory x) external view returns (uint256 gas, uint256 r);
    function absorb(bytes calldata data, uint256 length) external view returns (uint256 gas, uint256);
    function positions(uint256 count) external view returns (uint256 gas, bytes32);
    function leaf(bytes calldata data, uint256 length) external view returns (uint256 gas, bytes32 x);
    function climb(bytes calldata data, uint256 count) external view returns (uint256 gas, bytes32 x);
    function capRoot(bytes calldata data, uint256 log) external view returns (uint256 gas, bytes32 x);
    function pruned(bytes calldata data, uint256 count, uint256 height) external view returns (uint256 gas, uint256 sortGas, uint256 bytesRead);
    function plain(bytes calldata data) external view returns (uint256 gas, uint256);
    function withEq(bytes calldata data) external view returns (uint256 gas, uint256);
    function withEqOfDegree(bytes calldata data, uint256 degree) external view returns (uint256 gas, uint256);
    function gkrLayer(bytes calldata data, uint256 rounds) external view returns (uint256 gas, uint256);
    function eqTable(uint256[] memory r) external view returns (uint256 gas, uint256 x);
    function rowWeights(uint256[] memory w) external view returns (uint256 gas, uint256 x);
    function rowDot(bytes calldata data, uint256[] memory w) external view returns (uint256 gas, uint256);
    function rowWeightsInE(uint256[] memory w) external view returns (uint256 gas, uint256 x);
    function rowDotInE(bytes calldata data, uint256[] memory w) external view returns (uint256 gas, uint256);
    function powTable(uint256[] memory r) external view returns (uint256 gas, uint256 x);
    function powAt(uint256[] memory r) external view returns (uint256 gas, uint256 x);
    function pointTable(uint256[] memory roots) external view returns (uint256 gas, uint256 x);
    function queryPoint(uint256[] memory roots) external view returns (uint256 gas, uint256 x);
    function horner(uint256[] memory f) external view returns (uint256 gas, uint256 x);
    function foldAll(uint256[] memory f, uint256[] memory r) external view returns (uint256 gas, uint256 x);
}

/// QueryRound.Round
struct Round {
    uint256 queries;
    uint256 depth;
    uint256 cap;
    uint256 lanes;
    uint256 source;
    uint256 gamma;
    uint256 claim;
    uint256 weight;
    uint256 bad;
}

interface IQueryRound {
    function run(
        bytes calldata data,
        Round memory round,
        uint256[] memory weights,
        uint256[] memory r,
        uint256[] memory roots
    ) external view returns (uint256 gas, uint256);
}
