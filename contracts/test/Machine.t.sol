// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IExtCalls, IMachineCalls} from "./Calls.sol";
import {Vectors, vm} from "./Vm.sol";

contract MachineTest is Vectors {
    uint256 private constant P = 2 ** 31 - 2 ** 24 + 1;
    /// Of quarry/codegen/machine.hpp: the operation whose result is not reduced, and how many there are.
    uint256 private constant RAW = 8;
    uint256 private constant OPERATIONS = 9;

    /// Every operation, its operands random and at the ends of what they may be: no lane overflows, every result keeps its bound.
    function test_operations() public {
        IExtCalls arithmetic = IExtCalls(deploy("ExtCalls"));
        bytes memory results = field("machine_results");
        uint256[] memory words = abi.decode(bytes.concat(bytes32(uint256(32)), counted(field("machine_words"))), (uint256[]));
        uint256 count = results.length / 24; // operation, value
        uint256[] memory slots = IMachineCalls(deploy("MachineCalls")).run(field("machine_program"), words, words.length + count);
        uint256[OPERATIONS] memory seen;
        for (uint256 i = 0; i < count; i++) {
            uint256 operation = word(results, 24 * i);
            uint256 x = slots[words.length + i];
            uint256 most = operation == RAW ? 2 ** 48 - 1 : 10055 * P / 10000;
            require(x >> 255 == 0, "beyond the lanes");
            for (uint256 k = 0; k < 5; k++) {
                require((x >> (51 * k)) % 2 ** 51 <= most, string.concat("lane too large: ", name(i, operation)));
            }
            equal(arithmetic.canonical(x), ext(results, 24 * i + 4, 0), name(i, operation));
            seen[operation - 1]++;
        }
        for (uint256 k = 0; k < OPERATIONS; k++) {
            require(seen[k] != 0, name(0, k + 1));
        }
    }

    function name(uint256 i, uint256 operation) private pure returns (string memory) {
        return string.concat("result ", vm.toString(i), " of operation ", vm.toString(operation));
    }

    /// An array as the ABI has it.
    function counted(bytes memory words) private pure returns (bytes memory) {
        return bytes.concat(bytes32(words.length / 32), words);
    }
}
