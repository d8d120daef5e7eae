#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/proof/circuit.hpp"
#include "quarry/proof/key.hpp"

/// Witnesses are made row by row, in the struct that also names the columns: Definition::Row<KoalaBear>.
namespace quarry::circuits {

namespace rows_detail {
struct OffsetCollector {
    const std::byte* base;
    std::vector<std::size_t>* offsets;
    void operator()(const std::string& /*name*/, KoalaBear& cell) {
        offsets->push_back(static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&cell) - base));
    }
    template <class T, std::size_t N>
    void operator()(const std::string& name, std::array<T, N>& cells) {
        for (T& cell : cells) (*this)(name, cell);
    }
    template <class Group>
    void operator()(const std::string& /*name*/, Group& group)
        requires requires(OffsetCollector& v) { group.visit(v); }
    {
        group.visit(*this);
    }
};
}  // namespace rows_detail

/// Where each column's cell lies in a row, in column order, in bytes.
template <class Row>
std::vector<std::size_t> cell_offsets() {
    Row row{};
    std::vector<std::size_t> offsets;
    row.visit(rows_detail::OffsetCollector{reinterpret_cast<const std::byte*>(&row), &offsets});
    return offsets;
}

/// Writes the rows into the columns of table t, then `padding` up to the table's height. Precondition: they fit.
template <class Row>
void write_rows(Trace& trace, std::size_t t, std::span<const Row> rows, const Row& padding = {}) {
    static const std::vector<std::size_t> offsets = cell_offsets<Row>();
    const std::size_t height = trace.column(t, 0).size();
    QUARRY_CHECK(rows.size() <= height);
    constexpr std::size_t kTile = 256;  // rows whose cells stay in the second-level cache
    parallel_for((height + kTile - 1) / kTile, 4, [&](std::size_t begin, std::size_t end) {
        for (std::size_t tile = begin; tile < end; ++tile) {
            const std::size_t first = tile * kTile;
            const std::size_t last = std::min(first + kTile, height);
            for (std::size_t c = 0; c < offsets.size(); ++c) {
                KoalaBear* column = trace.column(t, c).data();
                const auto cell = [&](const Row& row) {
                    return *reinterpret_cast<const KoalaBear*>(reinterpret_cast<const std::byte*>(&row) + offsets[c]);
                };
                for (std::size_t r = first; r < last; ++r) column[r] = cell(r < rows.size() ? rows[r] : padding);
            }
        }
    });
}

/// Writes the rows into the preprocessed columns of table t. Precondition: as many as the table is high.
template <class Row>
void write_fixed_rows(PreprocessedTrace& trace, std::size_t t, std::span<const Row> rows) {
    const std::vector<std::size_t> offsets = cell_offsets<Row>();
    parallel_for(offsets.size(), 4, [&](std::size_t begin, std::size_t end) {
        for (std::size_t c = begin; c < end; ++c) {
            const std::span<KoalaBear> column = trace.column(t, c);
            QUARRY_CHECK(column.size() == rows.size());
            const std::byte* cell = reinterpret_cast<const std::byte*>(rows.data()) + offsets[c];
            for (std::size_t r = 0; r < rows.size(); ++r, cell += sizeof(Row)) {
                column[r] = *reinterpret_cast<const KoalaBear*>(cell);
            }
        }
    });
}

/// log2 of the height for `num_rows` rows: at least kMinLogHeight.
inline unsigned log_height_for(std::size_t num_rows) {
    unsigned log_height = kMinLogHeight;
    while (num_rows > std::size_t{1} << log_height) ++log_height;
    return log_height;
}

/// The same rows as columns, for checks without a proof.
template <class Row>
std::vector<std::vector<KoalaBear>> columns_of(std::span<const Row> rows, std::size_t height, const Row& padding = {}) {
    const std::vector<std::size_t> offsets = cell_offsets<Row>();
    std::vector<std::vector<KoalaBear>> columns(offsets.size(), std::vector<KoalaBear>(height));
    for (std::size_t r = 0; r < height; ++r) {
        const Row& row = r < rows.size() ? rows[r] : padding;
        for (std::size_t c = 0; c < offsets.size(); ++c) {
            columns[c][r] = *reinterpret_cast<const KoalaBear*>(reinterpret_cast<const std::byte*>(&row) + offsets[c]);
        }
    }
    return columns;
}

}  // namespace quarry::circuits
