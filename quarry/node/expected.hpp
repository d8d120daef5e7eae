#pragma once
#include <string>

#include "quarry/base/expected.hpp"

namespace quarry::node {

using quarry::Expected;

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
