/// JSON-RPC requests: whatever the bytes are, there is exactly one answer, and it is JSON or nothing.
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>

#include "quarry/base/check.hpp"
#include "quarry/node/rpc/json_rpc.hpp"

namespace {

using namespace quarry::node::rpc;

class NoConnection final : public Connection {
  public:
    [[nodiscard]] std::uint64_t id() const noexcept override { return 1; }
    [[nodiscard]] bool is_websocket() const noexcept override { return false; }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return 1; }
    void push(std::shared_ptr<const std::string>) override {}
};

/// Reads its parameters in every way there is.
void echo(const Params& params, const ConnectionPointer&, const std::function<void(Answer)>& answer) {
    const auto number = params.integer("number", 0);
    const auto text = params.text("text", 1);
    if (!number && !text && params.find("object", 2) == nullptr)
        return answer(invalid_params("none of them", "number"));
    boost::json::object result;
    if (number) result["number"] = *number;
    if (text) result["text"] = *text;
    answer(boost::json::serialize(result));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const ConnectionPointer connection = std::make_shared<NoConnection>();
    Dispatcher dispatcher({.max_batch = 8, .max_in_flight = 1});
    dispatcher.add("echo", echo);
    std::size_t answers = 0;
    dispatcher.handle({reinterpret_cast<const char*>(data), size}, connection, [&](const std::string& text) {
        ++answers;
        boost::json::error_code error;
        if (!text.empty()) (void)boost::json::parse(text, error);
        QUARRY_CHECK(!error);
    });
    QUARRY_CHECK(answers == 1);
    return 0;
}
