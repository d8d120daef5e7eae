#pragma once
#include <exception>
#include <string>
#include <utility>

#include "quarry/base/result.hpp"

namespace quarry::apps {

/// Exit codes of every command: stable, listed in `quarry --help`.
enum ExitCode : int {
    exit_ok = 0,
    exit_refused = 1,      ///< the input was read, and what it claims is refused
    exit_usage = 2,        ///< the command line
    exit_bad_input = 3,    ///< an input file cannot be read or is of another kind
    exit_environment = 4,  ///< the machine: cannot write, disk full, out of memory, missing instruction set
    exit_internal = 5,     ///< our own bug
};

/// Why a command stops: caught in main, which prints one line. Exceptions are for this folder only.
class Failure : public std::exception {
  public:
    /// `name` is a stable word for scripts; `cause` and `remedy` are for people, without a full stop.
    Failure(ExitCode code, std::string name, std::string cause, std::string remedy, std::string where = "")
        : code_(code),
          name_(std::move(name)),
          cause_(std::move(cause)),
          remedy_(std::move(remedy)),
          where_(std::move(where)) {}

    [[nodiscard]] ExitCode code() const noexcept { return code_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const std::string& cause() const noexcept { return cause_; }
    [[nodiscard]] const std::string& remedy() const noexcept { return remedy_; }
    [[nodiscard]] const std::string& where() const noexcept { return where_; }
    [[nodiscard]] const char* what() const noexcept override { return cause_.c_str(); }

  private:
    ExitCode code_;
    std::string name_;
    std::string cause_;
    std::string remedy_;
    std::string where_;
};

/// The refusal of `what` (a file name) for `error`, with the remedy that fits its cause.
Failure refusal(ExitCode code, const std::string& what, const Error& error);

}  // namespace quarry::apps
