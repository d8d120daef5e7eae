/// Lines of input files and of batch folders: whatever the parsers accept is written and read again unchanged.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quarry/node/operation_json.hpp"
#include "quarry/node/statement_json.hpp"

namespace {

using namespace quarry;
using namespace quarry::node;

void check_input_line(std::string_view text) {
    const auto line = parse_input_line(text);
    if (!line) return;
    const std::string again = to_json(line.value());
    const auto reparsed = parse_input_line(again);
    QUARRY_CHECK(reparsed.ok() && to_json(reparsed.value()) == again);
}

void check_queue_line(std::string_view text) {
    const auto entry = parse_queue_line(text);
    if (!entry) return;
    const auto reparsed = parse_queue_line(to_json(entry.value()));
    QUARRY_CHECK(reparsed.ok() && reparsed.value() == entry.value());
}

void check_statement(std::string_view text) {
    const auto statement = parse_segment_statement(text);
    if (!statement) return;
    const auto reparsed = parse_segment_statement(to_json(statement.value()));
    QUARRY_CHECK(reparsed.ok() && reparsed.value() == statement.value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_input_line(text);
    check_queue_line(text);
    check_statement(text);
    return 0;
}
