// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Why a terminal proof is refused, in the order in which a verifier finds out. TerminalLimbs.NonCanonicalDigest comes
// after the lengths; Transcript.WorkMissing, Gkr.LayerMismatch where their messages are read.

/// The public input is not that of this profile.
error WrongLimbsLength();
/// The proof is not as long as every proof of this circuit is.
error WrongProofLength();
/// An element of the proof is not below p.
error NonCanonicalElement();
/// A fraction of the buses has denominator zero, or the challenges make one of the public input's zero.
error ZeroDenominator();
/// The buses, with the public input on them, do not balance.
error BusImbalance();
/// The claimed values of the columns do not satisfy the constraints and interactions.
error ConstraintMismatch();
/// The nodes that a tree's paths end at do not make its root.
error CapMismatch();
/// An opened row is not in its tree.
error PathMismatch();
/// An opened row is not that of the last vector.
error QueryMismatch();
/// The columns do not have the values that were claimed.
error ClaimMismatch();
