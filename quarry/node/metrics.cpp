#include "quarry/node/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "quarry/base/check.hpp"

namespace quarry::node {
namespace {

template <class T>
struct Declared {
    prometheus::Family<T>* family = nullptr;
    std::string label;
};

template <class T>
const Declared<T>& find(const std::map<std::string, Declared<T>, std::less<>>& all, std::string_view name) {
    const auto it = all.find(name);
    QUARRY_CHECK(it != all.end());
    return it->second;
}

prometheus::Labels labels(const std::string& name, const std::string& value) {
    if (name.empty()) return {};
    return {{name, value}};
}

}  // namespace

struct Metrics::State {
    prometheus::Registry registry;
    std::map<std::string, Declared<prometheus::Counter>, std::less<>> counters;
    std::map<std::string, Declared<prometheus::Gauge>, std::less<>> gauges;
    std::map<std::string, Declared<prometheus::Histogram>, std::less<>> histograms;
    std::map<std::string, std::vector<double>, std::less<>> bounds;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::declare_counter(const std::string& name, const std::string& help, const std::string& label) {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
    state_->counters[name] = {&family, label};
    if (label.empty()) family.Add({});
}

void Metrics::declare_gauge(const std::string& name, const std::string& help, const std::string& label) {
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
    state_->gauges[name] = {&family, label};
    if (label.empty()) family.Add({});
}

void Metrics::declare_histogram(const std::string& name, const std::string& help, std::vector<double> bounds,
                                const std::string& label) {
    auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
    state_->histograms[name] = {&family, label};
    state_->bounds[name] = std::move(bounds);
}

void Metrics::count(std::string_view name, double by, const std::string& label) {
    const auto& declared = find(state_->counters, name);
    declared.family->Add(labels(declared.label, label)).Increment(by);
}

void Metrics::set(std::string_view name, double value, const std::string& label) {
    const auto& declared = find(state_->gauges, name);
    declared.family->Add(labels(declared.label, label)).Set(value);
}

void Metrics::observe(std::string_view name, double value, const std::string& label) {
    const auto& declared = find(state_->histograms, name);
    declared.family->Add(labels(declared.label, label), state_->bounds.find(name)->second).Observe(value);
}

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(state_->registry.Collect()); }

std::vector<double> duration_bounds() {
    return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

}  // namespace quarry::node
