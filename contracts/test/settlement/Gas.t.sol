// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IHubCore, IHubProofs, Item, Opening, Parameters, VerifierSet} from "../../src/settlement/IHub.sol";
import {IBridge} from "../../src/settlement/IBridge.sol";
import {IVerifier, TerminalCase} from "../Terminal.t.sol";
import {vm} from "./Cheats.sol";
import {OddToken, VerifierDouble} from "./Doubles.sol";
import {Draft, Fixture} from "./Fixture.sol";

/// In place of the verifier for sixteen items, at the price of a proof: it verifies the kept one, whose public input has the same length.
contract KeptProofDouble is VerifierDouble(16), TerminalCase {
    IVerifier private immutable verifier = deployVerifier(16);
    address private immutable kept; // its code is the kept public input

    constructor() {
        bytes memory limbs = limbsOf(16);
        // PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN
        kept = create(bytes.concat(hex"61", bytes2(uint16(limbs.length)), hex"80600a5f395ff3", limbs));
    }

    function verify(bytes calldata limbs, bytes calldata proof) external view override {
        require(accepted[keccak256(limbs)], NotProven());
        verifier.verify(kept.code, proof);
    }

    function keptProof() external view returns (bytes memory) {
        return proofOf(16);
    }
}

/// What calls cost, as they are kept in test/vectors/settlement-gas.json: execution with cold storage, without the 21,000 of
/// a transaction, its calldata and the verification of a proof. The last one, settlement_16, is what a receipt would say: all of these are
/// in it. `QUARRY_WRITE_GAS=true` writes ../out/settlement-gas.json.
contract GasTest is Fixture {
    uint256 private constant TRANSACTION_LIMIT = 2 ** 24; // EIP-7825

    event log_named_uint(string key, uint256 val); // shown by forge test -vv

    string private report = "{";
    string private kept;

    function measure(string memory name, address from, address to, uint256 value, bytes memory input) private {
        note(name, execution(name, from, to, value, input));
    }

    function execution(string memory name, address from, address to, uint256 value, bytes memory input) private returns (uint256 gas) {
        vm.cool(address(hub));
        vm.cool(address(bridge));
        vm.deal(from, from.balance + value);
        vm.prank(from, from);
        bool done;
        gas = gasleft();
        assembly ("memory-safe") { done := call(gas(), to, value, add(input, 0x20), mload(input), 0, 0) }
        gas -= gasleft();
        require(done, name);
    }

    function note(string memory name, uint256 gas) private {
        report = string.concat(report, bytes(report).length == 1 ? "\n" : ",\n", "  \"", name, "\": ", vm.toString(gas));
        if (bytes(kept).length == 0) return;
        uint256 expected = vm.parseJsonUint(kept, string.concat(".", name));
        uint256 off = gas > expected ? gas - expected : expected - gas;
        require(off * 200 <= expected, string.concat(name, " costs ", vm.toString(gas), ", kept is ", vm.toString(expected)));
    }

    function test_gas() public {
        bool write = vm.envOr("QUARRY_WRITE_GAS", false);
        if (!write) kept = vm.readFile("test/vectors/settlement-gas.json");
        measureBridge();
        measureBatches();
        measureCap();
        measureSettlement();
        if (write) vm.writeFile("../out/settlement-gas.json", string.concat(report, "\n}\n"));
    }

    function measureBridge() private {
        address[] memory sequencers = new address[](1);
        measure("register_rollup", OWNER, address(hub), 0, abi.encodeCall(IHubCore.registerRollup, (OWNER, sequencers, 10, parameters())));
        OddToken token = new OddToken(OddToken.Answer.True, 0);
        token.mint(USER, 1000);
        vm.prank(USER, USER);
        token.approve(address(bridge), 1000);
        measure("add_token", OWNER, address(bridge), 0, abi.encodeCall(IBridge.addToken, (rollup, address(token))));
        for (uint256 i = 0; i < 2; i++) {
            measure(i == 0 ? "deposit_ether_first" : "deposit_ether", USER, address(bridge), 1 ether, abi.encodeCall(IBridge.deposit, (rollup, 0, 1 ether, bytes32(uint256(11)), USER, type(uint32).max)));
            measure(i == 0 ? "deposit_token_first" : "deposit_token", USER, address(bridge), 0, abi.encodeCall(IBridge.deposit, (rollup, 1, 100, bytes32(uint256(11)), USER, type(uint32).max)));
            measure(i == 0 ? "force_withdraw_first" : "force_withdraw", USER, address(bridge), 1 ether, abi.encodeCall(IBridge.forceWithdraw, (rollup, 3)));
        }
        measure("force_set_key", USER, address(bridge), 1 ether, abi.encodeCall(IBridge.forceSetKey, (rollup, 3, bytes32(uint256(11)))));
    }

    function submitCall(Draft memory d) private returns (bytes memory) {
        bytes memory header = encode(d.header);
        headers[d.header.rollup][d.header.number] = header;
        return abi.encodeCall(IHubCore.submitBatchCalldata, (d.parent, header, d.data, POINT, terms()));
    }

    function measureBatches() private {
        rollup = register(parameters());
        depositEther(rollup, USER, 10 ether);
        Draft memory d = draft(rollup);
        addWithdrawal(d, 0, 1 ether, address(0xb0b));
        consumeDeposit(d, USER, 10 ether, true);
        measure("submit_calldata_first", SEQUENCER, address(hub), ESCROW, submitCall(d));
        Item memory item = itemOf(d);
        measure("prove_2_effects", RELAYER, address(hub), 0, abi.encodeCall(IHubProofs.submitProof, (item, proven(0, one(item)))));
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = leaf(0, 0, 1 ether, address(0xb0b));
        (, bytes32[8] memory path) = tree(leaves, 0);
        measure("claim", RELAYER, address(bridge), 0, abi.encodeCall(IBridge.claimWithdrawal, (rollup, 1, 0, 0, 1 ether, address(0xb0b), path)));
        d = draft(rollup);
        d.data = new bytes(31 * 4096);
        d.header.byteLength = 31 * 4096;
        measure("submit_calldata_4096_words", SEQUENCER, address(hub), ESCROW, submitCall(d));
        measure("raise_bounty", USER, address(hub), 1 ether, abi.encodeCall(IHubCore.raiseBounty, (rollup, 2)));
        item = itemOf(d);
        measure("prove_no_effects", RELAYER, address(hub), 0, abi.encodeCall(IHubProofs.submitProof, (item, proven(0, one(item)))));
        d = draft(rollup);
        d.header.byteLength = 31 * 4096 * 6;
        bytes32[] memory hashes = new bytes32[](6);
        for (uint256 i = 0; i < 6; i++) {
            hashes[i] = bytes32(uint256(1) << 248 | i);
        }
        vm.blobhashes(hashes);
        bytes memory header = encode(d.header);
        measure("submit_6_blobs", SEQUENCER, address(hub), ESCROW, abi.encodeCall(IHubCore.submitBatch, (d.parent, header, terms())));
        vm.warp(START + 1 days);
        measure("discard", SEQUENCER, address(hub), 0, abi.encodeCall(IHubProofs.discardUnproven, (rollup, 3)));
        measureAggregate();
    }

    function measureAggregate() private {
        Item[] memory items = new Item[](16);
        for (uint256 i = 0; i < 16; i++) {
            if (i % 4 == 0) rollup = register(parameters());
            items[i] = itemOf(submitNext(rollup));
        }
        measure("aggregate_16", RELAYER, address(hub), 0, abi.encodeCall(IHubProofs.submitAggregate, (0, 4, items, proven(4, items))));
        measure("collect", RELAYER, address(hub), 0, abi.encodeCall(IHubCore.collect, (PROVER)));
    }

    /// The effects that cost most: refunds of deposits.
    function measureCap() private {
        rollup = register(parameters());
        for (uint256 i = 0; i < 256; i++) {
            depositEther(rollup, USER, 5);
        }
        Draft memory d = draft(rollup);
        for (uint256 i = 0; i < 256; i++) {
            consumeDeposit(d, USER, 5, false);
        }
        submit(d);
        Item memory item = itemOf(d);
        measure("prove_256_effects", RELAYER, address(hub), 0, abi.encodeCall(IHubProofs.submitProof, (item, proven(0, one(item)))));
    }

    /// What a transaction pays before it does anything, and at least. [EIP-7623]
    function intrinsic(bytes memory input) private pure returns (uint256 gas, uint256 floor) {
        uint256 zeros = 0;
        for (uint256 i = 0; i < input.length; i++) {
            if (input[i] == 0) zeros++;
        }
        uint256 tokens = zeros + 4 * (input.length - zeros);
        return (21_000 + 4 * tokens, 21_000 + 10 * tokens);
    }

    /// Sixteen batches of four rollups, each of one blob with a real opening and 16 withdrawals, and a real proof of sixteen: all that one
    /// transaction pays, refunds apart, and about 50,000 for the double.
    function measureSettlement() private {
        KeptProofDouble verifier = new KeptProofDouble();
        Parameters memory p = parameters();
        p.key = hub.addVerifiers(VerifierSet(1, address(verifier), address(verifier), address(verifier)));
        bytes memory openings = vm.parseJsonBytes(vm.readFile("test/vectors/settlement.json"), ".second_openings");
        bytes32[] memory hashes = new bytes32[](1);
        Opening memory opening = abi.decode(openings, (Opening));
        hashes[0] = opening.l1Hash;
        vm.blobhashes(hashes);
        Item[] memory items = new Item[](16);
        for (uint256 i = 0; i < 16; i++) {
            if (i % 4 == 0) rollup = register(p);
            Draft memory d = draft(rollup);
            d.header.byteLength = 31 * 4096;
            for (uint160 k = 0; k < 16; k++) {
                addWithdrawal(d, 0, uint96(1 ether + k), address(uint160(uint256(keccak256(abi.encode(i, k))))));
            }
            bytes memory header = encode(d.header);
            headers[rollup][d.header.number] = header;
            vm.prank(SEQUENCER, SEQUENCER);
            hub.submitBatch{value: ESCROW}(d.parent, header, terms());
            items[i] = itemOf(d);
            items[i].form = 1;
            items[i].data[0] = opening;
        }
        verifier.accept(hub.statementDigest(4, items));
        bytes memory input = abi.encodeCall(IHubProofs.submitAggregate, (p.key, 4, items, verifier.keptProof()));
        (uint256 gas, uint256 floor) = intrinsic(input);
        gas += execution("settlement_16", RELAYER, address(hub), 0, input);
        if (gas < floor) gas = floor;
        emit log_named_uint("gas of settling sixteen batches", gas);
        emit log_named_uint("bytes of its calldata", input.length);
        require(gas <= TRANSACTION_LIMIT, "a settlement of sixteen batches fits no transaction");
        for (uint256 i = 0; i < 4; i++) {
            equal(hub.rollupInfo(rollup - uint32(i)).finalised, 4, "final");
        }
        note("settlement_16", gas);
    }
}
