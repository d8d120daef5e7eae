// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Made by `quarry codegen`; not to be changed by hand.

import {Opening} from "../Opening.sol";
import {TerminalVerifier} from "../TerminalVerifier.sol";

/// Verifies terminal proofs with room for 4 batches.
contract TerminalVerifier4 is TerminalVerifier {
    constructor(address[] memory data) TerminalVerifier(data) {}

    function dataHashes() public pure override returns (bytes32[] memory hashes) {
        hashes = new bytes32[](5);
        hashes[0] = 0x31cb48eecbb61111710484f87e3079c469c3f13d39231054dfe20b18cb1a6672;
        hashes[1] = 0xfeb6ed773c3df78ba7c8b12425caa39032a64396cb3c50f208cc23c28b3b0268;
        hashes[2] = 0x2f4b892ff248c7c16e9c0c965232b5e36cb907e9f09d8a9f1763b75a186a39f0;
        hashes[3] = 0xaeb297f785d28cf35a45c1043b69b9e1eb588acffc30567c2169a7888fea0354;
        hashes[4] = 0x6553965d0da36fc258f98709bf7ca8553fbac5ffb3d8d39f6dd41ba2c231b6fa;
    }

    function profile() public pure override returns (uint256) {
        return 4;
    }

    function keyDigest() public pure override returns (bytes32) {
        return 0x8b35c71682e635c7d7660b49556c00d8357ddeaf523a7ad7d51484a528c9f4d8;
    }

    function _proofBytes() internal pure override returns (uint256) {
        return 73908;
    }

    function _streamBytes() internal pure override returns (uint256) {
        return 23820;
    }

    function _logFractions() internal pure override returns (uint256) {
        return 19;
    }

    function _logRows() internal pure override returns (uint256) {
        return 14;
    }

    function _degree() internal pure override returns (uint256) {
        return 9;
    }

    function _numValues() internal pure override returns (uint256) {
        return 533;
    }

    function _numDeltas() internal pure override returns (uint256) {
        return 15;
    }

    function _rhoSlot() internal pure override returns (uint256) {
        return 1024;
    }

    function _fractionSlot() internal pure override returns (uint256) {
        return 1632;
    }

    function _zSlot() internal pure override returns (uint256) {
        return 1792;
    }

    function _valuesSlot() internal pure override returns (uint256) {
        return 2240;
    }

    function _deltasSlot() internal pure override returns (uint256) {
        return 19296;
    }

    function _pointSlot() internal pure override returns (uint256) {
        return 19776;
    }

    function _endOfSlots() internal pure override returns (uint256) {
        return 39136;
    }

    function _programEnds() internal pure override returns (uint256) {
        return 0x0001345e000124ba00010de60000119a;
    }

    function _resultSlots() internal pure override returns (uint256) {
        return 0x0000656000007700000098a000006320;
    }

    function _opening() internal pure override returns (Opening.Shape memory) {
        return Opening.Shape(21, 29, 76, 6, 3, 0x150b0f0604130e0c0a041512090e07);
    }
}
