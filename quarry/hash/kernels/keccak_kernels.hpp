#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

/// Eight sponges of Keccak-f[1600] side by side, dispatched on the ISA. [Keccak]
namespace quarry::kernels {

inline constexpr std::size_t kKeccakGroup = 8;
inline constexpr std::size_t kKeccakWords = 25;
inline constexpr std::size_t kKeccakRateBytes = 136;  ///< of Keccak-256

/// Word w of sponge i is words[kKeccakGroup * w + i].
struct KeccakStates {
    alignas(64) std::array<std::uint64_t, kKeccakGroup * kKeccakWords> words{};
};

/// states[i] absorbs num_blocks blocks of 136 bytes from messages + i * stride, a permutation after each.
void keccak_absorb(KeccakStates& states, const std::uint8_t* messages, std::size_t stride, std::size_t num_blocks);

/// What the rounds are made of, from the definition [Keccak §1.2].
struct KeccakTables {
    static constexpr std::size_t kRounds = 24;

    std::array<std::uint64_t, kRounds> round_constants{};
    std::array<int, kKeccakWords> rotation{};        ///< rho: of word x + 5 y
    std::array<std::size_t, kKeccakWords> target{};  ///< pi: where word x + 5 y goes

    constexpr KeccakTables() {
        std::size_t x = 1;
        std::size_t y = 0;
        for (int t = 0; t < 24; ++t) {
            rotation[x + 5 * y] = (t + 1) * (t + 2) / 2 % 64;
            const std::size_t below = (2 * x + 3 * y) % 5;
            x = y;
            y = below;
        }
        for (std::size_t i = 0; i < kKeccakWords; ++i) target[i] = i / 5 + 5 * ((2 * (i % 5) + 3 * (i / 5)) % 5);
        // Bit 2^j - 1 of constant r is the constant term of X^(7 r + j) mod X^8 + X^6 + X^5 + X^4 + 1.
        unsigned power = 1;
        for (std::uint64_t& constant : round_constants) {
            for (unsigned j = 0; j < 7; ++j) {
                constant |= std::uint64_t{power & 1} << ((1U << j) - 1);
                power = (power << 1) ^ ((power >> 7) * 0x171);
            }
        }
    }
};
inline constexpr KeccakTables kKeccakTables;

}  // namespace quarry::kernels
