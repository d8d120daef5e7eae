// Types and values of the contract interface from arbitrary bytes: no crash, bounded, and what is decoded encodes
// again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quarry/base/check.hpp"
#include "quarry/ethereum/abi.hpp"

/// The input up to its first zero byte is a list of types, the rest is data.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace quarry::ethereum;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t end = text.find('\0');
    const auto types = parse_abi_types(text.substr(0, end));
    if (!types || end == std::string_view::npos) return 0;
    QUARRY_CHECK(parse_abi_types(types.value().name()).ok());
    const ByteView encoded(data + end + 1, size - end - 1);
    const auto values = abi_decode(types.value(), encoded);
    if (!values) return 0;
    const auto again = abi_encode(types.value(), values.value());
    QUARRY_CHECK(again.ok());
    QUARRY_CHECK(abi_decode(types.value(), again.value()).value() == values.value());
    return 0;
}
