#pragma once
#include <boost/json.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "quarry/ethereum/clock.hpp"
#include "quarry/ethereum/http.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/operation_json.hpp"
#include "quarry/rollup/hashing.hpp"

/// A sequencer of a few accounts that answers as docs/rpc.md says, for tests of its clients.
namespace quarry::node::wallet {

struct FakeClock final : ethereum::Clock {
    std::uint64_t now = 0;
    std::uint64_t now_ms() override { return now; }
    void sleep_ms(std::uint64_t duration_ms) override { now += duration_ms; }
};

class FakeSequencer final : public ethereum::HttpTransport {
  public:
    struct Account {
        rollup::Owner owner;
        rollup::TokenId token = 0;
        std::uint64_t balance = 0;
        rollup::Nonce nonce = 0;
    };
    std::map<rollup::SlotIndex, Account> accounts;
    std::map<std::string, std::string> stages;  ///< by id
    std::vector<SignedTransaction> received;
    rollup::RollupParameters parameters;
    std::string suggested_fee = "2";
    bool accepts_fee = true;
    std::optional<std::string> receipt_id;  ///< what receipts name instead of what was asked for
    /// Called before each answer: what it returns is the answer instead, if anything.
    std::function<std::optional<ethereum::Answer<ethereum::HttpReply>>(const std::string& method)> disturb;

    ethereum::Answer<ethereum::HttpReply> exchange(const ethereum::Url&, const ethereum::HttpRequest& request,
                                                   std::uint64_t, std::size_t) override {
        const auto document = boost::json::parse(request.body).as_object();
        const std::string method(document.at("method").as_string().c_str());
        if (disturb) {
            if (auto instead = disturb(method)) return *instead;
        }
        return ethereum::HttpReply{200, answer(method, document.at("params").as_object()), 0};
    }

  private:
    static std::string result(const std::string& text) { return R"({"jsonrpc":"2.0","id":1,"result":)" + text + "}"; }
    static std::string refuse(int number, const std::string& code) {
        return R"({"jsonrpc":"2.0","id":1,"error":{"code":)" + std::to_string(number) +
               R"(,"message":"no","data":{"code":")" + code + R"(","reason":"because"}}})";
    }
    std::string account_json(rollup::SlotIndex slot) const {
        const Account& a = accounts.at(slot);
        ObjectWriter w;
        w.integer("slot", slot).integer("token", a.token).text("balance", std::to_string(a.balance));
        w.integer("nonce", a.nonce).integer("next_nonce", a.nonce).elements("key_hash", a.owner.key_hash);
        w.address("address", a.owner.address).elements("pair", rollup::pair_hash(a.owner));
        return std::move(w).finish();
    }
    std::string receipt_json(const std::string& id) const {
        ObjectWriter w;
        w.text("id", receipt_id.value_or(id))
            .text("stage", stages.at(id))
            .text("code", "why")
            .text("reason", "for a reason");
        return result(std::move(w).finish());
    }
    std::string answer(const std::string& method, const boost::json::object& params) {
        if (method == "quarry_getAccount") {
            std::string list;
            const auto* by_slot = params.if_contains("slot");
            for (const auto& [slot, a] : accounts) {
                const bool matches =
                    by_slot != nullptr ? by_slot->to_number<rollup::SlotIndex>() == slot
                                       : to_hex(a.owner.key_hash) == params.at("key_hash").as_string().c_str() &&
                                             to_hex(a.owner.address.bytes) == params.at("address").as_string().c_str();
                if (matches) list += (list.empty() ? "" : ",") + account_json(slot);
            }
            if (by_slot != nullptr && list.empty()) return refuse(-32004, "unknown_account");
            return result("{\"accounts\":[" + list + "]}");
        }
        if (method == "quarry_feeQuote")
            return result(std::string(R"({"token":0,"accepted":)") + (accepts_fee ? "true" : "false") +
                          R"(,"minimum":"1","new_pair_minimum":"5","suggested":")" + suggested_fee + "\"}");
        if (method == "quarry_sendOperation") {
            const auto line = parse_input_line(boost::json::serialize(params.at("operation")));
            received.push_back(std::get<SignedTransaction>(line.value()));
            const std::string id = to_hex(rollup::transaction_id(rollup::domain_hash(parameters), received.back().tx));
            stages.emplace(id, "executed");
            return receipt_json(id);
        }
        if (method == "quarry_getReceipt") {
            const std::string id(params.at("id").as_string().c_str());
            return stages.contains(id) ? receipt_json(id) : refuse(-32004, "unknown_operation");
        }
        return refuse(-32601, "unknown_method");
    }
};

}  // namespace quarry::node::wallet
