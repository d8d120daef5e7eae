#include "quarry/node/prover/config.hpp"

#include <fmt/format.h>

#include <charconv>
#include <functional>

#include "quarry/ethereum/types.hpp"

#define TOML_SHARED_LIB 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace quarry::node::prover {
namespace {

constexpr const char* kRemedy = "see docs/prover.md for the settings";

Problem bad_setting(std::string_view name, std::string_view value, std::string_view expected) {
    return {Problem::Kind::bad_input, "bad_setting",
            fmt::format("'{}' is not a value of {}: {}", value, name, expected), kRemedy};
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
                const auto end = std::from_chars(text.data(), text.data() + text.size(), x);
                const bool is_number = end.ec == std::errc() && end.ptr == text.data() + text.size();
                if (is_number && x >= first && x <= last) value = x;
                return is_number && x >= first && x <= last;
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

Entry amount(std::string name, std::string& value, std::string help) {
    return {std::move(name), std::move(help), "an amount of wei",
            [&value](std::string_view t) {
                if (!parse_wei(t)) return false;
                value = t;
                return true;
            },
            [&value] { return value; }};
}

Entry flag(std::string name, bool& value, std::string help) {
    return {std::move(name), std::move(help), "true or false",
            [&value](std::string_view t) {
                value = t == "true";
                return t == "true" || t == "false";
            },
            [&value] { return value ? "true" : "false"; }};
}

Entry list(std::string name, std::vector<std::string>& value, std::string help) {
    return {std::move(name), std::move(help), "a list",
            [&value](std::string_view t) {
                value.clear();
                while (!t.empty()) {
                    const std::string_view item = t.substr(0, t.find(','));
                    t.remove_prefix(std::min(t.size(), item.size() + 1));
                    if (!item.empty()) value.emplace_back(item);
                }
                return true;
            },
            [&value] { return fmt::format("{}", fmt::join(value, ",")); }};
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

void add_gas(std::vector<Entry>& all, ProverConfig& c) {
    GasModel& g = c.gas;
    constexpr std::uint64_t kMaxGas = 1'000'000'000;
    all.push_back(number("gas.verification_of_1", g.verification_gas[0], 0, kMaxGas, "of a proof with room for 1"));
    all.push_back(number("gas.verification_of_4", g.verification_gas[1], 0, kMaxGas, "of a proof with room for 4"));
    all.push_back(number("gas.verification_of_16", g.verification_gas[2], 0, kMaxGas, "of a proof with room for 16"));
    all.push_back(number("gas.batch", g.item_gas, 0, kMaxGas, "of settling a batch"));
    all.push_back(number("gas.blob", g.blob_gas, 0, kMaxGas, "of opening a blob"));
    all.push_back(number("gas.effect", g.effect_gas, 0, kMaxGas, "of an effect"));
    all.push_back(number("gas.effect_word", g.effect_word_gas, 0, kMaxGas, "of a word of effects"));
    all.push_back(number("gas.cap", g.gas_cap, 1'000'000, kMaxGas, "that a transaction may use"));
    all.push_back(number("gas.max_fee_gwei", c.max_fee_gwei, 1, 1'000'000, "of a unit of gas; above, nothing is sent"));
}

std::vector<Entry> entries(ProverConfig& c) {
    std::vector<Entry> all;
    all.push_back(list("l1.endpoints", c.endpoints, "URLs of Ethereum nodes, in the order of preference"));
    all.push_back(
        list("l1.beacon", c.beacon, "URLs of beacon nodes that serve blobs; empty: the endpoints serve them"));
    all.push_back(text("l1.hub", c.hub, "address of the hub"));
    all.push_back(number("l1.first_block", c.first_block, 0, 1ull << 40,
                         "a block not after the hub's creation; 0: it is looked for"));
    all.push_back(text("l1.key", c.key, "file with the secret key of the account that sends; none: proofs wait"));
    all.push_back(number("l1.confirmations", c.confirmations, 1, 1000,
                         "blocks that a batch is deep before a proof of it is handed in"));
    all.push_back(text("prover.payee", c.payee, "address that is paid"));
    all.push_back(text("prover.folder", c.folder, "where states, batches and proofs are kept"));
    all.push_back(text("prover.snapshot", c.snapshot, "URL of a prover to start from, instead of the first batch"));
    all.push_back(list("prover.rollups", c.rollups, "numbers of the rollups to follow; empty: those with a bounty"));
    all.push_back(number("prover.max_rollups", c.max_rollups, 1, 100'000, "to follow, where none are named"));
    all.push_back(number("prover.patience_seconds", c.patience_seconds, 0, 1u << 30,
                         "that a batch waits for other provers before a proof of it is begun"));
    all.push_back(flag("prover.untrusted", c.untrusted, "prove batches too whose verifier is not of the hub's list"));
    all.push_back(number("prover.miner_tag", c.miner_tag, 0, ~0ull, "a number of one's own in every proof"));
    all.push_back(number("prover.segments", c.segments, 1, 1024, "that a batch is cut into, at least"));
    all.push_back(number("prover.max_batches", c.max_batches, 1, 16, "of one proof"));
    all.push_back(number("prover.workers", c.workers, 1, 256, "processes that prove side by side"));
    all.push_back(number("prover.memory_cap_mib", c.memory_cap_mib, 0, 1u << 24, "of a worker; 0: no cap"));
    all.push_back(number("prover.tick_ms", c.tick_ms, 50, 60'000, "between looks at L1"));
    all.push_back(amount("cost.wei_per_cpu_hour", c.wei_per_cpu_hour, "what the machine costs"));
    all.push_back(number("cost.margin_percent", c.margin_percent, -100, 10'000,
                         "by which earnings must exceed costs; -100: prove whatever it costs"));
    add_gas(all, c);
    all.push_back(text("http.host", c.host, "address that metrics, health and snapshots listen on"));
    all.push_back(number("http.port", c.port, 0, 65535, "port of them; 0: any free one"));
    all.push_back(level("log.level", c.log_level, "least level that is logged"));
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
    if (const auto* b = node.as_boolean()) return b->get() ? "true" : "false";
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

Problem missing(const char* name) {
    return {Problem::Kind::bad_input, "missing_setting", fmt::format("{} is not set", name), kRemedy};
}

}  // namespace

std::vector<ProverSetting> settings_of(const ProverConfig& config) {
    ProverConfig copy = config;
    std::vector<ProverSetting> r;
    for (const Entry& entry : entries(copy)) r.push_back({entry.name, entry.help, entry.show()});
    return r;
}

Outcome<Done> set_setting(ProverConfig& config, std::string_view name, std::string_view value) {
    for (const Entry& entry : entries(config)) {
        if (entry.name != name) continue;
        if (entry.parse(value)) return Done{};
        return bad_setting(name, value, entry.expected);
    }
    return Problem{Problem::Kind::bad_input, "unknown_setting", fmt::format("there is no setting '{}'", name), kRemedy};
}

Outcome<Done> apply_toml(ProverConfig& config, std::string_view text, const std::string& source) {
    toml::table parsed;
    try {  // what the library throws ends here
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
                           fmt::format("{}: '{}' stands in no section", source, section.str()), kRemedy};
        }
        for (const auto& [key, value] : *table) {
            const std::string name = fmt::format("{}.{}", section.str(), key.str());
            const auto as_text = text_of(value);
            if (!as_text) return bad_setting(name, "a table or another kind", "text, an integer, true, false, a list");
            QUARRY_PASS_ON(set_setting(config, name, *as_text));
        }
    }
    return Done{};
}

Outcome<Done> apply_environment(ProverConfig& config, std::span<const std::string> environment) {
    for (const ProverSetting& setting : settings_of(config)) {
        const std::string prefix = environment_name(setting.name) + "=";
        for (const std::string& variable : environment) {
            if (!variable.starts_with(prefix)) continue;
            QUARRY_PASS_ON(set_setting(config, setting.name, std::string_view(variable).substr(prefix.size())));
        }
    }
    return Done{};
}

Outcome<ProverOptions> options_of(const ProverConfig& config) {
    ProverOptions o;
    if (config.payee.empty()) return missing("prover.payee");
    const auto payee = ethereum::parse_address(config.payee);
    if (!payee || payee.value().is_zero()) return bad_setting("prover.payee", config.payee, "an address");
    o.payee = {payee.value().bytes};
    o.folder = config.folder;
    o.miner_tag = config.miner_tag;
    o.segments = config.segments;
    o.confirmations = config.confirmations;
    o.patience_seconds = config.patience_seconds;
    o.max_batches = config.max_batches;
    o.max_rollups = config.max_rollups;
    o.untrusted = config.untrusted;
    for (const std::string& text : config.rollups) {
        std::uint32_t id = 0;
        const auto end = std::from_chars(text.data(), text.data() + text.size(), id);
        if (end.ec != std::errc() || end.ptr != text.data() + text.size()) {
            return bad_setting("prover.rollups", text, "numbers of rollups");
        }
        o.rollups.insert(id);
    }
    o.gas = config.gas;
    o.wei_per_cpu_hour = parse_wei(config.wei_per_cpu_hour).value_or(0);
    o.margin_percent = config.margin_percent;
    return o;
}

}  // namespace quarry::node::prover
