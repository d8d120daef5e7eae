#include "quarry/proof/circuit.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"

namespace quarry {

Circuit::Circuit(std::string name, std::vector<Table> tables, std::vector<PublicTuple> constants)
    : name_(std::move(name)), tables_(std::move(tables)), constants_(std::move(constants)) {
    QUARRY_CHECK(!tables_.empty() && tables_.size() <= kMaxTables);
    for (const char c : name_) {
        Digest block{};
        block[0] = KoalaBear(static_cast<unsigned char>(c));
        digest_ = poseidon_compress(digest_, block);
    }
    Digest count{};
    count[0] = KoalaBear(name_.size());
    count[1] = KoalaBear(tables_.size());
    digest_ = poseidon_compress(digest_, count);
    std::size_t num_constraints = 0;
    std::size_t num_openings = 0;
    bool has_witness = false;
    for (const Table& table : tables_) {
        QUARRY_CHECK(table.num_columns() >= 1 && table.num_preprocessed <= table.num_columns());
        QUARRY_CHECK(table.next_columns().empty() || table.next_columns().back() < table.num_witness());
        QUARRY_CHECK(table.num_preprocessed == 0 || table.fixed_log_height.has_value());
        has_preprocessed_ = has_preprocessed_ || table.num_preprocessed > 0;
        has_witness = has_witness || table.num_witness() > 0;
        QUARRY_CHECK(table.max_degree() <= kCircuitBounds.constraint_degree);
        num_constraints += table.constraints.size();
        num_openings += table.num_columns() + table.next_columns().size();
        programs_.push_back(std::make_unique<LazyProgram>());
        digest_ = poseidon_compress(digest_, table.digest());
        for (const Interaction& i : table.interactions) {
            QUARRY_CHECK(i.bus < KoalaBear::kModulus && i.tuple.size() <= kCircuitBounds.tuple_length);
            QUARRY_CHECK(arity_.try_emplace(i.bus, i.tuple.size()).first->second == i.tuple.size());
        }
    }
    for (const PublicTuple& constant : constants_) {
        QUARRY_CHECK(bus_arity(constant.bus) == constant.tuple.size());
        Digest block{};
        block[0] = KoalaBear(constant.bus);
        block[1] = constant.multiplicity;
        digest_ = poseidon_compress(digest_, block);
        for (std::size_t i = 0; i < constant.tuple.size(); i += kDigestSize) {
            block = {};
            for (std::size_t k = 0; k < kDigestSize && i + k < constant.tuple.size(); ++k) {
                block[k] = constant.tuple[i + k];
            }
            digest_ = poseidon_compress(digest_, block);
        }
    }
    QUARRY_CHECK(has_witness);
    count[0] = KoalaBear(constants_.size());
    digest_ = poseidon_compress(digest_, count);
    QUARRY_CHECK(num_constraints <= kCircuitBounds.num_constraints && num_openings <= kCircuitBounds.num_openings);
}

namespace {

bool same_atom(const Atom& a, const Atom& b) {
    return a.kind == b.kind && a.column == b.column && a.left == b.left && a.right == b.right;
}

// The same polynomials of the same columns, under whatever name and beside whatever interactions.
bool same_constraints(const Table& a, const Table& b) {
    return a.num_columns() == b.num_columns() &&
           std::ranges::equal(a.constraints, b.constraints, {}, &Constraint::form, &Constraint::form) &&
           std::ranges::equal(a.graph.atoms(), b.graph.atoms(), same_atom);
}

}  // namespace

const Program& Circuit::program(std::size_t table) const {
    LazyProgram& lazy = *programs_[table];
    std::call_once(lazy.once, [&] {
        const auto first = std::ranges::find_if(
            tables_, [&](const Table& other) { return same_constraints(other, tables_[table]); });  // or the table
        const auto t = static_cast<std::size_t>(first - tables_.begin());
        lazy.program = t < table ? program(t) : compile(tables_[table]);
    });
    return lazy.program;
}

std::optional<std::size_t> Circuit::bus_arity(std::uint32_t bus) const {
    const auto it = arity_.find(bus);
    if (it == arity_.end()) return std::nullopt;
    return it->second;
}

namespace {

// Rows of zeros satisfy this table and say nothing, at any height: leaving it out is the same.
bool may_be_absent(const Table& table) {
    if (table.fixed_log_height) return false;
    const auto lift = [](KoalaBear x) { return x; };
    const std::vector<KoalaBear> zeros(table.num_columns());
    const std::vector<KoalaBear> atoms = evaluate_atoms(table.graph, zeros, zeros, lift);
    const auto is_zero = [&](const LinearForm& form) { return evaluate_form(form, atoms, lift).is_zero(); };
    return std::ranges::all_of(table.constraints, [&](const Constraint& c) { return is_zero(c.form); }) &&
           std::ranges::all_of(table.interactions, [&](const Interaction& i) { return is_zero(i.multiplicity); });
}

// Fails where soundness or this circuit does not allow the heights.
Status check_heights(const Circuit& circuit, const Heights& heights) {
    if (heights.size() != circuit.tables().size()) return Error{Errc::bad_shape, "number of tables"};
    std::size_t num_fractions = 0;
    bool has_witness = false;
    for (std::size_t t = 0; t < heights.size(); ++t) {
        const Table& table = circuit.tables()[t];
        const auto fixed = table.fixed_log_height;
        if (fixed && heights[t] != *fixed) return Error{Errc::bad_shape, "table of fixed height"};
        if (heights[t] == 0 && may_be_absent(table)) continue;
        if (heights[t] < kMinLogHeight || heights[t] > kMaxLogHeight) return Error{Errc::bad_shape, "table height"};
        num_fractions += table.interactions.size() << heights[t];
        has_witness = has_witness || table.num_witness() > 0;
    }
    if (!has_witness) return Error{Errc::bad_shape, "no witness"};
    if (num_fractions > std::size_t{1} << kCircuitBounds.log_fractions) {
        return Error{Errc::limit_exceeded, "bus fractions"};
    }
    return Ok{};
}

}  // namespace

std::vector<std::size_t> StackLayout::lanes_of_parts() const {
    if (preprocessed_lanes == 0) return {used_lanes};
    return {preprocessed_lanes, witness_lanes()};
}

std::size_t StackLayout::chunk(std::size_t t, const Table& table, unsigned log_height, std::size_t c) const {
    const std::size_t num_witness = table.num_witness();
    if (c < num_witness) return (offset[t] >> log_height) + c;
    return (preprocessed_offset[t] >> log_height) + (c - num_witness);
}

Result<StackLayout> make_stack_layout(const Circuit& circuit, const Heights& heights, unsigned log_lanes) {
    QUARRY_TRY(check_heights(circuit, heights));
    StackLayout layout;
    layout.log_lanes = log_lanes;
    for (std::size_t t = 0; t < heights.size(); ++t) {
        if (heights[t] != 0) layout.order.push_back(t);
    }
    layout.offset.resize(heights.size());
    layout.preprocessed_offset.resize(heights.size());
    std::sort(layout.order.begin(), layout.order.end(),
              [&](std::size_t a, std::size_t b) { return heights[a] != heights[b] ? heights[a] > heights[b] : a < b; });
    std::size_t preprocessed_cells = 0;
    std::size_t witness_cells = 0;
    for (const std::size_t t : layout.order) {
        layout.preprocessed_offset[t] = preprocessed_cells;
        preprocessed_cells += circuit.tables()[t].num_preprocessed << heights[t];
        layout.offset[t] = witness_cells;
        witness_cells += circuit.tables()[t].num_witness() << heights[t];
    }
    layout.used_cells = preprocessed_cells + witness_cells;
    layout.log_size = std::max(kMinLogStack, heights[layout.order.front()] + log_lanes);
    const auto lanes = [&](std::size_t cells) {
        const std::size_t lane = std::size_t{1} << layout.log_lane();
        return (cells + lane - 1) / lane;
    };
    while (lanes(preprocessed_cells) + lanes(witness_cells) > std::size_t{1} << log_lanes) ++layout.log_size;
    if (layout.log_size > kMaxLogStack) return Error{Errc::limit_exceeded, "committed cells"};
    layout.preprocessed_lanes = lanes(preprocessed_cells);
    layout.used_lanes = layout.preprocessed_lanes + lanes(witness_cells);
    // now a lane holds every height, so the witness columns stay aligned behind whole lanes
    for (std::size_t& offset : layout.offset) offset += layout.preprocessed_lanes << layout.log_lane();
    return layout;
}

Trace::Trace(const Circuit& circuit, Heights heights, unsigned log_lanes)
    : circuit_(&circuit),
      heights_(std::move(heights)),
      layout_(make_stack_layout(circuit, heights_, log_lanes).value()),
      cells_(layout_.witness_lanes() << layout_.log_lane()) {
    std::size_t used = 0;
    for (const std::size_t t : layout_.order) used += circuit.tables()[t].num_witness() << heights_[t];
    std::fill(cells_.data() + used, cells_.data() + cells_.size(), KoalaBear());
}

std::size_t Trace::first_cell(std::size_t t, std::size_t c) const {
    QUARRY_CHECK(c < circuit_->tables()[t].num_witness());
    return layout_.offset[t] - (layout_.preprocessed_lanes << layout_.log_lane()) + (c << heights_[t]);
}

std::span<KoalaBear> Trace::column(std::size_t t, std::size_t c) {
    return cells_.span().subspan(first_cell(t, c), std::size_t{1} << heights_[t]);
}
std::span<const KoalaBear> Trace::column(std::size_t t, std::size_t c) const {
    return cells_.span().subspan(first_cell(t, c), std::size_t{1} << heights_[t]);
}

TableInstance Trace::instance(std::size_t t) const {
    const bool empty = circuit_->tables()[t].num_witness() == 0;
    const KoalaBear* columns = empty ? nullptr : cells_.data() + first_cell(t, 0);
    return {&circuit_->tables()[t], &circuit_->program(t), heights_[t], columns, nullptr};
}

}  // namespace quarry
