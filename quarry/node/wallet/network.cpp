#include "quarry/node/wallet/network.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "quarry/node/file_io.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/wallet/token_amount.hpp"

namespace quarry::node::wallet {
namespace {

constexpr std::string_view kNetworkFormat = "quarry-network";
constexpr std::uint64_t kNetworkVersion = 1;
constexpr std::size_t kMaxLineBytes = 4096;
constexpr std::size_t kMaxSymbolChars = 12;

Problem bad_network(const std::string& why) {
    return {Problem::Kind::bad_input, "bad_network", "the wallet's network file is damaged: " + why,
            "run `quarry wallet connect` again with --replace"};
}
Problem bad_network(const JsonError& error) {
    return bad_network(std::string(json_code_text(error.code)) + (error.field.empty() ? "" : ": " + error.field));
}

/// Takes the next line off the front.
std::string_view take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

Outcome<Token> parse_token(std::string_view line) {
    ObjectReader r(line, kMaxLineBytes);
    Token token;
    token.id = r.integer<rollup::TokenId>("token");
    token.contract = r.address("contract");
    token.decimals = r.integer<std::uint32_t>("decimals");
    token.symbol = std::string(r.text("symbol"));
    if (const auto error = r.finish()) return bad_network(*error);
    if (token.id == 0 || token.decimals > kMaxDecimals || clean_symbol(token.symbol) != token.symbol)
        return bad_network("a token is none");
    return token;
}

}  // namespace

Token ether() { return {0, {}, kEtherDecimals, "ETH"}; }

std::string clean_symbol(std::string_view text) {
    constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
    std::string r;
    for (const char c : text) {
        if (r.size() < kMaxSymbolChars && kAllowed.find(c) != std::string_view::npos) r += c;
    }
    return r.empty() ? "token" : r;
}

std::optional<Token> Network::token(rollup::TokenId id) const {
    if (id == 0) return ether();
    const auto found = std::ranges::find(tokens, id, &Token::id);
    if (found == tokens.end()) return std::nullopt;
    return *found;
}

std::optional<Token> Network::find_token(std::string_view name) const {
    rollup::TokenId id = 0;
    const auto end = std::from_chars(name.data(), name.data() + name.size(), id);
    if (end.ec == std::errc() && end.ptr == name.data() + name.size()) return token(id);
    std::vector<Token> found;
    if (name == "ETH") found.push_back(ether());
    std::ranges::copy_if(tokens, std::back_inserter(found), [&](const Token& t) { return t.symbol == name; });
    if (found.size() != 1) return std::nullopt;
    return found.front();
}

std::string format_network(const Network& network) {
    const rollup::RollupParameters& p = network.parameters;
    ObjectWriter w;
    w.text("format", kNetworkFormat)
        .integer("version", kNetworkVersion)
        .text("rpc", network.rpc)
        .text("l1", network.l1);
    w.integer("l1_chain_id", p.l1_chain_id).address("hub", p.hub).integer("rollup_id", p.rollup_id);
    w.elements("genesis_root", p.genesis_root).amount("min_new_pair_fee", p.min_new_pair_fee);
    std::string text = std::move(w).finish() + "\n";
    for (const Token& token : network.tokens) {
        ObjectWriter line;
        line.integer("token", token.id).address("contract", token.contract);
        line.integer("decimals", token.decimals).text("symbol", token.symbol);
        text += std::move(line).finish() + "\n";
    }
    return text;
}

Outcome<Network> parse_network(std::string_view text) {
    if (text.size() > kMaxNetworkBytes) return bad_network("it is too long");
    ObjectReader r(take_line(text), kMaxLineBytes);
    Network network;
    const bool known = r.text("format") == kNetworkFormat && r.integer<std::uint64_t>("version") == kNetworkVersion;
    network.rpc = std::string(r.text("rpc"));
    network.l1 = std::string(r.text("l1"));
    rollup::RollupParameters& p = network.parameters;
    p.l1_chain_id = r.integer<std::uint64_t>("l1_chain_id");
    p.hub = r.address("hub");
    p.rollup_id = r.integer<std::uint32_t>("rollup_id");
    p.genesis_root = r.digest("genesis_root");
    p.min_new_pair_fee = r.amount("min_new_pair_fee");
    if (const auto error = r.finish()) return bad_network(*error);
    if (!known) return bad_network("it is of another version");
    if (!p.min_new_pair_fee.fits_fee()) return bad_network("the minimum fee is 2^72 or more");
    while (!text.empty()) {
        auto token = parse_token(take_line(text));
        if (!token) return token.error();
        if (!network.tokens.empty() && token.value().id <= network.tokens.back().id)
            return bad_network("the tokens are not in order");
        network.tokens.push_back(std::move(token).value());
    }
    return network;
}

Outcome<Network> read_network(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error))
        return Problem{Problem::Kind::bad_input, "not_connected", "the wallet does not know its rollup yet",
                       "run `quarry wallet connect --rpc URL` once"};
    const auto bytes = read_whole_file(path, kMaxNetworkBytes);
    if (!bytes) return bytes.error();
    return parse_network(as_text(bytes.value()));
}

}  // namespace quarry::node::wallet
