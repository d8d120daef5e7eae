// Answers of a node, of a beacon node and of a WebSocket server from arbitrary bytes: no crash, bounded.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quarry/base/check.hpp"
#include "quarry/ethereum/blob_source.hpp"
#include "quarry/ethereum/rpc_chain.hpp"
#include "quarry/ethereum/web_socket.hpp"

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
    const auto frame = parse_frame({data, size}, 1'000);
    if (frame && frame.value())
        QUARRY_CHECK(frame.value()->num_bytes <= size && frame.value()->payload.size() <= 1'000);
    return 0;
}
