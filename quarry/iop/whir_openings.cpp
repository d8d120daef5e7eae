#include "quarry/iop/whir_openings.hpp"

#include "quarry/field/extension.hpp"

namespace quarry {

std::size_t whir_row_width(const WhirParameters& parameters, std::size_t round, std::size_t used_lanes) {
    return round == 0 ? used_lanes : ExtField::kDegree << parameters.rounds[round].log_lanes;
}

}  // namespace quarry
