#include <gtest/gtest.h>

#include <chrono>

#include "quarry/circuits/signature/testing.hpp"

namespace quarry::circuits {
namespace {

using namespace testing;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

TEST(SignatureCircuit, Measure) {
    auto inputs = signed_inputs(64);
    std::vector<SignatureInput> many;
    for (int i = 0; i < 64; ++i) many.insert(many.end(), inputs.begin(), inputs.end());
    (void)comb_rows();
    for (int i = 0; i < 5; ++i) {
        const double t = seconds();
        const auto w = make_signature_witness(many, 12);
        printf("witness %f\n", seconds() - t);
    }
    const Table s = make_table<ScheduleTable>();
    const Program p = compile(s);
    printf("schedule: columns %zu constraints %zu degree %u roots %zu inputs %zu ops %zu terms %zu\n", s.num_columns(),
           s.constraints.size(), s.max_degree(), p.roots.size(), p.inputs.size(), p.at_least[0].ops.size(),
           p.at_least[0].terms.size());
    const Table g = make_table<SignatureTable>();
    printf("signature: columns %zu degree %u\n", g.num_columns(), g.max_degree());
    const Table c = make_table<CombMultiplesTable>();
    printf("comb: columns %zu degree %u\n", c.num_columns(), c.max_degree());
}

TEST(SignatureCircuit, Honest) {
    const auto inputs = signed_inputs(20);
    const auto w = make_signature_witness(inputs, 9);
    const Table s = make_table<ScheduleTable>();
    const Table g = make_table<SignatureTable>();
    const Table c = make_table<CombMultiplesTable>();
    {
        auto v = find_violation(g, columns_of(std::span<const SignatureRow<KoalaBear>>(w.signature), 512));
        ASSERT_FALSE(v) << v->constraint << v->row;
    }
    {
        auto v = find_violation(s, columns_of<ScheduleRow<KoalaBear>>(w.schedule.span(), 8192));
        ASSERT_FALSE(v) << v->constraint << v->row;
    }
    {
        auto v = find_violation(c, columns_of(std::span<const CombMultiplesRow<KoalaBear>>(w.comb), 8192));
        ASSERT_FALSE(v) << v->constraint << v->row;
    }
}
}  // namespace
}  // namespace quarry::circuits
