#include "quarry/node/rpc/json_rpc.hpp"

#include <boost/json.hpp>
#include <chrono>
#include <mutex>

namespace quarry::node::rpc {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 16;

const char* message_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::parse_error:
            return "parse error";
        case ErrorKind::invalid_request:
            return "invalid request";
        case ErrorKind::unknown_method:
            return "method not found";
        case ErrorKind::invalid_params:
            return "invalid params";
        case ErrorKind::internal:
            return "internal error";
        case ErrorKind::refused:
            return "operation refused";
        case ErrorKind::malformed:
            return "operation malformed";
        case ErrorKind::not_found:
            return "not found";
        case ErrorKind::limit:
            return "limit reached";
        case ErrorKind::unavailable:
            return "unavailable";
    }
    return "error";
}

std::string answer_text(const std::string& id, const Answer& answer) {
    const auto* result = std::get_if<std::string>(&answer);
    std::string text = R"({"jsonrpc":"2.0","id":)" + id;
    text += result != nullptr ? ",\"result\":" + *result : ",\"error\":" + to_json(std::get<Error>(answer));
    return text + "}";
}

Error invalid_request(std::string reason) {
    return {ErrorKind::invalid_request, "invalid_request", std::move(reason), {}};
}

std::optional<json::value> parse(std::string_view text) {
    json::parse_options options;
    options.max_depth = kMaxDepth;
    json::error_code error;
    json::value value = json::parse({text.data(), text.size()}, error, {}, options);
    if (error) return std::nullopt;
    return value;
}

}  // namespace

std::string to_json(const Error& error) {
    json::object data{{"code", error.code}, {"reason", error.reason}};
    if (!error.field.empty()) data["field"] = error.field;
    return json::serialize(json::object{
        {"code", static_cast<int>(error.kind)}, {"message", message_of(error.kind)}, {"data", std::move(data)}});
}

Error invalid_params(std::string reason, std::string field) {
    return {ErrorKind::invalid_params, "invalid_params", std::move(reason), std::move(field)};
}

const json::value* Params::find(std::string_view name, std::size_t place) const {
    if (value_ == nullptr) return nullptr;
    if (const auto* list = value_->if_array()) return place < list->size() ? &(*list)[place] : nullptr;
    return find(name);
}

const json::value* Params::find(std::string_view name) const {
    const auto* fields = value_ == nullptr ? nullptr : value_->if_object();
    return fields == nullptr ? nullptr : fields->if_contains({name.data(), name.size()});
}

std::optional<std::uint64_t> Params::integer(std::string_view name, std::size_t place) const {
    const json::value* value = find(name, place);
    if (value == nullptr) return std::nullopt;
    if (const auto* x = value->if_uint64()) return *x;
    if (const auto* x = value->if_int64(); x != nullptr && *x >= 0) return static_cast<std::uint64_t>(*x);
    return std::nullopt;
}

std::optional<std::string> Params::text(std::string_view name, std::size_t place) const {
    const json::value* value = find(name, place);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string(value->get_string());
}

/// The answers of one request text, until all are there.
struct Dispatcher::Pending {
    std::mutex mutex;
    std::vector<std::string> texts;  ///< empty: a notification, which has none
    std::size_t missing = 0;
    std::size_t num_bytes = 0;  ///< of texts
    bool is_batch = false;
    std::function<void(std::string)> respond;

    bool is_longer_than(std::size_t max_bytes) {
        const std::scoped_lock lock(mutex);
        return num_bytes > max_bytes;
    }
    void complete(std::size_t place, std::string text) {
        {
            const std::scoped_lock lock(mutex);
            num_bytes += text.size();
            texts[place] = std::move(text);
            if (--missing > 0) return;
        }
        if (!is_batch) return respond(std::move(texts.front()));
        std::string all;
        for (const std::string& t : texts) {
            if (!t.empty()) all += (all.empty() ? "[" : ",") + t;
        }
        respond(all.empty() ? all : all + "]");
    }
};

void Dispatcher::handle(std::string_view body, const ConnectionPointer& connection,
                        std::function<void(std::string)> respond) const {
    const auto refuse = [&](const Error& error) {
        if (on_answer) on_answer("", error.code, 0);
        respond(answer_text("null", error));
    };
    if (connection->in_flight() > limits_.max_in_flight) {
        return refuse({ErrorKind::limit,
                       "too_many_in_flight",
                       "the connection has as many requests without an answer as it may; wait for some",
                       {}});
    }
    const auto parsed = parse(body);
    if (!parsed) return refuse({ErrorKind::parse_error, "parse_error", "the request is not JSON", {}});
    const auto* batch = parsed->if_array();
    if (batch != nullptr && batch->empty()) return refuse(invalid_request("the batch is empty"));
    if (batch != nullptr && batch->size() > limits_.max_batch) {
        return refuse({ErrorKind::limit, "batch_too_long", "the batch has more requests than the server takes", {}});
    }
    const auto pending = std::make_shared<Pending>();
    pending->is_batch = batch != nullptr;
    pending->missing = batch != nullptr ? batch->size() : 1;
    pending->texts.resize(pending->missing);
    pending->respond = std::move(respond);
    if (batch == nullptr) return call(*parsed, 0, connection, pending);
    for (std::size_t i = 0; i < batch->size(); ++i) call((*batch)[i], i, connection, pending);
}

void Dispatcher::call(const json::value& request, std::size_t place, const ConnectionPointer& connection,
                      const std::shared_ptr<Pending>& pending) const {
    const auto fail = [&](const std::string& id, const Error& error) {
        if (on_answer) on_answer("", error.code, 0);
        pending->complete(place, answer_text(id, error));
    };
    const auto* fields = request.if_object();
    if (fields == nullptr) return fail("null", invalid_request("a request is an object"));
    const auto* version = fields->if_contains("jsonrpc");
    const auto* method = fields->if_contains("method");
    const auto* params = fields->if_contains("params");
    const auto* id = fields->if_contains("id");
    const bool id_ok = id == nullptr || id->is_string() || id->is_number() || id->is_null();
    const std::string id_text = id != nullptr && id_ok ? json::serialize(*id) : "null";
    if (!id_ok) return fail("null", invalid_request("the id is neither a string, a number nor null"));
    if (version == nullptr || !version->is_string() || version->get_string() != "2.0")
        return fail(id_text, invalid_request("jsonrpc is not \"2.0\""));
    if (method == nullptr || !method->is_string()) return fail(id_text, invalid_request("there is no method"));
    if (params != nullptr && !params->is_object() && !params->is_array())
        return fail(id_text, invalid_request("params are neither an object nor an array"));
    const auto& name = method->get_string();
    const auto known = methods_.find(std::string_view(name.data(), name.size()));
    if (known == methods_.end()) {
        const Error error{ErrorKind::unknown_method, "unknown_method", "there is no method of this name", {}};
        if (id != nullptr) return fail(id_text, error);
        if (on_answer) on_answer("", error.code, 0);
        return pending->complete(place, {});
    }
    if (pending->is_longer_than(limits_.max_answer_bytes)) {
        return fail(id_text, {ErrorKind::limit,
                              "answer_too_long",
                              "the batch's answer is as long as the server makes one; ask for the rest in another",
                              {}});
    }
    const auto start = std::chrono::steady_clock::now();
    const bool notification = id == nullptr;
    known->second(Params(params), connection, [=, this, method_name = &known->first](const Answer& answer) {
        const auto* error = std::get_if<Error>(&answer);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        if (on_answer) on_answer(*method_name, error != nullptr ? error->code : "", seconds.count());
        pending->complete(place, notification ? std::string() : answer_text(id_text, answer));
    });
}

}  // namespace quarry::node::rpc
