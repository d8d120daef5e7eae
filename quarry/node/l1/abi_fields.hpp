#pragma once
#include <concepts>
#include <limits>
#include <optional>
#include <vector>

#include "quarry/ethereum/abi.hpp"
#include "quarry/node/l1/hub_types.hpp"

namespace quarry::node::l1 {

/// The fields of a tuple or an event in their order, each read as what it is read into. The first that its type cannot
/// hold sticks as error(): what is read then, and only that, stays as it was. Precondition: the fields have the shapes
/// that are asked for, as abi_decode() makes them.
class AbiFields {
  public:
    explicit AbiFields(const ethereum::AbiValue::List& list) : list_(list) {}
    template <class... T>
    AbiFields& operator()(T&... fields) {
        (read(next(), fields), ...);
        return *this;
    }
    const ethereum::AbiValue& next() { return list_.at(at_++); }
    void refuse(const char* where) {
        if (!error_) error_ = ethereum::CodecError{ethereum::CodecCode::out_of_range, where};
    }
    [[nodiscard]] const std::optional<ethereum::CodecError>& error() const noexcept { return error_; }

  private:
    template <std::unsigned_integral T>
    void read(const ethereum::AbiValue& value, T& x) {
        const U256& word = value.word();
        if (!word.fits_u64() || word.low_u64() > std::numeric_limits<T>::max()) return refuse("number");
        x = static_cast<T>(word.low_u64());
    }
    void read(const ethereum::AbiValue& value, bool& x) { x = value.boolean(); }
    void read(const ethereum::AbiValue& value, U256& x) { x = value.word(); }
    void read(const ethereum::AbiValue& value, Bytes32& x) { x = value.bytes32(); }
    void read(const ethereum::AbiValue& value, Bytes& x) { x = value.bytes(); }
    void read(const ethereum::AbiValue& value, Address& x) { x = value.address(); }
    void read(const ethereum::AbiValue& value, rollup::L1Address& x) { x = to_rollup(value.address()); }
    void read(const ethereum::AbiValue& value, Parameters& x) { x = parameters_of(value); }
    void read(const ethereum::AbiValue& value, Terms& x) { x = terms_of(value); }
    void read(const ethereum::AbiValue& value, Opening& x) { x = opening_of(value); }
    void read(const ethereum::AbiValue& value, Digest& x) {
        const auto digest = digest_of_bytes(value.bytes32());
        if (!digest) return refuse("digest");
        x = *digest;
    }
    void read(const ethereum::AbiValue& value, rollup::Amount& x) {
        const auto amount = amount_of(value.word());
        if (!amount) return refuse("amount");
        x = *amount;
    }
    template <class T>
    void read(const ethereum::AbiValue& value, std::vector<T>& x) {
        for (const ethereum::AbiValue& element : value.list()) read(element, x.emplace_back());
    }

    const ethereum::AbiValue::List& list_;
    std::size_t at_ = 0;
    std::optional<ethereum::CodecError> error_;
};

}  // namespace quarry::node::l1
