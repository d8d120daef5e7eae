#include "quarry/node/sequencer/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <limits>

#include "quarry/node/flat_json.hpp"

#define TOML_SHARED_LIB 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace quarry::node::sequencer {
namespace {

Problem bad_setting(std::string_view name, std::string_view value, std::string_view expected) {
    return {Problem::Kind::bad_input, "bad_setting",
            fmt::format("'{}' is not a value of {}: {}", value, name, expected),
            "see docs/sequencer.md for the settings"};
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> r;
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), item.size() + 1));
        if (!item.empty()) r.emplace_back(item);
    }
    return r;
}

template <class T>
bool parse_integer(std::string_view text, T& out) {
    const auto end = std::from_chars(text.data(), text.data() + text.size(), out);
    return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

/// A setting and how text becomes its value; `parse` gives false where it does not.
struct Entry {
    std::string name;
    std::string help;
    std::string expected;
    std::function<bool(std::string_view)> parse;
    std::function<std::string()> show;
};

template <class T>
Entry number(std::string name, T& value, std::type_identity_t<T> first, std::type_identity_t<T> last,
             std::string help) {
    return {std::move(name), std::move(help), fmt::format("an integer from {} to {}", first, last),
            [&value, first, last](std::string_view text) {
                T x{};
                if (!parse_integer(text, x) || x < first || x > last) return false;
                value = x;
                return true;
            },
            [&value] { return fmt::format("{}", value); }};
}
Entry text(std::string name, std::string& value, std::string help) {
    return {std::move(name), std::move(help), "text",
            [&value](std::string_view t) {
                value = t;
                return true;
            },
            [&value] { return value; }};
}
Entry list(std::string name, std::vector<std::string>& value, std::string help) {
    return {std::move(name), std::move(help), "a list",
            [&value](std::string_view t) {
                value = split(t);
                return true;
            },
            [&value] { return fmt::format("{}", fmt::join(value, ",")); }};
}

bool parse_fees(std::string_view value, std::map<rollup::TokenId, rollup::Amount>& fees) {
    fees.clear();
    for (const std::string& item : split(value)) {
        const std::size_t equals = item.find('=');
        rollup::TokenId token = 0;
        if (equals == std::string::npos || !parse_integer(std::string_view(item).substr(0, equals), token))
            return false;
        const auto amount = rollup::parse_amount(std::string_view(item).substr(equals + 1));
        if (!amount || !amount.value().fits_fee()) return false;
        fees[token] = amount.value();
    }
    return true;
}

Entry fees(std::string name, std::map<rollup::TokenId, rollup::Amount>& value, std::string help) {
    return {std::move(name), std::move(help), "TOKEN=AMOUNT, separated by commas",
            [&value](std::string_view t) { return parse_fees(t, value); },
            [&value] {
                std::string r;
                for (const auto& [token, amount] : value)
                    r += fmt::format("{}{}={}", r.empty() ? "" : ",", token, to_string(amount));
                return r;
            }};
}

Entry receiver(std::string name, std::optional<Digest>& value, std::string help) {
    return {std::move(name), std::move(help), "a pair hash: 0x and 64 hexadecimal digits",
            [&value](std::string_view t) {
                const std::string object = fmt::format(R"({{"x":"{}"}})", t);
                ObjectReader r(object, object.size());
                const Digest digest = r.digest("x");
                if (r.finish()) return false;
                value = digest;
                return true;
            },
            [&value] { return value ? to_hex(*value) : std::string(); }};
}

/// Decimal ether.
Entry ether(std::string name, ethereum::U256& value, std::string help) {
    return {std::move(name), std::move(help), "an amount of ether, like 0.05",
            [&value](std::string_view t) {
                const auto wei = l1::parse_ether(t);
                if (wei) value = *wei;
                return wei.has_value();
            },
            [&value] { return l1::ether_text(value); }};
}

Entry flag(std::string name, bool& value, std::string help) {
    return {std::move(name), std::move(help), "true or false",
            [&value](std::string_view t) {
                value = t == "true";
                return t == "true" || t == "false";
            },
            [&value] { return std::string(value ? "true" : "false"); }};
}

Entry placement(std::string name, l1::SettlementOptions::Placement& value, std::string help) {
    using Placement = l1::SettlementOptions::Placement;
    static constexpr std::array kNames{std::pair("automatic", Placement::automatic),
                                       std::pair("blobs", Placement::blobs),
                                       std::pair("calldata", Placement::calldata)};
    return {
        std::move(name), std::move(help), "automatic, blobs or calldata",
        [&value](std::string_view t) {
            const auto at = std::ranges::find_if(kNames, [&](const auto& n) { return t == n.first; });
            if (at == kNames.end()) return false;
            value = at->second;
            return true;
        },
        [&value] {
            return std::string(std::ranges::find_if(kNames, [&](const auto& n) { return n.second == value; })->first);
        }};
}

Entry level(std::string name, std::string& value, std::string help) {
    return {std::move(name), std::move(help), "debug, info, warning or error",
            [&value](std::string_view t) {
                if (t != "debug" && t != "info" && t != "warning" && t != "error") return false;
                value = t;
                return true;
            },
            [&value] { return value; }};
}

void add_server(std::vector<Entry>& all, SequencerConfig& c) {
    constexpr std::size_t kMaxSize = std::size_t{1} << 30;
    constexpr std::uint64_t kMaxTime = 86'400'000;
    rpc::ServerLimits& l = c.rpc.limits;
    all.push_back(text("rpc.host", c.rpc.host, "address that RPC listens on"));
    all.push_back(number("rpc.port", c.rpc.port, 0, 65535, "port of RPC; 0: any free one"));
    all.push_back(number("rpc.threads", c.rpc.threads, 1, 64, "threads that serve connections"));
    all.push_back(list("rpc.allowed_origins", c.rpc.allowed_origins, "origins of web pages that may call; * for all"));
    all.push_back(number("rpc.max_body_bytes", l.max_body_bytes, 1024, kMaxSize, "of a request or message"));
    all.push_back(number("rpc.max_header_bytes", l.max_header_bytes, 512, 1 << 20, "of an HTTP request"));
    all.push_back(number("rpc.header_timeout_ms", l.header_timeout_ms, 10, kMaxTime, "for a header to arrive"));
    all.push_back(number("rpc.body_timeout_ms", l.body_timeout_ms, 10, kMaxTime, "for a body to arrive"));
    all.push_back(number("rpc.write_timeout_ms", l.write_timeout_ms, 10, kMaxTime, "for an answer to be taken"));
    all.push_back(number("rpc.idle_timeout_ms", l.idle_timeout_ms, 10, kMaxTime, "without a request"));
    all.push_back(number("rpc.max_connections", l.max_connections, 1, 1 << 20, "in all"));
    all.push_back(
        number("rpc.max_connections_per_address", l.max_connections_per_address, 1, 1 << 20, "of an address"));
    all.push_back(number("rpc.max_queue_bytes", l.max_queue_bytes, 1024, kMaxSize, "that a WebSocket has not taken"));
    all.push_back(number("rpc.max_batch", c.service.dispatcher.max_batch, 1, 1 << 20, "requests in an array"));
    all.push_back(number("rpc.max_answer_bytes", c.service.dispatcher.max_answer_bytes, 1, std::size_t{1} << 30,
                         "of the answer to an array"));
    all.push_back(number("rpc.max_in_flight", c.service.dispatcher.max_in_flight, 1, 1 << 20, "of a connection"));
    all.push_back(number("rpc.max_operations", c.service.max_operations, 1, 1 << 14, "in one quarry_sendOperations"));
    all.push_back(number("rpc.max_subscriptions", c.service.max_subscriptions, 0, 1 << 20, "of a connection"));
    all.push_back(text("metrics.host", c.metrics.host, "address that metrics listen on"));
    all.push_back(number("metrics.port", c.metrics.port, 0, 65535, "port of metrics; 0: any free one"));
}

void add_l1(std::vector<Entry>& all, SequencerConfig& c) {
    l1::SettlementOptions& s = c.l1.settlement;
    all.push_back(list("l1.endpoints", c.l1.endpoints, "of Ethereum nodes, in the order of preference"));
    all.push_back(text("l1.deployment", c.l1_deployment, "file that `quarry l1 deploy` wrote"));
    all.push_back(text("l1.key", c.l1_key, "secret key of the account that posts"));
    all.push_back(text("l1.folder", c.l1.folder, "of journal and followed events; default: the state's name and .l1"));
    all.push_back(number("l1.poll_ms", c.l1.poll_ms, 50, 60'000, "between looks at the chain"));
    all.push_back(number("l1.confirmations", s.confirmations, 1, 64, "blocks until something on L1 counts"));
    all.push_back(placement("l1.placement", s.placement, "where batches go; automatic: what is cheaper now"));
    all.push_back(ether("l1.max_batch_fee", s.max_total_fee, "most that posting a batch may cost; 0: no limit"));
    all.push_back(ether("bounty.base_per_batch", s.base_per_batch, "offered for a batch's proof"));
    all.push_back(ether("bounty.base_per_word", s.base_per_word, "and for each of its words; a transfer has three"));
    all.push_back(number("bounty.max_percent", s.max_percent, 100, 10'000, "of that at the proving window's end"));
    all.push_back(ether("bounty.rebate_cap", s.rebate_cap, "most that is repaid to the prover for gas"));
    all.push_back(ether("bounty.raise_amount", s.raise_amount, "added in steps near the window's end; 0: never"));
    all.push_back(number("bounty.num_raises", s.num_raises, 0, 16, "steps"));
    all.push_back(flag("late.discards", s.discards_late, "drop a batch that nobody proved, and execute it again"));
    all.push_back(number("late.discard_after_seconds", s.discard_after_sec, 0, 86'400, "after the window's end"));
}

std::vector<Entry> entries(SequencerConfig& c) {
    constexpr std::uint64_t kMaxTime = 86'400'000;
    EngineOptions& e = c.engine;
    std::vector<Entry> all;
    all.push_back(text("sequencer.state", c.state, "directory of the rollup's state"));
    all.push_back(text("sequencer.ledger", c.ledger, "directory of the ledger; default: the state's name and .ledger"));
    all.push_back(text("sequencer.batches", c.batches, "folder of batches; default: the state's name and .batches"));
    all.push_back(number("sequencer.tick_ms", c.tick_ms, 1, 60'000, "between looks at the clock and at L1"));
    all.push_back(
        number("sequencer.keep_batches", e.keep_batches, 1, 1ull << 40, "final ones whose receipts are kept"));
    all.push_back(number("batch.max_operations", e.max_operations, 1, 8192, "signed operations in a batch"));
    all.push_back(number("batch.max_age_ms", e.max_age_ms, 1, kMaxTime, "from the first operation to the closing"));
    all.push_back(number("batch.max_deposits", e.max_deposits, 1, 192, "deposits consumed by a batch"));
    all.push_back(number("batch.max_forced", e.max_forced, 1, 64, "forced entries consumed by a batch"));
    all.push_back(number("batch.max_unposted", e.max_unposted, 1, 1 << 20, "closed batches that are not on L1 yet"));
    all.push_back(number("batch.max_resume_seconds", e.max_resume_seconds, 1, 43'200,
                         "age of an open batch that a restart goes on with"));
    all.push_back(number("mempool.max_operations", e.mempool.max_operations, 1, 1 << 24, "waiting, in all"));
    all.push_back(number("mempool.max_operations_per_account", e.mempool.max_operations_per_account, 1, 1 << 16,
                         "waiting, of one slot"));
    all.push_back(number("mempool.min_expiry_seconds", e.min_expiry_seconds, 0, 86'400, "from now to the expiry"));
    all.push_back(fees("fees.minimum", e.min_fees, "least fee in each token; empty: all tokens, for nothing"));
    all.push_back(number("fees.slot", e.fee_slot, 0, rollup::kMaxSlots - 1, "whose owner receives the fees"));
    all.push_back(receiver("fees.receiver", e.fee_receiver, "pair hash of who receives the fees, instead of a slot"));
    all.push_back(level("log.level", c.log_level, "least level that is logged"));
    add_l1(all, c);
    add_server(all, c);
    return all;
}

std::string environment_name(std::string_view name) {
    std::string r = "QUARRY_";
    for (const char c : name) r += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return r;
}

/// The text of a value of a file; no value: a kind that no setting has.
std::optional<std::string> text_of(const toml::node& node) {
    if (const auto* s = node.as_string()) return s->get();
    if (const auto* i = node.as_integer()) return fmt::format("{}", i->get());
    const auto* array = node.as_array();
    if (array == nullptr) return std::nullopt;
    std::string r;
    for (const toml::node& item : *array) {
        const auto t = item.is_array() ? std::nullopt : text_of(item);
        if (!t) return std::nullopt;
        r += (r.empty() ? "" : ",") + *t;
    }
    return r;
}

}  // namespace

std::vector<Setting> settings_of(const SequencerConfig& config) {
    SequencerConfig copy = config;
    std::vector<Setting> r;
    for (const Entry& entry : entries(copy)) r.push_back({entry.name, entry.help, entry.show()});
    return r;
}

Outcome<Done> set_setting(SequencerConfig& config, std::string_view name, std::string_view value) {
    for (const Entry& entry : entries(config)) {
        if (entry.name != name) continue;
        if (entry.parse(value)) return Done{};
        return bad_setting(name, value, entry.expected);
    }
    return Problem{Problem::Kind::bad_input, "unknown_setting", fmt::format("there is no setting '{}'", name),
                   "see docs/sequencer.md for the settings"};
}

Outcome<Done> apply_toml(SequencerConfig& config, std::string_view text, const std::string& source) {
    toml::table parsed;
    try {
        parsed = toml::parse(text, source);
    } catch (const toml::parse_error& error) {
        return Problem{Problem::Kind::bad_input, "bad_toml",
                       fmt::format("{}: line {}: {}", source, error.source().begin.line, error.description()),
                       "correct the file"};
    }
    for (const auto& [section, node] : parsed) {
        const auto* table = node.as_table();
        if (table == nullptr) {
            return Problem{Problem::Kind::bad_input, "unknown_setting",
                           fmt::format("{}: '{}' stands in no section", source, section.str()),
                           "see docs/sequencer.md for the settings"};
        }
        for (const auto& [key, value] : *table) {
            const std::string name = fmt::format("{}.{}", section.str(), key.str());
            const auto as_text = text_of(value);
            if (!as_text) return bad_setting(name, "(a table, a date or a fraction)", "text, an integer or a list");
            QUARRY_PASS_ON(set_setting(config, name, *as_text));
        }
    }
    return Done{};
}

Outcome<Done> apply_environment(SequencerConfig& config, std::span<const std::string> environment) {
    for (const Setting& setting : settings_of(config)) {
        const std::string prefix = environment_name(setting.name) + "=";
        for (const std::string& variable : environment) {
            if (!variable.starts_with(prefix)) continue;
            QUARRY_PASS_ON(set_setting(config, setting.name, std::string_view(variable).substr(prefix.size())));
        }
    }
    return Done{};
}

}  // namespace quarry::node::sequencer
