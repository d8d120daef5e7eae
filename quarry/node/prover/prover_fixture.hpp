#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "quarry/node/prover/prover_testing.hpp"
#include "quarry/node/work_testing.hpp"

namespace quarry::node::prover::testing {

/// A prover on a hub in memory, which steps when the test says so.
class ProverFixture : public ::testing::Test {
  protected:
    ProverFixture() {
        options.folder = path.get();
        options.payee = kMe;
        options.confirmations = 1;
        options.on_event = [this](const ProverEvent& e) { events.push_back(e.event); };
        open();
    }
    void open() {
        prover.reset();
        auto made = std::make_unique<ManualRunner>(log);
        runner = made.get();
        prover = Prover::open(options, l1, std::move(made)).value();
    }
    void step(int times = 1) {
        for (int i = 0; i < times; ++i) {
            const auto done = prover->step(now += 12);
            ASSERT_TRUE(done.ok()) << done.error().cause;
        }
    }
    [[nodiscard]] std::string states() const {
        std::string text;
        for (const auto& [id, job] : prover->jobs().jobs()) text += std::string(job_state_name(job.state)) + " ";
        return text;
    }
    [[nodiscard]] Job only_job() const { return prover->jobs().jobs().begin()->second; }
    [[nodiscard]] bool said(const std::string& event) const {
        return std::find(events.begin(), events.end(), event) != events.end();
    }

    /// L1 refuses the last proof that was handed in.
    void refuse_last(const std::string& code) {
        for (auto& [name, sent] : l1.sent) {
            if (sent.status.phase != SubmissionPhase::sending) continue;
            sent.status.phase = SubmissionPhase::refused;
            sent.status.code = code;
        }
    }

    node::testing::TemporaryPath path{"quarry-prover"};
    SimL1 l1;
    ProverOptions options;
    ManualRunner::Log log;
    std::vector<std::string> events;
    ManualRunner* runner = nullptr;
    std::unique_ptr<Prover> prover;
    std::uint64_t now = 1'700'000'000;
};

}  // namespace quarry::node::prover::testing
