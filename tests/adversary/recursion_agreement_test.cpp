// "C++ verifier, circuit verifier and Solidity verifier agree on every element of one corpus of valid and mutated
// proofs; mutants are re-hashed and re-ground so that they get past the first check, and the corpus reaches every error
// code of each verifier." Here: the native verifier and the one in a circuit. They agree check by check, not only in
// the verdict, so that a mutant that breaks many checks at once tells as much as one for each of them.
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "tests/adversary/recursion_child.hpp"
#include "tests/adversary/recursion_verdicts.hpp"

namespace quarry {
namespace {

using namespace adversary;  // NOLINT(google-build-using-namespace)

TEST(RecursionAgreement, Probe) {
    for (const Child& child : {cubes_child(), gates_child()}) {
        auto t0 = std::chrono::steady_clock::now();
        auto lap = [&](const char* what) {
            auto t = std::chrono::steady_clock::now();
            printf("%s %s %.1f ms\n", child.name.c_str(), what, std::chrono::duration<double>(t - t0).count() * 1e3);
            t0 = t;
        };
        Proof p = child.prove_with(nullptr);
        lap("prove");
        Verifier v = verifier_of(child, child.proof, child.statement);
        lap("build");
        WireCheck check(v.rows, v.exposed);
        lap("wires");
        EXPECT_TRUE(check.accepts());
        EXPECT_TRUE(check.has_single_writers());
        bool other = false;
        const Verdicts c = check.verdicts(other);
        lap("verdicts");
        const Verdicts n = native_verdicts(*child.circuit, child.proof, child.statement, child.verifying_key());
        lap("native");
        EXPECT_EQ(c, n);
        printf("%zu %zu %zu %zu vs %zu %zu %zu %zu\n", c.equal.size(), c.nonzero.size(), c.paths.size(), c.work.size(),
               n.equal.size(), n.nonzero.size(), n.paths.size(), n.work.size());
        for (auto x : recursion::count_rows(v.rows)) printf("%zu ", x);
        printf("\n");
        const recursion::testing::LaidOut laid(v.rows);
        lap("lay out");
        EXPECT_EQ(laid.complaint(v.exposed), "");
        lap("complaint");
    }
}

}  // namespace
}  // namespace quarry
