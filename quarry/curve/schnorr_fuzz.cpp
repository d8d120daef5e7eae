// Bytes from outside: key, then signature, then message. Whatever decodes must encode to the same bytes, and a single
// verification must agree with the batch.
#include <cstddef>
#include <cstdint>

#include "quarry/base/check.hpp"
#include "quarry/curve/schnorr.hpp"

namespace {

template <class C>
void run(std::span<const std::uint8_t> in) {
    using namespace quarry;
    const auto take = [&](std::size_t n) {
        const auto part = in.first(n < in.size() ? n : in.size());
        in = in.subspan(part.size());
        return part;
    };
    const auto key_bytes = take(PublicKey<C>::kBytes);
    const auto signature_bytes = take(Signature<C>::kBytes);
    const auto key = PublicKey<C>::decode(key_bytes);
    if (key) {
        const auto again = key.value().encode();
        QUARRY_CHECK(std::equal(again.begin(), again.end(), key_bytes.begin(), key_bytes.end()));
        QUARRY_CHECK(on_curve(key.value().point()));
    }
    const auto signature = Signature<C>::decode(signature_bytes);
    if (signature) {
        const auto again = signature.value().encode();
        QUARRY_CHECK(std::equal(again.begin(), again.end(), signature_bytes.begin(), signature_bytes.end()));
    }
    Digest message{};
    for (std::size_t i = 0; i < in.size() && i < 32; ++i)
        message[i / 4] = message[i / 4] * KoalaBear(256) + KoalaBear(in[i]);
    const auto used_key = key ? key.value() : PublicKey<C>();
    const auto used_signature = signature ? signature.value() : Signature<C>();
    const SignatureCheck<C> check{used_key, message, used_signature};
    const bool single = verify(used_key, message, used_signature).ok();
    QUARRY_CHECK(verify_batch<C>(std::span(&check, 1)) == std::vector<bool>{single});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    run<quarry::KB11>({data, size});
    run<quarry::KB7>({data, size});
    return 0;
}
