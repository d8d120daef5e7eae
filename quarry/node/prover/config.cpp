#include "quarry/node/prover/config.hpp"

#include "quarry/ethereum/types.hpp"

namespace quarry::node::prover {
namespace {

Setting wei_setting(std::string name, std::string& value, std::string help) {
    return make_setting(
        std::move(name), value, std::move(help), "an amount of wei",
        [](std::string_view text) { return parse_wei(text) ? std::optional<std::string>(text) : std::nullopt; },
        [](const std::string& text) { return text; });
}

void add_gas(std::vector<Setting>& all, ProverConfig& c) {
    GasModel& g = c.gas;
    constexpr std::uint64_t kMaxGas = 1'000'000'000;
    all.push_back(
        number_setting("gas.verification_of_1", g.verification_gas[0], 0, kMaxGas, "of a proof with room for 1"));
    all.push_back(
        number_setting("gas.verification_of_4", g.verification_gas[1], 0, kMaxGas, "of a proof with room for 4"));
    all.push_back(
        number_setting("gas.verification_of_16", g.verification_gas[2], 0, kMaxGas, "of a proof with room for 16"));
    all.push_back(number_setting("gas.batch", g.item_gas, 0, kMaxGas, "of settling a batch"));
    all.push_back(number_setting("gas.blob", g.blob_gas, 0, kMaxGas, "of opening a blob"));
    all.push_back(number_setting("gas.effect", g.effect_gas, 0, kMaxGas, "of an effect"));
    all.push_back(number_setting("gas.effect_word", g.effect_word_gas, 0, kMaxGas, "of a word of effects"));
    all.push_back(number_setting("gas.cap", g.gas_cap, 1'000'000, kMaxGas, "that a transaction may use"));
    all.push_back(
        number_setting("gas.max_fee_gwei", c.max_fee_gwei, 1, 1'000'000, "of a unit of gas; above, nothing is sent"));
}

}  // namespace

Settings settings_of(ProverConfig& c) {
    std::vector<Setting> all;
    all.push_back(list_setting("l1.endpoints", c.endpoints, "URLs of Ethereum nodes, in the order of preference"));
    all.push_back(
        list_setting("l1.beacon", c.beacon, "URLs of beacon nodes that serve blobs; empty: the endpoints serve them"));
    all.push_back(text_setting("l1.hub", c.hub, "address of the hub"));
    all.push_back(number_setting("l1.first_block", c.first_block, 0, 1ull << 40,
                                 "a block not after the hub's creation; 0: it is looked for"));
    all.push_back(
        text_setting("l1.key", c.key, "file with the secret key of the account that sends; none: proofs wait"));
    all.push_back(number_setting("l1.confirmations", c.confirmations, 1, 1000,
                                 "blocks that a batch is deep before a proof of it is handed in"));
    all.push_back(text_setting("prover.payee", c.payee, "address that is paid"));
    all.push_back(text_setting("prover.folder", c.folder, "where states, batches and proofs are kept"));
    all.push_back(
        text_setting("prover.snapshot", c.snapshot, "URL of a prover to start from, instead of the first batch"));
    all.push_back(
        list_setting("prover.rollups", c.rollups, "numbers of the rollups to follow; empty: those with a bounty"));
    all.push_back(number_setting("prover.max_rollups", c.max_rollups, 1, 100'000, "to follow, where none are named"));
    all.push_back(number_setting("prover.patience_seconds", c.patience_seconds, 0, 1u << 30,
                                 "that a batch waits for other provers before a proof of it is begun"));
    all.push_back(
        flag_setting("prover.untrusted", c.untrusted, "prove batches too whose verifier is not of the hub's list"));
    all.push_back(number_setting("prover.miner_tag", c.miner_tag, 0, ~0ull, "a number of one's own in every proof"));
    all.push_back(number_setting("prover.segments", c.segments, 1, 1024, "that a batch is cut into, at least"));
    all.push_back(number_setting("prover.max_batches", c.max_batches, 1, 16, "of one proof"));
    all.push_back(number_setting("prover.workers", c.workers, 1, 256, "processes that prove side by side"));
    all.push_back(number_setting("prover.memory_cap_mib", c.memory_cap_mib, 0, 1u << 24, "of a worker; 0: no cap"));
    all.push_back(number_setting("prover.tick_ms", c.tick_ms, 50, 60'000, "between looks at L1"));
    all.push_back(wei_setting("cost.wei_per_cpu_hour", c.wei_per_cpu_hour, "what the machine costs"));
    all.push_back(number_setting("cost.margin_percent", c.margin_percent, -100, 10'000,
                                 "by which earnings must exceed costs; -100: prove whatever it costs"));
    add_gas(all, c);
    all.push_back(text_setting("http.host", c.host, "address that metrics, health and snapshots listen on"));
    all.push_back(number_setting("http.port", c.port, 0, 65535, "port of them; 0: any free one"));
    all.push_back(log_level_setting("log.level", c.log_level, "least level that is logged"));
    return {std::move(all), "docs/prover.md"};
}

Outcome<ProverOptions> options_of(const ProverConfig& config) {
    ProverConfig shown = config;
    const Settings settings = settings_of(shown);
    ProverOptions o;
    if (config.payee.empty()) return settings.missing("prover.payee");
    const auto payee = ethereum::parse_address(config.payee);
    if (!payee || payee.value().is_zero()) return settings.bad("prover.payee", config.payee, "an address");
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
        const auto id = parse_integer<std::uint32_t>(text);
        if (!id) return settings.bad("prover.rollups", text, "numbers of rollups");
        o.rollups.insert(*id);
    }
    o.gas = config.gas;
    o.wei_per_cpu_hour = parse_wei(config.wei_per_cpu_hour).value_or(0);
    o.margin_percent = config.margin_percent;
    return o;
}

}  // namespace quarry::node::prover
