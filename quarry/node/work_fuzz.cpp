/// What a work folder holds and what comes back from whoever did a task: whatever the parsers accept is written again
/// unchanged, and a segment's input can be executed or is refused.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/node/batch_work.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/segment_input.hpp"
#include "quarry/proof/work_tree.hpp"

namespace {

using namespace quarry;
using namespace quarry::node;

void check_tree(std::span<const std::uint8_t> bytes) {
    const auto tree = WorkTree::parse(as_text(bytes));
    if (!tree) return;
    QUARRY_CHECK(tree->to_text() == as_text(bytes));
    (void)tree->ready({});
}

void check_input(std::span<const std::uint8_t> bytes) {
    const auto input = parse_segment_input(bytes);
    if (!input) return;
    const auto again = encode(input.value());
    QUARRY_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    const auto segment = execute_segment(input.value());
    if (segment) (void)circuits::statement_of(segment.value()->source, {}, 0);
}

void check_output(std::span<const std::uint8_t> bytes) {
    const auto segment = parse_segment_proof(bytes);
    if (!segment) return;
    const auto again = parse_segment_proof(encode(*segment));
    QUARRY_CHECK(again && again->statement == segment->statement && again->proof == segment->proof);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> bytes(data, size);
    check_tree(bytes);
    check_input(bytes);
    check_output(bytes);
    return 0;
}
