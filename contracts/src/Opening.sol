// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ext} from "./Ext.sol";
import {Merkle} from "./Merkle.sol";
import {Poly} from "./Poly.sol";
import {Sumcheck} from "./Sumcheck.sol";
import {CapMismatch, ClaimMismatch, NonCanonicalElement, PathMismatch, QueryMismatch} from "./TerminalErrors.sol";
import {Transcript} from "./Transcript.sol";

/// The opening of a terminal proof: WHIR (docs/spec/proof-system.md, section 6) over Keccak trees whose paths end at caps.
library Opening {
    /// Parameters of one round.
    struct Round {
        uint256 logLanes;
        uint256 logMessage;
        uint256 logInvRate;
        uint256 queries;
        uint256 workBits;
    }

    struct Shape {
        uint256 logSize;
        uint256 preprocessedLanes;
        uint256 witnessLanes;
        uint256 logFinal;
        uint256 numRounds;
        /// Five bytes a round, as the fields of Round; the first round lowest, of each the first field lowest.
        uint256 rounds;
    }

    struct State {
        bytes32 transcript;
        uint256 claim;
        uint256 stream; // calldata of the next message
        uint256 openings; // calldata of the next oracle's opening
        uint256 point; // memory: word v is the challenge of variable v
        uint256 unbound; // variables unbound .. logSize - 1 have theirs
        bytes32 root; // of the oracle that is queried next
        address preprocessedCap; // code: a zero byte, then the nodes of the preprocessed tree at level PREPROCESSED_CAP
        uint256 points; // memory: of queryPoint
        Recorded[] recorded;
        uint256 finalVector; // memory: the last vector
    }

    /// New claims of a round: gamma pow(sample, .) + sum_j gamma^(j + 2) pow(queries[j], .).
    struct Recorded {
        uint256 gamma;
        uint256 sample;
        uint256 value; // claimed at the sample
        uint256 queries; // memory, `count` points
        uint256 count;
        uint256 variables;
    }

    /// Every path of the preprocessed tree ends at this level.
    uint256 internal constant PREPROCESSED_CAP = 9;
    /// A code of 2^24 positions is the longest.
    uint256 private constant FOURS = 6;
    uint256 private constant ROOT_OF_2_24 = 0x6ac49f88;
    uint256 private constant P = 0x7f000001;

    /// All rounds, up to the sumcheck over the last vector. Sets what finish() needs.
    function verify(Shape memory shape, State memory s) internal view {
        unchecked {
            s.points = _pointTable();
            s.unbound = shape.logSize;
            uint256 last = shape.numRounds - 1;
            s.recorded = new Recorded[](last);
            for (uint256 i = 0; i < last; i++) {
                _round(shape, s, i);
            }
            Round memory round = _parameters(shape, last);
            _bind(s, round.logLanes);
            _readFinal(s, shape.logFinal);
            _work(s, round.workBits);
            uint256 positions = _positions(s, round);
            uint256 answers = _open(shape, s, last, positions);
            _checkFinal(s, round.queries, 1 << shape.logFinal, positions, answers);
            _bind(s, shape.logFinal);
        }
    }

    function _parameters(Shape memory shape, uint256 i) private pure returns (Round memory) {
        unchecked {
            uint256 x = shape.rounds >> (40 * i);
            return Round(x & 0xff, (x >> 8) & 0xff, (x >> 16) & 0xff, (x >> 24) & 0xff, (x >> 32) & 0xff);
        }
    }

    /// A round that is not the last one.
    function _round(Shape memory shape, State memory s, uint256 i) private view {
        unchecked {
            Round memory round = _parameters(shape, i);
            _bind(s, round.logLanes);
            Recorded memory r = s.recorded[i];
            bytes32 next = _readRoot(s, r);
            _work(s, round.workBits);
            uint256 positions = _positions(s, round);
            s.transcript = Transcript.again(s.transcript);
            r.gamma = Transcript.challenge(s.transcript);
            r.count = round.queries;
            r.variables = s.unbound;
            r.queries = Poly.allocate(round.queries);
            uint256 answers = _open(shape, s, i, positions);
            _fold(s, r, positions, answers);
            s.root = next;
        }
    }

    /// f(r) W(r) = claim, the groups' part of W(r) being `groups`.
    function finish(Shape memory shape, State memory s, uint256 groups) internal pure {
        unchecked {
            uint256 weight = groups;
            for (uint256 i = 0; i < s.recorded.length; i++) {
                Recorded memory r = s.recorded[i];
                uint256 table = Poly.powTable(s.point, r.variables);
                uint256 sum = 0;
                for (uint256 j = r.count; j-- > 0;) {
                    uint256 x;
                    uint256 queries = r.queries;
                    assembly ("memory-safe") { x := mload(add(queries, shl(5, j))) }
                    sum = Ext.mulAdd(r.gamma, sum, Poly.powAt(x, table, r.variables));
                }
                sum = Ext.mulAdd(r.gamma, sum, _powInE(r.sample, s.point, r.variables));
                weight = Ext.mulAdd(r.gamma, sum, weight);
            }
            uint256 value = Poly.foldAll(s.finalVector, s.point, shape.logFinal);
            require(Ext.canonical(Ext.sub(Ext.mul(value, weight), s.claim)) == 0, ClaimMismatch());
        }
    }

    /// Sumcheck of the top `count` unbound variables.
    function _bind(State memory s, uint256 count) private pure {
        unchecked {
            bytes32 transcript = s.transcript;
            uint256 claim = s.claim;
            uint256 src = s.stream;
            uint256 place = s.point + 32 * s.unbound;
            uint256 bad;
            for (uint256 i = 0; i < count; i++) {
                uint256 r;
                uint256 b;
                (transcript, r, claim, b) = Sumcheck.plain(transcript, claim, src);
                bad |= b;
                src += 40;
                place -= 32;
                assembly ("memory-safe") { mstore(place, r) }
            }
            require(bad == 0, NonCanonicalElement());
            (s.transcript, s.claim, s.stream) = (transcript, claim, src);
            s.unbound -= count;
        }
    }

    /// The next oracle's root; then the sample there and its value, which joins the claim in _fold().
    function _readRoot(State memory s, Recorded memory r) private pure returns (bytes32 root) {
        unchecked {
            uint256 src = s.stream;
            assembly ("memory-safe") { root := calldataload(src) }
            bytes32 transcript = Transcript.absorb(s.transcript, src, 32);
            r.sample = Transcript.challenge(transcript);
            uint256 bad;
            (r.value, bad) = Ext.load(src + 32);
            require(bad == 0, NonCanonicalElement());
            s.transcript = Transcript.absorb(transcript, src + 32, 20);
            s.stream = src + 52;
        }
    }

    function _readFinal(State memory s, uint256 log) private pure {
        unchecked {
            uint256 count = 1 << log;
            uint256 src = s.stream;
            uint256 to = Poly.allocate(count);
            s.finalVector = to;
            s.transcript = Transcript.absorb(s.transcript, src, 20 * count);
            uint256 bad;
            for (uint256 end = src + 20 * count; src < end; src += 20) {
                (uint256 x, uint256 b) = Ext.load(src);
                bad |= b;
                assembly ("memory-safe") { mstore(to, x) }
                to += 32;
            }
            require(bad == 0, NonCanonicalElement());
            s.stream = src;
        }
    }

    function _work(State memory s, uint256 bits) private pure {
        unchecked {
            s.transcript = Transcript.checkWork(s.transcript, s.stream, bits);
            s.stream += 8;
        }
    }

    function _positions(State memory s, Round memory round) private pure returns (uint256 positions) {
        unchecked {
            positions = Poly.allocate(round.queries);
            s.transcript = Transcript.positions(
                s.transcript, round.queries, round.logMessage + round.logInvRate, positions
            );
        }
    }

    /// claim := claim + gamma (y + gamma (q_0 + gamma (q_1 + ..))), and the queries' points.
    function _fold(State memory s, Recorded memory r, uint256 positions, uint256 answers) private pure {
        unchecked {
            uint256 gamma = r.gamma;
            uint256 points = s.points;
            uint256 queries = r.queries;
            uint256 sum = 0;
            for (uint256 j = 32 * r.count; j > 0;) {
                j -= 32;
                uint256 position;
                uint256 answer;
                assembly ("memory-safe") {
                    position := mload(add(positions, j))
                    answer := mload(add(answers, j))
                }
                uint256 x = Poly.queryPoint(position, points, FOURS);
                assembly ("memory-safe") { mstore(add(queries, j), x) }
                sum = Ext.mulAdd(gamma, sum, answer);
            }
            s.claim = Ext.mulAdd(gamma, Ext.mulAdd(gamma, sum, r.value), s.claim);
        }
    }

    /// Checks every tree that round i opens. Returns the folded rows, by query: addends, not reduced.
    function _open(Shape memory shape, State memory s, uint256 i, uint256 positions)
        private
        view
        returns (uint256 answers)
    {
        unchecked {
            Round memory round = _parameters(shape, i);
            answers = Poly.allocate(round.queries);
            // Position v of a table of lanes is variable logMessage + v.
            uint256 weights = Poly.eqTable(s.point + 32 * round.logMessage, round.logLanes);
            uint256 depth = round.logMessage + round.logInvRate;
            if (i > 0) {
                _openRowsInE(s, round, weights, depth, positions, answers);
                return answers;
            }
            assembly ("memory-safe") { calldatacopy(answers, calldatasize(), shl(5, mload(add(round, 0x60)))) }
            _openPreprocessed(s, round, weights, shape.preprocessedLanes, depth, positions, answers);
            weights += 32 * shape.preprocessedLanes;
            _openWitness(s, round, weights, shape.witnessLanes, depth, positions, answers);
        }
    }

    /// Bits of t - 1 for t queries.
    function _logCap(uint256 queries) private pure returns (uint256 log) {
        unchecked {
            for (uint256 x = queries - 1; x > 0; x >>= 1) log++;
        }
    }

    /// The cap at the next opening, checked against the root. Returns its position and its level.
    function _cap(State memory s, uint256 queries) private pure returns (uint256 cap, uint256 log) {
        unchecked {
            cap = s.openings;
            log = _logCap(queries);
            require(Merkle.capRoot(cap, log) == s.root, CapMismatch());
            s.openings = cap + (32 << log);
        }
    }

    function _openPreprocessed(
        State memory s,
        Round memory round,
        uint256 weights,
        uint256 lanes,
        uint256 depth,
        uint256 positions,
        uint256 answers
    ) private view {
        unchecked {
            (uint256 table,) = Poly.rowWeights(weights, lanes);
            uint256 src = s.openings;
            uint256 levels = depth - PREPROCESSED_CAP;
            address cap = s.preprocessedCap;
            uint256 wrong;
            for (uint256 j = 0; j < 32 * round.queries; j += 32) {
                uint256 position;
                assembly ("memory-safe") { position := mload(add(positions, j)) }
                _addRow(src, table, lanes, answers + j);
                bytes32 node = Merkle.leaf(src, 4 * lanes);
                src += 4 * lanes;
                node = Merkle.climb(node, position, src, levels);
                src += 32 * levels;
                assembly ("memory-safe") {
                    // Scratch space is free here.
                    extcodecopy(cap, 0, add(1, shl(5, shr(levels, position))), 0x20)
                    wrong := or(wrong, xor(node, mload(0)))
                }
            }
            require(wrong == 0, PathMismatch());
            s.openings = src;
        }
    }

    function _openWitness(
        State memory s,
        Round memory round,
        uint256 weights,
        uint256 lanes,
        uint256 depth,
        uint256 positions,
        uint256 answers
    ) private pure {
        unchecked {
            (uint256 table,) = Poly.rowWeights(weights, lanes);
            (uint256 cap, uint256 log) = _cap(s, round.queries);
            uint256 src = s.openings;
            uint256 levels = depth - log;
            uint256 wrong;
            for (uint256 j = 0; j < 32 * round.queries; j += 32) {
                uint256 position;
                assembly ("memory-safe") { position := mload(add(positions, j)) }
                _addRow(src, table, lanes, answers + j);
                bytes32 node = Merkle.leaf(src, 4 * lanes);
                src += 4 * lanes;
                node = Merkle.climb(node, position, src, levels);
                src += 32 * levels;
                assembly ("memory-safe") {
                    wrong := or(wrong, xor(node, calldataload(add(cap, shl(5, shr(levels, position))))))
                }
            }
            require(wrong == 0, PathMismatch());
            s.openings = src;
        }
    }

    /// Adds the folded row of base elements at `src` to the word at `to`.
    function _addRow(uint256 src, uint256 table, uint256 lanes, uint256 to) private pure {
        unchecked {
            uint256 words = lanes / 8;
            (uint256 folded, uint256 bad) = Poly.rowDot(src, table, words);
            if (lanes % 8 != 0) {
                (uint256 end, uint256 b) = Poly.rowEnd(src + 32 * words, table + 320 * words, lanes % 8);
                folded += end;
                bad |= b;
            }
            require(bad == 0, NonCanonicalElement());
            assembly ("memory-safe") { mstore(to, add(mload(to), folded)) }
        }
    }

    function _openRowsInE(
        State memory s,
        Round memory round,
        uint256 weights,
        uint256 depth,
        uint256 positions,
        uint256 answers
    ) private pure {
        unchecked {
            uint256 lanes = 1 << round.logLanes;
            uint256 table = Poly.rowWeightsInE(weights, lanes);
            (uint256 cap, uint256 log) = _cap(s, round.queries);
            uint256 src = s.openings;
            uint256 levels = depth - log;
            uint256 wrong;
            uint256 bad;
            for (uint256 j = 0; j < 32 * round.queries; j += 32) {
                uint256 position;
                assembly ("memory-safe") { position := mload(add(positions, j)) }
                (uint256 folded, uint256 b) = Poly.rowDotInE(src, table, lanes);
                bad |= b;
                bytes32 node = Merkle.leaf(src, 20 * lanes);
                src += 20 * lanes;
                node = Merkle.climb(node, position, src, levels);
                src += 32 * levels;
                assembly ("memory-safe") {
                    mstore(add(answers, j), folded)
                    wrong := or(wrong, xor(node, calldataload(add(cap, shl(5, shr(levels, position))))))
                }
            }
            require(bad == 0, NonCanonicalElement());
            require(wrong == 0, PathMismatch());
            s.openings = src;
        }
    }

    /// q_j = sum_b f(b) x_j^b.
    function _checkFinal(State memory s, uint256 queries, uint256 size, uint256 positions, uint256 answers)
        private
        pure
    {
        unchecked {
            uint256 points = s.points;
            uint256 f = s.finalVector;
            for (uint256 j = 0; j < 32 * queries; j += 32) {
                uint256 position;
                uint256 answer;
                assembly ("memory-safe") {
                    position := mload(add(positions, j))
                    answer := mload(add(answers, j))
                }
                uint256 value = Poly.horner(f, size, Poly.queryPoint(position, points, FOURS));
                require(Ext.canonical(Ext.sub(value, answer)) == 0, QueryMismatch());
            }
        }
    }

    /// Poly.pointTable of the roots of order 2, 4, .., 2^24, less one.
    function _pointTable() private pure returns (uint256) {
        unchecked {
            uint256 roots = Poly.allocate(4 * FOURS);
            uint256 root = ROOT_OF_2_24;
            for (uint256 i = 4 * FOURS; i-- > 0;) {
                assembly ("memory-safe") {
                    mstore(add(roots, shl(5, i)), sub(root, 1))
                    root := mulmod(root, root, P)
                }
            }
            return Poly.pointTable(roots, FOURS);
        }
    }

    /// pow(x, r) = prod_v (1 + r_v (x^(2^v) - 1)), x in E.
    function _powInE(uint256 x, uint256 point, uint256 variables) private pure returns (uint256 product) {
        unchecked {
            product = 1;
            for (uint256 v = 0; v < variables; v++) {
                uint256 r;
                assembly ("memory-safe") { r := mload(add(point, shl(5, v))) }
                product = Ext.mul(product, Ext.mulAdd(r, Ext.sub(x, 1), 1));
                x = Ext.mul(x, x);
            }
        }
    }
}
