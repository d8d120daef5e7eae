#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/node/expected.hpp"
#include "quarry/rollup/types.hpp"

/// The rollup that a wallet is connected to. Signed messages name it, so it is chosen once, by the owner, and never
/// taken from whatever sequencer answers today: that could ask for signatures that are good elsewhere.
namespace quarry::node::wallet {

/// A token as the wallet shows it.
struct Token {
    rollup::TokenId id = 0;
    rollup::L1Address contract;  ///< zero for ETH
    unsigned decimals = 18;
    std::string symbol;  ///< 1 to 12 of A-Z, a-z, 0-9, ".", "-", "_"
    friend bool operator==(const Token&, const Token&) = default;
};
/// Token 0, everywhere.
Token ether();
/// A symbol from a contract, which may say anything: what is not allowed in a Token's is left out; "token" if nothing
/// remains.
std::string clean_symbol(std::string_view text);

struct Network {
    std::string rpc;  ///< the sequencer's endpoint
    std::string l1;   ///< an Ethereum node's endpoint; may be empty
    rollup::RollupParameters parameters;
    std::vector<Token> tokens;  ///< by rising id, without token 0
    friend bool operator==(const Network&, const Network&) = default;

    /// Empty: the wallet does not know the token.
    [[nodiscard]] std::optional<Token> token(rollup::TokenId id) const;
    /// By number or by symbol. Symbols are what contracts say: of two tokens with one symbol neither is found by it.
    [[nodiscard]] std::optional<Token> find_token(std::string_view name) const;
};

inline constexpr std::size_t kMaxNetworkBytes = std::size_t{1} << 20;

/// JSON Lines: the network, then a line a token.
std::string format_network(const Network& network);
/// bad_network. Total.
Outcome<Network> parse_network(std::string_view text);

/// not_connected: there is no file; bad_network.
Outcome<Network> read_network(const std::string& path);

}  // namespace quarry::node::wallet
