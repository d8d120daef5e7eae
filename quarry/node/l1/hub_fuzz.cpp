/// What a node, a file or a contract may say about a hub: events, stored blocks, deployments, artifacts, words in blobs
/// and in calldata. Whatever is accepted is written again as it was read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/l1/artifact.hpp"
#include "quarry/node/l1/batch_data.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/deployment.hpp"
#include "quarry/node/l1/event_store.hpp"
#include "quarry/node/l1/hub_abi.hpp"
#include "quarry/node/l1/hub_state.hpp"

namespace {

using namespace quarry;            // NOLINT(google-build-using-namespace)
using namespace quarry::node::l1;  // NOLINT(google-build-using-namespace)

/// A log of the event that the first byte chooses, with topics from the next bytes, in a state with one rollup.
void event(std::span<const std::uint8_t> bytes) {
    const auto hub = hub_event_signatures();
    const auto bridge = bridge_event_signatures();
    if (bytes.size() < 2) return;
    const std::size_t which = bytes[0] % (hub.size() + bridge.size());
    const std::string_view signature = which < hub.size() ? hub[which] : bridge[which - hub.size()];
    ethereum::Log log;
    log.topics.push_back(ethereum::AbiEvent(signature).topic());
    for (std::size_t i = 0; i < bytes[1] % 4U; ++i) {
        if (bytes.size() < 34) return;
        std::copy_n(bytes.begin() + 2, 32, log.topics.emplace_back().begin());
        bytes = bytes.subspan(32);
    }
    log.data.assign(bytes.begin() + 2, bytes.end());
    HubState state;
    (void)state.apply(log, 1);
}

void block(std::span<const std::uint8_t> bytes) {
    const auto decoded = decode_block(bytes);
    if (!decoded) return;
    const auto again = encode(decoded.value());
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

void texts(std::span<const std::uint8_t> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto deployment = parse_deployment(text);
    if (deployment) QUARRY_CHECK(parse_deployment(format_deployment(deployment.value())).value() == deployment.value());
    (void)parse_artifact(text);
    const auto wei = parse_ether(text);
    if (wei) QUARRY_CHECK(parse_ether(ether_text(*wei)) == wei);
    (void)revert_name(bytes);
}

/// Words at some place of a transaction's input are found, whatever stands around them.
void calldata(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < 2) return;
    const std::size_t length = std::min<std::size_t>(bytes[0], bytes.size() - 1);
    if (length == 0) return;
    const auto content = bytes.subspan(1, length);
    const auto prefix = U256(length).to_bytes();
    Bytes input(bytes.begin(), bytes.end());
    input.insert(input.end(), prefix.begin(), prefix.end());
    input.insert(input.end(), content.begin(), content.end());
    const auto found = find_calldata(input, length, keccak256(content));
    QUARRY_CHECK(found.has_value() && std::equal(found->begin(), found->end(), content.begin(), content.end()));
    (void)find_calldata(bytes, length, Bytes32{});
    rollup::Header header;
    header.byte_length = static_cast<std::uint32_t>(length);
    (void)words_of_calldata(input, header, keccak256(content));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::span<const std::uint8_t> rest(data + 1, size - 1);
    switch (data[0] % 4) {
        case 0:
            event(rest);
            break;
        case 1:
            block(rest);
            break;
        case 2:
            texts(rest);
            break;
        default:
            calldata(rest);
            break;
    }
    return 0;
}
