// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Made by `quarry codegen`; not to be changed by hand.

import {Opening} from "../Opening.sol";
import {TerminalVerifier} from "../TerminalVerifier.sol";

/// Verifies terminal proofs with room for 16 batches.
contract TerminalVerifier16 is TerminalVerifier {
    constructor(address[] memory data) TerminalVerifier(data) {}

    function dataHashes() public pure override returns (bytes32[] memory hashes) {
        hashes = new bytes32[](5);
        hashes[0] = 0xf5b1220f76c8515d6ac2694b107df28804b9c8bd29fa6db92260b66f8ccd4a83;
        hashes[1] = 0xbf1109fff0665392bcf6901a20c0f610906d76b7877ea725c8f0754f165b36a4;
        hashes[2] = 0x16d4fd574d3a5ccf79309ed07e556965e52c3269684fed20fbfaf653898d7350;
        hashes[3] = 0x665499ec1e192cff83c7495fc95c9ea9fa2f40e7b6b857310dc07c9f8a1c3601;
        hashes[4] = 0x98f8b5e93cdf2dd29654c6c6aad17edc8db02852e6e3cf6fd716bd9ea2dcb2fb;
    }

    function profile() public pure override returns (uint256) {
        return 16;
    }

    function keyDigest() public pure override returns (bytes32) {
        return 0xd17e0418c2e949072b57f4a51f996704449a252bdf49611452fc9554188f86cd;
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
        return 16;
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
        return 19808;
    }

    function _endOfSlots() internal pure override returns (uint256) {
        return 39168;
    }

    function _programEnds() internal pure override returns (uint256) {
        return 0x000136f4000125d000010de60000119a;
    }

    function _resultSlots() internal pure override returns (uint256) {
        return 0x00007f6000007800000098c000006340;
    }

    function _opening() internal pure override returns (Opening.Shape memory) {
        return Opening.Shape(21, 29, 76, 6, 3, 0x150b0f0604130e0c0a041512090e07);
    }
}
