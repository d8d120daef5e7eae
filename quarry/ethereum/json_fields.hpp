#pragma once
#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/ethereum/error.hpp"
#include "quarry/ethereum/u256.hpp"

/// For the few files that read JSON: everything else sees typed values only.
namespace quarry::ethereum {

inline EthereumError bad_response(const char* why) { return {EthereumCode::bad_response, why, {}}; }
/// bad_json.
inline Answer<boost::json::value> parse_json(std::string_view text) {
    boost::system::error_code error;
    auto r = boost::json::parse({text.data(), text.size()}, error);
    if (error) return EthereumError{EthereumCode::bad_json, error.message(), {}};
    return r;
}

/// Reads an object's members by name. The first refusal sticks: later reads give zeros, and finish() says which member
/// it was, so that a reader looks like the list of its members.
class JsonFields {
  public:
    JsonFields(const boost::json::value& value, const char* what);

    /// Whether the member is there and not null.
    [[nodiscard]] bool has(std::string_view name) const;
    /// Whether the member is `true`; absent counts as false.
    [[nodiscard]] bool is_true(std::string_view name) const;
    std::string_view text(std::string_view name);
    std::uint64_t quantity(std::string_view name);
    U256 amount(std::string_view name);
    Bytes bytes(std::string_view name, std::size_t limit_bytes);
    void fixed(std::string_view name, std::span<std::uint8_t> out);
    Hash hash(std::string_view name);
    Address address(std::string_view name);
    std::vector<Hash> hashes(std::string_view name, std::size_t limit);
    /// Null unless it is an array.
    const boost::json::array* array(std::string_view name);
    void refuse(std::string_view name);
    [[nodiscard]] Answer<Done> finish() const;

  private:
    const boost::json::value* find(std::string_view name) const;
    const boost::json::object* object_;
    const char* what_;
    std::string refused_;
};

}  // namespace quarry::ethereum
