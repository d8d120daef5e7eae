#include "quarry/node/wallet/sequencer_client.hpp"

#include <algorithm>

#include "quarry/node/flat_json.hpp"
#include "quarry/node/operation_json.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::wallet {
namespace {

constexpr std::uint64_t kTimeoutMs = 10'000;
constexpr std::size_t kMaxAnswerBytes = std::size_t{1} << 20;
constexpr unsigned kAttempts = 4;
constexpr std::uint64_t kFirstPauseMs = 250;

Problem unreachable(const ethereum::Url& url, const std::string& why) {
    return {Problem::Kind::environment, "rpc_unreachable", "no answer from " + url.origin() + ": " + why,
            "check that the sequencer runs there and --rpc is right, then try again"};
}

Problem other_than_asked(const char* what) {
    return {Problem::Kind::bad_input, "bad_answer", std::string("the sequencer answers with ") + what,
            "do not use this sequencer"};
}

Outcome<ReceiptView> receipt_of(const Digest& id, std::string_view body) {
    auto receipt = parse_receipt_answer(body);
    if (receipt && receipt.value().id != id) return other_than_asked("the receipt of another operation");
    return receipt;
}

}  // namespace

Outcome<SequencerClient> SequencerClient::connect(const std::string& url,
                                                  std::shared_ptr<ethereum::HttpTransport> transport,
                                                  ethereum::Clock& clock) {
    auto parsed = ethereum::parse_url(url);
    if (!parsed || (parsed.value().scheme != "http" && parsed.value().scheme != "https"))
        return Problem{Problem::Kind::bad_input, "bad_url", "'" + url + "' is no http:// or https:// URL",
                       "give one such as http://127.0.0.1:9545"};
    return SequencerClient(std::move(parsed).value(), std::move(transport), clock);
}

Outcome<std::string> SequencerClient::exchange(const std::string& method, const std::string& params) {
    ethereum::HttpRequest request;
    request.body = R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}";
    request.headers = {{"content-type", "application/json"}};
    std::string why;
    std::uint64_t pause_ms = kFirstPauseMs;
    for (unsigned attempt = 0; attempt < kAttempts; ++attempt, pause_ms *= 2) {
        if (attempt > 0) clock_->sleep_ms(pause_ms);
        const auto reply = transport_->exchange(url_, request, kTimeoutMs, kMaxAnswerBytes);
        if (reply && reply.value().status == 200) return reply.value().body;
        if (reply) {
            why = "HTTP status " + std::to_string(reply.value().status);
            if (reply.value().status < 500 && reply.value().status != 429 && reply.value().status != 408) break;
        } else {
            why = ethereum::ethereum_code_text(reply.error().code);
            if (!ethereum::is_transient(reply.error().code)) break;
        }
    }
    return unreachable(url_, why);
}

Outcome<SequencerStatus> SequencerClient::status() {
    const auto body = exchange("quarry_status", "{}");
    if (!body) return body.error();
    return parse_status_answer(body.value());
}

Outcome<std::vector<AccountView>> SequencerClient::accounts_of(const rollup::Owner& owner) {
    ObjectWriter w;
    w.elements("key_hash", owner.key_hash).address("address", owner.address);
    const auto body = exchange("quarry_getAccount", std::move(w).finish());
    if (!body) return body.error();
    auto accounts = parse_accounts_answer(body.value());
    if (!accounts) return accounts;
    for (const AccountView& account : accounts.value()) {
        if (account.owner != owner) return other_than_asked("somebody else's account");
    }
    return accounts;
}

Outcome<AccountView> SequencerClient::account(rollup::SlotIndex slot) {
    ObjectWriter w;
    w.integer("slot", slot);
    const auto body = exchange("quarry_getAccount", std::move(w).finish());
    if (!body) return body.error();
    auto accounts = parse_accounts_answer(body.value());
    if (!accounts) return accounts.error();
    if (accounts.value().size() != 1 || accounts.value().front().slot != slot) return other_than_asked("another slot");
    return accounts.value().front();
}

Outcome<FeeQuote> SequencerClient::fee_quote(rollup::TokenId token) {
    ObjectWriter w;
    w.integer("token", token);
    const auto body = exchange("quarry_feeQuote", std::move(w).finish());
    if (!body) return body.error();
    return parse_fee_answer(body.value());
}

Outcome<QueueCursors> SequencerClient::cursors() {
    const auto body = exchange("quarry_stateRoot", "{}");
    if (!body) return body.error();
    return parse_cursors_answer(body.value());
}

Outcome<ReceiptView> SequencerClient::send(const SignedEntry& entry) {
    const auto body = exchange("quarry_sendOperation", R"({"operation":)" + to_json(entry.tx) + "}");
    if (!body) return body.error();
    return receipt_of(entry.id, body.value());
}

Outcome<std::optional<ReceiptView>> SequencerClient::receipt(const Digest& id) {
    ObjectWriter w;
    w.elements("id", id);
    const auto body = exchange("quarry_getReceipt", std::move(w).finish());
    if (!body) return body.error();
    auto receipt = receipt_of(id, body.value());
    if (receipt) return std::optional<ReceiptView>(std::move(receipt).value());
    if (receipt.error().name == "unknown_operation") return std::optional<ReceiptView>();
    return receipt.error();
}

}  // namespace quarry::node::wallet
