#include "quarry/apps/key_cache.hpp"

#include <cstdlib>
#include <memory>

#include "quarry/circuits/segment_key.hpp"
#include "quarry/node/key_folder.hpp"

namespace quarry::apps {

std::string key_cache_folder() {
    const auto variable = [](const char* name) { return std::getenv(name); };  // NOLINT(concurrency-mt-unsafe)
    if (const char* folder = variable("QUARRY_KEYS")) return folder;
    if (const char* cache = variable("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
        return std::string(cache) + "/quarry/keys";
    }
    if (const char* home = variable("HOME"); home != nullptr && *home != '\0') {
        return std::string(home) + "/.cache/quarry/keys";
    }
    return {};
}

void use_key_cache() {
    if (const std::string folder = key_cache_folder(); !folder.empty()) {
        circuits::segment_keys().use_store(std::make_shared<node::KeyFolder>(folder));
    }
}

}  // namespace quarry::apps
