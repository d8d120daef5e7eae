// RLP and everything that is read from it: no crash, and what is accepted has one encoding.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quarry/base/check.hpp"
#include "quarry/ethereum/intent_records.hpp"
#include "quarry/ethereum/log_follower.hpp"
#include "quarry/ethereum/rlp.hpp"
#include "quarry/ethereum/transaction.hpp"

namespace quarry::ethereum {
namespace {

constexpr unsigned kMaxDepth = 64;

/// Reads all items and writes them again. False: refused somewhere.
bool copy(RlpReader reader, RlpWriter& writer, unsigned depth) {
    while (!reader.at_end()) {
        if (!reader.next_is_list()) {
            const auto string = reader.string();
            if (!string) return false;
            writer.string(string.value());
            continue;
        }
        const auto list = reader.list();
        RlpWriter inner;
        if (!list || depth == 0 || !copy(list.value(), inner, depth - 1)) return false;
        writer.list(inner);
    }
    return true;
}

template <class Record>
void check_record(const Record& record, ByteView input) {
    const Bytes again = encode_record(record);
    // Numbers of stages and names of causes have one form; unknown names become a known one.
    if constexpr (!std::is_same_v<Record, FinalRecord>) {
        QUARRY_CHECK(again.size() == input.size() && std::equal(again.begin(), again.end(), input.begin()));
    }
}

}  // namespace
}  // namespace quarry::ethereum

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace quarry::ethereum;
    const ByteView input(data, size);
    RlpWriter copied;
    if (copy(RlpReader(input), copied, kMaxDepth)) {
        QUARRY_CHECK(copied.items().size() == size && std::equal(input.begin(), input.end(), copied.items().begin()));
    }
    const auto transaction = decode_transaction(input);
    if (transaction) {
        const Bytes again = encode_transaction(transaction.value());
        QUARRY_CHECK(again.size() == size && std::equal(input.begin(), input.end(), again.begin()));
    }
    const auto record = decode_record(input);
    if (record) std::visit([&](const auto& x) { check_record(x, input); }, record.value());
    const auto cursor = FollowCursor::decode(input);
    if (cursor) QUARRY_CHECK(FollowCursor::decode(cursor.value().encode()).value() == cursor.value());
    return 0;
}
