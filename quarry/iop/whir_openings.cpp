#include "quarry/iop/whir_openings.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/iop/whir.hpp"

namespace quarry {
namespace {

std::vector<std::size_t> distinct(std::vector<std::size_t> positions) {
    std::ranges::sort(positions);
    const auto repeated = std::ranges::unique(positions);
    positions.erase(repeated.begin(), repeated.end());
    return positions;
}

}  // namespace

std::size_t whir_row_width(const WhirParameters& parameters, std::size_t round, std::size_t used_lanes) {
    return round == 0 ? used_lanes : ExtField::kDegree << parameters.rounds[round].log_lanes;
}

PrunedWhirOpenings prune_openings(const WhirOpenings& openings) {
    QUARRY_CHECK(openings.positions.size() == openings.rounds.size());
    PrunedWhirOpenings pruned;
    for (std::size_t i = 0; i < openings.rounds.size(); ++i) {
        const auto& round = openings.rounds[i];
        const auto& positions = openings.positions[i];
        QUARRY_CHECK(!round.empty() && round.size() == positions.size());
        const std::vector<std::size_t> indices = distinct(positions);
        PrunedWhirRound wire;
        std::vector<MerklePath<PoseidonHasher>> paths;
        for (const std::size_t index : indices) {
            const auto j = static_cast<std::size_t>(std::ranges::find(positions, index) - positions.begin());
            wire.rows.insert(wire.rows.end(), round[j].row.begin(), round[j].row.end());
            paths.push_back(round[j].path);
        }
        const auto height = static_cast<unsigned>(round[0].path.size());
        wire.paths = prune<PoseidonHasher>(indices, height, paths);
        pruned.push_back(std::move(wire));
    }
    return pruned;
}

Result<std::vector<WhirQueries>> replay_queries(NativeVerifierChannel channel, const Digest& root,
                                                const WhirParameters& parameters) {
    std::vector<WhirQueries> queries;
    Digest oracle = root;
    for (std::size_t i = 0; i < parameters.rounds.size(); ++i) {
        const WhirRound& round = parameters.rounds[i];
        const bool last = i + 1 == parameters.rounds.size();
        for (unsigned v = 0; v < round.log_lanes; ++v) {
            (void)channel.receive_ext();
            (void)channel.receive_ext();
            (void)channel.challenge();
        }
        Digest next{};
        if (last) {
            for (std::size_t b = 0; b < std::size_t{1} << parameters.log_final; ++b) (void)channel.receive_ext();
        } else {
            next = channel.receive_digest();
            (void)channel.challenge();
            (void)channel.receive_ext();
        }
        QUARRY_TRY(channel.check_grinding(round.grinding_bits, "whir/nonce"));
        queries.push_back({oracle, {}});
        for (unsigned j = 0; j < round.num_queries; ++j) {
            queries.back().positions.push_back(channel.challenge_index(round.log_message + round.log_inv_rate).value);
        }
        if (!last) (void)channel.challenge();
        oracle = next;
    }
    return queries;
}

Result<WhirOpenings> expand_openings(NativeVerifierChannel channel, const Digest& root, std::size_t used_lanes,
                                     const PrunedWhirOpenings& pruned, const WhirParameters& parameters) {
    QUARRY_TRY(validate(parameters));
    if (pruned.size() != parameters.rounds.size()) return Error{Errc::bad_length, "whir/openings"};
    QUARRY_TRY_ASSIGN(const std::vector<WhirQueries> queries, replay_queries(channel, root, parameters));
    WhirOpenings openings;
    for (std::size_t i = 0; i < pruned.size(); ++i) {
        const WhirRound& round = parameters.rounds[i];
        const std::size_t width = whir_row_width(parameters, i, used_lanes);
        const auto& [oracle, positions] = queries[i];
        const std::vector<std::size_t> indices = distinct(positions);
        QUARRY_TRY_ASSIGN(const std::vector<MerklePath<PoseidonHasher>> paths,
                          expand<PoseidonHasher>(oracle, round.log_message + round.log_inv_rate, width, indices,
                                                 pruned[i].rows, pruned[i].paths));
        openings.rounds.emplace_back();
        for (const std::size_t position : positions) {
            const auto at = std::ranges::lower_bound(indices, position) - indices.begin();
            const auto row = pruned[i].rows.begin() + at * static_cast<std::ptrdiff_t>(width);
            openings.rounds.back().push_back(
                {{row, row + static_cast<std::ptrdiff_t>(width)}, paths[static_cast<std::size_t>(at)]});
        }
        openings.positions.push_back(positions);
    }
    return openings;
}

}  // namespace quarry
