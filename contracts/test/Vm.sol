// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The few of forge's cheatcodes that the tests use.
interface Vm {
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytesArray(string calldata json, string calldata key) external pure returns (bytes[] memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function readFileBinary(string calldata path) external view returns (bytes memory);
    function writeFile(string calldata path, string calldata data) external;
    function getCode(string calldata artifact) external view returns (bytes memory);
    function toString(uint256 value) external pure returns (string memory);
    function toString(bytes calldata value) external pure returns (string memory);
    function expectRevert(bytes4 selector) external;
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// Vectors that quarry/ computed (tests/evm/evm_vectors.cpp), and how their bytes are read.
abstract contract Vectors {
    function field(string memory key) internal view returns (bytes memory) {
        return vm.parseJsonBytes(vm.readFile("test/vectors/foundation.json"), string.concat(".", key));
    }

    /// A contract of contracts/kernels/, compiled before and as the verifier is.
    function deploy(string memory name) internal returns (address r) {
        bytes memory code = vm.getCode(string.concat("../out/contracts/", name, ".sol/", name, ".json"));
        assembly ("memory-safe") { r := create(0, add(code, 0x20), mload(code)) }
        require(r != address(0), "not deployed");
    }

    /// Four bytes, big-endian, of `data` at byte `position`.
    function word(bytes memory data, uint256 position) internal pure returns (uint256 r) {
        require(position + 4 <= data.length, "beyond the vector");
        assembly ("memory-safe") { r := shr(224, mload(add(add(data, 0x20), position))) }
    }

    /// Element number `index` of E in `data`, `skip` bytes before the first, as one packed word, canonical.
    function ext(bytes memory data, uint256 skip, uint256 index) internal pure returns (uint256 r) {
        for (uint256 i = 0; i < 5; i++) {
            r |= word(data, skip + 20 * index + 4 * i) << (51 * i);
        }
    }

    function exts(bytes memory data, uint256 count) internal pure returns (uint256[] memory r) {
        r = new uint256[](count);
        for (uint256 i = 0; i < count; i++) {
            r[i] = ext(data, 0, i);
        }
    }

    function equal(uint256 a, uint256 b, string memory what) internal pure {
        require(a == b, string.concat(what, ": ", vm.toString(a), " is not ", vm.toString(b)));
    }
}
