// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VerifierDouble} from "../settlement/Doubles.sol";

/// Named as the verifying contract for 1 is, for tests that deploy from a folder of artifacts.
contract TerminalVerifier1 is VerifierDouble(1) {}
