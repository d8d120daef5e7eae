// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Root of the empty tree of depth 32: what a rollup starts from.
bytes32 constant EMPTY_ROOT = 0x3474f11e1b98d8ad7c9f2e5859d770284343e1bd01985bef262e17d267a249ae;

/// The domain of a rollup: the start of every message that its users sign, and the first field of every statement about it
/// (docs/spec/hashing.md, sections 1 and 4). Computed here, so that no rollup can take another's.
contract RollupDomain {
    uint256 private constant P = 2 ** 31 - 2 ** 24 + 1;
    /// Poseidon's round constants, four bytes each, round after round; the test recomputes them from Grain.
    bytes private constant ROUND_CONSTANTS =
        hex"7ee56a481136704512e419417ebbc12b1970b7d5662b60e83e4990c6679f91f5350813bb00874ad428a0081a18fa58725f25b0715e5d59985e6fd3e75b2e2660"
        hex"6f1837bf3fe6182b1edd7ac557470d0043d486d51982c70f0ea53af961d6165b51639c002dec352c2950e5312d2cb94708256cef1a0109f61f51faf35cef1c62"
        hex"3d65e50e33d91626133d5a1e0ff49b0d38900cd12c22cc3f28852bb206c65a027b2cf7bc68016e1a15e16bc05248149a6dd212a018d6830a5001be8264dac34e"
        hex"5902b287426583a00c9216323fe028a5245f8e4943bb297e7873dbd93cc987df286bb4ce640a8dcd512a8e3603a4cf55481837a203d6da8473726ac7760e7fdf"
        hex"54dfeb5d7d40afd6722cb316106a457345a7ccdb44061375154077a545744faa4eb5e5ee3794e83f47c7093c5694903c69cb6299373df84c46a0df5846b8758a"
        hex"3241ebcb0b09d2331af423571e66cec243e7dc24259a5d6127e85a3b1b9133fa343e5628485cd4c216e269f5165b60c625f683d9124f81f9174331f977344dc5"
        hex"5a821dba5fc4177f54153bf55e3f11943bdbf191088c84a368256c9b3c90bbc66846166a03f4238d463335fb5e3d35516e59ae6f32d06cc0596293f36c87edb2"
        hex"08fc60b534bcca8024f007f362731c6f1e1db6c60ca409bb585c1e7856e94edc16d2273418e114677b2c3730770075e435d1b18c22be3db54fb1fbb7477cb3ed"
        hex"7d5311c65b62ae7d559c5fa877f150483211570b490fef6a77ec311f2247171b4e0ac7112edf69c93b5a8850658094215619b4aa362019a76bf9d4ed5b413dff"
        hex"617e181e5e7ab57b33ad78333466c7ca6488dff471f068f4056e891f04f1eccc663257d5671e31b95871987c280c109e2a227761350a25e95b91b1c47a073546"
        hex"0182627053a677200ed4b07434cf0c4e6e751e8829bd5f5949ec32df7693452b3cf09e586ba0e2bf7ab93acf3ce597df536e3d42147a808d5e32eb565a203323"
        hex"509657666d44b7c56698636a57b84f9f554b61b96da0ab281585b6ac6705a2b4152872f60f4409fd23a9dd606f2b18d465ac9fd42f0efbea591e67fd217ca19b"
        hex"469c90ca03d60ef54ea7857e07c86a4f288ed4612fe51b227e2936142c4beb855b0b7d111e17dff6089beae10a5acf1a2fc33d8f60422dc66e1dc939635351b9"
        hex"55522fc03eb94ef72a24a65c2e139c765139114478cc0742579538f944de9aae3c2f1e2e195747be2496339c650b2e39528996656cb355580f461c1c70f6b270"
        hex"3faaa36f62e3348a672167cb394c880b2a46ba8263ffb74a1cf875d653d12772036a45523bdd9f2b02f72c2402b6006c077fe1581f9d6ea420904d6f5d6534fa"
        hex"066d89746198f1f426301ab441f274c200eac15c28b54b472339739d48c6281c4ed935fc3f9187fa4a1930a63ad4d7360f3f1889635a388f2862c145277ed1e8"
        hex"4db23cad1f1b11f51f3dba2b1c26eb4e0f7f55466cd024b067c47902793b89000e8a283c4590b7ea6f567a2b5dc9730015247bc650567fcb133eff84547dc2ef"
        hex"34eb3dbb1240231766c6ae49174338b6242510081b514927062d98d67af30bbc26af15e870d907a35dfc5cac731f27ec53aa7d3f63ab0ec6216053f418796b39"
        hex"19156afd5eea69736704c6a90dce002b331169c0714d71783ddaffaf7e46495720ca59ea679820c942ef21a1798ea08914a74fa30c06cf186a4c8d52620f6d81"
        hex"2220901a5277bb90230bf95e0ad8847a5e96e8b677b4056e70a50d2c5f0eed593646c4df10eb9a8721eed6b7534add366e3e74212b25810e1d8f707b45318a1a"
        hex"677f8ff20258c9e04cd02a002e24ff15634a715d4ac01e59601511e126e9c01a4c165c6e57cd11403ac6543b6787d847037dfbf96dd9d0794d24b2812a6f407d"
        hex"0131df8e4b8a7896237008582cf5e53412aafc3f54568d031a2507355331686d4ce76d91799c1a8c2b7a8ac960aee67274f7421c3c42146d26d369c54ae54a12"
        hex"7eea16d15ce3eae869f28994262b8642610d4cc45e1af21c1a8526d0316b127b3576fe5d02d968a04ba00f5140bed993377fb9077859216e1931d9d153b0934e"
        hex"71914ff74eabae6c7196468e164b3cc258cb66c04c1473076b3afccd4236518b4ad85605291382e11e89b6cf5e16c3a82e6759212430095405e555c378880a24"
        hex"763a31254f53b24018b7fa432bbe8a731c9a12f23f6fd40d0e1d4ec41361c64d09a8f47003d23a40109ad29028c2fb883b6498f274d8be576a4277d218c2b3d4"
        hex"6252c30c07cc2560209fe15b52a55fac4df19eb7025211165e414ff13cd9a1f4005aad1527a53f0072bbe9cb71d8bd7d4194b79a48e87a723341553c63d34faa"
        hex"132a01e33833e2d949726e04054957f87b71bce473eec57d556e55331fa93fde346a8ca81162dfde5c30d028094a42943052dcda3798849851f06b9765848779"
        hex"7599b0d4436fdabc66c5b77d40c86a9e27e7055b6d0dd9d87e5598b51a4d04f35e3b2bc7533b5b2f3e33a125664d71ce382e6c2a24c4eb6e13f246f707e2d7ef";
    /// First column of the circulant matrix.
    bytes private constant COLUMN = hex"01030d1643020f3f650102110b013301";

    /// Chain "L2TX/v1" over (chain id in 4 limbs, rollup id in 2, 0, 0), (7 pieces of the hub, 0), the empty tree's root, (minimum
    /// fee in 5 limbs, 0, 0, 0). Precondition: minNewPairFee < 2^72, chainId < 2^64.
    function domain(uint256 chainId, address hub, uint32 rollup, uint256 minNewPairFee) external pure returns (bytes32) {
        uint256[16] memory state;
        uint256[8] memory h;
        bytes memory tag = "L2TX/v1";
        for (uint256 i = 0; i < tag.length; i++) {
            h[i / 3] |= uint256(uint8(tag[i])) << (8 * (i % 3));
        }
        uint256[8] memory b;
        for (uint256 i = 0; i < 4; i++) {
            b[i] = (chainId >> (16 * i)) & 0xffff;
        }
        b[4] = rollup & 0xffff;
        b[5] = rollup >> 16;
        absorb(h, b, state);
        for (uint256 i = 0; i < 7; i++) {
            b[i] = (uint256(uint160(address(hub))) >> (24 * i)) & 0xffffff;
        }
        b[7] = 0;
        absorb(h, b, state);
        for (uint256 i = 0; i < 8; i++) {
            b[i] = uint256(EMPTY_ROOT) >> (224 - 32 * i) & 0xffffffff;
        }
        absorb(h, b, state);
        for (uint256 i = 0; i < 8; i++) {
            b[i] = i < 5 ? (minNewPairFee >> (16 * i)) & 0xffff : 0;
        }
        absorb(h, b, state);
        uint256 r;
        for (uint256 i = 0; i < 8; i++) {
            r = (r << 32) | h[i];
        }
        return bytes32(r);
    }

    /// h := H(h, b). `state` is room to work in.
    function absorb(uint256[8] memory h, uint256[8] memory b, uint256[16] memory state) private pure {
        for (uint256 i = 0; i < 8; i++) {
            state[i] = h[i];
            state[8 + i] = b[i];
        }
        permute(state);
        for (uint256 i = 0; i < 8; i++) {
            h[i] = addmod(state[i], h[i], P);
        }
    }

    /// Poseidon: width 16, x^3, 4 + 20 + 4 rounds.
    function permute(uint256[16] memory x) private pure {
        bytes memory constants = ROUND_CONSTANTS;
        bytes memory column = COLUMN;
        uint256[31] memory row; // row[15 + k - i] is the matrix's entry (k, i)
        for (uint256 i = 0; i < 31; i++) {
            row[i] = uint8(column[(i + 1) % 16]);
        }
        uint256[16] memory y;
        for (uint256 round = 0; round < 28; round++) {
            uint256 sboxes = round < 4 || round >= 24 ? 16 : 1;
            assembly ("memory-safe") {
                let c := add(add(constants, 4), shl(6, round)) // the constant is the low end of the word that starts here
                for { let i := 0 } lt(i, 16) { i := add(i, 1) } {
                    let place := add(x, shl(5, i))
                    let v := addmod(mload(place), and(mload(add(c, shl(2, i))), 0xffffffff), 0x7f000001)
                    if lt(i, sboxes) { v := mulmod(v, mulmod(v, v, 0x7f000001), 0x7f000001) }
                    mstore(place, v)
                }
                // Sums of 16 products of 7 and 31 bits need no reduction before the end.
                for { let k := 0 } lt(k, 16) { k := add(k, 1) } {
                    let m := add(row, shl(5, add(15, k)))
                    let sum := mul(mload(x), mload(m))
                    sum := add(sum, mul(mload(add(x, 0x20)), mload(sub(m, 0x20))))
                    sum := add(sum, mul(mload(add(x, 0x40)), mload(sub(m, 0x40))))
                    sum := add(sum, mul(mload(add(x, 0x60)), mload(sub(m, 0x60))))
                    sum := add(sum, mul(mload(add(x, 0x80)), mload(sub(m, 0x80))))
                    sum := add(sum, mul(mload(add(x, 0xa0)), mload(sub(m, 0xa0))))
                    sum := add(sum, mul(mload(add(x, 0xc0)), mload(sub(m, 0xc0))))
                    sum := add(sum, mul(mload(add(x, 0xe0)), mload(sub(m, 0xe0))))
                    sum := add(sum, mul(mload(add(x, 0x100)), mload(sub(m, 0x100))))
                    sum := add(sum, mul(mload(add(x, 0x120)), mload(sub(m, 0x120))))
                    sum := add(sum, mul(mload(add(x, 0x140)), mload(sub(m, 0x140))))
                    sum := add(sum, mul(mload(add(x, 0x160)), mload(sub(m, 0x160))))
                    sum := add(sum, mul(mload(add(x, 0x180)), mload(sub(m, 0x180))))
                    sum := add(sum, mul(mload(add(x, 0x1a0)), mload(sub(m, 0x1a0))))
                    sum := add(sum, mul(mload(add(x, 0x1c0)), mload(sub(m, 0x1c0))))
                    sum := add(sum, mul(mload(add(x, 0x1e0)), mload(sub(m, 0x1e0))))
                    mstore(add(y, shl(5, k)), mod(sum, 0x7f000001))
                }
                mcopy(x, y, 0x200)
            }
        }
    }
}
