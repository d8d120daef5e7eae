#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "quarry/ethereum/secp256k1.hpp"
#include "quarry/node/devnet/supervisor.hpp"
#include "quarry/node/l1/deployment.hpp"

/// Where a development network keeps what, and how its programs are called. Everything lies in one folder.
namespace quarry::node::devnet {

struct DevnetOptions {
    std::string folder;
    std::string program;    ///< the `quarry` binary
    std::string anvil;      ///< the chain's program
    std::string contracts;  ///< compiled contracts; empty: where the build left them
    std::string verifiers;  ///< compiled verifying contracts; empty: where the build left them
    unsigned provers = 2;
    unsigned workers = 1;         ///< processes that each prover proves with
    std::uint64_t rate = 20;      ///< transfers a second; 0: no load
    std::uint64_t accounts = 64;  ///< that are given a slot and money, and that the load uses
    std::uint64_t seed = 1;       ///< of their development keys
    std::uint16_t l1_port = 8545;
    std::uint16_t rpc_port = 9545;
    std::uint16_t metrics_port = 9600;    ///< the sequencer's; the provers' follow it
    std::uint64_t batch_seconds = 10;     ///< the sequencer closes a batch at least so often, if it holds anything
    std::uint64_t proving_seconds = 600;  ///< the rollup's proving window
    std::vector<std::string> sequencer_settings;  ///< NAME=VALUE, handed on
    std::vector<std::string> prover_settings;     ///< NAME=VALUE, handed on to each prover
};

/// An account of the development chain. Anyone can recompute it from the name: never for anything of value.
///     secret = Keccak-256("quarry devnet 1: " name)
ethereum::PrivateKey devnet_key(const std::string& name);

class Layout {
  public:
    explicit Layout(DevnetOptions options) : options_(std::move(options)) {}

    [[nodiscard]] const DevnetOptions& options() const noexcept { return options_; }
    [[nodiscard]] std::string path(const std::string& name) const { return options_.folder + "/" + name; }
    [[nodiscard]] std::string marker() const { return path("devnet.json"); }
    [[nodiscard]] std::string deployment() const { return path("deployment.json"); }
    [[nodiscard]] std::string key_file(const std::string& name) const { return path("keys/" + name + ".key"); }
    [[nodiscard]] std::string l1_url() const;
    [[nodiscard]] std::string rpc_url() const;
    [[nodiscard]] std::string sequencer_metrics_url() const;
    [[nodiscard]] std::string prover_metrics_url(unsigned index) const;

    /// Who has an account on the chain: deployer, bank, sequencer, user, prover-1, ..
    [[nodiscard]] std::vector<std::string> account_names() const;
    /// Of the prover's rewards: an address that never sends anything.
    [[nodiscard]] static ethereum::Address payee(unsigned index);

    [[nodiscard]] ServiceSpec chain() const;
    [[nodiscard]] ServiceSpec deploy() const;
    [[nodiscard]] ServiceSpec sequencer() const;
    [[nodiscard]] ServiceSpec prover(unsigned index, const l1::Deployment& deployment) const;
    [[nodiscard]] ServiceSpec load() const;

    /// Folders that are there before anything starts.
    [[nodiscard]] std::vector<std::string> folders() const;

  private:
    [[nodiscard]] ServiceSpec service(const std::string& name, std::vector<std::string> arguments, unsigned tier) const;
    DevnetOptions options_;
};

}  // namespace quarry::node::devnet
