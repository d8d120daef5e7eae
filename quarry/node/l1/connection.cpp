#include "quarry/node/l1/connection.hpp"

#include <algorithm>
#include <filesystem>

#include "quarry/curve/scalar.hpp"
#include "quarry/ethereum/rpc_chain.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/secret_file.hpp"
#include "quarry/node/wallet/ethereum_key.hpp"

namespace quarry::node::l1 {
namespace {

constexpr std::size_t kMaxKeyFileBytes = 1'024;
constexpr std::size_t kEtherDigits = 18;
constexpr std::size_t kMaxAmountDigits = 48;

}  // namespace

Problem view_problem(const ViewError& error) {
    using Kind = ViewError::Kind;
    const bool is_refused = error.kind == Kind::contracts;
    const char* const remedy =
        is_refused ? "try another endpoint; delete the followed state to read the chain again; check the hub's address"
        : error.kind == Kind::storage ? "see that the folder of the followed state can be written, then start again"
                                      : "the next attempt follows by itself; check the L1 endpoint";
    return {is_refused ? Problem::Kind::refused : Problem::Kind::environment, error.code, error.detail, remedy};
}

Problem chain_problem(const ethereum::EthereumError& error) {
    return {Problem::Kind::environment, ethereum_code_name(error.code),
            std::string(ethereum_code_text(error.code)) + (error.detail.empty() ? "" : ": " + error.detail),
            "check the L1 endpoint"};
}

ethereum::TransactionManagerOptions long_lived_sender() {
    ethereum::TransactionManagerOptions options;
    options.confirmations = 16;
    options.max_in_flight = 64;
    return options;
}

Outcome<std::unique_ptr<Connection>> Connection::open(const ConnectionOptions& options) {
    std::unique_ptr<Connection> connection(new Connection());
    connection->options_ = options;
    connection->transport_ = ethereum::make_http_transport();
    ethereum::RpcOptions rpc;
    rpc.endpoints = options.endpoints;
    rpc.timeout_ms = options.timeout_ms;
    const auto connect = [&](std::uint64_t chain_id) -> ethereum::Answer<std::uint64_t> {
        rpc.chain_id = chain_id;
        QUARRY_TRY_ASSIGN(auto client,
                          ethereum::JsonRpc::create(rpc, connection->transport_, ethereum::system_clock()));
        connection->rpc_ = std::move(client);
        connection->chain_ = ethereum::make_rpc_chain(connection->rpc_);
        return connection->chain_->chain_id();
    };
    auto id = connect(options.chain_id);
    // Whatever chain the first endpoint is on: the others must be on the same one when their turn comes.
    if (id && options.chain_id == 0) id = connect(id.value());
    if (!id) return chain_problem(id.error());
    connection->chain_id_ = id.value();
    return connection;
}

Outcome<std::unique_ptr<ethereum::TransactionManager>> Connection::open_sender(
    ethereum::TransactionManagerOptions options, const ethereum::PrivateKey& key, const std::string& path) const {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (!folder.empty()) QUARRY_PASS_ON(make_folder(folder));
    auto journal = ethereum::open_journal_file(path, {chain_id_, key.address()});
    if (!journal) return chain_problem(journal.error());
    options.chain_id = chain_id_;
    auto sender = ethereum::TransactionManager::create(options, key, *chain_, std::move(journal).value(),
                                                       ethereum::system_clock());
    if (!sender) return chain_problem(sender.error());
    return std::move(sender).value();
}

Outcome<std::unique_ptr<HubView>> Connection::open_view(const Address& hub, std::uint64_t first_block,
                                                        const std::string& path,
                                                        std::optional<std::uint32_t> rollup) const {
    const auto bridge = HubReader(*chain_, hub).bridge();
    if (!bridge) {
        Problem problem = chain_problem(bridge.error());
        const bool is_other_contract = bridge.error().code == ethereum::EthereumCode::bad_response ||
                                       bridge.error().code == ethereum::EthereumCode::execution_reverted;
        if (!is_other_contract) return problem;
        return Problem{Problem::Kind::refused, "no_hub", problem.cause, "check --hub and the chain of --l1"};
    }
    HubViewOptions options;
    options.hub = hub;
    options.bridge = bridge.value();
    options.chain_id = chain_id_;
    options.first_block = first_block;
    options.rollup = rollup;
    std::unique_ptr<EventStore> store = make_memory_event_store();
    if (!path.empty()) {
        auto stored = open_event_store(path, view_identity(options));
        if (!stored) {
            return Problem{Problem::Kind::environment, storage_code_name(stored.error().code), stored.error().message,
                           "check the folder"};
        }
        store = std::move(stored).value();
    }
    auto view = HubView::open(*chain_, options, std::move(store));
    if (!view) return view_problem(view.error());
    return std::move(view).value();
}

Outcome<std::unique_ptr<ethereum::BlobSource>> Connection::open_blobs(
    const std::vector<std::string>& beacon_endpoints) const {
    const auto kzg = ethereum::Kzg::shared();
    if (!kzg) return chain_problem(kzg.error());
    ethereum::BlobSourceOptions options;
    options.kind =
        beacon_endpoints.empty() ? ethereum::BlobSourceOptions::Kind::anvil : ethereum::BlobSourceOptions::Kind::beacon;
    options.endpoints = beacon_endpoints.empty() ? options_.endpoints : beacon_endpoints;
    auto source = ethereum::make_blob_source(options, transport_, *kzg.value());
    if (!source) return chain_problem(source.error());
    return std::move(source).value();
}

Outcome<Done> catch_up(HubView& view) {
    constexpr std::size_t kAtOnce = 4'096;
    for (;;) {
        const auto count = view.step(kAtOnce);
        if (!count && count.error().kind == ViewError::Kind::doubted) continue;
        if (!count) return view_problem(count.error());
        if (count.value() < kAtOnce) return Done{};
    }
}

Outcome<ethereum::PrivateKey> read_key_file(const std::string& path) {
    auto file = read_secret_file(path, kMaxKeyFileBytes);
    if (!file) return file.error();
    const auto key = wallet::parse_ethereum_key(as_text(file.value()));
    wipe(file.value().data(), file.value().size());
    if (key) return key.value();
    return Problem{Problem::Kind::bad_input, "bad_key", path + " holds no Ethereum key",
                   "the file is to hold the 64 hexadecimal digits of a secret key"};
}

std::optional<U256> parse_ether(std::string_view text) {
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view part = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
    if (whole.empty() || (point != std::string_view::npos && part.empty())) return std::nullopt;
    if (part.size() > kEtherDigits || whole.size() > kMaxAmountDigits - kEtherDigits) return std::nullopt;
    const std::string digits = std::string(whole) + std::string(part) + std::string(kEtherDigits - part.size(), '0');
    const auto wei = U256::from_decimal(digits);
    if (!wei || wei.value().num_bits() > rollup::Amount::kBits) return std::nullopt;
    return wei.value();
}

std::string ether_text(const U256& wei) {
    std::string digits = wei.to_decimal();
    if (digits.size() <= kEtherDigits) digits.insert(0, kEtherDigits + 1 - digits.size(), '0');
    digits.insert(digits.size() - kEtherDigits, 1, '.');
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
    return digits;
}

}  // namespace quarry::node::l1
