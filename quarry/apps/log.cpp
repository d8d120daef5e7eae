#include "quarry/apps/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json.hpp>
#include <memory>

namespace quarry::apps {
namespace {

namespace json = boost::json;

spdlog::level::level_enum to_spdlog(node::LogLevel level) {
    switch (level) {
        case node::LogLevel::debug:
            return spdlog::level::debug;
        case node::LogLevel::info:
            return spdlog::level::info;
        case node::LogLevel::warning:
            return spdlog::level::warn;
        case node::LogLevel::error:
            break;
    }
    return spdlog::level::err;
}

}  // namespace

node::LogSink make_log(const std::string& level) {
    auto logger = std::make_shared<spdlog::logger>("quarry", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    auto formatter = std::make_unique<spdlog::pattern_formatter>(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                                                                 spdlog::pattern_time_type::utc);
    logger->set_formatter(std::move(formatter));
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::debug);
    return [logger](node::LogLevel at, std::string_view event, const node::LogFields& fields) {
        json::object object{{"event", json::string_view(event.data(), event.size())}};
        for (const auto& [name, value] : fields) object[json::string_view(name.data(), name.size())] = value;
        const std::string text = json::serialize(object);
        logger->log(to_spdlog(at), "{}", std::string_view(text).substr(1, text.size() - 2));
    };
}

}  // namespace quarry::apps
