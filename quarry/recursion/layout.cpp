#include "quarry/recursion/layout.hpp"

#include <algorithm>
#include <optional>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/circuits/rows.hpp"

namespace quarry::recursion {
namespace {

/// f(kind, rows) for every kind.
template <class AllRows, class F>
void for_each_kind(AllRows& rows, F f) {
    f(TableKind::sponge, rows.sponge);
    f(TableKind::tree, rows.tree);
    f(TableKind::upper, rows.upper);
    f(TableKind::cap, rows.cap);
    f(TableKind::sum, rows.sum);
    f(TableKind::form, rows.form);
    f(TableKind::convolution, rows.convolution);
    f(TableKind::base_fold, rows.base_fold);
    f(TableKind::extension_fold, rows.extension_fold);
    f(TableKind::polynomial, rows.polynomial);
    f(TableKind::power, rows.power);
    f(TableKind::pack, rows.pack);
    f(TableKind::digest, rows.digest);
    f(TableKind::constant, rows.constant);
    f(TableKind::index, rows.index);
    f(TableKind::public_input, rows.public_input);
}

/// The rows of each table of a kind: [begin, end), cut where a row does not go on.
struct Range {
    std::size_t begin, end;
};
std::optional<std::vector<Range>> cut(const std::vector<std::uint8_t>& first,
                                      const std::vector<unsigned>& log_heights) {
    std::vector<Range> ranges;
    std::size_t begin = 0;
    for (const unsigned h : log_heights) {
        std::size_t end = std::min(first.size(), begin + (std::size_t{1} << h));
        while (end < first.size() && end > begin && first[end] == 0) --end;
        ranges.push_back({begin, end});
        begin = end;
    }
    if (begin < first.size()) return std::nullopt;
    return ranges;
}

template <class Row>
Row padding() {
    return {};
}
template <>
IndexRow<KoalaBear> padding() {
    return IndexTable::make_row(KoalaBear(), 0);
}

unsigned log_height_for(std::size_t rows) {
    unsigned h = kMinLogHeight;
    while (rows > std::size_t{1} << h) ++h;
    return h;
}

template <class Row>
void write(const std::vector<std::size_t>& offsets, std::span<const Row> rows, std::size_t height,
           const std::function<std::span<KoalaBear>(std::size_t)>& column) {
    const Row rest = padding<Row>();
    parallel_for(offsets.size(), 4, [&](std::size_t begin, std::size_t end) {
        for (std::size_t c = begin; c < end; ++c) {
            KoalaBear* cells = column(c).data();
            for (std::size_t r = 0; r < height; ++r) {
                const Row& row = r < rows.size() ? rows[r] : rest;
                cells[r] = *reinterpret_cast<const KoalaBear*>(reinterpret_cast<const std::byte*>(&row) + offsets[c]);
            }
        }
    });
}

}  // namespace

std::array<std::size_t, kTableKinds> count_rows(const CircuitRows& rows) {
    std::array<std::size_t, kTableKinds> counts{};
    for_each_kind(rows,
                  [&](TableKind kind, const auto& of) { counts[static_cast<std::size_t>(kind)] = of.rows.size(); });
    return counts;
}

ShapeHeights fit(const CircuitRows& rows) {
    ShapeHeights shape;
    for_each_kind(rows, [&](TableKind kind, const auto& of) {
        const std::size_t n = of.rows.size();
        const unsigned whole = log_height_for(n);
        auto& heights = shape[static_cast<std::size_t>(kind)];
        const bool few = rows.kinds == RowKinds::few;
        const bool one_of_a_kind = rows.kinds != RowKinds::all;
        const bool may_be_absent =
            kind == TableKind::public_input ||
            (one_of_a_kind && (kind == TableKind::convolution || kind == TableKind::upper || kind == TableKind::cap)) ||
            (few && (kind == TableKind::base_fold || kind == TableKind::extension_fold ||
                     kind == TableKind::polynomial || kind == TableKind::power));
        if (may_be_absent && n == 0) return;
        heights = {whole};
        if (one_of_a_kind || whole == kMinLogHeight || n > 3 * (std::size_t{1} << whole) / 4) return;
        for (unsigned second = kMinLogHeight; second + 1 < whole; ++second) {
            const std::vector<unsigned> two{whole - 1, second};
            if (cut(of.first, two)) {
                heights = two;
                return;
            }
        }
    });
    return shape;
}

std::unique_ptr<Circuit> make_circuit(const ShapeHeights& heights) {
    std::vector<Table> tables;
    const CircuitRows none;
    for_each_kind(none, [&]<class Definition>(TableKind kind, const Rows<Definition>&) {
        for (const unsigned h : heights[static_cast<std::size_t>(kind)]) tables.push_back(make_table<Definition>(h));
    });
    return std::make_unique<Circuit>("recursion", std::move(tables));
}

Heights heights_of(const ShapeHeights& shape) {
    Heights heights;
    for (const auto& of_kind : shape) heights.insert(heights.end(), of_kind.begin(), of_kind.end());
    return heights;
}

std::optional<PreprocessedTrace> lay_out_preprocessed(const Circuit& circuit, const ShapeHeights& shape,
                                                      const CircuitRows& rows, unsigned log_lanes) {
    PreprocessedTrace trace(circuit, heights_of(shape), log_lanes);
    std::size_t t = 0;
    bool fits = true;
    // Rows of sums that pad a table read the zero wire for every operand: it is the first constant.
    std::size_t padding_reads = 0;
    for_each_kind(rows, [&]<class Definition>(TableKind kind, const Rows<Definition>& of) {
        using Fixed = typename Definition::template Fixed<KoalaBear>;
        static const auto offsets = circuits::cell_offsets<Fixed>();
        const auto& heights = shape[static_cast<std::size_t>(kind)];
        const auto ranges = cut(of.first, heights);
        fits = fits && ranges.has_value();
        for (std::size_t i = 0; i < heights.size(); ++i, ++t) {
            if (!ranges) continue;
            const std::size_t height = std::size_t{1} << heights[i];
            const auto [begin, end] = (*ranges)[i];
            std::vector<Fixed> fixed(of.fixed.begin() + static_cast<std::ptrdiff_t>(begin),
                                     of.fixed.begin() + static_cast<std::ptrdiff_t>(end));
            fixed.resize(height);
            if constexpr (requires { Definition::kOperands; }) {
                padding_reads += Definition::kOperands * (height - (end - begin));
            }
            if constexpr (std::is_same_v<Definition, ConstantTable>) {
                if (i == 0) fixed[0].extensions += KoalaBear(padding_reads);
            }
            write<Fixed>(offsets, fixed, height, [&](std::size_t c) { return trace.column(t, c); });
        }
    });
    if (!fits) return std::nullopt;
    return trace;
}

Trace lay_out_witness(const Circuit& circuit, const ShapeHeights& shape, const CircuitRows& rows, unsigned log_lanes) {
    Trace trace(circuit, heights_of(shape), log_lanes);
    std::size_t t = 0;
    for_each_kind(rows, [&]<class Definition>(TableKind kind, const Rows<Definition>& of) {
        using Row = typename Definition::template Row<KoalaBear>;
        static const auto offsets = circuits::cell_offsets<Row>();
        const auto& heights = shape[static_cast<std::size_t>(kind)];
        const auto ranges = cut(of.first, heights);
        QUARRY_CHECK(ranges.has_value());
        for (std::size_t i = 0; i < heights.size(); ++i, ++t) {
            const auto [begin, end] = (*ranges)[i];
            write<Row>(offsets, std::span(of.rows).subspan(begin, end - begin), std::size_t{1} << heights[i],
                       [&](std::size_t c) { return trace.column(t, c); });
            // What the permutations are between their inputs and outputs.
            if constexpr (std::is_same_v<Definition, SpongeTable>) fill_permutations(trace, t);
            if constexpr (std::is_same_v<Definition, TreeTable> || std::is_same_v<Definition, UpperTable>) {
                fill_compressions(trace, t);
            }
        }
    });
    return trace;
}

Statement digest_statement(const Digest& digest) {
    Statement statement;
    std::vector<KoalaBear> tuple{KoalaBear(std::uint64_t{kPublicDigest})};
    tuple.insert(tuple.end(), digest.begin(), digest.end());
    statement.tuples.push_back({kDigestBus, KoalaBear(1), std::move(tuple)});
    return statement;
}

Statement public_statement(std::span<const std::vector<KoalaBear>> rows) {
    Statement statement;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        QUARRY_CHECK(rows[r].size() <= kPublicValues);
        std::vector<KoalaBear> tuple{KoalaBear(r)};
        tuple.insert(tuple.end(), rows[r].begin(), rows[r].end());
        tuple.resize(1 + kPublicValues);
        statement.tuples.push_back({kPublicBus, KoalaBear(1), std::move(tuple)});
    }
    return statement;
}

}  // namespace quarry::recursion
