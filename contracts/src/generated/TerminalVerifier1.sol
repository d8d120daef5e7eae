// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Made by `quarry codegen`; not to be changed by hand.

import {Opening} from "../Opening.sol";
import {TerminalVerifier} from "../TerminalVerifier.sol";

/// Verifies terminal proofs with room for 1 batch.
contract TerminalVerifier1 is TerminalVerifier {
    constructor(address[] memory data) TerminalVerifier(data) {}

    function dataHashes() public pure override returns (bytes32[] memory hashes) {
        hashes = new bytes32[](5);
        hashes[0] = 0x7bc68abbda6fa0fec9d7bcce0ec6ba424cc73283c72c9c302b442f5aae7e3625;
        hashes[1] = 0xcdc9e5ce335ec784ce702b391c60ac50850c860385ed9174192be56d168006b1;
        hashes[2] = 0x754895ca092f148f73f8daeb8c6bc9fe2059504e17450cda4e2433220b84ff09;
        hashes[3] = 0xd26ac5f93a02c5725ceca74dd0cd61407053b0676b07e547b56e390299ce1818;
        hashes[4] = 0x16a57a0a35cfb348343b9890df91d53def7521fe5c399e0f279f7eb12710c18f;
    }

    function profile() public pure override returns (uint256) {
        return 1;
    }

    function keyDigest() public pure override returns (bytes32) {
        return 0xbcf2d6da64604656e6fc81ec3cd4576aa4e7f9a3d8b1a52b308aea595f055b0c;
    }

    function _proofBytes() internal pure override returns (uint256) {
        return 73548;
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
        return 0x000135850001251300010df8000011ac;
    }

    function _resultSlots() internal pure override returns (uint256) {
        return 0x00006b0000007fa0000098c000006340;
    }

    function _opening() internal pure override returns (Opening.Shape memory) {
        return Opening.Shape(21, 26, 74, 6, 3, 0x150b0f0604130e0c0a041512090e07);
    }
}
