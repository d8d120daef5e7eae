#include "quarry/recursion/key_table.hpp"

#include "quarry/base/check.hpp"
#include "quarry/rollup/elements.hpp"

namespace quarry::recursion {

std::vector<KoalaBear> KeyTable::leaf_elements(rollup::StatementKind kind, NodeSize size,
                                               const Digest& preprocessed_root) {
    std::vector<KoalaBear> elements{KoalaBear(static_cast<std::uint32_t>(kind)),
                                    KoalaBear(static_cast<std::uint32_t>(size))};
    elements.insert(elements.end(), preprocessed_root.begin(), preprocessed_root.end());
    return elements;
}

KeyTable::KeyTable(std::vector<KeyEntry> entries) : entries_(std::move(entries)) {
    QUARRY_CHECK(entries_.size() <= std::size_t{1} << kLogKeys);
    std::vector<Digest> level;
    for (const KeyEntry& e : entries_) {
        level.push_back(rollup::hash_elements("quarry/key/v1", leaf_elements(e.kind, e.size, e.preprocessed_root)));
    }
    level.resize(std::size_t{1} << kLogKeys);
    levels_.push_back(level);
    while (level.size() > 1) {
        for (std::size_t i = 0; i < level.size() / 2; ++i) level[i] = poseidon_compress(level[2 * i], level[2 * i + 1]);
        level.resize(level.size() / 2);
        levels_.push_back(level);
    }
}

std::vector<Digest> KeyTable::path(std::size_t entry) const {
    QUARRY_CHECK(entry < entries_.size());
    std::vector<Digest> path;
    for (std::size_t v = 0; v < kLogKeys; ++v, entry /= 2) path.push_back(levels_[v][entry ^ 1]);
    return path;
}

Digest exposed_digest(rollup::StatementKind kind, const Digest& keys, const Digest& statement) {
    std::vector<KoalaBear> elements{KoalaBear(static_cast<std::uint32_t>(kind))};
    elements.insert(elements.end(), keys.begin(), keys.end());
    elements.insert(elements.end(), statement.begin(), statement.end());
    return rollup::hash_elements("quarry/recursion/v1", elements);
}

}  // namespace quarry::recursion
