// The upper levels of opened trees: UpperTable and CapTable.
#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "quarry/base/check.hpp"
#include "quarry/hash/poseidon_batch.hpp"
#include "quarry/recursion/builder_detail.hpp"

namespace quarry::recursion {

using namespace detail;

/// Where a path meets the cap.
struct CapEnd {
    Address wire;  ///< of the digest that it has got to
    Digest value;
    Address bits;  ///< of its position, from the cap's lowest on
    std::uint32_t number;
    std::span<const Digest> above;  ///< the rest of the path
    bool reaches_root;

    /// The children of its ancestor `up` + 1 levels above the cap; `node`: the one on the path.
    [[nodiscard]] std::pair<Digest, Digest> children(std::size_t up, const Digest& node) const {
        return (number >> up & 1) != 0 ? std::pair(above[up], node) : std::pair(node, above[up]);
    }
    [[nodiscard]] Digest root() const {
        Digest node = value;
        for (std::size_t up = 0; up < above.size(); ++up) {
            const auto [left, right] = children(up, node);
            node = poseidon_compress(left, right);
        }
        return node;
    }
};

/// A node that paths go through: what it is, by one of them that reaches the root if any does, and how many rows take
/// its tuple.
struct UpperNode {
    Digest value{};
    const CapEnd* path = nullptr;
    std::uint32_t taken = 0;
    void visit(const Digest& by_path, const CapEnd& end) {
        if (path == nullptr || (end.reaches_root && !path->reaches_root)) {
            value = by_path;
            path = &end;
        }
    }
};
struct UpperLevel {
    Address address;  ///< as the bus has it
    unsigned depth;   ///< 0 for the root
    std::map<std::uint32_t, UpperNode> nodes;
    [[nodiscard]] KoalaBear taken(std::uint32_t number) const {
        const auto it = nodes.find(number);
        return KoalaBear(std::uint64_t{it == nodes.end() ? 0 : it->second.taken});
    }
};

namespace {
/// A level more costs as many rows as it has nodes, and saves one for each path.
unsigned log_cap_for(std::size_t num_paths) {
    return std::min(static_cast<unsigned>(kCapBits), static_cast<unsigned>(std::bit_width(num_paths - 1)));
}
}  // namespace

void CircuitBuilder::open(const DigestWire& root, std::span<const IndexWires> indices, std::span<const BaseRun> leaves,
                          std::span<const std::span<const Digest>> paths) {
    QUARRY_CHECK(!indices.empty() && indices.size() == leaves.size() && indices.size() == paths.size());
    const unsigned height = indices[0].num_bits;
    const unsigned log_cap = rows_.kinds != RowKinds::all ? 0 : std::min(log_cap_for(indices.size()), height);
    const std::size_t below = height - log_cap;
    std::vector<CapEnd> ends;
    for (std::size_t j = 0; j < indices.size(); ++j) {
        QUARRY_CHECK(indices[j].num_bits == height && paths[j].size() == height);
        if (log_cap == 0) {
            open(root, indices[j], leaves[j], paths[j]);
            continue;
        }
        const Digest value = path_rows(leaf_rows(leaves[j]), indices[j].value, indices[j].bits, paths[j].first(below));
        CapEnd end{new_digest(),
                   value,
                   indices[j].bits + static_cast<Address>(below),
                   indices[j].value >> below,
                   paths[j].subspan(below),
                   false};
        end.reaches_root = end.root() == root.value;
        rows_.tree.fixed.back().result = element(end.wire);
        rows_.tree.writes.back() = end.wire;
        require_zero_rest(leaves[j]);
        ends.push_back(end);
    }
    if (log_cap > 0) upper_rows(root, log_cap, ends);
}

void CircuitBuilder::upper_rows(const DigestWire& root, unsigned log_cap, std::span<const CapEnd> ends) {
    const Address top = next_level_;
    next_level_ += log_cap + 1;
    const auto cap_row = [&](Address wire, const Digest& x, Address level, KoalaBear sends) {
        ++digest_readers_[wire];
        return rows_.cap.push({x, {}},
                              {.digest = element(wire), .reads = kFlag, .level = element(level), .sends = sends});
    };
    (void)cap_row(root.address, root.value, top, kFlag);
    UpperLevel level{top + log_cap, log_cap, {}};
    for (const CapEnd& end : ends) {
        const std::size_t row = cap_row(end.wire, end.value, level.address, kCompared);
        rows_.cap.fixed[row].bits = element(end.bits);
        for (std::size_t i = 0; i < log_cap; ++i) {
            add_reader(end.bits + static_cast<Address>(i));
            rows_.cap.fixed[row].used[i] = kFlag;
            rows_.cap.rows[row].bits[i] = KoalaBear(std::uint64_t{end.number >> i & 1});
        }
        UpperNode& node = level.nodes[end.number];
        node.visit(end.value, end);
        ++node.taken;
    }
    while (level.depth > 0) level = parent_rows(level, log_cap);
}

UpperLevel CircuitBuilder::parent_rows(const UpperLevel& level, unsigned log_cap) {
    UpperLevel parents{level.address - 1, level.depth - 1, {}};
    const std::size_t up = log_cap - level.depth;
    for (const auto& [number, node] : level.nodes) {
        const auto [left, right] = node.path->children(up, node.value);
        parents.nodes[number / 2].visit(poseidon_compress(left, right), *node.path);
    }
    UpperTable::Row<KoalaBear> row{};
    const UpperTable::Fixed<KoalaBear> fixed{.level = element(parents.address), .used = kFlag};
    for (auto& [number, node] : parents.nodes) {
        // The child on the parent's path is known by that path too.
        const auto [left, right] = node.path->children(up, level.nodes.at(node.path->number >> up).value);
        std::copy_n(left.begin(), kBlock, row.in.begin());
        std::copy_n(right.begin(), kBlock, row.in.begin() + kBlock);
        row.number = KoalaBear(std::uint64_t{number});
        row.lefts = level.taken(2 * number);
        row.rights = level.taken(2 * number + 1);
        rows_.upper.push(row, fixed);
        node.taken = 1;
    }
    // As many rows as the level has nodes, whatever is opened: the others open the last of these again, for nobody.
    row.lefts = row.rights = KoalaBear();
    const auto spare = static_cast<std::uint32_t>((std::size_t{1} << parents.depth) - parents.nodes.size());
    for (std::uint32_t i = 0; i < spare; ++i) rows_.upper.push(row, fixed);
    parents.nodes.rbegin()->second.taken += spare;
    return parents;
}

}  // namespace quarry::recursion
