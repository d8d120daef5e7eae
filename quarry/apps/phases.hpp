#pragma once
#include <array>
#include <string_view>
#include <utility>

namespace quarry::apps {

/// What part of a proof's time goes before the phase of this name starts; negative for any other name. The shares are
/// those of a large batch.
inline double done_before_phase(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, double>, 10> kDoneBefore{{{"execute", 0.0},
                                                                               {"signatures", 0.02},
                                                                               {"timeline", 0.05},
                                                                               {"witness", 0.08},
                                                                               {"trace", 0.14},
                                                                               {"commit", 0.18},
                                                                               {"logup", 0.65},
                                                                               {"zerocheck", 0.7},
                                                                               {"open", 0.9},
                                                                               {"encode", 0.99}}};
    for (const auto& [phase, fraction] : kDoneBefore) {
        if (name == phase) return fraction;
    }
    return -1;
}

}  // namespace quarry::apps
