#include "quarry/ethereum/json_fields.hpp"

namespace quarry::ethereum {

JsonFields::JsonFields(const boost::json::value& value, const char* what) : object_(value.if_object()), what_(what) {
    if (object_ == nullptr) refused_ = "no object";
}

const boost::json::value* JsonFields::find(std::string_view name) const {
    return object_ == nullptr ? nullptr : object_->if_contains({name.data(), name.size()});
}

bool JsonFields::has(std::string_view name) const {
    const auto* const value = find(name);
    return value != nullptr && !value->is_null();
}

bool JsonFields::is_true(std::string_view name) const {
    const auto* const value = find(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

void JsonFields::refuse(std::string_view name) {
    if (refused_.empty()) refused_ = name;
}

std::string_view JsonFields::text(std::string_view name) {
    const auto* const value = find(name);
    const auto* const r = value == nullptr ? nullptr : value->if_string();
    if (r != nullptr) return {r->data(), r->size()};
    refuse(name);
    return {};
}

std::uint64_t JsonFields::quantity(std::string_view name) {
    const auto r = parse_quantity(text(name));
    if (r) return r.value();
    refuse(name);
    return 0;
}

U256 JsonFields::amount(std::string_view name) {
    auto r = U256::from_hex(text(name));
    if (r) return r.value();
    refuse(name);
    return {};
}

Bytes JsonFields::bytes(std::string_view name, std::size_t limit_bytes) {
    auto r = from_hex(text(name), limit_bytes);
    if (r) return std::move(r).value();
    refuse(name);
    return {};
}

void JsonFields::fixed(std::string_view name, std::span<std::uint8_t> out) {
    if (!read_hex(text(name), out)) refuse(name);
}

Hash JsonFields::hash(std::string_view name) {
    Hash r{};
    fixed(name, r);
    return r;
}

Address JsonFields::address(std::string_view name) {
    Address r;
    fixed(name, r.bytes);
    return r;
}

const boost::json::array* JsonFields::array(std::string_view name) {
    const auto* const value = find(name);
    const auto* const r = value == nullptr ? nullptr : value->if_array();
    if (r == nullptr) refuse(name);
    return r;
}

std::vector<Hash> JsonFields::hashes(std::string_view name, std::size_t limit) {
    std::vector<Hash> r;
    const auto* const list = array(name);
    if (list == nullptr) return r;
    if (list->size() > limit) refuse(name);
    for (const auto& element : *list) {
        const auto* const string = element.if_string();
        if (string == nullptr || !read_hex({string->data(), string->size()}, r.emplace_back())) refuse(name);
        if (r.size() == limit) break;
    }
    return r;
}

Answer<Done> JsonFields::finish() const {
    if (refused_.empty()) return Done{};
    return EthereumError{EthereumCode::bad_response, std::string(what_) + ": " + refused_, {}};
}

}  // namespace quarry::ethereum
