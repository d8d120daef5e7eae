#include "quarry/circuits/lookups.hpp"

#include <algorithm>

namespace quarry::circuits {

void TableRows::write(Trace& trace, std::size_t t) const {
    const std::size_t height = trace.column(t, 0).size();
    QUARRY_CHECK(num_rows_ <= height);
    constexpr std::size_t kTile = 128;  // rows whose cells stay in the second-level cache
    parallel_for((height + kTile - 1) / kTile, 4, [&](std::size_t begin, std::size_t end) {
        for (std::size_t tile = begin; tile < end; ++tile) {
            const std::size_t first = tile * kTile;
            const std::size_t last = std::min(first + kTile, height);
            const std::size_t real = std::clamp(num_rows_, first, last);
            for (std::size_t c = 0; c < offsets_.size(); ++c) {
                KoalaBear* column = trace.column(t, c).data();
                const std::byte* source = data_ + first * stride_ + offsets_[c];
                for (std::size_t r = first; r < real; ++r, source += stride_) {
                    column[r] = *reinterpret_cast<const KoalaBear*>(source);
                }
                if (real < last) std::fill(column + real, column + last, cell(c, num_rows_));
            }
        }
    });
}

std::vector<std::vector<KoalaBear>> TableRows::columns(unsigned log_height) const {
    std::vector<std::vector<KoalaBear>> r(offsets_.size(), std::vector<KoalaBear>(std::size_t{1} << log_height));
    for (std::size_t c = 0; c < r.size(); ++c) {
        for (std::size_t row = 0; row < r[c].size(); ++row) r[c][row] = cell(c, row);
    }
    return r;
}

RequestReader::RequestReader(const Table& table, const TableRows& rows, unsigned log_height, std::uint32_t bus)
    : rows_(rows), height_(std::size_t{1} << log_height) {
    for (const Interaction& interaction : table.interactions) {
        if (interaction.bus != bus) continue;
        Request request{form_of(table, interaction.multiplicity), {}};
        for (const LinearForm& f : interaction.tuple) request.tuple.push_back(form_of(table, f));
        requests_.push_back(std::move(request));
    }
}

RequestReader::Form RequestReader::form_of(const Table& table, const LinearForm& form) const {
    Form r{form.constant, {}};
    for (const Term& term : form.terms) {
        const Atom& atom = table.graph.atoms()[term.atom];
        r.terms.push_back({atom.column, atom.kind == Atom::Kind::next_column, term.coefficient});
    }
    return r;
}

KoalaBear RequestReader::value(const Form& form, std::size_t row, std::size_t next) const noexcept {
    KoalaBear s = form.constant;
    for (const CellTerm& t : form.terms) {
        const KoalaBear x = rows_.cell(t.column, t.next ? next : row);
        s += t.coefficient == KoalaBear(1) ? x : x * t.coefficient;
    }
    return s;
}

void RequestReader::for_each(std::size_t arity, const std::function<void(std::span<const KoalaBear>)>& f) const {
    const KoalaBear one_request = -KoalaBear(1);
    std::vector<KoalaBear> tuple(arity);
    for (const Request& request : requests_) {
        const auto visit = [&](std::size_t row) {
            const std::size_t next = row + 1 == height_ ? 0 : row + 1;
            if (value(request.multiplicity, row, next) != one_request) return;
            for (std::size_t k = 0; k < arity; ++k) tuple[k] = value(request.tuple[k], row, next);
            f(tuple);
        };
        // Padding rows inside the padding are all alike: if one asks nothing, only the last row is left to look at.
        const bool padding_asks =
            rows_.size() < height_ && value(request.multiplicity, rows_.size(), rows_.size()) == one_request;
        const std::size_t end = padding_asks ? height_ : std::min(height_, rows_.size());
        for (std::size_t row = 0; row < end; ++row) visit(row);
        if (end < height_) visit(height_ - 1);
    }
}

}  // namespace quarry::circuits
