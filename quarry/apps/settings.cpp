#include "quarry/apps/settings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "quarry/apps/failure.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/file_io.hpp"

namespace quarry::apps {
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;

}  // namespace

void load_settings(const node::Settings& settings, const std::string& file) {
    if (!file.empty()) {
        const auto bytes = value_of(node::read_whole_file(file, kMaxConfigBytes));
        (void)value_of(settings.apply_toml(node::as_text(bytes), file));
    }
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
    (void)value_of(settings.apply_environment(environment));
}

void apply_settings(const node::Settings& settings, std::span<const std::string> assignments) {
    for (const std::string& assignment : assignments) {
        const std::size_t equals = assignment.find('=');
        if (equals == std::string::npos)
            throw Failure(exit_usage, "usage", fmt::format("'{}' is not NAME=VALUE", assignment), "see --show");
        (void)value_of(settings.set(assignment.substr(0, equals), std::string_view(assignment).substr(equals + 1)));
    }
}

void show_settings(const node::Settings& settings, const Session& session) {
    if (session.json) {
        boost::json::object object;
        for (const node::Setting& setting : settings.all()) object[setting.name] = setting.show();
        return print_json(object);
    }
    for (const node::Setting& setting : settings.all())
        print(fmt::format("{} = {}\n    {}\n", setting.name, setting.show(), setting.help));
}

}  // namespace quarry::apps
