#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::node {

/// A node's measurements, as Prometheus reads them. Names: quarry_<component>_<noun>_<unit or total>. Safe from any
/// thread once everything is declared.
class Metrics {
  public:
    Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;
    ~Metrics();

    /// `label`: the name of the one label that its series differ in; empty: there is one series.
    void declare_counter(const std::string& name, const std::string& help, const std::string& label = {});
    void declare_gauge(const std::string& name, const std::string& help, const std::string& label = {});
    void declare_histogram(const std::string& name, const std::string& help, std::vector<double> bounds,
                           const std::string& label = {});

    /// Precondition of these: declared.
    void count(std::string_view name, double by = 1, const std::string& label = {});
    void set(std::string_view name, double value, const std::string& label = {});
    void observe(std::string_view name, double value, const std::string& label = {});

    /// The text format.
    [[nodiscard]] std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Upper bounds of histograms of seconds: 0.1 ms to 10 s.
std::vector<double> duration_bounds();

}  // namespace quarry::node
