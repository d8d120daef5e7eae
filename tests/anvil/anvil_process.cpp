#include "tests/anvil/anvil_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "quarry/base/check.hpp"
#include "quarry/ethereum/rpc_chain.hpp"

namespace quarry::testing {
namespace {

using namespace quarry::ethereum;

constexpr const char* kProgram = QUARRY_NODE_MODULES "/@foundry-rs/anvil-linux-amd64/bin/anvil";

/// A port that nobody listens on. Between here and anvil's start somebody could take it: then the start fails and is
/// tried again.
std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    QUARRY_CHECK(fd >= 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    QUARRY_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    QUARRY_CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ::close(fd);
    return ntohs(address.sin_port);
}

}  // namespace

std::unique_ptr<AnvilProcess> AnvilProcess::start(const Options& options, std::string& error) {
    std::unique_ptr<AnvilProcess> r(new AnvilProcess(options));
    for (int attempt = 0; attempt < 3; ++attempt) {
        r->port_ = free_port();
        error.clear();
        if (r->spawn(error)) return r;
    }
    return nullptr;
}

AnvilProcess::~AnvilProcess() { kill(); }

bool AnvilProcess::spawn(std::string& error) {
    std::vector<std::string> arguments{kProgram, "--host", "127.0.0.1", "--port", std::to_string(port_)};
    const auto add = [&](std::initializer_list<std::string> more) {
        arguments.insert(arguments.end(), more.begin(), more.end());
    };
    add({"--chain-id", std::to_string(options_.chain_id), "--hardfork", "osaka", "--enable-tx-gas-limit"});
    add({"--gas-limit", "60000000", "--slots-in-an-epoch", "2", "-q"});
    if (options_.block_seconds != 0) add({"-b", std::to_string(options_.block_seconds)});
    if (options_.block_seconds == 0 && options_.is_manual) add({"--no-mining"});
    if (!options_.state_file.empty()) add({"--state", options_.state_file});
    arguments.insert(arguments.end(), options_.more.begin(), options_.more.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);

    pid_ = ::fork();
    QUARRY_CHECK(pid_ >= 0);
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves no chain behind
        const int null = ::open("/dev/null", O_RDWR);
        for (const int fd : {0, 1, 2}) ::dup2(null, fd);
        ::execv(kProgram, argv.data());
        ::_exit(127);
    }
    if (!rpc_) {
        auto rpc = JsonRpc::create({.endpoints = {url()}, .timeout_ms = 60'000, .max_attempts = 1},
                                   make_http_transport(), system_clock());
        QUARRY_CHECK(rpc.ok());
        rpc_ = std::move(rpc).value();
        chain_ = make_rpc_chain(rpc_);
    }
    for (int i = 0; i < 500; ++i) {
        if (chain_->chain_id()) return true;
        if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
            pid_ = -1;
            error = std::string("anvil ended at once: ") + kProgram;
            rpc_.reset();  // the next start may have another port
            chain_.reset();
            return false;
        }
        system_clock().sleep_ms(20);
    }
    error = "anvil does not answer";
    kill();
    return false;
}

void AnvilProcess::kill() {
    if (pid_ < 0) return;
    // With a state file it is asked, so that the file is written.
    ::kill(pid_, options_.state_file.empty() ? SIGKILL : SIGINT);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

bool AnvilProcess::restart(std::string& error) {
    kill();
    return spawn(error);
}

void AnvilProcess::freeze() const {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);  // a process on another core goes on for a while
}
void AnvilProcess::thaw() const { ::kill(pid_, SIGCONT); }

PrivateKey AnvilProcess::key(unsigned index) {
    // The accounts of the mnemonic "test test test test test test test test test test test junk".
    static constexpr std::array<const char*, 8> kKeys{
        "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"};
    QUARRY_CHECK(index < kKeys.size());
    return *PrivateKey::from_hex(kKeys[index]);
}

std::string AnvilProcess::call(const std::string& method, const std::string& params) const {
    auto result = rpc_->call({.method = method, .params = params});
    QUARRY_CHECK(result.ok());
    return std::move(result).value();
}

void AnvilProcess::mine(unsigned num_blocks) const { call("anvil_mine", "[\"" + to_quantity(num_blocks) + "\"]"); }

void AnvilProcess::reorganise(unsigned depth) const { call("anvil_reorg", "[" + std::to_string(depth) + ",[]]"); }

}  // namespace quarry::testing
