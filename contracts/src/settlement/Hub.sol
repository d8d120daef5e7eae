// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "./Batches.sol";
import {Header} from "./Headers.sol";
import {Parameters, Terms, VerifierSet} from "./IHub.sol";
import {Market} from "./Market.sol";
import {Registry} from "./Registry.sol";

import {Statements} from "./Statements.sol";

/// See IHub. The functions of IHubProofs are code of Proofs, which the hub was deployed with.
contract Hub is Registry, Market, Batches {
    address private immutable PROOFS;

    /// `proofs`: the Proofs contract. `pinned`: verifying contracts whose rollups are trusted. `upgradeDelay`: seconds, the same
    /// for all rollups for ever.
    constructor(address proofs, VerifierSet[] memory pinned, uint32 upgradeDelay) Registry(pinned, upgradeDelay) {
        require(proofs.code.length != 0, NoVerifier());
        PROOFS = proofs;
    }

    function submitBatch(bytes calldata parentHeader, bytes calldata header, Terms calldata terms) external payable returns (uint64 id) {
        (Header memory h, Parameters memory p) = _admit(parentHeader, header);
        bytes32[] memory hashes = _blobs(h);
        id = _append(p, h, msg.sender, keccak256(header), _blobCommitment(hashes));
        _escrow(submissions[id], p, terms);
        emit BatchSubmitted(h.rollup, h.number, msg.sender, id, keccak256(header), header, uint8(Statements.FORM_BLOB), hashes, terms, p.batchBond);
    }

    function submitBatchCalldata(bytes calldata parentHeader, bytes calldata header, bytes calldata data, bytes32 point, Terms calldata terms)
        external
        payable
        returns (uint64 id)
    {
        (Header memory h, Parameters memory p) = _admit(parentHeader, header);
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = keccak256(data);
        id = _append(p, h, msg.sender, keccak256(header), _calldataCommitment(h, data, point));
        _escrow(submissions[id], p, terms);
        emit BatchSubmitted(h.rollup, h.number, msg.sender, id, keccak256(header), header, uint8(Statements.FORM_CALLDATA), hashes, terms, p.batchBond);
    }

    /// A sequencer's next batch.
    function _admit(bytes calldata parentHeader, bytes calldata header) private view returns (Header memory h, Parameters memory p) {
        h = _parse(header);
        Rollup storage r = _rollup(h.rollup);
        require(r.sequencers[msg.sender], NotSequencer());
        p = r.parameters;
        _checkHeader(p, h, _parent(parentHeader, h));
    }

    fallback() external {
        address code = PROOFS;
        assembly ("memory-safe") {
            let m := mload(0x40)
            calldatacopy(m, 0, calldatasize())
            let done := delegatecall(gas(), code, m, calldatasize(), 0, 0)
            returndatacopy(m, 0, returndatasize())
            if done { return(m, returndatasize()) }
            revert(m, returndatasize())
        }
    }
}
