// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IReader} from "./Calls.sol";
import {Vectors, vm} from "./Vm.sol";

contract FoundationTest is Vectors {
    uint256 private constant P = 2 ** 31 - 2 ** 24 + 1;
    IReader private immutable reader = IReader(deploy("Reader"));
    /// Errors of the libraries.
    bytes4 private constant WORK_MISSING = bytes4(keccak256("WorkMissing()"));
    bytes4 private constant LAYER_MISMATCH = bytes4(keccak256("LayerMismatch()"));

    function slice(bytes memory data, uint256 from, uint256 length) private pure returns (bytes memory r) {
        require(from + length <= data.length, "beyond the vector");
        r = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            r[i] = data[from + i];
        }
    }

    function test_transcript() public {
        bytes memory expected = field("transcript_expected");
        bytes32 state = reader.absorb(0, field("transcript_message"));
        equal(reader.challenge(state), ext(expected, 0, 0), "challenge");
        uint256[] memory positions;
        (positions, state) = reader.positions(state, 13, 24);
        for (uint256 i = 0; i < 13; i++) {
            equal(positions[i], word(expected, 20 + 4 * i), "position");
        }
        bytes memory nonce = slice(expected, 72, 8);
        bytes32 worked = reader.checkWork(state, nonce, 12);
        equal(reader.challenge(reader.again(worked)), ext(expected, 80, 0), "after the work");
        nonce[7] ^= 0x01;
        vm.expectRevert(WORK_MISSING);
        reader.checkWork(state, nonce, 12);
    }

    function test_merkle() public view {
        bytes32 root = bytes32(field("merkle_root"));
        bytes memory cap = field("merkle_cap");
        require(reader.capRoot(cap, 3) == root, "cap");
        bytes memory rows = field("merkle_rows");
        bytes memory paths = field("merkle_paths");
        bytes memory indices = field("merkle_positions");
        uint256 count = indices.length / 4;
        uint256[] memory positions = new uint256[](count);
        for (uint256 i = 0; i < count; i++) {
            bytes memory row = slice(rows, 128 * i, 128);
            bytes memory path = slice(paths, 256 * i, 256);
            positions[i] = word(indices, 4 * i);
            require(reader.climb(row, positions[i], path) == root, "path");
            bytes32 node = reader.climb(row, positions[i], slice(path, 0, 160));
            require(node == bytes32(slice(cap, 32 * (positions[i] >> 5), 32)), "path to the cap");
            require(reader.climb(row, positions[i] ^ 1, path) != root, "another position");
            row[127] ^= 0x01;
            require(reader.climb(row, positions[i], path) != root, "another row");
        }
        bytes memory siblings = field("merkle_pruned");
        (bytes32 pruned, uint256 used) = reader.pruned(rows, positions, siblings);
        require(pruned == root && used == siblings.length, "pruned");
        rows[0] ^= 0x01;
        (pruned,) = reader.pruned(rows, positions, siblings);
        require(pruned != root, "pruned, another row");
    }

    function test_rows() public view {
        uint256[] memory r = exts(field("rows_point"), 5);
        uint256[] memory table = reader.eqTable(r);
        uint256[] memory weights = exts(field("rows_weights"), 32);
        for (uint256 b = 0; b < 32; b++) {
            equal(reader.canonical(table[b]), weights[b], "eq");
            weights[b] = table[b]; // as the verifier has them: reduced, not canonical
        }
        bytes memory sums = field("rows_sums");
        for (uint256 i = 0; i < 2; i++) {
            bytes memory row = field(i == 0 ? "rows_base" : "rows_ext");
            (uint256 sum, uint256 bad) = reader.rowDot(row, weights, i == 1);
            equal(reader.canonical(sum), ext(sums, 0, i), "row");
            equal(bad, 0, "canonical");
            for (uint256 k = 0; k < row.length; k += 4) {
                bytes memory other = slice(row, 0, row.length);
                (other[k], other[k + 1], other[k + 2], other[k + 3]) = (0x7f, 0, 0, 0x01);
                (, bad) = reader.rowDot(other, weights, i == 1);
                require(bad != 0, "p is not canonical");
            }
        }
    }

    /// Both factors at their largest in every place, where lanes are fullest.
    function test_rowsAtTheirLargest() public view {
        uint256[] memory weights = new uint256[](32);
        bytes memory row = new bytes(640);
        for (uint256 i = 0; i < 640; i += 4) {
            (row[i], row[i + 1]) = (0x7f, 0x00); // p - 1
        }
        uint256 largest = 2142425318; // 1.0055 p
        for (uint256 i = 0; i < 32; i++) {
            weights[i] = largest | largest << 51 | largest << 102 | largest << 153 | largest << 204;
        }
        (uint256 sum, uint256 bad) = reader.rowDot(row, weights, true);
        equal(bad, 0, "canonical");
        uint256 expected = 0;
        for (uint256 i = 0; i < 32; i++) {
            expected = reader.mulAdd(exts(row, 1)[0], weights[i], expected);
        }
        equal(reader.canonical(sum), reader.canonical(expected), "in E");
        (sum,) = reader.rowDot(slice(row, 0, 128), weights, false);
        expected = 0;
        for (uint256 i = 0; i < 32; i++) {
            expected = reader.mulAdd(P - 1, weights[i], expected);
        }
        equal(reader.canonical(sum), reader.canonical(expected), "in F_p");
    }

    function test_evaluations() public view {
        bytes memory expected = field("evaluation_expected");
        bytes memory rootBytes = field("evaluation_roots");
        uint256[] memory roots = new uint256[](24);
        for (uint256 i = 0; i < 24; i++) {
            roots[i] = word(rootBytes, 4 * i);
        }
        uint256 x = reader.queryPoint(word(field("evaluation_position"), 0), roots);
        equal(x, word(expected, 0), "point");
        uint256[] memory r = exts(field("evaluation_point"), 16);
        uint256 pow = reader.pow(x, r);
        equal(reader.canonical(pow), ext(expected, 4, 0), "pow");
        uint256[] memory f = exts(field("evaluation_f"), 32);
        equal(reader.canonical(reader.horner(f, x)), ext(expected, 4, 1), "horner");
        equal(reader.canonical(reader.foldAll(f, r, 5)), ext(expected, 4, 2), "fold");
    }

    function test_sumcheck() public view {
        bytes memory message = field("sumcheck_message");
        bytes memory claims = field("sumcheck_claims");
        bytes memory rho = field("sumcheck_rho");
        bytes32 state;
        uint256 bad;
        uint256 claim = ext(claims, 0, 0);
        for (uint256 i = 0; i < 6; i++) {
            uint256 degree = i < 5 ? 2 : 7;
            bytes memory m = slice(message, 40 * i, 20 * degree);
            if (i < 3) {
                (state,, claim, bad) = reader.plain(state, claim, m);
            } else {
                (state,, claim, bad) = reader.withEq(state, claim, ext(rho, 0, i - 3), m, degree);
            }
            equal(reader.canonical(claim), ext(claims, 0, i + 1), "claim");
            equal(bad, 0, "canonical");
        }
    }

    function test_sumcheckSeesWhatIsNotCanonical() public view {
        for (uint256 i = 0; i < 7; i++) {
            bytes memory m = new bytes(140);
            (m[20 * i], m[20 * i + 3]) = (0x7f, 0x01);
            (,,, uint256 bad) = reader.withEq(0, 0, 0, m, 7);
            require(bad != 0, "any degree");
            if (i >= 2) continue;
            (,,, bad) = reader.withEq(0, 0, 0, m, 2);
            require(bad != 0, "with eq");
            (,,, bad) = reader.plain(0, 0, m);
            require(bad != 0, "plain");
        }
    }

    function gkrClaim() private view returns (Claim memory claim) {
        bytes memory claims = field("gkr_claims");
        uint256[] memory rho = exts(field("gkr_rho"), 4);
        claim.p = ext(claims, 0, 0);
        claim.q = ext(claims, 0, 1);
        claim.point = new uint256[](5);
        for (uint256 i = 0; i < 4; i++) {
            claim.point[3 - i] = rho[i]; // bound first is what appeared last
        }
        claim.rounds = 4;
    }

    function test_gkr() public {
        bytes memory message = field("gkr_message");
        Claim memory claim = reader.layer(gkrClaim(), message);
        bytes memory expected = field("gkr_expected");
        equal(reader.canonical(claim.p), ext(expected, 0, 0), "p");
        equal(reader.canonical(claim.q), ext(expected, 0, 1), "q");
        equal(claim.src, message.length, "read");
        uint256[] memory point = exts(field("gkr_point"), 5);
        for (uint256 i = 0; i < 5; i++) {
            equal(reader.canonical(claim.point[i < 4 ? 3 - i : i]), point[i], "point");
        }
        for (uint256 i = 3; i < message.length; i += 20) {
            message[i] ^= 0x01;
            vm.expectRevert(LAYER_MISMATCH);
            reader.layer(gkrClaim(), message);
            message[i] ^= 0x01;
        }
    }
}
