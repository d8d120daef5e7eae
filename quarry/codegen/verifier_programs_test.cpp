#include "quarry/codegen/verifier_programs.hpp"

#include <gtest/gtest.h>

#include "quarry/iop/row_kernels.hpp"
#include "quarry/proof/proof.hpp"
#include "quarry/proof/testing_preprocessed.hpp"

namespace quarry::codegen::verifier_programs_test {
namespace {

class Numbers {
  public:
    ExtField ext() {
        ExtField r;
        for (std::size_t i = 0; i < ExtField::kDegree; ++i) {
            state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
            r[i] = KoalaBear(state_ >> 20);
        }
        return r;
    }
    std::vector<ExtField> exts(std::size_t n) {
        std::vector<ExtField> r;
        for (; n > 0; --n) r.push_back(ext());
        return r;
    }

  private:
    std::uint64_t state_ = 7;
};

/// The verifier's text on numbers, and the machine on the same, stage by stage.
TEST(VerifierPrograms, ComputeWhatTheVerifierDoes) {
    const Circuit circuit("gates", testing::gate_tables());
    const Heights heights = testing::kGateHeights;
    const VerifierPrograms programs = trace_verifier(circuit, heights);
    const StackLayout layout = make_stack_layout(circuit, heights, kTerminalProtocol.log_stack_lanes).value();
    const SortedTables sorted = sort_tables(circuit, heights, layout);
    NativeBackend native;
    Numbers numbers;
    MachineMemory memory;
    const auto put = [&](Slot first, std::span<const ExtField> xs) {
        for (std::size_t i = 0; i < xs.size(); ++i) memory.set(static_cast<Slot>(first + i * kWordBytes), xs[i]);
    };
    std::size_t begin = 0;
    const auto run = [&](std::size_t stage) {
        const auto& p = programs.programs;
        run_machine(std::span(p.code).subspan(begin, p.ends[stage] - begin), memory);
        begin = p.ends[stage];
        return memory.get(p.outputs[stage].at(0));
    };

    BusClaim<ExtField> bus;
    bus.layout = make_leaf_layout(sorted.tables, sorted.log_heights);
    ASSERT_EQ(bus.layout.log_size, programs.log_fractions);
    const unsigned m = programs.log_fractions;
    const auto rho = numbers.exts(m);
    bus.point.resize(m);
    for (unsigned k = 0; k < m; ++k) bus.point[gkr_variable(m, m - 1 - k)] = rho[k];
    const auto fraction = numbers.exts(5);
    bus.challenges = {.alpha = fraction[1], .beta = fraction[0]};
    bus.numerator = fraction[2];
    bus.denominator = fraction[3];
    put(programs.rho, rho);
    put(programs.fraction, fraction);
    std::vector<ExtField> weights;
    EXPECT_EQ(run(0), bus_and_constraints_claim(native, sorted.log_heights, bus, fraction[4], weights));

    ZerocheckClaims<ExtField> claims{{std::nullopt, numbers.exts(programs.log_rows)}, {}};
    std::vector<ExtField> values;
    for (const Table* table : sorted.tables) {
        claims.tables.push_back({numbers.exts(table->num_columns()), numbers.exts(table->next_columns().size())});
        values.insert(values.end(), claims.tables.back().row.begin(), claims.tables.back().row.end());
        values.insert(values.end(), claims.tables.back().next.begin(), claims.tables.back().next.end());
    }
    ASSERT_EQ(values.size(), programs.num_values);
    put(programs.z, claims.point.r);
    put(programs.values, values);
    EXPECT_EQ(run(1),
              bus_and_constraints_at<NativeBackend>(native, sorted.tables, claims.tables, bus, fraction[4], weights));

    const EqChallenges sizes = eq_challenges(group_by_height(sorted.log_heights), layout.log_size);
    const auto deltas = numbers.exts(programs.num_deltas);
    ASSERT_EQ(deltas.size(), sizes.num_chunk + sizes.num_group);
    put(programs.deltas, deltas);
    auto columns = column_claims<NativeBackend>(sorted, layout, claims);
    WhirClaims<NativeBackend> opening{
        {}, weigh_by_eq<NativeBackend>(native, std::span<const ExtField>(deltas), sizes.num_chunk, columns)};
    EXPECT_EQ(run(2), opening.value);

    RowKernels<NativeBackend> kernels(native, claims.point);
    for (auto& column : columns) {
        column.group.kernel = [&kernels, next = column.next](std::span<const ExtField> p) {
            return next ? kernels.next(p) : kernels.row(p);
        };
        opening.groups.push_back(std::move(column.group));
    }
    const auto point = numbers.exts(programs.log_size);
    put(programs.point, point);
    EXPECT_EQ(run(3), whir_detail::groups_at(native, opening, std::span<const ExtField>(point)));
}

}  // namespace
}  // namespace quarry::codegen::verifier_programs_test
