#include "quarry/apps/devnet_status.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>

#include "quarry/apps/output.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMetricsTimeoutMs = 1'000;
constexpr std::size_t kMaxMetricsBytes = std::size_t{1} << 20;

std::uint64_t count_of(std::string_view text, std::string_view name) {
    const double value = metric(text, name).value_or(0);
    return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

}  // namespace

std::optional<double> metric(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(text.size(), end + 1));
        if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
        line.remove_prefix(name.size() + 1);
        double value = 0;
        const auto parsed = std::from_chars(line.data(), line.data() + line.size(), value);
        if (parsed.ec == std::errc()) return value;
    }
    return std::nullopt;
}

DevnetStatus::DevnetStatus(const node::devnet::Layout& layout)
    : layout_(layout), transport_(ethereum::make_http_transport()) {}

std::string DevnetStatus::scrape(const std::string& url) {
    const auto parsed = ethereum::parse_url(url);
    if (!parsed) return {};
    ethereum::HttpRequest request;
    request.method = "GET";
    request.target = "/metrics";
    const auto reply = transport_->exchange(parsed.value(), request, kMetricsTimeoutMs, kMaxMetricsBytes);
    return reply && reply.value().status == 200 ? reply.value().body : std::string();
}

DevnetFigures DevnetStatus::read() {
    DevnetFigures f;
    const std::string text = scrape(layout_.sequencer_metrics_url());
    f.answers = !text.empty();
    f.l1_block = count_of(text, "quarry_sequencer_l1_block_number");
    f.batch = count_of(text, R"(quarry_sequencer_batch_number{stage="executed"})");
    f.posted = count_of(text, R"(quarry_sequencer_batch_number{stage="posted"})");
    f.proven = count_of(text, R"(quarry_sequencer_batch_number{stage="proven"})");
    f.finalised = count_of(text, R"(quarry_sequencer_batch_number{stage="claimable"})");
    f.slots = count_of(text, "quarry_sequencer_slots");
    f.executed = count_of(text, "quarry_sequencer_executed_operations_total");
    f.waiting = count_of(text, "quarry_sequencer_waiting_operations");
    for (unsigned i = 0; i < layout_.options().provers; ++i) {
        const std::string metrics = scrape(layout_.prover_metrics_url(i));
        ProverFigures p;
        p.answers = !metrics.empty();
        p.executed_batch = count_of(metrics, R"(quarry_prover_executed_batch{rollup="1"})");
        p.won = count_of(metrics, "quarry_prover_settled_batches_total");
        p.lost = count_of(metrics, "quarry_prover_lost_jobs_total");
        p.at_work = count_of(metrics, R"(quarry_prover_jobs{state="proving"})");
        f.provers.push_back(p);
    }
    return f;
}

std::string status_line(const DevnetFigures& f, double per_second) {
    if (!f.answers) return "the sequencer does not answer";
    std::string line = fmt::format(
        "L1 {} | batch {}, posted {}, proven {}, final {} | {} operations, {:.0f}/s, {} waiting", f.l1_block, f.batch,
        f.posted, f.proven, f.finalised, with_commas(f.executed), per_second, f.waiting);
    for (std::size_t i = 0; i < f.provers.size(); ++i) {
        const ProverFigures& p = f.provers[i];
        line += fmt::format(" | prover {}: ", i + 1);
        line += p.answers ? fmt::format("{}{} won, {} lost", p.at_work != 0 ? "proving, " : "", p.won, p.lost)
                          : std::string("does not answer");
    }
    return line;
}

json::object status_json(const DevnetFigures& f, double per_second,
                         const std::vector<node::devnet::ServiceState>& services) {
    json::array provers;
    for (const ProverFigures& p : f.provers) {
        provers.push_back(json::object{{"answers", p.answers},
                                       {"executed_batch", p.executed_batch},
                                       {"won", p.won},
                                       {"lost", p.lost},
                                       {"proving", p.at_work != 0}});
    }
    json::array processes;
    for (const node::devnet::ServiceState& s : services) {
        processes.push_back(json::object{{"name", s.name},
                                         {"phase", node::devnet::service_phase_name(s.phase)},
                                         {"pid", s.pid},
                                         {"restarts", s.restarts},
                                         {"last_end", s.last_end}});
    }
    return {{"event", "status"},
            {"sequencer_answers", f.answers},
            {"l1_block", f.l1_block},
            {"batch", f.batch},
            {"posted_batch", f.posted},
            {"proven_batch", f.proven},
            {"finalised_batch", f.finalised},
            {"slots", f.slots},
            {"executed_operations", f.executed},
            {"operations_per_second", rounded(per_second, 1)},
            {"waiting_operations", f.waiting},
            {"provers", std::move(provers)},
            {"processes", std::move(processes)}};
}

}  // namespace quarry::apps
