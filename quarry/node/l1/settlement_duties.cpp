#include "quarry/node/l1/settlement_duties.hpp"

#include <algorithm>

#include "quarry/node/l1/hub_contract.hpp"

namespace quarry::node::l1 {
namespace {

/// How many raises are due: equal steps in the last part of the proving window.
std::uint64_t num_raises_due(const Submission& s, const SettlementOptions& options, std::uint64_t timestamp) {
    if (options.raise_amount.is_zero() || timestamp >= s.deadline) return 0;
    const std::uint64_t window = s.deadline - s.submitted.timestamp;
    const std::uint64_t start = s.deadline - window * std::min(options.raise_last_percent, 100U) / 100;
    if (timestamp < start) return 0;
    const std::uint64_t due = (timestamp - start) * options.num_raises / (s.deadline - start) + 1;
    return std::min<std::uint64_t>(due, options.num_raises);
}

bool is_late(const Submission& s, const SettlementOptions& options, std::uint64_t timestamp) {
    return options.discards_late && timestamp >= s.deadline + options.discard_after_sec && timestamp >= s.locked_until;
}

}  // namespace

bool is_deep(std::uint64_t block, const std::optional<HubView::Head>& head, unsigned confirmations) {
    return block != 0 && head && head->number + 1 >= block + confirmations;
}

std::vector<Duty> due_duties(const HubState& state, const HubView::Head& head, const SettlementOptions& options,
                             const Address& hub, const Address& self) {
    std::vector<Duty> due;
    const auto add = [&](std::string name, Bytes data, std::uint64_t SettlementFigures::* counter,
                         const U256& value = {}) {
        due.push_back({std::move(name), hub, std::move(data), value, counter});
    };
    const RollupRecord* r = state.rollup(options.rollup);
    if (r == nullptr || r->is_foreign) return due;
    const Submission* open = state.batch(r->id, r->finalised + 1);
    if (open != nullptr && open->state == BatchState::pending) {
        const std::string id = std::to_string(open->id);
        const auto num_raised = static_cast<std::uint64_t>(
            std::ranges::count_if(open->raises, [&](const Raise& raise) { return raise.from == self; }));
        for (std::uint64_t k = num_raised; k < num_raises_due(*open, options, head.timestamp); ++k) {
            add("raise/" + id + "/" + std::to_string(k), hub_call::raise_bounty(r->id, open->number),
                &SettlementFigures::raises, options.raise_amount);
        }
        if (is_late(*open, options, head.timestamp)) {
            add("discard/" + id, hub_call::discard_unproven(r->id, open->number), &SettlementFigures::discards);
        }
    }
    for (const std::uint64_t id : r->orphans) {
        const Submission& s = *state.submission(id);
        if (s.sequencer != self || !is_deep(s.orphaned.block, head, options.final_confirmations)) continue;
        add("settle/" + std::to_string(id), hub_call::settle(id), &SettlementFigures::settlements);
    }
    for (const std::uint64_t id : r->raised) {
        const Submission& s = *state.submission(id);
        const std::uint64_t since = std::max(s.proven.block, s.orphaned.block);
        if (!is_deep(since, head, options.final_confirmations)) continue;
        for (std::size_t i = 0; i < s.raises.size(); ++i) {
            const Raise& raise = s.raises[i];
            if (raise.from != self || raise.is_reclaimed || !is_returned(raise, s)) continue;
            add("reclaim/" + std::to_string(id) + "/" + std::to_string(i), hub_call::reclaim_raise(id, i),
                &SettlementFigures::reclaims);
        }
    }
    return due;
}

}  // namespace quarry::node::l1
