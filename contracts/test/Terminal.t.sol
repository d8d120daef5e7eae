// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vectors, vm} from "./Vm.sol";

interface IVerifier {
    function verify(bytes calldata limbs, bytes calldata proof) external view;
    function profile() external view returns (uint256);
    function keyDigest() external view returns (bytes32);
    function dataHashes() external view returns (bytes32[] memory);
}

/// Verifiers as they are deployed, and the kept proofs (tests/evm/terminal_vectors.cpp).
abstract contract TerminalCase is Vectors {
    function fileName(string memory prefix, uint256 profile, string memory suffix) internal pure returns (string memory) {
        return string.concat(prefix, vm.toString(profile), suffix);
    }

    function deployVerifier(uint256 profile) internal returns (IVerifier) {
        bytes[] memory codes = dataCodes(profile);
        address[] memory data = new address[](codes.length);
        for (uint256 i = 0; i < codes.length; i++) {
            data[i] = create(codes[i]);
        }
        return IVerifier(create(verifierCode(profile, data)));
    }

    function dataCodes(uint256 profile) internal view returns (bytes[] memory) {
        string memory json = vm.readFile(fileName("src/generated/TerminalData", profile, ".json"));
        return vm.parseJsonBytesArray(json, ".code");
    }

    function verifierCode(uint256 profile, address[] memory data) internal view returns (bytes memory) {
        string memory contractName = fileName("TerminalVerifier", profile, "");
        bytes memory code = vm.getCode(string.concat("../out/contracts/", contractName, ".sol/", contractName, ".json"));
        return bytes.concat(code, abi.encode(data));
    }

    function create(bytes memory code) internal returns (address r) {
        assembly ("memory-safe") { r := create(0, add(code, 0x20), mload(code)) }
        require(r != address(0), "not created");
    }

    function limbsOf(uint256 profile) internal view returns (bytes memory) {
        return vm.readFileBinary(fileName("test/vectors/terminal-", profile, ".limbs"));
    }

    function proofOf(uint256 profile) internal view returns (bytes memory) {
        return vm.readFileBinary(fileName("test/vectors/terminal-", profile, ".proof"));
    }
}

contract TerminalTest is TerminalCase {
    uint256 private constant CODE_LIMIT = 24576; // EIP-170
    /// Of execution, without calldata and what a transaction costs.
    uint256 private constant GAS_BAR = 8_000_000;

    function verifies(uint256 profile) private {
        IVerifier verifier = deployVerifier(profile);
        equal(verifier.profile(), profile, "profile");
        require(address(verifier).code.length < CODE_LIMIT, "code size");
        bytes memory input = abi.encodeCall(IVerifier.verify, (limbsOf(profile), proofOf(profile)));
        uint256 gas = gasleft();
        bool ok;
        assembly ("memory-safe") { ok := staticcall(gas(), verifier, add(input, 0x20), mload(input), 0, 0) }
        gas -= gasleft();
        require(ok, "refused");
        uint256 kept = vm.parseJsonUint(vm.readFile("test/vectors/terminal-gas.json"), fileName(".", profile, ""));
        require(
            gas * 100 < kept * 101 && gas * 101 > kept * 100,
            string.concat("gas is not as kept in terminal-gas.json: ", vm.toString(gas))
        );
        require(gas < GAS_BAR, "gas");
    }

    function test_verifiesForOneBatch() public {
        verifies(1);
    }

    function test_verifiesForFourBatches() public {
        verifies(4);
    }

    function test_verifiesForSixteenBatches() public {
        verifies(16);
    }

    /// What a verifier was generated with is what it is deployed with.
    function test_refusesOtherData() public {
        bytes[] memory codes = dataCodes(1);
        address[] memory data = new address[](codes.length);
        for (uint256 i = 0; i < codes.length; i++) {
            data[i] = create(codes[i]);
        }
        (data[1], data[2]) = (data[2], data[1]);
        bytes memory code = verifierCode(1, data);
        address made;
        assembly ("memory-safe") { made := create(0, add(code, 0x20), mload(code)) }
        require(made == address(0), "programs in another order");
        code = verifierCode(1, new address[](1));
        assembly ("memory-safe") { made := create(0, add(code, 0x20), mload(code)) }
        require(made == address(0), "without programs");
    }
}

/// Proofs that the native verifier refuses (tests/evm/terminal_mutants.hpp): the contract does, for the reason that is kept.
contract TerminalMutantsTest is TerminalCase {
    uint256 private constant LEAST = 1000;
    string[14] private errors = [
        "WrongLimbsLength",
        "WrongProofLength",
        "NonCanonicalDigest",
        "NonCanonicalElement",
        "ZeroDenominator",
        "BusImbalance",
        "LayerMismatch",
        "ConstraintMismatch",
        "WorkMissing",
        "CapMismatch",
        "PathMismatch",
        "QueryMismatch",
        "ClaimMismatch",
        ""
    ];

    struct Base {
        IVerifier verifier;
        bytes limbs;
        bytes proof;
    }

    function base(uint256 profile) private returns (Base memory) {
        return Base(deployVerifier(profile), limbsOf(profile), proofOf(profile));
    }

    /// A big-endian number of `size` bytes at memory position `source`.
    function number(uint256 source, uint256 size) private pure returns (uint256 r) {
        assembly ("memory-safe") { r := shr(sub(256, shl(3, size)), mload(source)) }
    }

    /// A copy of another length, zeros behind the end.
    function resized(bytes memory data, uint256 length) private pure returns (bytes memory r) {
        r = new bytes(length);
        assembly ("memory-safe") {
            let size := mload(data)
            if lt(length, size) { size := length }
            mcopy(add(r, 0x20), add(data, 0x20), size)
        }
    }

    function edited(Base memory b, uint256 source) private pure returns (bytes memory limbs, bytes memory proof, uint256) {
        limbs = resized(b.limbs, number(source + 5, 4));
        proof = resized(b.proof, number(source + 9, 4));
        uint256 count = number(source + 13, 2);
        source += 15;
        for (; count > 0; count--) {
            bytes memory target = number(source, 1) == 0 ? limbs : proof;
            uint256 place = number(source + 1, 4);
            uint256 size = number(source + 5, 2);
            require(place + size <= target.length, "an edit beyond the end");
            source += 7;
            assembly ("memory-safe") { mcopy(add(add(target, 0x20), place), source, size) }
            source += size;
        }
        return (limbs, proof, source);
    }

    /// Why a proof is refused; 0 if it is not.
    function reason(IVerifier verifier, bytes memory limbs, bytes memory proof) private view returns (uint256 r) {
        bytes memory input = abi.encodeCall(IVerifier.verify, (limbs, proof));
        assembly ("memory-safe") {
            mstore(0, 0)
            if iszero(staticcall(gas(), verifier, add(input, 0x20), mload(input), 0, 4)) { r := shr(224, mload(0)) }
        }
    }

    function test_refusesEveryMutant() public {
        Base[3] memory bases = [base(1), base(4), base(16)];
        uint256[3] memory judged;
        bytes memory mutants = vm.readFileBinary("test/vectors/terminal-mutants.bin");
        uint256[14] memory seen;
        uint256 count;
        uint256 source;
        assembly ("memory-safe") { source := add(mutants, 0x20) }
        count = number(source, 4);
        require(count >= LEAST, "too few");
        source += 4;
        uint256 free;
        assembly ("memory-safe") { free := mload(0x40) }
        for (uint256 i = 0; i < count; i++) {
            uint256 at = baseOf(number(source, 1));
            Base memory b = bases[at];
            judged[at]++;
            uint256 expected = number(source + 1, 4);
            bytes memory limbs;
            bytes memory proof;
            (limbs, proof, source) = edited(b, source);
            uint256 why = reason(b.verifier, limbs, proof);
            if (why != expected) {
                revert(string.concat("mutant ", vm.toString(i), ": ", name(why), " instead of ", name(expected)));
            }
            seen[indexOf(why)]++;
            // Memory costs by its square: every mutant has the same.
            assembly ("memory-safe") { mstore(0x40, free) }
        }
        for (uint256 k = 0; k < 13; k++) {
            require(seen[k] > 0, string.concat("never seen: ", errors[k]));
        }
        require(judged[0] >= 100 && judged[1] >= 100 && judged[2] >= 100, "a profile without mutants");
    }

    /// Where the profile's base is.
    function baseOf(uint256 profile) private pure returns (uint256) {
        require(profile == 1 || profile == 4 || profile == 16, "a mutant of no profile");
        return profile == 1 ? 0 : profile == 4 ? 1 : 2;
    }

    function indexOf(uint256 selector) private view returns (uint256) {
        for (uint256 k = 0; k < 13; k++) {
            if (uint32(bytes4(keccak256(bytes(string.concat(errors[k], "()"))))) == selector) return k;
        }
        return 13;
    }

    function name(uint256 selector) private view returns (string memory) {
        uint256 k = indexOf(selector);
        return selector == 0 ? "accepted" : k == 13 ? vm.toString(selector) : errors[k];
    }
}
