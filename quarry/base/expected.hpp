#pragma once
#include <utility>
#include <variant>

#include "quarry/base/check.hpp"

namespace quarry {

/// A value or the cause of its refusal.
template <class T, class E>
class [[nodiscard]] Expected {
  public:
    Expected(T value) : v_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
    Expected(E error) : v_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)
    [[nodiscard]] bool ok() const noexcept { return v_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }
    [[nodiscard]] const T& value() const& {
        QUARRY_CHECK(ok());
        return *std::get_if<0>(&v_);
    }
    [[nodiscard]] T& value() & {
        QUARRY_CHECK(ok());
        return *std::get_if<0>(&v_);
    }
    [[nodiscard]] T&& value() && {
        QUARRY_CHECK(ok());
        return std::move(*std::get_if<0>(&v_));
    }
    [[nodiscard]] const E& error() const {
        QUARRY_CHECK(!ok());
        return *std::get_if<1>(&v_);
    }

  private:
    std::variant<T, E> v_;
};

}  // namespace quarry
