#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "quarry/base/printable.hpp"
#include "quarry/ethereum/json_fields.hpp"
#include "quarry/ethereum/json_rpc.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::size_t kMaxRevertBytes = std::size_t{1} << 20;

/// Some nodes put the revert's data under `data`, some one level deeper.
Bytes revert_data(const boost::json::value* data) {
    if (data != nullptr && data->is_object()) data = data->get_object().if_contains("data");
    if (data == nullptr || !data->is_string()) return {};
    auto r = from_hex({data->get_string().data(), data->get_string().size()}, kMaxRevertBytes);
    return r ? std::move(r).value() : Bytes{};
}

EthereumError read_error(const boost::json::value& value) {
    const auto* const object = value.if_object();
    const auto* const code = object == nullptr ? nullptr : object->if_contains("code");
    const auto* const message = object == nullptr ? nullptr : object->if_contains("message");
    if (code == nullptr || !code->is_int64() || message == nullptr || !message->is_string()) {
        return bad_response("an error without code and message");
    }
    const std::string_view text(message->get_string().data(), message->get_string().size());
    return classify_rpc_error(code->get_int64(), text, revert_data(object->if_contains("data")));
}

/// The result or the error of one answer, and its id.
Answer<std::pair<std::uint64_t, Answer<std::string>>> read_one(const boost::json::value& value) {
    const auto* const object = value.if_object();
    if (object == nullptr) return bad_response("no object");
    const auto* const error = object->if_contains("error");
    const auto* const id = object->if_contains("id");
    const bool is_error = error != nullptr && !error->is_null();
    // What cannot be read as a request is answered without its id.
    if (is_error && (id == nullptr || id->is_null())) return read_error(*error);
    if (id == nullptr || !id->is_int64() || id->get_int64() < 0) return bad_response("no id");
    const auto number = static_cast<std::uint64_t>(id->get_int64());
    if (is_error) return std::pair{number, Answer<std::string>(read_error(*error))};
    const auto* const result = object->if_contains("result");
    if (result == nullptr) return bad_response("neither result nor error");
    return std::pair{number, Answer<std::string>(boost::json::serialize(*result))};
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

}  // namespace

EthereumError classify_rpc_error(std::int64_t code, std::string_view message, Bytes data) {
    const std::string shown = printable(message);  // in logs and on terminals
    std::string text = " " + shown;                // a word may be asked for with the space before it
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const auto cause = [&] {
        using enum EthereumCode;
        if (contains_any(text, {"nonce too low", "nonce is too low"})) return nonce_too_low;
        if (contains_any(text, {"already known", "already imported", " known transaction"})) return already_known;
        if (contains_any(text, {"insufficient funds", "insufficient balance"})) return insufficient_funds;
        if (contains_any(text,
                         {"underpriced", "fee too low", "less than block base fee", "lower than the current base"})) {
            return underpriced;
        }
        if (contains_any(text, {"oversized data", "transaction too large"})) return transaction_too_large;
        if (contains_any(text, {"intrinsic gas", "floor data gas", "gas floor"})) return gas_below_floor;
        if (contains_any(text, {"gas limit too high", "exceeds block gas limit", "exceeds transaction gas limit"})) {
            return gas_above_cap;
        }
        if (contains_any(text, {"pool is full", "txpool full", "address already reserved", "account limit exceeded",
                                "in-flight transaction limit"})) {
            return pool_full;
        }
        if (code == 3 || contains_any(text, {"revert"})) return execution_reverted;
        if (code == -32601 || contains_any(text, {"method not found"})) return unknown_method;
        if (contains_any(text, {"query returned more than", "block range", "range too large", "too many results",
                                "response size", "too many blocks", "max results"})) {
            return too_many_results;
        }
        if (code == -32005 || code == 429 || contains_any(text, {"rate limit", "too many requests", "capacity"})) {
            return rate_limited;
        }
        if (contains_any(text, {"not found", "unknown block"})) return not_found;
        return rpc_error;
    }();
    return {cause, shown + " (" + std::to_string(code) + ")", std::move(data)};
}

Answer<std::vector<Answer<std::string>>> parse_rpc_response(std::string_view body, std::uint64_t first_id,
                                                            std::size_t num_calls, bool is_batch) {
    QUARRY_TRY_ASSIGN(const boost::json::value value, parse_json(body));
    std::vector<std::optional<Answer<std::string>>> found(num_calls);
    const auto take = [&](const boost::json::value& one) -> Answer<Done> {
        QUARRY_TRY_ASSIGN(auto answer, read_one(one));
        if (answer.first < first_id || answer.first - first_id >= num_calls) return bad_response("an unknown id");
        auto& place = found[answer.first - first_id];
        if (place) return bad_response("two answers to one request");
        place = std::move(answer.second);
        return Done{};
    };
    if (is_batch && value.is_array()) {
        for (const auto& one : value.get_array()) QUARRY_TRY(take(one));
    } else {
        QUARRY_TRY(take(value));
    }
    std::vector<Answer<std::string>> r;
    for (auto& answer : found) {
        if (!answer) return bad_response("a request without answer");
        r.push_back(std::move(*answer));
    }
    return r;
}

}  // namespace quarry::ethereum
