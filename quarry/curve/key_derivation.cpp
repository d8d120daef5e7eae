#include "quarry/curve/key_derivation.hpp"

#include <cryptopp/hkdf.h>
#include <cryptopp/sha.h>

#include <algorithm>
#include <initializer_list>

#include "quarry/hash/keccak.hpp"

namespace quarry {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Word = std::array<std::uint8_t, 32>;

std::span<const std::uint8_t> bytes_of(std::string_view s) {
    return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}
Word word(std::uint64_t x) {
    Word r{};
    for (std::size_t i = 0; i < 8; ++i) r[31 - i] = static_cast<std::uint8_t>(x >> (8 * i));
    return r;
}
Word word(const EthereumAddress& a) {
    Word r{};
    std::copy(a.begin(), a.end(), r.begin() + 12);
    return r;
}
Bytes concatenate(std::initializer_list<std::span<const std::uint8_t>> parts) {
    Bytes r;
    for (const auto part : parts) r.insert(r.end(), part.begin(), part.end());
    return r;
}
Word keccak(std::string_view s) { return keccak256(bytes_of(s)); }

// secp256k1's order and half of it, big-endian.
constexpr Word kOrder{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                      0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
constexpr Word kHalfOrder = [] {
    Word r{};
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        const unsigned x = carry * 256 + kOrder[i];
        r[i] = static_cast<std::uint8_t>(x / 2);
        carry = x % 2;
    }
    return r;
}();
/// 0 < x <= bound. No branch depends on x's bytes one by one.
bool in_range(std::span<const std::uint8_t, 32> x, const Word& bound) {
    unsigned any = 0;
    int borrow = 0;
    for (std::size_t i = 32; i-- > 0;) {
        any |= x[i];
        borrow = (static_cast<int>(bound[i]) - x[i] - borrow) < 0 ? 1 : 0;
    }
    return any != 0 && borrow == 0;
}
std::string hex(const EthereumAddress& a) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string r = "0x";
    for (const std::uint8_t b : a) {
        r += kDigits[b >> 4];
        r += kDigits[b & 15];
    }
    return r;
}

}  // namespace

std::array<std::uint8_t, 32> derive_key_typed_data_hash(const KeyRequest& request) {
    const Word domain_type =
        keccak("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    const Word name = keccak(kKeyDomainName);
    const Word version = keccak(kKeyDomainVersion);
    const Word domain = keccak256(concatenate({domain_type, name, version, word(request.chain_id), word(request.hub)}));
    const Word message_type = keccak("DeriveL2Key(string warning,address account,uint32 rollup,uint256 keyIndex)");
    const Word warning = keccak(kKeyWarning);
    const Word message = keccak256(
        concatenate({message_type, warning, word(request.account), word(request.rollup), word(request.key_index)}));
    constexpr std::array<std::uint8_t, 2> kPrefix{0x19, 0x01};
    return keccak256(concatenate({kPrefix, domain, message}));
}

std::string derive_key_typed_data_json(const KeyRequest& request) {
    std::string r =
        R"({"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},)"
        R"({"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],)"
        R"("DeriveL2Key":[{"name":"warning","type":"string"},{"name":"account","type":"address"},)"
        R"({"name":"rollup","type":"uint32"},{"name":"keyIndex","type":"uint256"}]},"primaryType":"DeriveL2Key","domain":{"name":")";
    r += kKeyDomainName;
    r += R"(","version":")";
    r += kKeyDomainVersion;
    r += R"(","chainId":)" + std::to_string(request.chain_id) + R"(,"verifyingContract":")" + hex(request.hub);
    r += R"("},"message":{"warning":")";
    r += kKeyWarning;
    r += R"(","account":")" + hex(request.account) + R"(","rollup":)" + std::to_string(request.rollup);
    r += R"(,"keyIndex":)" + std::to_string(request.key_index) + "}}";
    return r;
}

template <class C>
Result<SecretKey<C>> derive_key(const KeyRequest& request, std::span<const std::uint8_t, 32> r,
                                std::span<const std::uint8_t, 32> s, std::string_view passphrase) {
    Word r_bound = kOrder;
    r_bound[31] -= 1;
    if (!in_range(r, r_bound) || !in_range(s, kHalfOrder)) return Error{Errc::scalar_out_of_range, "derive_key"};
    std::array<std::uint8_t, 64> ikm;
    std::copy(r.begin(), r.end(), ikm.begin());
    std::copy(s.begin(), s.end(), ikm.begin() + 32);
    const Bytes info = concatenate({bytes_of(kKeyDerivationTag), word(request.chain_id), request.hub,
                                    word(request.rollup), request.account, word(request.key_index)});
    std::array<std::uint8_t, 64> okm;
    const auto salt = bytes_of(passphrase);
    CryptoPP::HKDF<CryptoPP::SHA512>().DeriveKey(okm.data(), okm.size(), ikm.data(), ikm.size(), salt.data(),
                                                 salt.size(), info.data(), info.size());
    auto key = SecretKey<C>::from_wide(okm);
    wipe(ikm.data(), sizeof ikm);
    wipe(okm.data(), sizeof okm);
    return key;
}
template Result<SecretKey<KB11>> derive_key<KB11>(const KeyRequest&, std::span<const std::uint8_t, 32>,
                                                  std::span<const std::uint8_t, 32>, std::string_view);
template Result<SecretKey<KB7>> derive_key<KB7>(const KeyRequest&, std::span<const std::uint8_t, 32>,
                                                std::span<const std::uint8_t, 32>, std::string_view);

}  // namespace quarry
