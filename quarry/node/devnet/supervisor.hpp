#pragma once
#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "quarry/node/expected.hpp"

/// Long-lived child processes that are kept running: started again when they end, stopped together, and never left
/// behind when their parent dies.
namespace quarry::node::devnet {

struct ServiceSpec {
    std::string name;
    std::vector<std::string> argv;    ///< argv[0] is a path
    std::string log_path;             ///< standard output and error are added to it
    unsigned tier = 0;                ///< stopped after all services of higher tiers have ended
    int stop_signal = SIGTERM;        ///< asks it to end
    int orphan_signal = SIGKILL;      ///< what it gets when this process dies
    int niceness = 0;                 ///< 0 to 19: what has more gives way
    std::uint64_t grace_ms = 10'000;  ///< from stop_signal to SIGKILL
};

enum class ServicePhase {
    running,
    waiting,  ///< it ended, and is started again after a pause
    stopped,
};
const char* service_phase_name(ServicePhase phase) noexcept;

struct ServiceState {
    std::string name;
    ServicePhase phase = ServicePhase::stopped;
    pid_t pid = -1;  ///< -1: not running
    std::uint64_t restarts = 0;
    std::string last_end;  ///< how it ended the last time: "exit 3", "signal 9"; empty: never
};

/// Something that happened to a service.
struct ServiceEvent {
    std::string name;
    bool ended = false;          ///< else it was started again
    std::string how;             ///< "exit 3", "signal 9"
    std::uint64_t pause_ms = 0;  ///< until it is started again
};

struct SupervisorOptions {
    std::uint64_t first_pause_ms = 500;  ///< before the first start again; doubled each time
    std::uint64_t max_pause_ms = 15'000;
    std::uint64_t steady_ms = 20'000;       ///< what ran that long begins with the first pause again
    std::function<std::uint64_t()> now_ms;  ///< monotonic
    std::function<void(std::uint64_t)> sleep_ms;
};

/// One thread. The children die with the thread that started them, so it must be one that lives as long as the process.
class Supervisor {
  public:
    explicit Supervisor(SupervisorOptions options) : options_(std::move(options)) {}
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;
    /// As stop.
    ~Supervisor();

    /// Starts the service and keeps it running. environment: cannot_start, cannot_write (its log).
    Outcome<Done> add(ServiceSpec spec);
    /// Takes in what ended, starts what is due. Never waits.
    std::vector<ServiceEvent> poll();
    /// Asks all to end, highest tier first, and waits for them; kills those that take longer than their grace.
    void stop();

    [[nodiscard]] std::vector<ServiceState> states() const;

    /// Runs a command to its end, with its output added to a log. Its exit code, 128 + signal if a signal ended it.
    /// environment: as add; refused (interrupted): `stops` said so, and the command was ended.
    Outcome<int> run_once(const ServiceSpec& spec, const std::function<bool()>& stops);

  private:
    struct Service {
        ServiceSpec spec;
        ServiceState state;
        std::uint64_t started_at = 0;
        std::uint64_t start_at = 0;  ///< while it waits
        std::uint64_t pause_ms = 0;  ///< of the next wait
    };
    void stop_tier(unsigned tier);

    SupervisorOptions options_;
    std::vector<Service> services_;
};

}  // namespace quarry::node::devnet
