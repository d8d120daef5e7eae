// Failover, repetition and what is read from answers, with a scripted way there.

#include "quarry/ethereum/json_rpc.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "quarry/base/printable.hpp"
#include "quarry/ethereum/rpc_chain.hpp"

namespace quarry::ethereum::json_rpc_test {
namespace {

class ManualClock final : public Clock {
  public:
    std::uint64_t now_ms() override { return time_ms; }
    void sleep_ms(std::uint64_t duration_ms) override { time_ms += duration_ms; }
    std::uint64_t time_ms = 1;
};

/// Answers by host, in order; the last one is repeated. "$ID" becomes the id of the (first) request.
class ScriptedTransport final : public HttpTransport {
  public:
    Answer<HttpReply> exchange(const Url& url, const HttpRequest& request, std::uint64_t, std::size_t) override {
        asked.push_back(url.host);
        auto& queue = script.at(url.host);
        Answer<HttpReply> reply = queue.front();
        if (queue.size() > 1) queue.pop_front();
        if (!reply) return reply;
        const std::size_t at = request.body.find("\"id\":") + 5;
        const std::string id = request.body.substr(at, request.body.find(',', at) - at);
        std::string& body = reply.value().body;
        for (std::size_t i; (i = body.find("$ID")) != std::string::npos;) body.replace(i, 3, id);
        return reply;
    }
    void add(const std::string& host, unsigned status, std::string body, std::uint64_t retry_after_ms = 0) {
        script[host].emplace_back(HttpReply{status, std::move(body), retry_after_ms});
    }
    void add(const std::string& host, EthereumCode code) { script[host].emplace_back(EthereumError{code, host, {}}); }
    std::map<std::string, std::deque<Answer<HttpReply>>> script;
    std::vector<std::string> asked;
};

constexpr const char* kFine = R"({"jsonrpc":"2.0","id":$ID,"result":"0x7"})";

class JsonRpcTest : public ::testing::Test {
  protected:
    Answer<std::string> call(RpcOptions options = {}) {
        if (!rpc_) {
            options.endpoints = {"http://a", "http://b"};
            auto rpc = JsonRpc::create(options, transport_, clock_);
            EXPECT_TRUE(rpc.ok());
            rpc_ = std::move(rpc).value();
        }
        return rpc_->call({.method = "eth_x", .params = "[]"});
    }
    std::shared_ptr<ScriptedTransport> transport_ = std::make_shared<ScriptedTransport>();
    ManualClock clock_;
    std::unique_ptr<JsonRpc> rpc_;
};

TEST_F(JsonRpcTest, WhoIsDoubtedIsAskedLastForAWhile) {
    transport_->add("a", 200, kFine);
    transport_->add("b", 200, kFine);
    EXPECT_TRUE(call().ok());
    rpc_->doubt();
    EXPECT_TRUE(call().ok());
    EXPECT_EQ(transport_->asked, (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(rpc_->endpoints()[0].is_resting);
    clock_.time_ms += RpcOptions{}.rest_ms;
    EXPECT_TRUE(call().ok());
    EXPECT_EQ(transport_->asked.back(), "a");
}

TEST_F(JsonRpcTest, ASecondEndpointServesAndTheFirstRestsForAWhile) {
    transport_->add("a", EthereumCode::timed_out);
    transport_->add("b", 200, kFine);
    EXPECT_EQ(call().value(), "\"0x7\"");
    EXPECT_EQ(call().value(), "\"0x7\"");
    EXPECT_EQ(transport_->asked, (std::vector<std::string>{"a", "b", "b"}));
    clock_.time_ms += 15'000;
    EXPECT_TRUE(call().ok());
    EXPECT_EQ(transport_->asked.size(), 5U) << "a is tried again";
}

TEST_F(JsonRpcTest, AfterAllAttemptsTheLastCauseIsTheAnswer) {
    transport_->add("a", EthereumCode::connect_failed);
    transport_->add("b", 503, "<html>");
    EXPECT_EQ(call().error().code, EthereumCode::http_status);
    EXPECT_EQ(transport_->asked.size(), 4U);
    EXPECT_GE(clock_.time_ms, 250U);
}

TEST_F(JsonRpcTest, ErrorsOfTheNodeAreNotRepeatedRateLimitsAre) {
    transport_->add("a", 200, R"({"id":$ID,"error":{"code":3,"message":"execution reverted","data":"0x0102"}})");
    transport_->add("b", 200, kFine);
    const auto reverted = call();
    EXPECT_EQ(reverted.error().code, EthereumCode::execution_reverted);
    EXPECT_EQ(reverted.error().revert_data, (Bytes{1, 2}));
    EXPECT_EQ(transport_->asked.size(), 1U);
    transport_->script.clear();
    transport_->add("a", 429, "", 3'000);
    transport_->add("a", 200, kFine);
    transport_->add("b", 200, R"({"id":$ID,"error":{"code":-32005,"message":"rate limit"}})");
    EXPECT_TRUE(call().ok());
    EXPECT_GE(clock_.time_ms, 3'000U) << "as long as the server asked for";
}

TEST_F(JsonRpcTest, AnEndpointOnAnotherChainIsNotUsed) {
    transport_->add("a", 200, kFine);
    transport_->add("b", 200, R"({"id":$ID,"result":"0x1"})");
    RpcOptions options;
    options.chain_id = 1;
    EXPECT_EQ(call(options).value(), "\"0x1\"");
    EXPECT_EQ(rpc_->endpoints()[0].last_error, "wrong_chain");
}

TEST_F(JsonRpcTest, StoppedCallsEnd) {
    transport_->add("a", 200, kFine);
    transport_->add("b", 200, kFine);
    EXPECT_TRUE(call().ok());
    rpc_->stop();
    EXPECT_EQ(call().error().code, EthereumCode::stopped);
}

TEST(RpcResponse, BatchesAreReadByIdWhateverTheirOrder) {
    const auto r =
        parse_rpc_response(R"([{"id":6,"result":[1]},{"id":5,"error":{"code":-32601,"message":"x"}}])", 5, 2, true);
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r.value()[0].error().code, EthereumCode::unknown_method);
    EXPECT_EQ(r.value()[1].value(), "[1]");
    const auto refused = [](std::string_view body) { return parse_rpc_response(body, 5, 1, true).error().code; };
    EXPECT_EQ(refused("[]"), EthereumCode::bad_response);
    EXPECT_EQ(refused(R"([{"id":4,"result":1}])"), EthereumCode::bad_response);
    EXPECT_EQ(refused(R"([{"id":5,"result":1},{"id":5,"result":1}])"), EthereumCode::bad_response);
    EXPECT_EQ(refused(R"([{"id":5}])"), EthereumCode::bad_response);
    EXPECT_EQ(refused("nonsense"), EthereumCode::bad_json);
    EXPECT_EQ(refused(std::string(100, '[')), EthereumCode::bad_json);
}

TEST(RpcResponse, WordsOfAMessageTellTheCause) {
    const auto cause = [](std::string_view message) { return classify_rpc_error(-32000, message, {}).code; };
    EXPECT_EQ(cause("already known"), EthereumCode::already_known);
    EXPECT_EQ(cause("Known transaction: 0x12"), EthereumCode::already_known);
    EXPECT_EQ(cause("INTERNAL_ERROR: known transaction"), EthereumCode::already_known);
    // What a node does not have must not count as sent.
    EXPECT_EQ(cause("unknown transaction 0x12"), EthereumCode::rpc_error);
    EXPECT_EQ(cause("nonce too low: next nonce 5, tx nonce 4"), EthereumCode::nonce_too_low);
}

TEST(RpcResponse, AMessageCannotSteerATerminal) {
    const std::string clears = R"(a \u001b[2J \"b\" \\ \u00e9)";
    const auto said = [](const std::string& message) {
        return parse_rpc_response(R"({"id":5,"error":{"code":-32000,"message":")" + message + R"("}})", 5, 1, false)
            .value()[0]
            .error()
            .detail;
    };
    EXPECT_EQ(said(clears), "a ?[2J 'b' ? ?? (-32000)");
    EXPECT_EQ(said(std::string(1'000'000, 'x')), std::string(kMaxPrintable, 'x') + " (-32000)");
    EXPECT_EQ(classify_rpc_error(1, "\x1b]0;\a", {}).detail, "?]0;? (1)");
}

TEST_F(JsonRpcTest, AnswersAboutAnotherTransactionAreRefused) {
    const auto hash = [](char digit) { return "0x" + std::string(64, digit); };
    Hash asked{};
    asked.fill(0x11);
    const auto receipt = [&](char transaction, char of_log, char block_of_log) {
        return R"({"jsonrpc":"2.0","id":$ID,"result":{"transactionHash":")" + hash(transaction) + R"(","blockHash":")" +
               hash('7') +
               R"(","blockNumber":"0x5","transactionIndex":"0x0","status":"0x1","gasUsed":"0x1","effectiveGasPrice":"0x1",)"
               R"("logs":[{"address":"0x)" +
               std::string(40, '3') + R"(","topics":[],"data":"0x","blockNumber":"0x5","blockHash":")" +
               hash(block_of_log) + R"(","transactionHash":")" + hash(of_log) +
               R"(","transactionIndex":"0x0","logIndex":"0x0"}]}})";
    };
    const std::string transaction = R"({"jsonrpc":"2.0","id":$ID,"result":{"hash":")" + hash('2') + R"(","from":"0x)" +
                                    std::string(40, '3') + R"(","nonce":"0x0","value":"0x0","input":"0x"}})";
    for (const std::string& body :
         {receipt('1', '1', '7'), receipt('2', '2', '7'), receipt('1', '2', '7'), receipt('1', '1', '8'), transaction})
        transport_->add("a", 200, body);
    RpcOptions options;
    options.endpoints = {"http://a"};
    const std::shared_ptr<JsonRpc> rpc = JsonRpc::create(options, transport_, clock_).value();
    const auto chain = make_rpc_chain(rpc);
    ASSERT_TRUE(chain->receipt(asked).value().has_value());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(chain->receipt(asked).error().code, EthereumCode::bad_response) << i;
    EXPECT_EQ(chain->transaction(asked).error().code, EthereumCode::bad_response);
}

TEST(RpcResults, HalfAnswersAreRefused) {
    EXPECT_EQ(parse_block("null").error().code, EthereumCode::not_found);
    EXPECT_EQ(parse_block(R"({"number":"0x1"})").error().code, EthereumCode::bad_response);
    EXPECT_EQ(parse_logs(R"([{}])").error().code, EthereumCode::bad_response);
    EXPECT_FALSE(parse_receipt("null").value().has_value());
    EXPECT_EQ(parse_receipt(R"({"blockHash":"0x12"})").error().code, EthereumCode::bad_response);
    const auto fees = parse_fee_history(
        R"({"baseFeePerGas":["0x1","0x9"],"baseFeePerBlobGas":["0x1","0x3"],"reward":[["0x5"],["0x0"],["0x2"],["0x9"]]})");
    ASSERT_TRUE(fees.ok());
    EXPECT_EQ(fees.value().base_fee, U256(9));
    EXPECT_EQ(fees.value().blob_base_fee, U256(3));
    EXPECT_EQ(fees.value().priority_fee, U256(5));
}

TEST(UrlText, IsReadOrRefused) {
    const Url url = parse_url("https://user:pw@[::1]:8545/v3/key?x=1").value();
    EXPECT_EQ(url.host, "::1");
    EXPECT_EQ(url.port, "8545");
    EXPECT_EQ(url.target, "/v3/key?x=1");
    EXPECT_EQ(url.user_info, "user:pw");
    EXPECT_EQ(parse_url("http://h").value().port, "80");
    for (const char* text :
         {"", "h", "ftp://h", "ws://h", "http://", "http://h:", "http://h:12x", "http://h :1", "http://[::1"}) {
        EXPECT_EQ(parse_url(text).error().code, EthereumCode::bad_url) << text;
    }
}

}  // namespace
}  // namespace quarry::ethereum::json_rpc_test
