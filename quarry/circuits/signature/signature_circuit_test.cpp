#include <gtest/gtest.h>

#include <chrono>

#include "quarry/circuits/signature/testing.hpp"

namespace quarry::circuits {
namespace {

using namespace testing;

double seconds() {
    timespec t{}; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

TEST(SignatureCircuit, Measure) {
    auto inputs = signed_inputs(64);
    std::vector<SignatureInput> many;
    for (int i = 0; i < 16; ++i) many.insert(many.end(), inputs.begin(), inputs.end());
    std::vector<Table> tables;
    tables.push_back(make_table<ScheduleTable>());
    tables.push_back(make_table<SignatureTable>());
    tables.push_back(make_table<CombMultiplesTable>());
    double t0 = seconds();
    Circuit circuit("sig", std::move(tables), comb_constants());
    printf("circuit %f\n", seconds() - t0);
    auto w = make_signature_witness(many, 10);
    Trace trace(circuit, {14, 10, 13});
    double t1 = seconds();
    write_rows<ScheduleRow<KoalaBear>>(trace, 0, w.schedule.span());
    printf("write %f\n", seconds() - t1);
    write_rows<SignatureRow<KoalaBear>>(trace, 1, w.signature);
    write_rows<CombMultiplesRow<KoalaBear>>(trace, 2, w.comb);
    for (int k = 0; k < 2; ++k) {
        ProvePhases phases;
        ProveOptions o;
        o.phases = &phases;
        o.now = seconds;
        auto proof = prove(circuit, trace, {}, o);
        printf("commit %f logup %f zerocheck %f open %f\n", phases.commit, phases.logup, phases.zerocheck, phases.open);
    }
    for (int k = 0; k < 3; ++k) { double t = seconds(); auto ww = make_signature_witness(many, 10); printf("witness 1024: %f\n", seconds() - t); }
    std::vector<SignatureCheck<KB11>> checks;
    for (int i = 0; i < 64; ++i) for (auto& in : inputs) checks.push_back({PublicKey<KB11>::from_point(in.key).value(), in.message, in.signature});
    for (int k = 0; k < 3; ++k) {
        double t = seconds();
        (void)verify_batch<KB11>(checks);
        printf("verify_batch %f\n", seconds() - t);
    }
}
}
}
