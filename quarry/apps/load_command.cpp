/// `quarry load`: signs transfers between development accounts and sends them to a sequencer at a given rate.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <random>
#include <thread>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/ethereum/http.hpp"
#include "quarry/node/development_keys.hpp"
#include "quarry/node/operation_json.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 100;    // JSON-RPC requests in an array
constexpr std::size_t kSampled = 200;  // receipts asked for again at the end
constexpr rollup::Timestamp kExpiry = 4'000'000'000;

struct LoadCommand {
    std::string rpc = "http://127.0.0.1:9545";
    std::uint64_t seed = 1;
    std::size_t accounts = 1000;
    std::size_t first = 1;
    std::size_t rate = 2000;
    std::size_t seconds = 10;
    std::size_t connections = 2;
    std::size_t group = 50;
    std::string fee = "1";
};

struct Account {
    rollup::SlotIndex slot = 0;
    std::unique_ptr<SecretKey<KB11>> secret;
    rollup::TokenId token = 0;
    rollup::Nonce nonce = 0;
    Digest pair{};
};

Failure bad_answer(const std::string& text) {
    return {exit_refused, "bad_answer", "the node answered something else: " + text.substr(0, 300),
            "see that it is a quarry sequencer of this version"};
}

/// The sequencer's RPC, over a connection of its own.
class RpcClient {
  public:
    explicit RpcClient(const std::string& url) : transport_(ethereum::make_http_transport()) {
        const auto parsed = ethereum::parse_url(url);
        if (!parsed || !parsed.value().scheme.starts_with("http")) {
            throw Failure(exit_bad_input, "bad_url", "'" + url + "' is no http:// or https:// URL",
                          "name the node's RPC, for instance http://127.0.0.1:9545");
        }
        url_ = parsed.value();
    }

    /// The answer to a request, or the array of those to many.
    json::value post(std::string body) {
        ethereum::HttpRequest request;
        request.body = std::move(body);
        const auto reply = transport_->exchange(url_, request, kTimeoutMs, kMaxAnswerBytes);
        if (!reply) {
            throw Failure(exit_environment, "rpc_unreachable", "no answer from the node: " + reply.error().detail,
                          "see that it runs there and how busy it is, and try again");
        }
        if (reply.value().status != 200) {
            throw Failure(exit_refused, "http_status",
                          fmt::format("{} {}", reply.value().status, reply.value().body.substr(0, 300)),
                          "see docs/rpc.md, section 1");
        }
        json::error_code error;
        json::value value = json::parse(reply.value().body, error);
        if (error) throw bad_answer(reply.value().body);
        return value;
    }
    json::value post(const json::value& request) { return post(json::serialize(request)); }

  private:
    static constexpr std::uint64_t kTimeoutMs = 30'000;
    static constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 20;
    std::unique_ptr<ethereum::HttpTransport> transport_;
    ethereum::Url url_;
};

/// The result of one answer, or a Failure.
const json::value& result_of(const json::value& answer) {
    const auto* object = answer.if_object();
    const auto* result = object == nullptr ? nullptr : object->if_contains("result");
    if (result == nullptr) throw bad_answer(json::serialize(answer));
    return *result;
}

Digest digest_of(const json::value& value) {
    const std::string object = "{\"x\":" + json::serialize(value) + "}";
    node::ObjectReader r(object, object.size());
    const Digest digest = r.digest("x");
    if (r.finish()) throw bad_answer(object);
    return digest;
}

json::object call(const char* method, json::object params, std::size_t id) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
}

/// Accounts first, first + 1, .. of the seed, as the node has them now.
std::vector<Account> load_accounts(RpcClient& client, const LoadCommand& command) {
    const node::DevelopmentKeys keys(command.seed);
    std::vector<Account> accounts(command.accounts);
    for (std::size_t begin = 0; begin < accounts.size(); begin += kBatch) {
        json::array calls;
        const std::size_t end = std::min(accounts.size(), begin + kBatch);
        for (std::size_t i = begin; i < end; ++i)
            calls.push_back(call("quarry_getAccount", {{"slot", command.first + i}}, i));
        const json::value answers = client.post(calls);
        if (!answers.is_array()) throw bad_answer(json::serialize(answers));
        for (const json::value& answer : answers.get_array()) {
            const json::value& found = result_of(answer).at("accounts").at(0);
            Account& account = accounts.at(answer.at("id").to_number<std::size_t>());
            account.slot = found.at("slot").to_number<rollup::SlotIndex>();
            account.token = found.at("token").to_number<rollup::TokenId>();
            account.nonce = found.at("next_nonce").to_number<rollup::Nonce>();
            account.pair = digest_of(found.at("pair"));
            account.secret = std::make_unique<SecretKey<KB11>>(keys.secret(account.slot));
        }
    }
    return accounts;
}

struct Totals {
    std::uint64_t sent = 0;
    std::uint64_t executed = 0;
    std::uint64_t received = 0;
    std::map<std::string, std::uint64_t> refused;
    std::vector<double> latencies;
    std::vector<std::string> sample;  ///< ids
    double signing_seconds = 0;
    std::optional<Failure> failure;
};

/// One connection, with accounts of its own: those whose number leaves the remainder `index`.
class Sender {
  public:
    Sender(const LoadCommand& command, const Digest& domain, std::vector<Account>& accounts, std::size_t index)
        : command_(command), domain_(domain), accounts_(accounts), index_(index), rng_(command.seed * 1000 + index) {}

    void run(Clock::time_point start) {
        try {
            RpcClient client(command_.rpc);
            const double groups_per_second =
                static_cast<double>(command_.rate) / static_cast<double>(command_.group * command_.connections);
            const auto end = start + std::chrono::seconds(command_.seconds);
            for (std::size_t k = 0;; ++k) {
                const auto due = start + std::chrono::duration_cast<Clock::duration>(
                                             std::chrono::duration<double>(static_cast<double>(k) / groups_per_second));
                if (due >= end || Clock::now() >= end) break;
                std::this_thread::sleep_until(due);
                send_group(client);
            }
        } catch (const Failure& failure) {
            totals.failure = failure;
        } catch (const std::exception& error) {
            totals.failure = bad_answer(error.what());
        }
    }

    Totals totals;

  private:
    std::string make_transfer(Account& from) {
        const Account& to = accounts_[rng_() % accounts_.size()];
        const Account& receiver = &to == &from ? accounts_[(from.slot + 1 - accounts_[0].slot) % accounts_.size()] : to;
        node::SignedTransaction tx;
        rollup::Transfer transfer;
        transfer.auth.slot = from.slot;
        transfer.auth.expiry = kExpiry;
        transfer.auth.fee = amount_of(command_.fee);
        transfer.receiver = receiver.slot;
        transfer.amount = rollup::Amount(1 + rng_() % 100);
        tx.tx.op = transfer;
        tx.tx.token = from.token;
        tx.tx.nonce = from.nonce;
        tx.tx.receiver_pair = receiver.pair;
        node::sign(tx, domain_, *from.secret);
        return node::to_json(tx);
    }

    void send_group(RpcClient& client) {
        std::vector<Account*> senders;
        std::string request = R"({"jsonrpc":"2.0","id":1,"method":"quarry_sendOperations","params":{"operations":[)";
        const auto sign_start = Clock::now();
        for (std::size_t i = 0; i < command_.group; ++i) {
            Account& from = accounts_[next_];
            next_ += command_.connections;
            if (next_ >= accounts_.size()) next_ = index_;
            request += (i == 0 ? "" : ",") + make_transfer(from);
            senders.push_back(&from);
        }
        request += "]}}";
        const auto sent_at = Clock::now();
        totals.signing_seconds += std::chrono::duration<double>(sent_at - sign_start).count();
        totals.sent += senders.size();
        const json::value answer = client.post(std::move(request));
        totals.latencies.push_back(std::chrono::duration<double>(Clock::now() - sent_at).count());
        const auto& receipts = result_of(answer).as_array();
        if (receipts.size() != senders.size()) throw bad_answer(json::serialize(answer));
        for (std::size_t i = 0; i < senders.size(); ++i) count(receipts[i], *senders[i]);
    }

    void count(const json::value& receipt, Account& from) {
        if (const auto* error = receipt.as_object().if_contains("error")) {
            ++totals.refused[std::string(error->at("data").at("code").as_string())];
            return;
        }
        ++from.nonce;
        const auto& stage = receipt.at("stage").as_string();
        if (stage == "executed") ++totals.executed;
        if (stage == "received") ++totals.received;
        if (totals.sample.size() < kSampled) totals.sample.emplace_back(receipt.at("id").as_string());
    }

    const LoadCommand& command_;
    const Digest& domain_;
    std::vector<Account>& accounts_;
    std::size_t index_;
    std::size_t next_ = index_;
    std::mt19937_64 rng_;
};

/// How many of these operations the node knows as executed, or further.
std::size_t count_executed(RpcClient& client, const std::vector<std::string>& ids) {
    std::size_t executed = 0;
    for (std::size_t begin = 0; begin < ids.size(); begin += kBatch) {
        json::array calls;
        for (std::size_t i = begin; i < std::min(ids.size(), begin + kBatch); ++i)
            calls.push_back(call("quarry_getReceipt", {{"id", ids[i]}}, i));
        const json::value answers = client.post(calls);
        for (const json::value& answer : answers.as_array()) {
            const auto& stage = result_of(answer).at("stage").as_string();
            executed += stage == "executed" || stage == "posted" || stage == "proven" || stage == "claimable" ? 1 : 0;
        }
    }
    return executed;
}

double percentile_ms(const std::vector<double>& sorted, double fraction) {
    if (sorted.empty()) return 0;
    const auto at = static_cast<std::size_t>(fraction * static_cast<double>(sorted.size() - 1));
    return rounded(1000 * sorted[at], 2);
}

void report(const Totals& t, std::size_t confirmed, double seconds, const Session& session) {
    const std::uint64_t accepted = t.executed + t.received;
    json::object refused;
    for (const auto& [code, count] : t.refused) refused[code] = count;
    if (session.json) {
        return print_json(json::object{{"ok", true},
                                       {"sent", t.sent},
                                       {"accepted", accepted},
                                       {"executed", t.executed},
                                       {"refused", std::move(refused)},
                                       {"seconds", rounded(seconds, 3)},
                                       {"accepted_per_second", whole(static_cast<double>(accepted) / seconds)},
                                       {"latency_ms",
                                        {{"p50", percentile_ms(t.latencies, 0.5)},
                                         {"p95", percentile_ms(t.latencies, 0.95)},
                                         {"p99", percentile_ms(t.latencies, 0.99)},
                                         {"max", percentile_ms(t.latencies, 1)}}},
                                       {"signing_seconds", rounded(t.signing_seconds, 3)},
                                       {"receipts_checked", t.sample.size()},
                                       {"receipts_executed", confirmed}});
    }
    print(fmt::format("{} transfers/s accepted: {} of {} sent in {}\n",
                      with_commas(whole(static_cast<double>(accepted) / seconds)), with_commas(accepted),
                      with_commas(t.sent), human_seconds(seconds)));
    print(fmt::format("  answer to a group  p50 {} ms, p99 {} ms\n", percentile_ms(t.latencies, 0.5),
                      percentile_ms(t.latencies, 0.99)));
    print(fmt::format("  receipts           {} of {} asked for are executed\n", confirmed, t.sample.size()));
    for (const auto& [code, count] : t.refused)
        print(fmt::format("  refused            {} {}\n", with_commas(count), code));
}

void run_load(const LoadCommand& command, const Session& session) {
    if (command.accounts < command.connections * command.group) {
        throw Failure(exit_usage, "usage", "a group holds an account twice",
                      "choose --accounts of at least --connections times --group");
    }
    RpcClient client(command.rpc);
    const json::value status = client.post(call("quarry_status", {}, 0));
    const Digest domain = digest_of(result_of(status).at("domain"));
    std::vector<Account> accounts = load_accounts(client, command);
    std::vector<std::unique_ptr<Sender>> senders;
    for (std::size_t i = 0; i < command.connections; ++i)
        senders.push_back(std::make_unique<Sender>(command, domain, accounts, i));
    const auto start = Clock::now();
    {
        std::vector<std::jthread> threads;
        for (const auto& sender : senders) threads.emplace_back([&sender, start] { sender->run(start); });
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    Totals all;
    for (const auto& sender : senders) {
        const Totals& t = sender->totals;
        if (t.failure) throw Failure(*t.failure);
        all.sent += t.sent;
        all.executed += t.executed;
        all.received += t.received;
        all.signing_seconds += t.signing_seconds;
        for (const auto& [code, count] : t.refused) all.refused[code] += count;
        all.latencies.insert(all.latencies.end(), t.latencies.begin(), t.latencies.end());
        all.sample.insert(all.sample.end(), t.sample.begin(), t.sample.end());
    }
    std::ranges::sort(all.latencies);
    report(all, count_executed(client, all.sample), seconds, session);
}

}  // namespace

void add_load_command(CLI::App& app, Session& session) {
    const auto load = std::make_shared<LoadCommand>();
    CLI::App* command = add_command(app, session, "load", "Send signed transfers to a development sequencer, at a rate",
                                    "quarry load --rpc http://127.0.0.1:9545 --rate 2000 --seconds 10 --json",
                                    [load, &session] { run_load(*load, session); });
    command->add_option("--rpc", load->rpc, "the sequencer's RPC")->type_name("URL")->capture_default_str();
    command->add_option("--seed", load->seed, "of the accounts' development keys")
        ->type_name("N")
        ->capture_default_str();
    add_number(*command, "--accounts", load->accounts, 2, 1'000'000, "that send and receive")->capture_default_str();
    add_number(*command, "--first", load->first, 0, 1'000'000'000, "slot of the first of them")->capture_default_str();
    add_number(*command, "--rate", load->rate, 1, 1'000'000, "transfers a second")->capture_default_str();
    add_number(*command, "--seconds", load->seconds, 1, 86'400, "for how long")->capture_default_str();
    add_number(*command, "--connections", load->connections, 1, 256, "each a thread")->capture_default_str();
    add_number(*command, "--group", load->group, 1, 1000, "transfers in a request")->capture_default_str();
    add_amount(*command, "--fee", load->fee, "of each transfer")->capture_default_str();
}

}  // namespace quarry::apps
