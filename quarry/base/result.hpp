#pragma once
#include <utility>
#include <variant>

#include "quarry/base/check.hpp"
#include "quarry/base/errc.hpp"

namespace quarry {

/// One cause (an enumerator) and the place that noticed it (a literal). Comparable by cause.
struct Error {
    Errc code;
    const char* where = "";
    friend bool operator==(const Error& a, const Error& b) noexcept { return a.code == b.code; }
};

/// A value or an Error: what every function returns that takes bytes or messages from outside.
template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
    Result(Error error) : v_(std::in_place_index<1>, error) {}         // NOLINT(google-explicit-constructor)
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
    [[nodiscard]] Error error() const {
        QUARRY_CHECK(!ok());
        return *std::get_if<1>(&v_);
    }

  private:
    std::variant<T, Error> v_;
};

struct Ok {};
using Status = Result<Ok>;

}  // namespace quarry

/// Returns the error of `expression` from the enclosing function, if it is one.
#define QUARRY_TRY(expression)                        \
    do {                                              \
        auto quarry_try_ = (expression);              \
        if (!quarry_try_) return quarry_try_.error(); \
    } while (false)

/// `declaration` = value of `expression`, or return its error.
#define QUARRY_TRY_ASSIGN(declaration, expression) QUARRY_TRY_ASSIGN_(declaration, expression, __LINE__)
#define QUARRY_TRY_ASSIGN_(declaration, expression, line) QUARRY_TRY_ASSIGN__(declaration, expression, line)
#define QUARRY_TRY_ASSIGN__(declaration, expression, line)    \
    auto quarry_try_##line = (expression);                    \
    if (!quarry_try_##line) return quarry_try_##line.error(); \
    declaration = std::move(quarry_try_##line).value()
