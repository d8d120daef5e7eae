#pragma once
#include <string>

#include "quarry/node/log.hpp"

namespace quarry::apps {

/// Writes events to stderr, one JSON object a line: time (UTC), level, event, and the event's fields as strings.
/// `level`: debug, info, warning or error; what is below is left out.
node::LogSink make_log(const std::string& level);

}  // namespace quarry::apps
