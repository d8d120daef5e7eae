#pragma once
#include <chrono>
#include <optional>
#include <string>

namespace quarry::apps {

/// Seconds since some fixed moment, monotonic.
double now_seconds();

/// How long work is going, on stderr: on a terminal one line that is redrawn, else a plain line every few seconds,
/// with --quiet nothing. One thread.
class Progress {
  public:
    explicit Progress(bool quiet);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress() { clear(); }

    /// `fraction` of all the work is done, `what` is next; `rate` (e.g. "150,000 permutations/s") and the remaining
    /// seconds where known.
    void show(const std::string& what, double fraction, const std::string& rate = "",
              std::optional<double> seconds_left = std::nullopt);
    /// Takes the line off the terminal: before anything else is printed.
    void clear();

  private:
    bool quiet_;
    bool terminal_;
    bool drawn_ = false;
    double last_line_ = -1e9;
};

}  // namespace quarry::apps
