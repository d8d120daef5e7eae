#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "quarry/curve/schnorr.hpp"
#include "quarry/rollup/types.hpp"

/// Keys and addresses that anyone can recompute from a number: for development networks, benchmarks and tests. Never
/// for anything of value.
namespace quarry::node {

/// The account that collects the fees of a development genesis.
inline constexpr rollup::SlotIndex kDevelopmentFeeSlot = 0;

/// Account i of a seed:
///     secret   d_i = 1 + (h + i) mod (n - 1),  h = 512 bits of Keccak-256 of (tag, seed), mod (n - 1)
///     public   P_i = d_i G, so that P_(i+1) = P_i + G
///     address  the low 20 bytes of Keccak-256 of (tag, seed, i)
class DevelopmentKeys {
  public:
    explicit DevelopmentKeys(std::uint64_t seed);

    [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
    /// Cost: one multiplication of the generator.
    [[nodiscard]] SecretKey<KB11> secret(std::uint64_t i) const;
    /// The public keys first, .., first + count - 1, on the caller's TBB arena. Cost: about 6 field multiplications a
    /// key.
    [[nodiscard]] std::vector<PublicKey<KB11>> public_keys(std::uint64_t first, std::size_t count) const;
    [[nodiscard]] rollup::L1Address address(std::uint64_t i) const;
    /// Of the development network's hub contract.
    [[nodiscard]] rollup::L1Address hub_address() const;

  private:
    using Limbs = Scalar<KB11>::Limbs;
    /// d_i.
    [[nodiscard]] Limbs secret_limbs(std::uint64_t i) const;
    void fill_chunk(std::uint64_t first, std::span<PublicKey<KB11>> out) const;

    std::uint64_t seed_;
    Limbs start_{};  ///< h
};

}  // namespace quarry::node
