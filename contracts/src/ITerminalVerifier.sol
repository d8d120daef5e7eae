// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Verifies the last proof of a list of batches: that every batch of the public input was proven under the keys that the
/// verifier's code has. One contract for each profile (room for 1, 4 or 16 batches). docs/spec/terminal-proof.md.
interface ITerminalVerifier {
    /// Returns iff `proof` shows what `limbs` say; reverts with one error of TerminalErrors.sol a cause otherwise. Reads
    /// code and calldata alone: no storage, no block.
    /// @param limbs The public input, TerminalLimbs.length(profile()) bytes: every limb of the terminal statement
    /// (docs/spec/operations.md, section 6) in two bytes, big-endian, in its order: library TerminalLimbs has the places.
    /// The verifier checks that digests are canonical; what the limbs say is its caller's matter.
    /// @param proof The bytes of docs/spec/terminal-proof.md, section 4.
    function verify(bytes calldata limbs, bytes calldata proof) external view;

    /// How many batches there is room for: 1, 4 or 16.
    function profile() external view returns (uint256);

    /// The key digest (docs/spec/terminal-proof.md, section 2): covers the circuit, its key and every parameter.
    function keyDigest() external view returns (bytes32);
}
