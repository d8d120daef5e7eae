#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quarry::node {

enum class LogLevel { debug, info, warning, error };

/// What a node reports of its own doing: a stable name of the event, and fields. Where it goes is the program's choice.
/// Called from several threads.
using LogFields = std::vector<std::pair<std::string_view, std::string>>;
using LogSink = std::function<void(LogLevel level, std::string_view event, const LogFields& fields)>;

}  // namespace quarry::node
