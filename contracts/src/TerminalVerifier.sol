// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "./Ext.sol";
import {Gkr} from "./Gkr.sol";
import {ITerminalVerifier} from "./ITerminalVerifier.sol";
import {Machine} from "./Machine.sol";
import {Opening} from "./Opening.sol";
import {Poly} from "./Poly.sol";
import {PublicInput} from "./PublicInput.sol";
import {Sumcheck} from "./Sumcheck.sol";
import {ConstraintMismatch, NonCanonicalElement, WrongLimbsLength, WrongProofLength} from "./TerminalErrors.sol";
import {TerminalLimbs} from "./TerminalLimbs.sol";
import {Transcript} from "./Transcript.sol";

/// The verifier of terminal proofs, docs/spec/proof-system.md with the choices of its section 10, over Keccak
/// (docs/spec/terminal-proof.md). What depends on the circuit is generated: the contracts in generated/ say it, by the
/// constants that are virtual functions here, and by two kinds of data, each the code of a contract of its own behind a zero
/// byte: programs for Machine, and the upper nodes of the preprocessed tree.
///
/// Memory: [FIRST_SLOT, _endOfSlots()) are the machine's slots.
abstract contract TerminalVerifier is ITerminalVerifier {
    /// A data contract is not the one that this verifier was generated with.
    error WrongData(uint256 index);

    uint256 private constant FIRST_SLOT = 0x400;
    uint256 private constant STAGES = 4;

    /// What the stages compute is listed in quarry/codegen/verifier_programs.hpp.
    struct Programs {
        uint256 start;
        uint256 next;
        uint256 stage;
    }

    address private immutable _cap;
    address private immutable _program0;
    address private immutable _program1;
    address private immutable _program2;
    address private immutable _program3;

    /// @param data The contracts that dataHashes() names, in that order: the cap, then the programs.
    constructor(address[] memory data) {
        bytes32[] memory hashes = dataHashes();
        require(data.length == hashes.length, WrongData(hashes.length));
        for (uint256 i = 0; i < hashes.length; i++) {
            require(data[i].codehash == hashes[i], WrongData(i));
        }
        _cap = data[0];
        _program0 = data[1];
        _program1 = data.length > 2 ? data[2] : address(0);
        _program2 = data.length > 3 ? data[3] : address(0);
        _program3 = data.length > 4 ? data[4] : address(0);
    }

    /// The hashes of the data contracts' code: the cap's, then of one to four that hold the programs.
    function dataHashes() public pure virtual returns (bytes32[] memory);

    function profile() public pure virtual returns (uint256);

    function keyDigest() public pure virtual returns (bytes32);

    // Of a proof: its length, and that of its messages, which come before the openings.
    function _proofBytes() internal pure virtual returns (uint256);
    function _streamBytes() internal pure virtual returns (uint256);
    // Of the circuit: variables of LogUp-GKR's leaves and of the tallest table, degree of the constraints, claimed values,
    // challenges that batch them.
    function _logFractions() internal pure virtual returns (uint256);
    function _logRows() internal pure virtual returns (uint256);
    function _degree() internal pure virtual returns (uint256);
    function _numValues() internal pure virtual returns (uint256);
    function _numDeltas() internal pure virtual returns (uint256);
    // Where the programs' inputs lie. At _fractionSlot(): beta, alpha, numerator, denominator, the challenge that batches
    // constraints.
    function _rhoSlot() internal pure virtual returns (uint256);
    function _fractionSlot() internal pure virtual returns (uint256);
    function _zSlot() internal pure virtual returns (uint256);
    function _valuesSlot() internal pure virtual returns (uint256);
    function _deltasSlot() internal pure virtual returns (uint256);
    function _pointSlot() internal pure virtual returns (uint256);
    /// Where the slots end. A multiple of 32.
    function _endOfSlots() internal pure virtual returns (uint256);
    /// Where each stage's program ends, 32 bits a stage, the first one lowest; and where it leaves its result.
    function _programEnds() internal pure virtual returns (uint256);
    function _resultSlots() internal pure virtual returns (uint256);
    function _opening() internal pure virtual returns (Opening.Shape memory);

    function verify(bytes calldata limbs, bytes calldata proof) external view {
        uint256 end = _endOfSlots();
        assembly ("memory-safe") {
            // Nothing was allocated yet; what the compiler keeps for itself ends below the first slot.
            if gt(mload(0x40), FIRST_SLOT) { revert(0, 0) }
            mstore(0x40, end)
        }
        require(limbs.length == TerminalLimbs.length(profile()), WrongLimbsLength());
        require(proof.length == _proofBytes(), WrongProofLength());
        uint256 limbsAt;
        uint256 proofAt;
        assembly ("memory-safe") {
            limbsAt := limbs.offset
            proofAt := proof.offset
        }
        TerminalLimbs.checkDigests(limbsAt, profile());

        bytes32 transcript = _start(limbsAt, proofAt);
        Programs memory programs = _loadPrograms(_stage(_programEnds(), STAGES - 1));
        uint256 src;
        (transcript, src) = _logUp(limbsAt, transcript, proofAt + 32);
        (transcript, src) = _constraints(programs, transcript, src);
        Opening.State memory s;
        s.transcript = transcript;
        s.claim = _run(programs);
        s.stream = src;
        s.openings = proofAt + _streamBytes();
        s.point = _pointSlot();
        s.preprocessedCap = _cap;
        assembly ("memory-safe") { src := calldataload(proofAt) }
        s.root = bytes32(src);
        Opening.Shape memory shape = _opening();
        Opening.verify(shape, s);
        Opening.finish(shape, s, _run(programs));
    }

    /// The transcript's state after key digest, public input and the witness's root.
    function _start(uint256 limbs, uint256 proof) private pure returns (bytes32 state) {
        bytes32 digest = keyDigest();
        uint256 message;
        assembly ("memory-safe") {
            message := mload(0x40)
            mstore(message, 0)
            mstore(add(message, 0x20), digest)
        }
        uint256 end = PublicInput.write(limbs, profile(), message + 64);
        assembly ("memory-safe") {
            calldatacopy(end, proof, 0x20)
            state := keccak256(message, sub(add(end, 0x20), message))
        }
    }

    /// The programs, which stay in memory.
    function _loadPrograms(uint256 size) private view returns (Programs memory programs) {
        uint256 start = Poly.allocate((size + 31) / 32);
        programs.start = start;
        programs.next = start;
        uint256 to = _append(start, _program0);
        to = _append(to, _program1);
        to = _append(to, _program2);
        _append(to, _program3);
    }

    /// Copies what is behind the first byte of a contract's code, if there is one. Returns where it ends.
    function _append(uint256 to, address from) private view returns (uint256 end) {
        assembly ("memory-safe") {
            end := to
            if from {
                let count := sub(extcodesize(from), 1)
                extcodecopy(from, to, 1, count)
                end := add(to, count)
            }
        }
    }

    function _stage(uint256 packed, uint256 stage) private pure returns (uint256) {
        unchecked {
            return (packed >> (32 * stage)) & 0xffffffff;
        }
    }

    /// Runs the next stage's program, returns its result. (The stage is no argument, or the compiler would make a function for
    /// each.)
    function _run(Programs memory programs) private pure returns (uint256 r) {
        unchecked {
            uint256 stage = programs.stage;
            uint256 end = programs.start + _stage(_programEnds(), stage);
            Machine.run(programs.next, end);
            programs.next = end;
            programs.stage = stage + 1;
            uint256 slot = _stage(_resultSlots(), stage);
            assembly ("memory-safe") { r := mload(slot) }
        }
    }

    /// LogUp-GKR with the public input's fraction. Writes rho and what belongs to the fraction.
    function _logUp(uint256 limbs, bytes32 state, uint256 src)
        private
        pure
        returns (bytes32, uint256)
    {
        unchecked {
            uint256 beta = Transcript.challenge(state);
            state = Transcript.again(state);
            uint256 alpha = Transcript.challenge(state);
            (uint256 p, uint256 q) = PublicInput.fraction(limbs, profile(), alpha, beta);
            Gkr.Claim memory claim;
            uint256[] memory point;
            uint256 rho = _rhoSlot();
            assembly ("memory-safe") { point := sub(rho, 0x20) }
            (claim.state, claim.src, claim.point) = (state, src, point);
            Gkr.root(claim, p, q);
            for (uint256 j = 1; j < _logFractions(); j++) {
                Gkr.layer(claim);
            }
            state = Transcript.again(claim.state);
            uint256 batching = Transcript.challenge(state);
            (p, q) = (claim.p, claim.q);
            uint256 to = _fractionSlot();
            assembly ("memory-safe") {
                mstore(to, beta)
                mstore(add(to, 0x20), alpha)
                mstore(add(to, 0x40), p)
                mstore(add(to, 0x60), q)
                mstore(add(to, 0x80), batching)
            }
            return (state, claim.src);
        }
    }

    /// The sumcheck of constraints and bus leaves, the columns' values, and the challenges that batch them.
    function _constraints(Programs memory programs, bytes32 state, uint256 src)
        private
        pure
        returns (bytes32, uint256)
    {
        unchecked {
            uint256 claim = _run(programs);
            uint256 rows = _logRows();
            uint256 bad;
            for (uint256 i = 0; i < rows; i++) {
                // Variables 4, 5, .., then 0, 1, 2, 3; rho has them from the last one bound.
                uint256 u = i + 4 < rows ? i + 4 : i + 4 - rows;
                uint256 rhoAt = _rhoSlot() + 32 * (u < 4 ? 3 - u : _logFractions() + 3 - u);
                uint256 zAt = _zSlot() + 32 * u;
                uint256 r;
                assembly ("memory-safe") { r := mload(rhoAt) }
                uint256 b;
                (state, r, claim, b) = Sumcheck.withEqOfDegree(state, claim, r, _degree(), src);
                bad |= b;
                assembly ("memory-safe") { mstore(zAt, r) }
                src += 20 * _degree();
            }
            require(bad == 0, NonCanonicalElement());
            (state, src) = _readValues(state, src);
            uint256 expected = _run(programs);
            require(Ext.canonical(Ext.sub(expected, claim)) == 0, ConstraintMismatch());
            return (state, src);
        }
    }

    function _readValues(bytes32 state, uint256 src) private pure returns (bytes32, uint256) {
        unchecked {
            uint256 to = _valuesSlot();
            uint256 length = 20 * _numValues();
            state = Transcript.absorb(state, src, length);
            uint256 bad;
            for (uint256 end = src + length; src < end; src += 20) {
                (uint256 x, uint256 b) = Ext.load(src);
                bad |= b;
                assembly ("memory-safe") { mstore(to, x) }
                to += 32;
            }
            require(bad == 0, NonCanonicalElement());
            to = _deltasSlot();
            for (uint256 i = 0; i < _numDeltas(); i++) {
                if (i > 0) state = Transcript.again(state);
                uint256 delta = Transcript.challenge(state);
                assembly ("memory-safe") { mstore(to, delta) }
                to += 32;
            }
            return (state, src);
        }
    }
}
