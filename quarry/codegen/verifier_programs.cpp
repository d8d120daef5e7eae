#include "quarry/codegen/verifier_programs.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/codegen/tracer.hpp"
#include "quarry/iop/row_kernels.hpp"
#include "quarry/proof/proof.hpp"
#include "quarry/proof/protocol.hpp"

namespace quarry::codegen {
namespace {

/// Inputs in the order in which they are asked for, one slot after the other.
class Inputs {
  public:
    explicit Inputs(Tracer& tracer) : tracer_(tracer) {}
    /// The next slot.
    [[nodiscard]] Slot here() const { return static_cast<Slot>(kFirstSlot + slots_.size() * kWordBytes); }
    TracedValue take() {
        QUARRY_CHECK(slots_.size() < kMaxSlots);
        slots_.push_back(here());
        return tracer_.input(static_cast<std::uint32_t>(slots_.size() - 1));
    }
    std::vector<TracedValue> take(std::size_t count) {
        std::vector<TracedValue> r;
        for (; count > 0; --count) r.push_back(take());
        return r;
    }
    [[nodiscard]] const std::vector<Slot>& slots() const { return slots_; }

  private:
    Tracer& tracer_;
    std::vector<Slot> slots_;
};

}  // namespace

VerifierPrograms trace_verifier(const Circuit& circuit, const Heights& heights) {
    static_assert(kTerminalProtocol.batching == ClaimBatching::eq && kTerminalProtocol.row_rounds == RowRounds::plain);
    const StackLayout layout = make_stack_layout(circuit, heights, kTerminalProtocol.log_stack_lanes).value();
    const SortedTables sorted = sort_tables(circuit, heights, layout);
    Tracer tracer;
    Inputs inputs(tracer);
    VerifierPrograms r;
    BusClaim<TracedValue> bus;
    bus.layout = make_leaf_layout(sorted.tables, sorted.log_heights);
    QUARRY_CHECK(!bus.layout.blocks.empty());
    r.log_fractions = bus.layout.log_size;
    r.log_rows = sorted.log_heights.front();
    r.log_size = layout.log_size;
    for (const Table* table : sorted.tables) r.degree = std::max(r.degree, table->max_degree());

    r.rho = inputs.here();
    bus.point.resize(r.log_fractions);
    for (unsigned k = 0; k < r.log_fractions; ++k) {
        bus.point[gkr_variable(r.log_fractions, r.log_fractions - 1 - k)] = inputs.take();
    }
    r.fraction = inputs.here();
    bus.challenges.beta = inputs.take();
    bus.challenges.alpha = inputs.take();
    bus.numerator = inputs.take();
    bus.denominator = inputs.take();
    const TracedValue batching = inputs.take();
    std::vector<TracedValue> block_weights;
    const TracedValue claim = bus_and_constraints_claim(tracer, sorted.log_heights, bus, batching, block_weights);

    r.z = inputs.here();
    ZerocheckClaims<TracedValue> claims{{std::nullopt, inputs.take(r.log_rows)}, {}};
    r.values = inputs.here();
    for (const Table* table : sorted.tables) {
        auto& values = claims.tables.emplace_back();
        values.row = inputs.take(table->num_columns());
        values.next = inputs.take(table->next_columns().size());
        r.num_values += values.row.size() + values.next.size();
    }
    const TracedValue expected =
        bus_and_constraints_at<Tracer>(tracer, sorted.tables, claims.tables, bus, batching, block_weights);

    const EqChallenges sizes = eq_challenges(group_by_height(sorted.log_heights), layout.log_size);
    r.num_deltas = sizes.num_chunk + sizes.num_group;
    r.deltas = inputs.here();
    const std::vector<TracedValue> challenges = inputs.take(r.num_deltas);
    std::vector<ColumnClaims<Tracer>> columns = column_claims<Tracer>(sorted, layout, claims);
    WhirClaims<Tracer> opening{
        {}, weigh_by_eq<Tracer>(tracer, std::span<const TracedValue>(challenges), sizes.num_chunk, columns)};

    RowKernels<Tracer> kernels(tracer, claims.point);
    for (ColumnClaims<Tracer>& column : columns) {
        column.group.kernel = [&kernels, next = column.next](std::span<const TracedValue> p) {
            return next ? kernels.next(p) : kernels.row(p);
        };
        opening.groups.push_back(std::move(column.group));
    }
    r.point = inputs.here();
    const std::vector<TracedValue> point = inputs.take(layout.log_size);
    const TracedValue weight = whir_detail::groups_at(tracer, opening, std::span<const TracedValue>(point));

    std::vector<std::vector<LinearForm>> stages;
    for (const TracedValue& x : {claim, expected, opening.value, weight}) {
        stages.push_back({x.expression().form()});
    }
    r.programs = assemble(tracer.graph(), inputs.slots(), stages);
    return r;
}

}  // namespace quarry::codegen
