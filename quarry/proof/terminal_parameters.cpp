#include "quarry/proof/terminal_parameters.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "quarry/base/check.hpp"

namespace quarry {
namespace {

constexpr unsigned kMinLogLanesLater = 3;

/// Depth-first over rates, lanes and number of rounds. A branch ends where what it costs already is no better than the
/// best.
class TerminalSearch {
  public:
    explicit TerminalSearch(const TerminalOptions& options) : options_(options) {}

    std::optional<WhirParameters> run(unsigned log_size) {
        const unsigned message = log_size - options_.log_lanes;
        current_ = {log_size, {}, 0};
        for (unsigned k = 1; k <= options_.max_log_inv_rate && message + k <= KoalaBear::kTwoAdicity; ++k) {
            const auto round =
                plan_whir_round(log_size, message, k, true, options_.target, kTerminalBounds, ProofHash::keccak);
            if (!round) continue;
            current_.rounds = {*round};
            extend(message);
        }
        return best_;
    }

  private:
    /// Whole gas, so that rounding cannot make a compiler's difference: no two choices are as close as its error.
    using Rank = std::tuple<bool, double, std::size_t>;

    /// What the rounds so far and the rest cost; grows with every round.
    [[nodiscard]] EvmCost cost() const {
        EvmCost r = options_.rest;
        for (std::size_t i = 0; i < current_.rounds.size(); ++i) {
            r = r + evm_round_cost(current_, i, options_.witness_lanes, options_.preprocessed_lanes);
        }
        return r;
    }
    [[nodiscard]] Rank rank(const EvmCost& cost) const {
        return {cost.bytes > options_.max_bytes, std::floor(evm_transaction_gas(cost)), cost.bytes};
    }

    void extend(unsigned log_size) {
        if (evm_proving_seconds(current_, options_.witness_lanes + options_.preprocessed_lanes) > options_.max_seconds)
            return;
        const EvmCost so_far = cost();
        if (best_ && rank(so_far) >= best_rank_) return;
        const WhirRound previous = current_.rounds.back();
        if (log_size <= options_.max_log_final) {
            const Rank whole = rank(so_far + evm_final_cost(log_size, previous.num_queries));
            if (!best_ || whole < best_rank_) {
                best_ = current_;
                best_->log_final = log_size;
                best_rank_ = whole;
            }
        }
        if (current_.rounds.size() == options_.max_rounds) return;
        const bool second = current_.rounds.size() == 1;
        const unsigned least = second ? kMinLogLanesLater : previous.log_lanes;
        const unsigned most = second ? options_.max_log_lanes_later : previous.log_lanes;
        for (unsigned lanes = least; lanes <= most && lanes + 2 <= log_size; ++lanes) {
            const unsigned message = log_size - lanes;
            // Rates never rise, codes at least halve.
            for (unsigned k = previous.log_inv_rate; message + k < previous.log_message + previous.log_inv_rate; ++k) {
                const auto& round = plan(log_size, message, k);
                if (!round) continue;
                current_.rounds.push_back(*round);
                extend(message);
                current_.rounds.pop_back();
            }
        }
    }

    const std::optional<WhirRound>& plan(unsigned log_size, unsigned message, unsigned k) {
        auto& plan = plans_[(log_size * kSide + message) * kSide + k];
        if (!plan) {
            plan = plan_whir_round(log_size, message, k, false, options_.target, kTerminalBounds, ProofHash::keccak);
        }
        return *plan;
    }

    const TerminalOptions& options_;
    WhirParameters current_{};
    std::optional<WhirParameters> best_;
    Rank best_rank_{};
    static constexpr unsigned kSide = KoalaBear::kTwoAdicity + 1;
    // Not braced: an aggregate's optional may be made from the count.
    std::vector<std::optional<std::optional<WhirRound>>> plans_ =
        std::vector<std::optional<std::optional<WhirRound>>>(kSide * kSide * kSide);
};

}  // namespace

std::optional<WhirParameters> find_terminal_parameters(unsigned log_size, const TerminalOptions& options) {
    QUARRY_CHECK(log_size >= options.log_lanes + 9 && log_size <= 28);
    QUARRY_CHECK(options.log_lanes >= 1 && options.max_log_inv_rate >= 1 && options.max_rounds >= 1);
    return TerminalSearch(options).run(log_size);
}

}  // namespace quarry
