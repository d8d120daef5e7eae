#include "quarry/node/sequencer/rpc_service.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>

#include "quarry/rollup/hashing.hpp"

namespace quarry::node::sequencer {
namespace {

namespace json = boost::json;
using rpc::Answer;
using rpc::Error;
using rpc::ErrorKind;
using rpc::Params;

constexpr std::size_t kMaxAccounts = 256;

Error to_error(const Refusal& refusal) {
    ErrorKind kind = ErrorKind::refused;
    if (refusal.kind == Refusal::Kind::malformed) kind = ErrorKind::malformed;
    if (refusal.kind == Refusal::Kind::limit) kind = ErrorKind::limit;
    return {kind, refusal.code, refusal.reason, refusal.field};
}
Error not_ready() { return {ErrorKind::unavailable, "not_ready", "the node is starting", {}}; }
Error not_found(const char* code, const char* reason) { return {ErrorKind::not_found, code, reason, {}}; }

/// A signed operation from a call's parameters.
std::variant<SignedTransaction, Error> parse_operation(const json::value& value) {
    if (!value.is_object()) return rpc::invalid_params("an operation is an object", "operation");
    const auto line = parse_input_line(json::serialize(value));
    if (!line) {
        const JsonError& error = line.error();
        return Error{ErrorKind::malformed, json_code_name(error.code), json_code_text(error.code), error.field};
    }
    if (const auto* tx = std::get_if<SignedTransaction>(&line.value())) return *tx;
    return Error{ErrorKind::malformed, "not_signed", "entries of L1 queues come from L1, not over RPC", "type"};
}

/// A value of N bytes in hexadecimal digits, read by the reader of files.
std::optional<Digest> parse_digest(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    const std::string object = R"({"x":")" + *text + "\"}";
    ObjectReader r(object, object.size());
    const Digest digest = r.digest("x");
    if (r.finish()) return std::nullopt;
    return digest;
}
std::optional<rollup::L1Address> parse_address(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    const std::string object = R"({"x":")" + *text + "\"}";
    ObjectReader r(object, object.size());
    const rollup::L1Address address = r.address("x");
    if (r.finish()) return std::nullopt;
    return address;
}

/// The object with one field more.
std::string with_flag(std::string object, std::string_view name, bool value) {
    object.pop_back();
    return fmt::format("{},\"{}\":{}}}", object, name, value);
}

std::string to_json(const AccountView& account) {
    ObjectWriter w;
    w.integer("slot", account.slot).integer("token", account.leaf.token).amount("balance", account.leaf.balance);
    w.integer("nonce", account.leaf.nonce).integer("next_nonce", account.next_nonce);
    w.elements("key_hash", account.leaf.owner.key_hash).address("address", account.leaf.owner.address);
    w.elements("pair", account.leaf.pair);
    if (account.committed) {
        w.amount("committed_balance", account.committed->balance);
        w.integer("committed_nonce", account.committed->nonce);
    }
    return with_flag(std::move(w).finish(), "key_published", account.leaf.key_published);
}

json::object to_json(const SettlementHead& head) {
    json::object object{{"connected", head.connected}, {"block", head.block}};
    if (!head.trouble.empty()) object["code"] = head.trouble;
    if (!head.trouble.empty()) object["reason"] = head.reason;
    return object;
}

std::string to_json_answer(const Engine::Answer& answer) {
    if (const auto* receipt = std::get_if<Receipt>(&answer)) return to_json(*receipt);
    return "{\"error\":" + rpc::to_json(to_error(std::get<Refusal>(answer))) + "}";
}

Error to_error(const Problem& problem) {
    return {ErrorKind::unavailable, "storage_failed", problem.cause + "; " + problem.remedy, {}};
}

}  // namespace

void declare_metrics(Metrics& m) {
    m.declare_counter("quarry_rpc_requests_total", "Calls, by method", "method");
    m.declare_counter("quarry_rpc_errors_total", "Answers with an error, by data.code", "code");
    m.declare_counter("quarry_rpc_refused_total", "Requests and connections refused below JSON-RPC", "code");
    m.declare_histogram("quarry_rpc_request_duration_seconds", "From a call to its answer", duration_bounds(),
                        "method");
    m.declare_gauge("quarry_rpc_subscriptions_open", "Subscriptions");
    m.declare_counter("quarry_sequencer_submitted_operations_total", "Operations looked at");
    m.declare_histogram("quarry_sequencer_group_duration_seconds", "Checking, executing and syncing one group",
                        duration_bounds());
    m.declare_gauge("quarry_sequencer_executed_operations_total", "Operations executed since the start");
    m.declare_gauge("quarry_sequencer_rejected_operations_total", "Operations rejected since the start");
    m.declare_gauge("quarry_sequencer_reverted_batches_total", "Batches taken back since the start");
    m.declare_gauge("quarry_sequencer_ledger_syncs_total", "Synced writes of the ledger since the start");
    m.declare_gauge("quarry_sequencer_batch_number", "The last batch in each stage", "stage");
    m.declare_gauge("quarry_sequencer_open_operations", "Signed operations in the open batch");
    m.declare_gauge("quarry_sequencer_waiting_operations", "Operations in the mempool");
    m.declare_gauge("quarry_sequencer_slots", "Slots of the state");
    m.declare_gauge("quarry_sequencer_consumed_entries_total", "Entries consumed of each L1 queue", "queue");
    m.declare_gauge("quarry_sequencer_l1_block_number", "The L1 block that was followed last");
    m.declare_gauge("quarry_sequencer_l1_degraded", "1: something keeps batches from L1; /healthz says what");
}

RpcService::RpcService(Metrics& metrics, const ServiceLimits& limits, std::string version,
                       std::function<rollup::Timestamp()> now_seconds)
    : metrics_(metrics),
      limits_(limits),
      version_(std::move(version)),
      now_seconds_(std::move(now_seconds)),
      dispatcher_(limits.dispatcher),
      subscriptions_(limits.max_subscriptions) {
    dispatcher_.on_answer = [this](std::string_view method, std::string_view code, double seconds) {
        const std::string name(method.empty() ? "none" : method);
        metrics_.count("quarry_rpc_requests_total", 1, name);
        if (!method.empty()) metrics_.observe("quarry_rpc_request_duration_seconds", seconds, name);
        if (!code.empty()) metrics_.count("quarry_rpc_errors_total", 1, std::string(code));
    };
    add_methods();
}

void RpcService::add_methods() {
    dispatcher_.add("quarry_sendOperation",
                    [this](const Params& p, const auto&, const AnswerCall& answer) { send_operation(p, answer); });
    dispatcher_.add("quarry_sendOperations",
                    [this](const Params& p, const auto&, const AnswerCall& answer) { send_operations(p, answer); });
    const auto reads = [&](const char* name, Answer (RpcService::*method)(const Params&) const) {
        dispatcher_.add(name, [this, method](const Params& p, const auto&, const AnswerCall& answer) {
            if (sequencer_ == nullptr) return answer(not_ready());
            answer((this->*method)(p));
        });
    };
    reads("quarry_getReceipt", &RpcService::get_receipt);
    reads("quarry_getAccount", &RpcService::get_account);
    reads("quarry_getBatch", &RpcService::get_batch);
    reads("quarry_stateRoot", &RpcService::state_root);
    reads("quarry_feeQuote", &RpcService::fee_quote);
    dispatcher_.add("quarry_status", [this](const Params&, const auto&, const AnswerCall& answer) {
        if (sequencer_ == nullptr) return answer(not_ready());
        answer(status());
    });
    dispatcher_.add("quarry_subscribe", [this](const Params& p, const auto& connection, const AnswerCall& answer) {
        answer(subscribe(p, connection));
    });
    dispatcher_.add("quarry_unsubscribe", [this](const Params& p, const auto& connection, const AnswerCall& answer) {
        answer(unsubscribe(p, connection));
    });
}

void RpcService::attach(Sequencer& sequencer) { sequencer_ = &sequencer; }

void RpcService::publish(const Events& events) { subscriptions_.publish(events); }

std::optional<Error> RpcService::unavailable() const {
    if (stopping_) return Error{ErrorKind::unavailable, "stopping", "the node is stopping; try again later", {}};
    Sequencer* sequencer = sequencer_;
    if (sequencer == nullptr) return not_ready();
    if (const auto failure = sequencer->failure()) return to_error(*failure);
    return std::nullopt;
}

// --- operations

void RpcService::send_operation(const Params& params, const AnswerCall& answer) {
    if (const auto error = unavailable()) return answer(*error);
    const json::value* value = params.find("operation", 0);
    if (value == nullptr) return answer(rpc::invalid_params("there is no operation", "operation"));
    auto parsed = parse_operation(*value);
    if (const auto* error = std::get_if<Error>(&parsed)) return answer(*error);
    std::vector<SignedTransaction> one{std::get<SignedTransaction>(std::move(parsed))};
    const bool queued = sequencer_.load()->submit(std::move(one), [answer](const auto& answers) {
        if (!answers) return answer(to_error(answers.error()));
        const Engine::Answer& first = answers.value().front();
        if (const auto* refusal = std::get_if<Refusal>(&first)) return answer(to_error(*refusal));
        answer(to_json(std::get<Receipt>(first)));
    });
    if (!queued) answer(Error{ErrorKind::limit, "mempool_full", "more operations arrive than the node takes", {}});
}

void RpcService::send_operations(const Params& params, const AnswerCall& answer) {
    if (const auto error = unavailable()) return answer(*error);
    const json::value* value = params.find("operations", 0);
    const auto* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr) return answer(rpc::invalid_params("operations are an array", "operations"));
    if (list->size() > limits_.max_operations) {
        return answer(Error{ErrorKind::limit, "too_many_operations",
                            "more operations than one call may have; send them in several", "operations"});
    }
    std::vector<SignedTransaction> sound;
    std::vector<std::string> texts(list->size());  // of those that are malformed
    for (std::size_t i = 0; i < list->size(); ++i) {
        auto parsed = parse_operation((*list)[i]);
        if (const auto* error = std::get_if<Error>(&parsed))
            texts[i] = "{\"error\":" + rpc::to_json(*error) + "}";
        else
            sound.push_back(std::get<SignedTransaction>(std::move(parsed)));
    }
    const auto join = [texts = std::move(texts)](const std::vector<Engine::Answer>& answers) {
        std::string all = "[";
        auto next = answers.begin();
        for (std::size_t i = 0; i < texts.size(); ++i) {
            if (i != 0) all += ',';
            all += texts[i].empty() ? to_json_answer(*next++) : texts[i];
        }
        return all + "]";
    };
    if (sound.empty()) return answer(join({}));
    const bool queued = sequencer_.load()->submit(std::move(sound), [answer, join](const auto& answers) {
        if (!answers) return answer(to_error(answers.error()));
        answer(join(answers.value()));
    });
    if (!queued) answer(Error{ErrorKind::limit, "mempool_full", "more operations arrive than the node takes", {}});
}

Answer RpcService::get_receipt(const Params& params) const {
    const auto id = parse_digest(params.text("id", 0));
    if (!id) return rpc::invalid_params("the id is a digest: 0x and 64 hexadecimal digits", "id");
    const auto receipt = sequencer_.load()->read([&](const Engine& e) { return e.receipt(*id); });
    if (!receipt) return not_found("unknown_operation", "no operation with this id was accepted, or it was long ago");
    return to_json(*receipt);
}

// --- state

Answer RpcService::get_account(const Params& params) const {
    const auto slot = params.integer("slot", 0);
    const auto pair = parse_digest(params.text("pair", 1));
    const auto key_hash = parse_digest(params.text("key_hash", 2));
    const auto address = parse_address(params.text("address", 3));
    const auto token = params.find("token") != nullptr ? params.integer("token", 4) : std::nullopt;
    if (!slot && !pair && !(key_hash && address))
        return rpc::invalid_params("an account is named by slot, by pair, or by key_hash and address");
    return sequencer_.load()->read([&](const Engine& engine) -> Answer {
        std::vector<rollup::SlotIndex> slots;
        if (slot) {
            if (*slot >= rollup::kMaxSlots || !engine.account(static_cast<rollup::SlotIndex>(*slot)))
                return not_found("unknown_account", "there is no slot with this number");
            slots.push_back(static_cast<rollup::SlotIndex>(*slot));
        } else {
            slots = engine.slots_of(pair ? *pair : rollup::pair_hash({*key_hash, *address}), kMaxAccounts);
        }
        std::string accounts;
        for (const rollup::SlotIndex s : slots) {
            const auto account = engine.account(s);
            if (token && account->leaf.token != *token) continue;
            accounts += (accounts.empty() ? "" : ",") + to_json(*account);
        }
        return "{\"accounts\":[" + accounts + "]}";
    });
}

Answer RpcService::get_batch(const Params& params) const {
    const auto number = params.integer("number", 0);
    const auto name = params.text("number", 0);
    if (!number && name != "latest") return rpc::invalid_params("number is a batch's number or \"latest\"", "number");
    const json::value* ids = params.find("operations", 1);
    return sequencer_.load()->read([&](const Engine& engine) -> Answer {
        const auto batch = engine.batch(number ? *number : engine.status().batch);
        if (!batch) return not_found("unknown_batch", "no closed batch has this number, or it was long ago");
        std::string text = to_json(*batch);
        if (ids == nullptr || !ids->is_bool() || !ids->get_bool()) return text;
        std::string list;
        for (const Digest& id : engine.operations_of(batch->record.header.number))
            list += (list.empty() ? "\"" : ",\"") + to_hex(id) + "\"";
        text.pop_back();
        return text + ",\"operations\":[" + list + "]}";
    });
}

Answer RpcService::state_root(const Params& params) const {
    const auto number = params.integer("batch", 0);
    return sequencer_.load()->read([&](const Engine& engine) -> Answer {
        const rollup::State* state = nullptr;
        rollup::State of_batch;
        if (!number || *number == engine.status().batch) {
            state = &engine.committed_state();
        } else if (const auto batch = engine.batch(*number)) {
            of_batch = batch->record.header.post_state();
            state = &of_batch;
        }
        if (state == nullptr) return not_found("unknown_batch", "no closed batch has this number, or it was long ago");
        ObjectWriter w;
        w.integer("batch", number ? *number : engine.status().batch).elements("root", state->root);
        w.integer("slot_count", state->slot_count).integer("deposit_cursor", state->deposit_cursor);
        w.integer("forced_cursor", state->forced_cursor);
        return std::move(w).finish();
    });
}

Answer RpcService::fee_quote(const Params& params) const {
    const std::uint64_t token = params.find("token", 0) == nullptr ? 0 : params.integer("token", 0).value_or(65'536);
    if (token > 65'535) return rpc::invalid_params("a token is a number below 65536", "token");
    const FeeQuote quote =
        sequencer_.load()->read([&](const Engine& e) { return e.fee_quote(static_cast<rollup::TokenId>(token)); });
    ObjectWriter w;
    w.integer("token", token).amount("minimum", quote.minimum);
    w.amount("new_pair_minimum", quote.new_pair_minimum).amount("suggested", quote.suggested);
    return with_flag(std::move(w).finish(), "accepted", quote.accepted);
}

Answer RpcService::status() const {
    return sequencer_.load()->read([&](const Engine& engine) -> Answer {
        const EngineStatus s = engine.status();
        const rollup::RollupParameters& p = engine.parameters();
        ObjectWriter w;
        w.text("version", version_).integer("protocol", rollup::kProtocolVersion);
        w.integer("l1_chain_id", p.l1_chain_id).address("hub", p.hub).integer("rollup_id", p.rollup_id);
        w.elements("genesis_root", p.genesis_root).amount("min_new_pair_fee", p.min_new_pair_fee);
        w.elements("domain", engine.domain()).integer("slots", s.slots).integer("batch", s.batch);
        w.integer("open_operations", s.open_operations).integer("posted_batch", s.posted);
        w.integer("proven_batch", s.proven).integer("finalised_batch", s.finalised).integer("waiting", s.waiting);
        w.elements("fee_receiver", s.fee_receiver).integer("timestamp", now_seconds_());
        std::string text = std::move(w).finish();
        text.pop_back();
        const auto head = engine.l1_head();
        text += ",\"l1\":" + (head ? json::serialize(to_json(*head)) : std::string("null"));
        const bool ready = !stopping_ && !engine.failure();
        return text + (ready ? ",\"ready\":true}" : ",\"ready\":false}");
    });
}

// --- subscriptions

Answer RpcService::subscribe(const Params& params, const rpc::ConnectionPointer& connection) {
    if (!connection->is_websocket())
        return Error{ErrorKind::unavailable, "needs_websocket", "events are sent over WebSocket only", {}};
    const auto topic = params.text("topic", 0);
    if (topic != "batches" && topic != "receipts")
        return rpc::invalid_params("the topic is batches or receipts", "topic");
    std::optional<rollup::SlotIndex> slot;
    if (topic == "receipts") {
        const auto number = Params(params.find("filter", 1)).integer("slot", 0);
        if (!number || *number >= rollup::kMaxSlots)
            return rpc::invalid_params("receipts are those of a slot: {\"slot\": number}", "filter");
        slot = static_cast<rollup::SlotIndex>(*number);
    }
    const auto id = subscriptions_.add(connection, slot);
    if (!id) {
        return Error{ErrorKind::limit,
                     "too_many_subscriptions",
                     "the connection has as many subscriptions as it may; cancel one",
                     {}};
    }
    return fmt::format("\"0x{:x}\"", *id);
}

Answer RpcService::unsubscribe(const Params& params, const rpc::ConnectionPointer& connection) {
    const auto text = params.text("subscription", 0);
    std::uint64_t id = 0;
    const bool parsed =
        text && text->starts_with("0x") &&
        std::from_chars(text->data() + 2, text->data() + text->size(), id, 16).ptr == text->data() + text->size();
    if (!parsed || !subscriptions_.remove(connection->id(), id))
        return not_found("unknown_subscription", "the connection has no such subscription");
    return std::string("true");
}

// --- the server's calls

void RpcService::on_request(std::string body, const rpc::ConnectionPointer& connection,
                            std::function<void(std::string)> respond) {
    dispatcher_.handle(body, connection, std::move(respond));
}

void RpcService::on_close(std::uint64_t connection) { subscriptions_.remove_all(connection); }

void RpcService::on_refused(std::string_view code) { metrics_.count("quarry_rpc_refused_total", 1, std::string(code)); }

rpc::HttpAnswer RpcService::on_get(std::string_view path) {
    if (path == "/healthz") return {200, "application/json", health()};
    if (path != "/readyz") return {404, {}, {}};
    const auto error = unavailable();
    if (!error) return {200, "application/json", R"({"ready":true})"};
    return {503, "application/json",
            json::serialize(json::object{{"ready", false}, {"code", error->code}, {"reason", error->reason}})};
}

/// What keeps batches from L1 does not end the process: it is told here.
std::string RpcService::health() const {
    Sequencer* sequencer = sequencer_;
    const auto head =
        sequencer == nullptr ? std::nullopt : sequencer->read([](const Engine& engine) { return engine.l1_head(); });
    return json::serialize(json::object{{"ok", true},
                                        {"degraded", head && !head->trouble.empty()},
                                        {"l1", head ? json::value(to_json(*head)) : json::value()}});
}

rpc::HttpAnswer RpcService::on_metrics_get(std::string_view path) {
    if (path != "/metrics") return on_get(path);
    measure();
    return {200, "text/plain; version=0.0.4", metrics_.text()};
}

void RpcService::measure() const {
    Sequencer* sequencer = sequencer_;
    metrics_.set("quarry_rpc_subscriptions_open", static_cast<double>(subscriptions_.size()));
    if (sequencer == nullptr) return;
    const auto [s, head] =
        sequencer->read([](const Engine& engine) { return std::pair(engine.status(), engine.l1_head()); });
    const auto set = [&](const char* name, auto value, const std::string& label = {}) {
        metrics_.set(name, static_cast<double>(value), label);
    };
    set("quarry_sequencer_executed_operations_total", s.executed);
    set("quarry_sequencer_rejected_operations_total", s.rejected);
    set("quarry_sequencer_reverted_batches_total", s.reverted_batches);
    set("quarry_sequencer_ledger_syncs_total", s.ledger_writes);
    set("quarry_sequencer_batch_number", s.batch, "executed");
    set("quarry_sequencer_batch_number", s.posted, "posted");
    set("quarry_sequencer_batch_number", s.proven, "proven");
    set("quarry_sequencer_batch_number", s.finalised, "claimable");
    set("quarry_sequencer_open_operations", s.open_operations);
    set("quarry_sequencer_waiting_operations", s.waiting);
    set("quarry_sequencer_slots", s.slots);
    set("quarry_sequencer_consumed_entries_total", s.deposits, "deposits");
    set("quarry_sequencer_consumed_entries_total", s.forced, "forced");
    if (!head) return;
    set("quarry_sequencer_l1_block_number", head->block);
    set("quarry_sequencer_l1_degraded", head->trouble.empty() ? 0 : 1);
}

}  // namespace quarry::node::sequencer
