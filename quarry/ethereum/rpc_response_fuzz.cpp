// Answers of a node and of a beacon node from arbitrary bytes: no crash, bounded.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quarry/base/check.hpp"
#include "quarry/ethereum/blob_source.hpp"
#include "quarry/ethereum/rpc_chain.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace quarry::ethereum;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const bool is_batch : {false, true}) {
        const auto answers = parse_rpc_response(text, 1, 2, is_batch);
        if (answers) QUARRY_CHECK(answers.value().size() == 2);
    }
    const auto one = parse_rpc_response(text, 1, 1, false);
    const std::string_view result = one && one.value()[0] ? std::string_view(one.value()[0].value()) : text;
    static_cast<void>(parse_block(result).ok());
    static_cast<void>(parse_logs(result).ok());
    static_cast<void>(parse_receipt(result).ok());
    static_cast<void>(parse_transaction(result).ok());
    static_cast<void>(parse_fee_history(result).ok());
    static_cast<void>(parse_blobs(text, 2).ok());
    static_cast<void>(parse_url(text).ok());
    return 0;
}
