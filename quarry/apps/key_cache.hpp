#pragma once
#include <string>

namespace quarry::apps {

/// Where keys are kept between runs: QUARRY_KEYS, or quarry/keys in the user's cache folder (XDG_CACHE_HOME, else
/// .cache of HOME). Empty: nowhere, if QUARRY_KEYS is empty or none of them is set.
std::string key_cache_folder();
/// From now on this process takes keys from there, and leaves there what it makes. Read on first use.
void use_key_cache();

}  // namespace quarry::apps
