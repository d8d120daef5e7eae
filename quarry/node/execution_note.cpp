
#include "quarry/node/input_executor.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::node {
namespace {

constexpr std::uint32_t kNoteMagic = 0x51454e31;  // "QEN1"

}  // namespace

std::vector<std::uint8_t> encode(const ExecutionNote& note) {
    std::vector<std::uint8_t> bytes;
    rollup::WordWriter w(bytes);
    w.integer(kNoteMagic);
    w.bytes(note.parent_hash);
    w.integer(note.timestamp);
    w.bytes(note.input_id);
    for (const std::uint64_t x :
         {note.offset, note.lines, note.executed, note.queued, note.rejected, note.reject_bytes, note.first_batch})
        w.integer(x);
    return bytes;
}

std::optional<ExecutionNote> parse_execution_note(const std::vector<std::uint8_t>& bytes) {
    rollup::WordReader r(bytes);
    if (r.integer<std::uint32_t>() != kNoteMagic) return std::nullopt;
    ExecutionNote note;
    note.parent_hash = r.bytes<32>();
    note.timestamp = r.integer<rollup::Timestamp>();
    note.input_id = r.bytes<32>();
    for (std::uint64_t* x : {&note.offset, &note.lines, &note.executed, &note.queued, &note.rejected,
                             &note.reject_bytes, &note.first_batch})
        *x = r.integer<std::uint64_t>();
    if (!r.verdict() || r.left() != 0) return std::nullopt;
    return note;
}

}  // namespace quarry::node
