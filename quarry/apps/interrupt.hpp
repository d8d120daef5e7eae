#pragma once
#include <atomic>

namespace quarry::apps {

/// From now on SIGINT (Ctrl-C) and SIGTERM set the flag instead of ending the process; a second one ends it as usual.
const std::atomic<bool>& stop_requested();

}  // namespace quarry::apps
