#include "quarry/apps/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "quarry/apps/output.hpp"
#include "quarry/hash/poseidon_batch.hpp"
#include "quarry/poly/measure.hpp"

namespace quarry::apps {

Calibration calibrate(Progress& progress) {
    progress.show("calibration", 1);
    std::array<double, 3> rates{};
    for (double& rate : rates) rate = measure_poseidon_permutations_per_second(0.3);
    std::ranges::sort(rates);
    return {rates[1], measure_memory_bandwidth()};
}

boost::json::object to_json(const Calibration& calibration) {
    return {{"poseidon_permutations_per_second_per_core", whole(calibration.permutations_per_second)},
            {"memory_bandwidth_bytes_per_second", whole(calibration.bytes_per_second)}};
}

std::string to_text(const Calibration& calibration) {
    return fmt::format("{:.2f} M native permutations/s on a core, {:.1f} GB/s copying memory",
                       calibration.permutations_per_second / 1e6, calibration.bytes_per_second / 1e9);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

}  // namespace quarry::apps
