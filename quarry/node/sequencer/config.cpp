#include "quarry/node/sequencer/config.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "quarry/node/flat_json.hpp"

namespace quarry::node::sequencer {
namespace {

using Fees = std::map<rollup::TokenId, rollup::Amount>;

std::optional<Fees> parse_fees(std::string_view text) {
    Fees fees;
    for (const std::string& item : split_list(text)) {
        const std::size_t equals = item.find('=');
        if (equals == std::string::npos) return std::nullopt;
        const auto token = parse_integer<rollup::TokenId>(std::string_view(item).substr(0, equals));
        const auto amount = rollup::parse_amount(std::string_view(item).substr(equals + 1));
        if (!token || !amount || !amount.value().fits_fee()) return std::nullopt;
        fees[*token] = amount.value();
    }
    return fees;
}

Setting fees_setting(std::string name, Fees& value, std::string help) {
    return make_setting(std::move(name), value, std::move(help), "TOKEN=AMOUNT, separated by commas", parse_fees,
                        [](const Fees& fees) {
                            std::string r;
                            for (const auto& [token, amount] : fees)
                                r += fmt::format("{}{}={}", r.empty() ? "" : ",", token, to_string(amount));
                            return r;
                        });
}

std::optional<Digest> parse_pair_hash(std::string_view text) {
    const std::string object = fmt::format(R"({{"x":"{}"}})", text);
    ObjectReader r(object, object.size());
    const Digest digest = r.digest("x");
    return r.finish() ? std::nullopt : std::optional(digest);
}

Setting receiver_setting(std::string name, std::optional<Digest>& value, std::string help) {
    return make_setting(std::move(name), value, std::move(help), "a pair hash: 0x and 64 hexadecimal digits",
                        parse_pair_hash,
                        [](const std::optional<Digest>& digest) { return digest ? to_hex(*digest) : std::string(); });
}

Setting slot_setting(std::string name, std::optional<rollup::SlotIndex>& value, std::string help) {
    return make_setting(
        std::move(name), value, std::move(help), fmt::format("an integer from 0 to {}", rollup::kMaxSlots - 1),
        [](std::string_view text) {
            const auto slot = parse_integer<rollup::SlotIndex>(text);
            return slot && *slot < rollup::kMaxSlots ? slot : std::nullopt;
        },
        [](std::optional<rollup::SlotIndex> slot) { return slot ? fmt::format("{}", *slot) : std::string(); });
}

/// Decimal ether.
Setting ether_setting(std::string name, ethereum::U256& value, std::string help) {
    return make_setting(std::move(name), value, std::move(help), "an amount of ether, like 0.05", l1::parse_ether,
                        l1::ether_text);
}

Setting placement_setting(std::string name, l1::SettlementOptions::Placement& value, std::string help) {
    using Placement = l1::SettlementOptions::Placement;
    static constexpr std::array kNames{std::pair<std::string_view, Placement>("automatic", Placement::automatic),
                                       std::pair<std::string_view, Placement>("blobs", Placement::blobs),
                                       std::pair<std::string_view, Placement>("calldata", Placement::calldata)};
    return make_setting(
        std::move(name), value, std::move(help), "automatic, blobs or calldata",
        [](std::string_view text) {
            const auto* at = std::ranges::find_if(kNames, [&](const auto& n) { return n.first == text; });
            return at == kNames.end() ? std::nullopt : std::optional(at->second);
        },
        [](Placement placement) {
            return std::string(
                std::ranges::find_if(kNames, [&](const auto& n) { return n.second == placement; })->first);
        });
}

void add_server(std::vector<Setting>& all, SequencerConfig& c) {
    constexpr std::size_t kMaxSize = std::size_t{1} << 30;
    constexpr std::uint64_t kMaxTime = 86'400'000;
    rpc::ServerLimits& l = c.rpc.limits;
    all.push_back(text_setting("rpc.host", c.rpc.host, "address that RPC listens on"));
    all.push_back(number_setting("rpc.port", c.rpc.port, 0, 65535, "port of RPC; 0: any free one"));
    all.push_back(number_setting("rpc.threads", c.rpc.threads, 1, 64, "threads that serve connections"));
    all.push_back(
        list_setting("rpc.allowed_origins", c.rpc.allowed_origins, "origins of web pages that may call; * for all"));
    all.push_back(number_setting("rpc.max_body_bytes", l.max_body_bytes, 1024, kMaxSize, "of a request or message"));
    all.push_back(number_setting("rpc.max_header_bytes", l.max_header_bytes, 512, 1 << 20, "of an HTTP request"));
    all.push_back(number_setting("rpc.header_timeout_ms", l.header_timeout_ms, 10, kMaxTime, "for a header to arrive"));
    all.push_back(number_setting("rpc.body_timeout_ms", l.body_timeout_ms, 10, kMaxTime, "for a body to arrive"));
    all.push_back(
        number_setting("rpc.write_timeout_ms", l.write_timeout_ms, 10, kMaxTime, "for an answer to be taken"));
    all.push_back(number_setting("rpc.idle_timeout_ms", l.idle_timeout_ms, 10, kMaxTime, "without a request"));
    all.push_back(number_setting("rpc.max_connections", l.max_connections, 1, 1 << 20, "in all"));
    all.push_back(
        number_setting("rpc.max_connections_per_address", l.max_connections_per_address, 1, 1 << 20, "of an address"));
    all.push_back(
        number_setting("rpc.max_queue_bytes", l.max_queue_bytes, 1024, kMaxSize, "that a WebSocket has not taken"));
    all.push_back(number_setting("rpc.max_unsent_bytes", l.max_unsent_bytes, 1024, std::size_t{1} << 40,
                                 "that all connections have not taken"));
    all.push_back(number_setting("rpc.max_batch", c.service.dispatcher.max_batch, 1, 1 << 20, "requests in an array"));
    all.push_back(number_setting("rpc.max_answer_bytes", c.service.dispatcher.max_answer_bytes, 1, kMaxSize,
                                 "of the answer to an array"));
    all.push_back(
        number_setting("rpc.max_in_flight", c.service.dispatcher.max_in_flight, 1, 1 << 20, "of a connection"));
    all.push_back(
        number_setting("rpc.max_operations", c.service.max_operations, 1, 1 << 14, "in one quarry_sendOperations"));
    all.push_back(number_setting("rpc.max_subscriptions", c.service.max_subscriptions, 0, 1 << 20, "of a connection"));
    all.push_back(text_setting("metrics.host", c.metrics.host, "address that metrics listen on"));
    all.push_back(number_setting("metrics.port", c.metrics.port, 0, 65535, "port of metrics; 0: any free one"));
}

void add_l1(std::vector<Setting>& all, SequencerConfig& c) {
    l1::SettlementOptions& s = c.l1.settlement;
    all.push_back(list_setting("l1.endpoints", c.l1.endpoints, "of Ethereum nodes, in the order of preference"));
    all.push_back(text_setting("l1.deployment", c.l1_deployment, "file that `quarry l1 deploy` wrote"));
    all.push_back(text_setting("l1.key", c.l1_key, "secret key of the account that posts"));
    all.push_back(
        text_setting("l1.folder", c.l1.folder, "of journal and followed events; default: the state's name and .l1"));
    all.push_back(number_setting("l1.poll_ms", c.l1.poll_ms, 50, 60'000, "between looks at the chain"));
    all.push_back(number_setting("l1.confirmations", s.confirmations, 1, 64, "blocks until something on L1 counts"));
    all.push_back(number_setting("l1.final_confirmations", s.final_confirmations, 1, 1'000,
                                 "blocks until a batch is final, executed again or given up"));
    all.push_back(placement_setting("l1.placement", s.placement, "where batches go; automatic: what is cheaper now"));
    all.push_back(
        ether_setting("l1.max_batch_fee", s.max_total_fee, "most that posting a batch may cost; 0: no limit"));
    all.push_back(ether_setting("bounty.base_per_batch", s.base_per_batch, "offered for a batch's proof"));
    all.push_back(
        ether_setting("bounty.base_per_word", s.base_per_word, "and for each of its words; a transfer has three"));
    all.push_back(
        number_setting("bounty.max_percent", s.max_percent, 100, 10'000, "of that at the proving window's end"));
    all.push_back(ether_setting("bounty.rebate_cap", s.rebate_cap, "most that is repaid to the prover for gas"));
    all.push_back(
        ether_setting("bounty.raise_amount", s.raise_amount, "added in steps near the window's end; 0: never"));
    all.push_back(number_setting("bounty.num_raises", s.num_raises, 0, 16, "steps"));
    all.push_back(
        flag_setting("late.discards", s.discards_late, "drop a batch that nobody proved, and execute it again"));
    all.push_back(
        number_setting("late.discard_after_seconds", s.discard_after_sec, 0, 86'400, "after the window's end"));
}

}  // namespace

Settings settings_of(SequencerConfig& c) {
    constexpr std::uint64_t kMaxTime = 86'400'000;
    EngineOptions& e = c.engine;
    std::vector<Setting> all;
    all.push_back(text_setting("sequencer.state", c.state, "directory of the rollup's state"));
    all.push_back(
        text_setting("sequencer.ledger", c.ledger, "directory of the ledger; default: the state's name and .ledger"));
    all.push_back(
        text_setting("sequencer.batches", c.batches, "folder of batches; default: the state's name and .batches"));
    all.push_back(number_setting("sequencer.tick_ms", c.tick_ms, 1, 60'000, "between looks at the clock and at L1"));
    all.push_back(
        number_setting("sequencer.keep_batches", e.keep_batches, 1, 1ull << 40, "final ones whose receipts are kept"));
    all.push_back(number_setting("batch.max_operations", e.max_operations, 1, 8192, "signed operations in a batch"));
    all.push_back(
        number_setting("batch.max_age_ms", e.max_age_ms, 1, kMaxTime, "from the first operation to the closing"));
    all.push_back(number_setting("batch.max_deposits", e.max_deposits, 1, 192, "deposits consumed by a batch"));
    all.push_back(number_setting("batch.max_forced", e.max_forced, 1, 64, "forced entries consumed by a batch"));
    all.push_back(
        number_setting("batch.max_unposted", e.max_unposted, 1, 1 << 20, "closed batches that are not on L1 yet"));
    all.push_back(number_setting("batch.max_resume_seconds", e.max_resume_seconds, 1, 43'200,
                                 "age of an open batch that a restart goes on with"));
    all.push_back(number_setting("mempool.max_operations", e.mempool.max_operations, 1, 1 << 24, "waiting, in all"));
    all.push_back(number_setting("mempool.max_operations_per_account", e.mempool.max_operations_per_account, 1, 1 << 16,
                                 "waiting, of one slot"));
    all.push_back(
        number_setting("mempool.min_expiry_seconds", e.min_expiry_seconds, 0, 86'400, "from now to the expiry"));
    all.push_back(fees_setting("fees.minimum", e.min_fees, "least fee in each token; empty: all tokens, for nothing"));
    all.push_back(slot_setting("fees.slot", e.fee_slot, "whose owner receives the fees; default: slot 0"));
    all.push_back(
        receiver_setting("fees.receiver", e.fee_receiver, "pair hash of who receives the fees, instead of a slot"));
    all.push_back(log_level_setting("log.level", c.log_level, "least level that is logged"));
    add_l1(all, c);
    add_server(all, c);
    return {std::move(all), "docs/sequencer.md"};
}

Outcome<Done> check_fees(const EngineOptions& options) {
    if (options.min_fees.empty() || options.fee_receiver || options.fee_slot) return Done{};
    return Problem{Problem::Kind::bad_input, "fee_receiver_missing",
                   "fees.minimum asks for fees, and it is not said who receives them",
                   "set fees.receiver, or fees.slot to a slot that is yours"};
}

}  // namespace quarry::node::sequencer
