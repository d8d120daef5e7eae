/// The records of a state directory: what is accepted encodes to the same bytes.
#include "quarry/node/state_records.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace {

using namespace quarry::node;
using ByteSpan = std::span<const std::uint8_t>;

void check_same(const Bytes& again, ByteSpan bytes) {
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

}  // namespace

/// The first byte is that of the record's key, with the value behind it; keys with a number are the whole input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteSpan whole(data, size);
    const ByteSpan value = whole.subspan(1);
    switch (RecordKind{data[0]}) {
        case RecordKind::format:
            if (parse_format(value)) check_same(encode_format(), value);
            break;
        case RecordKind::head:
            if (const auto head = parse_head(value)) check_same(encode(head.value()), value);
            break;
        case RecordKind::parameters:
            if (const auto parameters = parse_parameters(value)) check_same(encode(parameters.value()), value);
            break;
        case RecordKind::leaf:
            if (const auto slot = parse_leaf_record_key(whole)) check_same(leaf_record_key(slot.value()), whole);
            break;
        case RecordKind::note:
        case RecordKind::undo:
            if (const auto number = parse_batch_record_key(whole))
                check_same(batch_record_key(RecordKind{data[0]}, number.value()), whole);
            break;
        case RecordKind::account_key:
            break;  // read by DurableStore with the key that it must hash to
    }
    return 0;
}
