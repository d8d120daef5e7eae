/// The records of a sequencer's ledger: what is accepted encodes to the same bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/node/sequencer/ledger_records.hpp"

namespace {

using namespace quarry::node::sequencer;
using ByteSpan = std::span<const std::uint8_t>;

template <class T>
void check_same(const std::optional<T>& record, ByteSpan bytes) {
    if (!record) return;
    const Bytes again = encode(*record);
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
}

}  // namespace

/// The first byte is that of the record's key, or n for the note in the state's store.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteSpan value = ByteSpan(data, size).subspan(1);
    if (data[0] == 'o') check_same(parse_operation_record(value), value);
    if (data[0] == 'x') check_same(parse_order_entry(value), value);
    if (data[0] == 'b') check_same(parse_batch_record(value), value);
    if (data[0] == 'n') check_same(parse_sequencer_note(value), value);
    return 0;
}
