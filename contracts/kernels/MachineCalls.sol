// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Machine} from "../src/Machine.sol";

/// The machine over slots from FIRST_SLOT on, as TerminalVerifier has them.
contract MachineCalls {
    uint256 private constant FIRST_SLOT = 0x400;

    /// Runs the program over `words` and zeros behind them; all `count` slots afterwards.
    function run(bytes calldata program, uint256[] calldata words, uint256 count) external pure returns (uint256[] memory r) {
        uint256 ip;
        assembly ("memory-safe") {
            r := sub(FIRST_SLOT, 0x20)
            // Nothing was allocated yet; what the compiler keeps for itself ends below.
            if gt(mload(0x40), r) { revert(0, 0) }
            mstore(r, count)
            calldatacopy(FIRST_SLOT, words.offset, shl(5, words.length))
            ip := add(FIRST_SLOT, shl(5, count))
            calldatacopy(ip, program.offset, program.length)
            mstore(0x40, add(ip, and(add(program.length, 0x3f), not(0x1f))))
        }
        Machine.run(ip, ip + program.length);
    }
}
