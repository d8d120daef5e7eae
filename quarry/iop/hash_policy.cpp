#include "quarry/iop/hash_policy.hpp"

#include <algorithm>

namespace quarry {

Digest PoseidonPolicy::get_digest(std::span<const Symbol> in) {
    Digest x;
    std::copy_n(in.begin(), x.size(), x.begin());
    return x;
}

namespace {

std::uint64_t big_endian(std::span<const std::uint8_t> in) {
    std::uint64_t x = 0;
    for (const std::uint8_t b : in) x = x << 8 | b;
    return x;
}

}  // namespace

void KeccakPolicy::put(Stream& stream, KoalaBear x) {
    const std::uint32_t c = x.canonical();
    for (unsigned k = 0; k < kUnits.element; ++k) stream.push_back(static_cast<std::uint8_t>(c >> (24 - 8 * k)));
}

std::optional<KoalaBear> KeccakPolicy::get_element(std::span<const Symbol> in) {
    return KoalaBear::from_canonical(static_cast<std::uint32_t>(big_endian(in.first(kUnits.element))));
}

Bytes32 KeccakPolicy::get_digest(std::span<const Symbol> in) {
    Bytes32 x;
    std::copy_n(in.begin(), x.size(), x.begin());
    return x;
}

std::uint64_t KeccakPolicy::get_nonce(std::span<const Symbol> in) { return big_endian(in.first(kUnits.nonce)); }

std::vector<KoalaBear> KeccakPolicy::shown(const Digest& x) {
    std::vector<KoalaBear> r;
    for (const std::uint8_t b : x) r.emplace_back(b);
    return r;
}

std::vector<KoalaBear> KeccakPolicy::shown(Nonce nonce) {
    std::vector<KoalaBear> r;
    for (unsigned k = 0; k < kUnits.nonce; ++k) r.emplace_back((nonce >> (56 - 8 * k)) & 0xff);
    return r;
}

void KeccakPolicy::put_shown(Stream& stream, std::span<const KoalaBear> xs) {
    for (const KoalaBear x : xs) stream.push_back(static_cast<std::uint8_t>(x.canonical()));
}

}  // namespace quarry
