#include "quarry/iop/whir_openings.hpp"

#include "quarry/field/extension.hpp"

namespace quarry {

std::vector<OracleShape> whir_oracles(const WhirParameters& parameters, std::span<const std::size_t> lanes_of_parts) {
    std::vector<OracleShape> oracles;
    for (std::size_t i = 0; i < parameters.rounds.size(); ++i) {
        const WhirRound& round = parameters.rounds[i];
        const unsigned log_rows = round.log_message + round.log_inv_rate;
        if (i == 0) {
            for (const std::size_t lanes : lanes_of_parts) oracles.push_back({i, lanes, log_rows});
        } else {
            oracles.push_back({i, ExtField::kDegree << round.log_lanes, log_rows});
        }
    }
    return oracles;
}

}  // namespace quarry
