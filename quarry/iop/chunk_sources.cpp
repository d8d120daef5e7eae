#include "quarry/iop/chunk_sources.hpp"

#include <cstring>

namespace quarry {

ChunkSources::ChunkSources(const TableInstance& instance)
    : instance_(instance),
      next_columns_(instance.table->next_columns()),
      scratch_(next_columns_.size() * kChunkRows),
      columns_(instance.table->num_columns()),
      next_(instance.table->num_columns()),
      atoms_(instance.table->graph.atoms().size()) {
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        bases_.push_back(reinterpret_cast<const std::uint32_t*>(instance.column(c)));
    }
}

void ChunkSources::aim(std::size_t chunk) {
    const std::size_t height = std::size_t{1} << instance_.log_height;
    const std::size_t begin = chunk * kChunkRows;
    for (std::size_t c = 0; c < columns_.size(); ++c) columns_[c] = bases_[c] + begin;
    for (std::size_t i = 0; i < next_columns_.size(); ++i) {
        const std::uint32_t* column = bases_[next_columns_[i]];
        std::uint32_t* target = scratch_.data() + i * kChunkRows;
        const std::size_t plain = begin + kChunkRows == height ? kChunkRows - 1 : kChunkRows;
        std::memcpy(target, column + begin + 1, plain * sizeof(std::uint32_t));
        if (plain < kChunkRows) target[plain] = column[0];
        next_[next_columns_[i]] = target;
    }
    const auto& graph = instance_.table->graph.atoms();
    for (std::size_t a = 0; a < graph.size(); ++a) {
        if (graph[a].kind == Atom::Kind::column) atoms_[a] = columns_[graph[a].column];
        if (graph[a].kind == Atom::Kind::next_column) atoms_[a] = next_[graph[a].column];
    }
}

}  // namespace quarry
