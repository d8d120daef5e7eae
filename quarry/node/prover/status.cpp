#include "quarry/node/prover/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "quarry/node/prover/pricing.hpp"

namespace quarry::node::prover {
namespace {

/// Writes metrics one below the other.
class Metrics {
  public:
    void add(std::string_view name, const char* type, std::string_view help, const std::string& value,
             const std::string& labels = {}) {
        if (name != last_) {
            text_ += fmt::format("# HELP quarry_prover_{} {}\n# TYPE quarry_prover_{} {}\n", name, help, name, type);
            last_ = name;
        }
        text_ += fmt::format("quarry_prover_{}{} {}\n", name, labels, value);
    }
    void counter(std::string_view name, std::string_view help, std::uint64_t value) {
        add(name, "counter", help, std::to_string(value));
    }
    void gauge(std::string_view name, std::string_view help, const std::string& value, const std::string& labels = {}) {
        add(name, "gauge", help, value, labels);
    }
    [[nodiscard]] std::string finish() && { return std::move(text_); }

  private:
    std::string text_;
    std::string last_;
};

void add_counters(Metrics& m, const ProverCounters& c) {
    m.counter("executed_batches_total", "Batches executed from L1 data", c.executed_batches);
    m.counter("rolled_back_batches_total", "Batches taken back because L1 has others now", c.rolled_back_batches);
    m.counter("invalid_batches_total", "Batches that nobody can prove", c.invalid_batches);
    m.counter("started_jobs_total", "Proofs begun", c.started_jobs);
    m.counter("proven_batches_total", "Batches in finished terminal proofs", c.proven_batches);
    m.counter("settled_jobs_total", "Proofs that L1 accepted", c.settled_jobs);
    m.counter("settled_batches_total", "Batches of proofs that L1 accepted", c.settled_batches);
    m.counter("lost_jobs_total", "Proofs given up because others were first", c.lost_jobs);
    m.counter("dropped_jobs_total", "Proofs given up because L1 has their batches no more", c.dropped_jobs);
    m.counter("failed_jobs_total", "Proofs that could not be made or were refused", c.failed_jobs);
    m.counter("submissions_total", "Times that a proof was handed in", c.submissions);
    m.counter("executed_tasks_total", "Tasks of proofs executed", c.executed_tasks);
    m.counter("reused_tasks_total", "Tasks of proofs found done", c.reused_tasks);
    m.counter("cpu_milliseconds_total", "CPU time of tasks", c.cpu_ms);
    m.add("fees_wei_total", "counter", "Paid for transactions", to_decimal(c.fees));
    m.counter("l1_errors_total", "Rounds in which no L1 endpoint answered", c.l1_errors);
}

}  // namespace

bool ProverStatus::is_ready() const noexcept {
    return connected && !stopping &&
           std::ranges::all_of(rollups, [](const RollupStatus& r) { return r.code.empty() || r.invalid != 0; });
}

std::string to_prometheus(const ProverStatus& s) {
    Metrics m;
    m.gauge("ready", "1 while L1 answers and every state follows", s.is_ready() ? "1" : "0");
    m.gauge("l1_block", "Last L1 block seen", std::to_string(s.l1_block));
    m.gauge("gas_price_wei", "What a unit of gas costs", to_decimal(s.gas_price));
    m.gauge("unit_cpu_milliseconds", "CPU time of one unit of proving", fmt::format("{:.4f}", s.ms_per_unit));
    const auto each = [&](std::string_view name, std::string_view help, std::uint64_t RollupStatus::* field) {
        for (const RollupStatus& r : s.rollups) {
            m.gauge(name, help, std::to_string(r.*field), fmt::format("{{rollup=\"{}\"}}", r.rollup));
        }
    };
    each("head_batch", "Last batch on L1", &RollupStatus::head);
    each("finalised_batch", "Last final batch on L1", &RollupStatus::finalised);
    each("executed_batch", "Last batch of the own state", &RollupStatus::executed);
    each("invalid_batch", "First batch that cannot be proven; 0: none", &RollupStatus::invalid);
    for (const auto& [state, count] : s.jobs) {
        m.gauge("jobs", "Proofs by state", std::to_string(count), fmt::format("{{state=\"{}\"}}", state));
    }
    add_counters(m, s.counters);
    return std::move(m).finish();
}

std::string to_json(const ProverStatus& s) {
    namespace json = boost::json;
    json::array rollups;
    for (const RollupStatus& r : s.rollups) {
        rollups.push_back(json::object{{"rollup", r.rollup},
                                       {"head", r.head},
                                       {"finalised", r.finalised},
                                       {"executed", r.executed},
                                       {"invalid", r.invalid},
                                       {"code", r.code},
                                       {"reason", r.reason}});
    }
    json::object jobs;
    for (const auto& [state, count] : s.jobs) jobs[state] = count;
    return json::serialize(json::object{{"ready", s.is_ready()},
                                        {"connected", s.connected},
                                        {"stopping", s.stopping},
                                        {"l1_block", s.l1_block},
                                        {"gas_price", to_decimal(s.gas_price)},
                                        {"rollups", std::move(rollups)},
                                        {"jobs", std::move(jobs)},
                                        {"job", s.job},
                                        {"sender_code", s.sender_code},
                                        {"skipped_code", s.skipped_code},
                                        {"skipped_reason", s.skipped_reason}}) +
           "\n";
}

}  // namespace quarry::node::prover
