// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IExtCalls} from "./Calls.sol";
import {Vectors} from "./Vm.sol";

contract ExtTest is Vectors {
    IExtCalls private immutable calls = IExtCalls(deploy("ExtCalls"));
    uint256[18] private constants;

    constructor() {
        constants = calls.constants();
    }
    uint256 private constant P = 2 ** 31 - 2 ** 24 + 1;
    /// Bounds of the library's header, in ten-thousandths of p.
    uint256 private constant REDUCED = 10055;
    uint256 private constant RIGHT = 31000;
    uint256 private constant LANE = 2 ** 51;

    function lanes(uint256 value) private pure returns (uint256 r) {
        for (uint256 i = 0; i < 5; i++) {
            r |= value << (51 * i);
        }
    }

    function lane(uint256 x, uint256 i) private pure returns (uint256) {
        return (x >> (51 * i)) % LANE;
    }

    /// Five lanes up to `max`, from random bits; the top few values are hit often.
    function upTo(uint256 random, uint256 max) private pure returns (uint256 r) {
        for (uint256 i = 0; i < 5; i++) {
            uint256 bits = uint256(keccak256(abi.encode(random, i)));
            r |= (bits & 7 == 0 ? max - (bits >> 3) % 2 : (bits >> 3) % (max + 1)) << (51 * i);
        }
    }

    /// a b + c by the definition, canonical.
    function product(uint256 a, uint256 b, uint256 c) private pure returns (uint256 r) {
        uint256[9] memory t;
        for (uint256 i = 0; i < 5; i++) {
            t[i] = lane(c, i);
        }
        for (uint256 i = 0; i < 5; i++) {
            for (uint256 j = 0; j < 5; j++) {
                t[i + j] = (t[i + j] + lane(a, i) * lane(b, j)) % P;
            }
        }
        for (uint256 k = 8; k >= 5; k--) {
            t[k - 5] = (t[k - 5] + t[k]) % P; // X^5 = 1 - X^2
            t[k - 3] = (t[k - 3] + P - t[k]) % P;
        }
        for (uint256 i = 0; i < 5; i++) {
            r |= (t[i] % P) << (51 * i);
        }
    }

    function same(uint256 x, uint256 expected, string memory what) private view {
        for (uint256 i = 0; i < 5; i++) {
            require(lane(x, i) * 10000 <= REDUCED * P, "not reduced");
        }
        equal(calls.canonical(x), expected, what);
    }

    function test_constants() public view {
        equal(constants[0] /* P */, P, "p");
        equal(constants[1] /* M */, 2 ** 255 + 2 ** 102 - 1, "M");
        equal(constants[2] /* LANES_P */, lanes(P), "p in lanes");
        equal(constants[3] /* LANES_2P */, lanes(2 * P), "2p in lanes");
        equal(constants[4] /* LANES_3P */, lanes(3 * P), "3p in lanes");
        equal(constants[7] /* MASK_16 */, lanes(2 ** 16 - 1), "mask 16");
        equal(constants[8] /* MASK_20 */, lanes(2 ** 20 - 1), "mask 20");
        equal(constants[9] /* MASK_21 */, lanes(2 ** 21 - 1), "mask 21");
        equal(constants[10] /* MASK_29 */, lanes(2 ** 29 - 1), "mask 29");
        equal(constants[11] /* MASK_31 */, lanes(2 ** 31 - 1), "mask 31");
        equal(constants[12] /* MASK_32 */, lanes(2 ** 32 - 1), "mask 32");
        equal(constants[13] /* MASK_35 */, lanes(2 ** 35 - 1), "mask 35");
        equal(constants[16] /* LANES_ABOVE */, lanes(2 ** 32 - P), "2^32 - p in lanes");
        equal(constants[17] /* LANES_BIT_32 */, lanes(2 ** 32), "2^32 in lanes");
        equal(constants[14] /* TWO_47 */, 2 ** 47 % P, "2^47");
        equal(constants[15] /* RECIPROCAL */, uint256(2 ** 52) / P, "reciprocal");
    }

    /// The arithmetic behind the bounds: nothing leaves its lane.
    function test_bounds() public view {
        // reduce: the quotient's product fits a lane; remainder = p (2^22 / p + h (2^22 / p - RECIPROCAL / 2^30) + 1)
        uint256 h = 2 ** 29 - 1;
        require(h * constants[15] /* RECIPROCAL */ < LANE, "quotient");
        require((h * constants[15] /* RECIPROCAL */) >> 30 < 2 ** 21, "quotient mask");
        uint256 excess = h * (2 ** 52 - constants[15] /* RECIPROCAL */ * P) / 2 ** 30 + 1; // h (2^22 - RECIPROCAL p / 2^30)
        require((2 ** 22 + excess + P) * 10000 <= REDUCED * P, "remainder");

        uint8[5] memory most = [5, 5, 6, 5, 5];
        uint8[5] memory least = [1, 0, 4, 3, 2];
        uint256 high = (2 ** 31 - 1) * 2 ** 16 + (2 ** 20 - 1) * constants[14] /* TWO_47 */;
        uint256 a = REDUCED * P / 10000;
        uint256 bHigh = RIGHT * P / 10000 / 2 ** 16;
        require(bHigh < 2 ** 35, "upper half");
        for (uint256 i = 0; i < 5; i++) {
            uint256 offsetHigh = lane(constants[5] /* OFFSET_HIGH */, i);
            uint256 offsetLow = lane(constants[6] /* OFFSET_LOW */, i);
            require(offsetHigh % P == 0 && offsetLow % P == 0, "offset");
            require(offsetHigh >= least[i] * a * bHigh && offsetLow >= least[i] * a * (2 ** 16 - 1), "negative");
            require(offsetHigh + most[i] * a * bHigh < LANE, "upper product");
            require(offsetLow + most[i] * a * (2 ** 16 - 1) + high + 2 ** 17 * P < LANE, "sum");
        }
        require(a * (2 ** 16 - 1) + high + 2 ** 17 * P < LANE, "by a base element");
        require(4 * a * (P - 1) < 2 ** 64, "four products in a lane of 64 bits");
        require(3 * a * (2 ** 16 - 1) + P + high < LANE, "three products by halves");
    }

    function test_vectors() public view {
        bytes memory data = field("arithmetic");
        uint256 size = 104; // a, b, s, ab, as, aX
        require(data.length == size * 64, "length");
        for (uint256 i = 0; i < data.length; i += size) {
            uint256 a = ext(data, i, 0);
            uint256 b = ext(data, i, 1);
            uint256 s = word(data, i + 40);
            same(calls.mul(a, b), ext(data, i + 44, 0), "mul");
            same(calls.mulAdd(a, b, a), product(a, b, a), "mulAdd");
            same(calls.mulBaseAdd(a, s, 0), ext(data, i + 44, 1), "mulBaseAdd");
            same(calls.mulX(a), ext(data, i + 44, 2), "mulX");
        }
    }

    function testFuzz_products(uint256 x, uint256 y, uint256 z, uint256 s) public view {
        uint256 a = upTo(x, REDUCED * P / 10000);
        uint256 b = upTo(y, RIGHT * P / 10000);
        uint256 c = upTo(z, 2 ** 17 * P);
        same(calls.mul(a, b), product(a, b, 0), "mul");
        same(calls.mulAdd(a, b, c), product(a, b, c), "mulAdd");
        same(calls.mulBaseAdd(a, s % P, c), product(a, s % P, c), "mulBaseAdd");
        same(calls.mulX(a), product(a, 1 << 51, 0), "mulX");
    }

    /// All lanes at their bounds together: the worst case of each inequality in test_bounds.
    function test_extremes() public view {
        uint256 a = REDUCED * P / 10000;
        uint256 b = RIGHT * P / 10000;
        uint256 c = 2 ** 17 * P;
        for (uint256 i = 0; i < 1024; i++) {
            uint256 x;
            uint256 y;
            for (uint256 k = 0; k < 5; k++) {
                if (i >> k & 1 == 1) x |= a << (51 * k);
                if (i >> (5 + k) & 1 == 1) y |= b << (51 * k);
            }
            same(calls.mulAdd(x, y, lanes(c)), product(x, y, lanes(c)), "extreme");
        }
    }

    function testFuzz_reduce(uint256 x) public view {
        uint256 t = upTo(x, LANE - 1);
        same(calls.reduce(t), product(t, 1, 0), "reduce");
        uint256 high = upTo(~x, LANE - 1);
        uint256 low = upTo(x, 15 * 10 ** 14);
        same(calls.joinHalves(low, high), product(high, 2 ** 16, low), "joinHalves");
    }

    function testFuzz_sub(uint256 x, uint256 y) public view {
        uint256 a = upTo(x, REDUCED * P / 10000);
        uint256 b = upTo(y, 2 * P);
        equal(calls.canonical(calls.sub(a, b)), product(b, P - 1, a), "sub");
    }

    /// A coefficient of p or more is seen, in each place.
    function test_loadSeesWhatIsNotCanonical() public view {
        for (uint256 i = 0; i < 5; i++) {
            uint32[5] memory c = [uint32(P - 1), uint32(P - 1), uint32(P - 1), uint32(P - 1), uint32(P - 1)];
            (uint256 x, uint256 bad) = calls.load(abi.encodePacked(c[0], c[1], c[2], c[3], c[4]));
            equal(x, lanes(P - 1), "load");
            equal(bad, 0, "canonical");
            for (uint256 k = 0; k < 2; k++) {
                c[i] = k == 0 ? uint32(P) : type(uint32).max;
                (, bad) = calls.load(abi.encodePacked(c[0], c[1], c[2], c[3], c[4], type(uint96).max));
                require(bad != 0, "not canonical");
            }
        }
    }
}
