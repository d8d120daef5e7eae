#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/ethereum/blob_source.hpp"
#include "quarry/ethereum/chain.hpp"
#include "quarry/ethereum/json_rpc.hpp"
#include "quarry/ethereum/transaction_manager.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/l1/hub_view.hpp"

/// The way to L1 that programs share: from flags to a chain, an account that sends, a hub that is followed.
namespace quarry::node::l1 {

struct ConnectionOptions {
    std::vector<std::string> endpoints;  ///< http:// or https://, in the order of preference
    std::uint64_t chain_id = 0;          ///< 0: whatever the endpoint is on
    std::uint64_t timeout_ms = 10'000;
};

/// For accounts of services: a transaction is final only when no reorganisation that was ever seen reaches it.
ethereum::TransactionManagerOptions long_lived_sender();

/// What stops or delays a view as the programs report it.
Problem view_problem(const ViewError& error);
/// An error of the way as the programs report it.
Problem chain_problem(const ethereum::EthereumError& error);

class Connection {
  public:
    /// bad_url, wrong_chain, or that no endpoint answers.
    static Outcome<std::unique_ptr<Connection>> open(const ConnectionOptions& options);

    [[nodiscard]] ethereum::Chain& chain() const noexcept { return *chain_; }
    [[nodiscard]] std::uint64_t chain_id() const noexcept { return chain_id_; }
    [[nodiscard]] std::shared_ptr<ethereum::JsonRpc> rpc() const noexcept { return rpc_; }
    /// Requests in flight end soon, with `stopped`.
    void stop() const noexcept { rpc_->stop(); }

    /// An account that sends; its journal is `path`. `options.chain_id` is filled in.
    [[nodiscard]] Outcome<std::unique_ptr<ethereum::TransactionManager>> open_sender(
        ethereum::TransactionManagerOptions options, const ethereum::PrivateKey& key, const std::string& path) const;
    /// The hub's events from `first_block` on, kept in the folder `path` (empty: in memory only). With `rollup`, what
    /// is followed of it is compared with the contracts' state. refused (no_hub): there is no hub at this address.
    [[nodiscard]] Outcome<std::unique_ptr<HubView>> open_view(const Address& hub, std::uint64_t first_block,
                                                              const std::string& path,
                                                              std::optional<std::uint32_t> rollup = {}) const;
    /// Blobs from these beacon nodes, or if there is none from the endpoints themselves, as a development chain serves
    /// them.
    [[nodiscard]] Outcome<std::unique_ptr<ethereum::BlobSource>> open_blobs(
        const std::vector<std::string>& beacon_endpoints) const;

  private:
    Connection() = default;
    ConnectionOptions options_;
    std::shared_ptr<ethereum::HttpTransport> transport_;
    std::shared_ptr<ethereum::JsonRpc> rpc_;
    std::unique_ptr<ethereum::Chain> chain_;
    std::uint64_t chain_id_ = 0;
};

/// Follows until the view is at the head; endpoints that contradict themselves are asked again.
Outcome<Done> catch_up(HubView& view);

/// A key file: 64 hexadecimal digits with or without 0x, white space around them. bad_key, open_to_others.
Outcome<ethereum::PrivateKey> read_key_file(const std::string& path);

/// "0.05" is 5 * 10^16 wei: digits, with at most 18 behind one point. Empty: anything else, or more than 2^96.
std::optional<U256> parse_ether(std::string_view text);
/// The shortest such text.
std::string ether_text(const U256& wei);

}  // namespace quarry::node::l1
