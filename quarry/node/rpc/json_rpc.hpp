#pragma once
#include <boost/json/fwd.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "quarry/node/rpc/server.hpp"

/// JSON-RPC 2.0: from the text of a request to calls of methods, and back. docs/rpc.md, section 3.
namespace quarry::node::rpc {

/// error.code of an answer.
enum class ErrorKind : int {
    parse_error = -32700,
    invalid_request = -32600,
    unknown_method = -32601,
    invalid_params = -32602,
    internal = -32603,
    refused = -32000,      ///< the operation breaks a rule
    malformed = -32001,    ///< the operation cannot be understood
    not_found = -32004,    ///< there is no such thing
    limit = -32005,        ///< a limit is reached
    unavailable = -32006,  ///< not possible now
};

struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string code;    ///< error.data.code: a stable word
    std::string reason;  ///< error.data.reason: a sentence
    std::string field;   ///< error.data.field; empty: none
};
/// The error object of an answer.
std::string to_json(const Error& error);
Error invalid_params(std::string reason, std::string field = {});

/// The JSON of a result, or why there is none.
using Answer = std::variant<std::string, Error>;

/// The parameters of a call: by name, or by place.
class Params {
  public:
    explicit Params(const boost::json::value* value) : value_(value) {}
    /// Null: absent.
    [[nodiscard]] const boost::json::value* find(std::string_view name, std::size_t place) const;
    /// Null also when parameters come by place.
    [[nodiscard]] const boost::json::value* find(std::string_view name) const;
    /// An unsigned integer. No value: absent, or of another kind.
    [[nodiscard]] std::optional<std::uint64_t> integer(std::string_view name, std::size_t place) const;
    [[nodiscard]] std::optional<std::string> text(std::string_view name, std::size_t place) const;

  private:
    const boost::json::value* value_;
};

/// `answer` is called exactly once, from any thread, then or later. `params` lives only until the method returns.
using Method =
    std::function<void(const Params& params, const ConnectionPointer& connection, std::function<void(Answer)> answer)>;

struct DispatcherLimits {
    std::size_t max_batch = 100;
    std::size_t max_in_flight = 64;
    std::size_t max_answer_bytes = std::size_t{4} << 20;  ///< of a batch: once it has more, the rest is refused
};

class Dispatcher {
  public:
    explicit Dispatcher(const DispatcherLimits& limits) : limits_(limits) {}
    void add(std::string name, Method method) { methods_[std::move(name)] = std::move(method); }
    /// Called after each answer: method (empty: unknown or none), data.code of the error or empty, seconds.
    std::function<void(std::string_view, std::string_view, double)> on_answer;

    /// Total. `respond` as in Handler::on_request.
    void handle(std::string_view body, const ConnectionPointer& connection,
                std::function<void(std::string)> respond) const;

  private:
    struct Pending;
    void call(const boost::json::value& request, std::size_t place, const ConnectionPointer& connection,
              const std::shared_ptr<Pending>& pending) const;

    DispatcherLimits limits_;
    std::map<std::string, Method, std::less<>> methods_;
};

}  // namespace quarry::node::rpc
