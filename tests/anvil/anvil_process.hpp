#pragma once
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "quarry/ethereum/chain.hpp"
#include "quarry/ethereum/json_rpc.hpp"
#include "quarry/ethereum/secp256k1.hpp"

namespace quarry::testing {

/// A chain of its own on a free port of this machine, for tests: anvil with mainnet's limits. Ends with the object.
class AnvilProcess {
  public:
    struct Options {
        std::uint64_t chain_id = 31337;
        unsigned block_seconds = 0;  ///< 0: no block by time; a transaction makes one unless `is_manual`
        bool is_manual = true;       ///< blocks by mine() only
        std::string state_file;      ///< kept across restarts; empty: none
        std::vector<std::string> more;
    };
    /// Empty `error` when it runs and answers.
    static std::unique_ptr<AnvilProcess> start(const Options& options, std::string& error);
    AnvilProcess(const AnvilProcess&) = delete;
    AnvilProcess& operator=(const AnvilProcess&) = delete;
    ~AnvilProcess();

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    /// One of ten accounts with 10,000 ether.
    static ethereum::PrivateKey key(unsigned index);

    [[nodiscard]] std::shared_ptr<ethereum::JsonRpc> rpc() const noexcept { return rpc_; }
    [[nodiscard]] ethereum::Chain& chain() const noexcept { return *chain_; }
    /// A call of the node's own methods ("anvil_setBalance"). The result as JSON; aborts on errors.
    std::string call(const std::string& method, const std::string& params = "[]") const;
    void mine(unsigned num_blocks = 1) const;
    /// Replaces the last `depth` blocks by as many others without the transactions of the old ones.
    void reorganise(unsigned depth) const;
    /// kill -STOP and -CONT: the port is open, nobody answers.
    void freeze() const;
    void thaw() const;
    /// Ends the process, and starts it again on the same port (the same chain only with `state_file`).
    void kill();
    bool restart(std::string& error);

  private:
    explicit AnvilProcess(Options options) : options_(std::move(options)) {}
    bool spawn(std::string& error);

    Options options_;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
    std::shared_ptr<ethereum::JsonRpc> rpc_;
    std::unique_ptr<ethereum::Chain> chain_;
};

}  // namespace quarry::testing
