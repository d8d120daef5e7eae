#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/types.hpp"

namespace quarry::rollup {

/// Lists the field elements of a structure in their canonical order. Integers are 16-bit limbs, least significant
/// first.
class ElementWriter {
  public:
    void element(KoalaBear x) { out_.push_back(x); }
    /// Precondition: x < p.
    void small(std::uint32_t x) { out_.emplace_back(x); }
    template <class T>
    void limbs(T x, std::size_t num_limbs = sizeof(T) / 2) {
        for (std::size_t i = 0; i < num_limbs; ++i)
            out_.emplace_back(static_cast<std::uint64_t>(x >> (16 * i)) & 0xffff);
    }
    void digest(const Digest& x) { out_.insert(out_.end(), x.begin(), x.end()); }
    /// A big-endian integer of an even number of bytes: 10 limbs of an address, 16 of a Keccak digest.
    void big_endian(std::span<const std::uint8_t> bytes) {
        for (std::size_t i = bytes.size(); i >= 2; i -= 2) {
            out_.emplace_back(static_cast<std::uint64_t>(bytes[i - 2]) << 8 | bytes[i - 1]);
        }
    }
    [[nodiscard]] const std::vector<KoalaBear>& elements() const noexcept { return out_; }

  private:
    std::vector<KoalaBear> out_;
};

/// The chain from `start` over the elements, zero-padded to whole blocks: for lists of fixed length only.
inline Digest hash_elements(const Digest& start, std::span<const KoalaBear> elements) {
    HashChain chain(start);
    for (std::size_t i = 0; i < elements.size(); i += kDigestSize) {
        Block block{};
        for (std::size_t k = 0; k < kDigestSize && i + k < elements.size(); ++k) block[k] = elements[i + k];
        chain.absorb(block);
    }
    return chain.digest();
}
inline Digest hash_elements(std::string_view tag, std::span<const KoalaBear> elements) {
    return hash_elements(chain_start(tag), elements);
}

}  // namespace quarry::rollup
