#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/node/development_keys.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/operation_json.hpp"
#include "quarry/rollup/store.hpp"

/// Made-up traffic on a development network's state: signed operations and queue entries that execute in order.
namespace quarry::node {

/// How often each kind comes, relative to the others.
struct WorkloadMix {
    unsigned transfer = 80;
    unsigned new_pair = 5;
    unsigned withdraw = 10;
    unsigned deposit = 5;
    unsigned change_key = 0;
    unsigned forced = 0;
    unsigned set_key = 0;

    [[nodiscard]] std::uint64_t total() const noexcept {
        return std::uint64_t{transfer} + new_pair + withdraw + deposit + change_key + forced + set_key;
    }
};

struct WorkloadOptions {
    std::size_t count = 0;
    std::size_t num_invalid = 0;  ///< of the count: each of them is refused, for one cause or another
    std::uint64_t seed = 1;       ///< equal seeds on equal states give equal lines
    WorkloadMix mix;
    rollup::Amount fee{1};
    rollup::Timestamp expiry = 4'000'000'000;
};

/// Receives the lines, with their ends, in order; false stops.
using LineSink = std::function<bool(std::string_view)>;

/// What was made: how many lines that execute, and how many that are refused under which code.
struct WorkloadReport {
    std::size_t valid = 0;
    std::map<std::string, std::size_t> invalid;
};

/// Development accounts: slot s belongs to key s of the network's seed, and to key s + g 2^32 after g changes of its
/// key. Slots that belong to none of these only receive.
///
/// Draws senders and receivers evenly over all slots, keeps balances and nonces in step, signs on the caller's TBB
/// arena. refused (no_sender): no slot can pay.
Outcome<WorkloadReport> make_workload(const rollup::StateReader& state, const rollup::RollupParameters& parameters,
                                      const DevelopmentKeys& keys, const WorkloadOptions& options,
                                      const LineSink& sink);

/// The leaves of a new development network: slot i is account i's, its key published. And their keys.
struct DevelopmentGenesis {
    std::vector<rollup::Leaf> leaves;
    std::vector<rollup::AccountKey> keys;
    rollup::RollupParameters parameters;  ///< genesis root left at zero
};
DevelopmentGenesis make_development_genesis(const DevelopmentKeys& keys, std::size_t num_accounts,
                                            rollup::TokenId token, rollup::Amount balance,
                                            rollup::Amount min_new_pair_fee);

}  // namespace quarry::node
