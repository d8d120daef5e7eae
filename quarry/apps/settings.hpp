#pragma once
#include <span>
#include <string>
#include <vector>

#include "quarry/apps/commands.hpp"
#include "quarry/node/settings.hpp"

/// Settings of a process on the command line. Precedence: defaults, the file, the environment, flags, --set.
namespace quarry::apps {

/// Sets what the file (empty: none) says, then the environment. Throws Failure.
void load_settings(const node::Settings& settings, const std::string& file);
/// Sets NAME=VALUE, each. Throws Failure.
void apply_settings(const node::Settings& settings, std::span<const std::string> assignments);
/// Prints them as they are now, with help, or as one object.
void show_settings(const node::Settings& settings, const Session& session);

}  // namespace quarry::apps
