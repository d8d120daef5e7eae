#pragma once
/// Shared by the signature tables' tests: real signatures, a circuit of the three tables, and what stands for the rest
/// of the segment circuit.

#include <random>
#include <vector>

#include "quarry/air/check.hpp"
#include "quarry/circuits/rows.hpp"
#include "quarry/circuits/signature/signature_witness.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry::circuits::testing {

inline SecretKey<SignatureCurve> secret_key(std::uint64_t seed) {
    std::mt19937_64 rng(seed);
    std::array<std::uint8_t, 64> wide{};
    for (auto& byte : wide) byte = static_cast<std::uint8_t>(rng());
    return SecretKey<SignatureCurve>::from_wide(wide);
}
/// Signatures of `count` messages by as many keys, at times 1, 3, 5, ..
inline std::vector<SignatureInput> signed_inputs(std::size_t count) {
    std::vector<SignatureInput> inputs(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto secret = secret_key(i);
        std::mt19937_64 rng(1000 + i);
        SignatureInput& input = inputs[i];
        input.id = static_cast<std::uint32_t>(2 * i + 1);
        input.key = secret.public_key().point();
        for (KoalaBear& x : input.message) x = KoalaBear(rng());
        input.signature = secret.sign(input.message, {});
    }
    return inputs;
}

/// The other side of SignatureTable's buses: what takes its signatures and provides its hashes and range checks, as
/// public tuples. From the rows as they are, except that facts are checked: a false hash is left out.
inline std::vector<PublicTuple> environment(std::span<const SignatureRow<KoalaBear>> rows) {
    std::vector<PublicTuple> tuples;
    const auto hash = [&](const Digest& left, const Digest& right) {
        const Digest out = poseidon_compress(left, right);
        tuples.push_back({kHashBus, KoalaBear(1), hash_tuple(left, right, out)});
        return out;
    };
    for (const auto& row : rows) {
        if (row.is_real.is_zero()) continue;
        const auto blocks = key_blocks(row.key);
        const Digest key_hash = hash(blocks[0], blocks[1]);
        const Digest c1 = hash(challenge_start(), commitment_block(row.r, 0));
        const Digest c2 = hash(c1, commitment_block(row.r, 1));
        (void)hash(c2, row.message);
        for (std::size_t j = 0; j < kDigestSize; ++j) {
            const KoalaBear high = row.challenge_high[j] - row.challenge_top[j];
            if (high.canonical() < 0x7f00) tuples.push_back({kHigh15Bus, KoalaBear(1), {high}});
        }
        tuples.push_back({kSignatureBus, -KoalaBear(1),
                          signature_tuple(row.id, key_hash, row.message, challenge_limbs(row.e),
                                          scalar_limbs(row.digit, all_high(row.high)))});
    }
    return tuples;
}

}  // namespace quarry::circuits::testing
