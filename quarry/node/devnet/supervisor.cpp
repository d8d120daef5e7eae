#include "quarry/node/devnet/supervisor.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "quarry/node/file_io.hpp"

namespace quarry::node::devnet {
namespace {

constexpr int kCannotStart = 126;
constexpr std::uint64_t kPollMs = 20;

/// What the child does between fork and exec: only what a child of a process with threads may do.
[[noreturn]] void become(char* const* argv, int log_fd, const ServiceSpec& spec, pid_t parent) {
    (void)::prctl(PR_SET_PDEATHSIG, spec.orphan_signal);
    if (::getppid() != parent) ::_exit(kCannotStart);
    (void)::setpriority(PRIO_PROCESS, 0, spec.niceness);
    (void)::setpgid(0, 0);  // a Ctrl-C on the terminal is the parent's to handle
    const int null = ::open("/dev/null", O_RDONLY);
    if (null < 0 || ::dup2(null, STDIN_FILENO) < 0) ::_exit(kCannotStart);
    if (::dup2(log_fd, STDOUT_FILENO) < 0 || ::dup2(log_fd, STDERR_FILENO) < 0) ::_exit(kCannotStart);
    ::execv(argv[0], argv);
    ::_exit(kCannotStart);
}

Outcome<pid_t> spawn(const ServiceSpec& spec) {
    QUARRY_CHECK(!spec.argv.empty());
    std::vector<char*> argv;
    for (const std::string& argument : spec.argv) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const int log = ::open(spec.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0) return cannot_write(spec.log_path, errno);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    const int error = errno;
    if (pid == 0) become(argv.data(), log, spec, parent);
    ::close(log);
    if (pid < 0) {
        return Problem{Problem::Kind::environment, "cannot_start",
                       "cannot start " + spec.name + ": " + std::generic_category().message(error),
                       "free memory and processes, then try again"};
    }
    return pid;
}

/// How it ended; no value while it runs.
std::optional<int> reap(pid_t pid) {
    int status = 0;
    const pid_t found = ::waitpid(pid, &status, WNOHANG);
    if (found == 0 || (found < 0 && errno == EINTR)) return std::nullopt;
    return status;
}

std::string describe(int status) {
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    return "exit " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

const char* service_phase_name(ServicePhase phase) noexcept {
    switch (phase) {
        case ServicePhase::running:
            return "running";
        case ServicePhase::waiting:
            return "waiting";
        case ServicePhase::stopped:
            break;
    }
    return "stopped";
}

Supervisor::~Supervisor() { stop(); }

Outcome<Done> Supervisor::add(ServiceSpec spec) {
    const auto pid = spawn(spec);
    if (!pid) return pid.error();
    Service service;
    service.state = {
        .name = spec.name, .phase = ServicePhase::running, .pid = pid.value(), .restarts = 0, .last_end = {}};
    service.spec = std::move(spec);
    service.started_at = options_.now_ms();
    service.pause_ms = options_.first_pause_ms;
    services_.push_back(std::move(service));
    return Done{};
}

std::vector<ServiceEvent> Supervisor::poll() {
    std::vector<ServiceEvent> events;
    const std::uint64_t now = options_.now_ms();
    for (Service& service : services_) {
        ServiceState& state = service.state;
        if (state.phase == ServicePhase::running) {
            const auto status = reap(state.pid);
            if (!status) continue;
            if (now - service.started_at >= options_.steady_ms) service.pause_ms = options_.first_pause_ms;
            state.phase = ServicePhase::waiting;
            state.pid = -1;
            state.last_end = describe(*status);
            service.start_at = now + service.pause_ms;
            events.push_back({state.name, true, state.last_end, service.pause_ms});
            service.pause_ms = std::min(2 * service.pause_ms, options_.max_pause_ms);
        } else if (state.phase == ServicePhase::waiting && now >= service.start_at) {
            const auto pid = spawn(service.spec);
            if (!pid) {  // no memory, no processes, disk full: it may pass
                service.start_at = now + service.pause_ms;
                continue;
            }
            state.phase = ServicePhase::running;
            state.pid = pid.value();
            ++state.restarts;
            service.started_at = now;
            events.push_back({state.name, false, {}, 0});
        }
    }
    return events;
}

void Supervisor::stop_tier(unsigned tier) {
    const auto is_left = [&](const Service& service) {
        return service.spec.tier == tier && service.state.phase == ServicePhase::running;
    };
    const std::uint64_t start = options_.now_ms();
    for (Service& service : services_) {
        if (service.spec.tier != tier) continue;
        if (service.state.phase == ServicePhase::waiting) service.state.phase = ServicePhase::stopped;
        // What is frozen takes the signal only when it goes on.
        if (is_left(service)) {
            (void)::kill(service.state.pid, service.spec.stop_signal);
            (void)::kill(service.state.pid, SIGCONT);
        }
    }
    while (std::ranges::any_of(services_, is_left)) {
        const std::uint64_t waited = options_.now_ms() - start;
        for (Service& service : services_) {
            if (!is_left(service)) continue;
            if (waited >= service.spec.grace_ms) (void)::kill(service.state.pid, SIGKILL);
            if (const auto status = reap(service.state.pid)) {
                service.state.phase = ServicePhase::stopped;
                service.state.pid = -1;
                service.state.last_end = describe(*status);
            }
        }
        options_.sleep_ms(kPollMs);
    }
}

void Supervisor::stop() {
    unsigned highest = 0;
    for (const Service& service : services_) highest = std::max(highest, service.spec.tier);
    for (unsigned tier = highest + 1; tier-- > 0;) stop_tier(tier);
}

std::vector<ServiceState> Supervisor::states() const {
    std::vector<ServiceState> r;
    for (const Service& service : services_) r.push_back(service.state);
    return r;
}

Outcome<int> Supervisor::run_once(const ServiceSpec& spec, const std::function<bool()>& stops) {
    const auto pid = spawn(spec);
    if (!pid) return pid.error();
    std::uint64_t asked_at = 0;
    bool is_asked = false;
    for (;;) {
        if (const auto status = reap(pid.value())) {
            if (is_asked) break;
            return WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
        }
        if (!is_asked && stops && stops()) {
            is_asked = true;
            asked_at = options_.now_ms();
            (void)::kill(pid.value(), spec.stop_signal);
        }
        if (is_asked && options_.now_ms() - asked_at >= spec.grace_ms) (void)::kill(pid.value(), SIGKILL);
        (void)poll();
        options_.sleep_ms(kPollMs);
    }
    return Problem{Problem::Kind::refused, "interrupted", spec.name + " was interrupted", "run the command again"};
}

}  // namespace quarry::node::devnet
