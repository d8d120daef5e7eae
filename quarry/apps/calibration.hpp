#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "quarry/apps/progress.hpp"

namespace quarry::apps {

/// What this machine can do at all, so that results of different machines can be compared.
struct Calibration {
    double permutations_per_second = 0;  ///< Poseidon, native, one core
    double bytes_per_second = 0;         ///< copying memory
};
Calibration calibrate(Progress& progress);
boost::json::object to_json(const Calibration& calibration);
std::string to_text(const Calibration& calibration);

/// Of repeated measurements; not none.
double median(std::vector<double> values);

}  // namespace quarry::apps
