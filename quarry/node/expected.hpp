#pragma once
#include <string>
#include <utility>
#include <variant>

#include "quarry/base/check.hpp"

namespace quarry::node {

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

/// What stops a whole piece of work, for people: `name` is a stable word for scripts, cause and remedy are half
/// sentences without a full stop.
struct Problem {
    enum class Kind {
        refused,      ///< the input was read, and what it says does not hold
        bad_input,    ///< a file is missing, unreadable, or of another kind
        environment,  ///< the machine: disk full, no permission
    };
    Kind kind = Kind::environment;
    std::string name;
    std::string cause;
    std::string remedy;
};
template <class T>
using Outcome = Expected<T, Problem>;
struct Done {};

}  // namespace quarry::node

/// Returns the error of `expression` from the enclosing function, if it is one.
#define QUARRY_PASS_ON(expression)                          \
    do {                                                    \
        auto quarry_passed_ = (expression);                 \
        if (!quarry_passed_) return quarry_passed_.error(); \
    } while (false)
