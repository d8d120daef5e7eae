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
    Address bits;  ///< of its position, from the cap's lowest on
    std::uint32_t number;
    std::span<const Digest> nodes;  ///< on the path, from that digest to the root
    std::span<const Digest> above;  ///< the rest of the path
    bool reaches_root;

    /// The children of its ancestor `up` + 1 levels above the cap.
    [[nodiscard]] std::pair<Digest, Digest> children(std::size_t up) const {
        return (number >> up & 1) != 0 ? std::pair(above[up], nodes[up]) : std::pair(nodes[up], above[up]);
    }
};

/// A node that paths go through: the one that says what it is, which reaches the root if any does, and how many rows
/// take the node's tuple.
struct UpperNode {
    const CapEnd* path = nullptr;
    std::uint32_t taken = 0;
    void visit(const CapEnd& end) {
        if (path == nullptr || (end.reaches_root && !path->reaches_root)) path = &end;
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

/// What hashing opened leaves of one tree and their paths gives: of each the start's digest, one after each block, and
/// one after each level. All of them step by step, as the hash works on 16 at once.
std::vector<std::vector<Digest>> hash_openings(std::span<const IndexWires> indices, std::span<const BaseRun> leaves,
                                               std::span<const std::span<const Digest>> paths) {
    const std::size_t size = leaves[0].size();
    std::vector<std::vector<Digest>> digests(leaves.size(), {poseidon_leaf_iv(size)});
    std::vector<Digest> children(2 * leaves.size()), parents(leaves.size());
    const auto compress = [&] {
        poseidon_compress_pairs(children, parents);
        for (std::size_t j = 0; j < parents.size(); ++j) digests[j].push_back(parents[j]);
    };
    for (std::size_t begin = 0; begin < size; begin += kBlock) {
        for (std::size_t j = 0; j < leaves.size(); ++j) {
            const auto block = leaves[j].values.subspan(begin, std::min(kBlock, size - begin));
            children[2 * j] = digests[j].back();
            children[2 * j + 1] = {};
            std::ranges::copy(block, children[2 * j + 1].begin());
        }
        compress();
    }
    for (std::size_t level = 0; level < paths[0].size(); ++level) {
        for (std::size_t j = 0; j < leaves.size(); ++j) {
            const std::size_t right = indices[j].value >> level & 1;
            children[2 * j + right] = digests[j].back();
            children[2 * j + 1 - right] = paths[j][level];
        }
        compress();
    }
    return digests;
}
}  // namespace

void CircuitBuilder::open(const DigestWire& root, std::span<const IndexWires> indices, std::span<const BaseRun> leaves,
                          std::span<const std::span<const Digest>> paths) {
    QUARRY_CHECK(!indices.empty() && indices.size() == leaves.size() && indices.size() == paths.size());
    const unsigned height = indices[0].num_bits;
    for (std::size_t j = 0; j < indices.size(); ++j) {
        QUARRY_CHECK(indices[j].num_bits == height && paths[j].size() == height &&
                     leaves[j].size() == leaves[0].size());
    }
    const unsigned log_cap = rows_.kinds != RowKinds::all ? 0 : std::min(log_cap_for(indices.size()), height);
    const std::size_t below = height - log_cap;
    const auto digests = hash_openings(indices, leaves, paths);
    const std::size_t blocks = digests[0].size() - 1 - height;
    std::vector<CapEnd> ends;
    for (std::size_t j = 0; j < indices.size(); ++j) {
        const auto nodes = std::span(digests[j]).subspan(blocks);
        leaf_rows(leaves[j], digests[j]);
        path_rows(nodes, indices[j].value, indices[j].bits, paths[j].first(below));
        if (log_cap == 0) {
            end_at_root(root);
        } else {
            ends.push_back({new_digest(), indices[j].bits + static_cast<Address>(below), indices[j].value >> below,
                            nodes.subspan(below), paths[j].subspan(below), nodes.back() == root.value});
            rows_.tree.fixed.back().result = element(ends.back().wire);
            rows_.tree.writes.back() = ends.back().wire;
        }
        require_zero_rest(leaves[j]);
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
        const std::size_t row = cap_row(end.wire, end.nodes[0], level.address, kCompared);
        rows_.cap.fixed[row].bits = element(end.bits);
        for (std::size_t i = 0; i < log_cap; ++i) {
            add_reader(end.bits + static_cast<Address>(i));
            rows_.cap.fixed[row].used[i] = kFlag;
            rows_.cap.rows[row].bits[i] = KoalaBear(std::uint64_t{end.number >> i & 1});
        }
        UpperNode& node = level.nodes[end.number];
        node.visit(end);
        ++node.taken;
    }
    while (level.depth > 0) level = parent_rows(level, log_cap);
}

UpperLevel CircuitBuilder::parent_rows(const UpperLevel& level, unsigned log_cap) {
    UpperLevel parents{level.address - 1, level.depth - 1, {}};
    const std::size_t up = log_cap - level.depth;
    for (const auto& [number, node] : level.nodes) {
        parents.nodes[number / 2].visit(*node.path);
    }
    UpperTable::Row<KoalaBear> row{};
    const UpperTable::Fixed<KoalaBear> fixed{.level = element(parents.address), .used = kFlag};
    for (auto& [number, node] : parents.nodes) {
        const auto [left, right] = node.path->children(up);
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
