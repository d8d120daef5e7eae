#pragma once
#include <array>
#include <span>
#include <string_view>

#include "quarry/recursion/key_table.hpp"
#include "quarry/recursion/layout.hpp"

/// pinned_keys.json as tables: cmake/PinnedKeys.cmake writes the source file that defines them, so that nothing reads
/// JSON at run time.
namespace quarry::recursion {

struct PinnedText {
    struct Entry {
        std::string_view name, says, size, root;
    };
    unsigned bits;
    std::string_view segment, data;  ///< digests of circuits: 0x and 64 digits
    struct Node {
        std::string_view circuit;
        std::array<std::array<unsigned, 2>, kTableKinds> heights;  ///< two tables a kind at most; 0: no such table
    };
    std::array<Node, kNodeSizes> nodes;
    std::span<const Entry> entries;
    struct Last {
        std::string_view name, circuit, root;
    };
    std::span<const Last> last;
};
const PinnedText& pinned_text();

}  // namespace quarry::recursion
