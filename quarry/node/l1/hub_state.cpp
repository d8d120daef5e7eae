#include "quarry/node/l1/hub_state.hpp"

#include <algorithm>

#include "quarry/rollup/queue_hash.hpp"

namespace quarry::node::l1 {

/// One event's effect. Every function returns empty, or the name of what the specification forbids.
struct HubState::Apply {
    HubState& state;
    const Place& place;
    using Fault = const char*;

    RollupRecord* rollup_of(std::uint32_t id) const {
        const auto it = state.rollups_.find(id);
        return it == state.rollups_.end() ? nullptr : &it->second;
    }
    Submission* submission_of(std::uint64_t id) const {
        const auto it = state.submissions_.find(id);
        return it == state.submissions_.end() ? nullptr : &it->second;
    }
    /// An event of a foreign rollup says nothing here, whatever it names.
    template <class Event>
    Fault take(const Event& e) const {
        if constexpr (std::is_same_v<Event, BatchSubmitted>) {
            if (e.id != state.last_id_ + 1) return "submission_order";
            state.last_id_ = e.id;
        }
        if constexpr (requires { e.rollup; }) {
            const RollupRecord* r = rollup_of(e.rollup);
            if (r != nullptr && r->is_foreign) return nullptr;
        } else if constexpr (requires { e.id; }) {
            if (e.id <= state.last_id_ && submission_of(e.id) == nullptr) return nullptr;
        }
        return (*this)(e);
    }
    /// All submissions of the chain from `first` on are orphans.
    void orphan(RollupRecord& r, std::uint64_t first) const {
        for (auto it = r.chain.lower_bound(first); it != r.chain.end(); it = r.chain.erase(it)) {
            Submission& s = *submission_of(it->second);
            s.state = BatchState::orphaned;
            s.orphaned = place;
            r.orphans.insert(s.id);
            list_raises(r, s);
        }
        r.head = std::min(r.head, first - 1);
    }

    static void list_raises(RollupRecord& r, const Submission& s) {
        const bool is_open = std::ranges::any_of(s.raises, [&](const Raise& raise) {
            return !raise.is_reclaimed && (s.state == BatchState::pending || is_returned(raise, s));
        });
        if (is_open) r.raised.insert(s.id);
        if (!is_open) r.raised.erase(s.id);
    }

    Fault operator()(const VerifiersAdded& e) const {
        state.verifiers_[e.key] = e;
        return nullptr;
    }
    Fault operator()(const RollupRegistered& e) const {
        if (rollup_of(e.rollup) != nullptr) return "rollup_twice";
        RollupRecord& r = state.rollups_[e.rollup];
        r.id = e.rollup;
        r.owner = e.owner;
        r.domain = e.domain;
        r.min_new_pair_fee = e.min_new_pair_fee;
        r.parameters = e.parameters;
        r.tokens.emplace_back();
        r.registered = place;
        return nullptr;
    }
    template <class Change>
    Fault change_rollup(std::uint32_t id, Change change) const {
        RollupRecord* r = rollup_of(id);
        if (r == nullptr) return "unknown_rollup";
        change(*r);
        return nullptr;
    }
    Fault operator()(const SequencerSet& e) const {
        return change_rollup(e.rollup, [&](RollupRecord& r) {
            if (e.is_allowed) r.sequencers.insert(e.account);
            if (!e.is_allowed) r.sequencers.erase(e.account);
        });
    }
    Fault operator()(const UpgradeScheduled& e) const {
        return change_rollup(e.rollup, [&](RollupRecord& r) { r.scheduled = e; });
    }
    Fault operator()(const UpgradeCancelled& e) const {
        return change_rollup(e.rollup, [](RollupRecord& r) { r.scheduled.reset(); });
    }
    Fault operator()(const UpgradeApplied& e) const {
        return change_rollup(e.rollup, [&](RollupRecord& r) {
            r.parameters = e.parameters;
            r.scheduled.reset();
        });
    }
    Fault operator()(const OwnershipOffered&) const { return nullptr; }
    Fault operator()(const OwnershipTransferred& e) const {
        return change_rollup(e.rollup, [&](RollupRecord& r) { r.owner = e.new_owner; });
    }
    Fault operator()(const TokenAdded& e) const {
        RollupRecord* r = rollup_of(e.rollup);
        if (r == nullptr) return "unknown_rollup";
        if (r->tokens.size() != e.id) return "token_order";
        r->tokens.push_back(e.token);
        return nullptr;
    }

    Fault operator()(const DepositQueued& e) const {
        RollupRecord* r = rollup_of(e.rollup);
        if (r == nullptr) return "unknown_rollup";
        if (r->deposits.size() != e.index) return "deposit_order";
        const Bytes32 before = r->deposits.empty() ? Bytes32{} : r->deposits.back().hash;
        if (rollup::roll_queue(before, e.index, e.entry) != e.hash) return "deposit_hash";
        r->deposits.push_back({e.entry, e.hash, place});
        return nullptr;
    }
    Fault operator()(const ForcedQueued& e) const {
        RollupRecord* r = rollup_of(e.rollup);
        if (r == nullptr) return "unknown_rollup";
        if (r->forced.size() != e.index) return "forced_order";
        const Bytes32 before = r->forced.empty() ? Bytes32{} : r->forced.back().hash;
        if (rollup::roll_queue(before, e.index, e.entry) != e.hash) return "forced_hash";
        r->forced.push_back({e.entry, e.fee, e.hash, place});
        return nullptr;
    }

    Fault operator()(const BatchSubmitted& e) const {
        RollupRecord* r = rollup_of(e.rollup);
        if (r == nullptr) return "unknown_rollup";
        const auto header = rollup::parse_header(e.header);
        if (!header && header.code() == rollup::RejectCode::unsupported_version) {
            r->is_foreign = true;
            return nullptr;
        }
        if (!header || header.value().number != e.number || header.value().rollup_id != e.rollup) return "bad_header";
        if (e.number == 0 || e.number <= r->finalised || e.number > r->head + 1) return "batch_order";
        orphan(*r, e.number);  // of a replacement; else there is none
        Submission& s = state.submissions_[e.id];
        const Parameters& p = r->parameters;
        s.id = e.id;
        s.rollup = e.rollup;
        s.number = e.number;
        s.header = header.value();
        s.header_hash = e.header_hash;
        s.sequencer = e.sequencer;
        s.form = e.form;
        s.l1_hashes = e.l1_hashes;
        s.terms = e.terms;
        s.bond = e.bond;
        s.key = p.key;
        s.slash_bps = p.slash_bps;
        s.rebate_gas = p.rebate_gas;
        s.expected_at = place.timestamp + p.expected_time;
        s.deadline = place.timestamp + p.proving_window;
        s.open_at = s.deadline + p.replace_window;
        s.submitted = place;
        state.latest_[e.header_hash] = e.id;
        r->chain[e.number] = e.id;
        r->head = e.number;
        return nullptr;
    }
    template <class Change>
    Fault change_submission(std::uint64_t id, Change change) const {
        Submission* s = submission_of(id);
        if (s == nullptr) return "unknown_submission";
        change(*s);
        list_raises(*rollup_of(s->rollup), *s);
        return nullptr;
    }
    Fault operator()(const BountyRaised& e) const {
        const Submission* known = submission_of(e.id);
        if (known != nullptr && known->raises.size() != e.index) return "raise_order";
        return change_submission(
            e.id, [&](Submission& s) { s.raises.push_back({e.from, e.amount, e.effective_block, false}); });
    }
    Fault operator()(const RaiseReclaimed& e) const {
        const Submission* known = submission_of(e.id);
        if (known == nullptr || e.index >= known->raises.size()) return "unknown_raise";
        return change_submission(e.id, [&](Submission& s) { s.raises[e.index].is_reclaimed = true; });
    }
    Fault operator()(const ProofCommitted& e) const {
        return change_submission(e.id, [&](Submission& s) {
            s.locked_until = e.locked_until;
            s.commit_window = rollup_of(s.rollup)->parameters.commit_window;
        });
    }
    Fault operator()(const CommitReturned&) const { return nullptr; }
    Fault operator()(const CommitForfeited&) const { return nullptr; }
    Fault operator()(const BatchProven& e) const {
        return change_submission(e.id, [&](Submission& s) {
            s.state = BatchState::proven;
            s.proven = place;
            s.payee = e.payee;
            s.relayer = e.relayer;
            s.owed = e.owed;
            s.units = e.units;
            s.work_root = e.work_root;
            s.withdrawals = e.withdrawals;
        });
    }
    Fault operator()(const BatchFinalised& e) const {
        RollupRecord* r = rollup_of(e.rollup);
        Submission* s = submission_of(e.id);
        if (r == nullptr || s == nullptr) return "unknown_submission";
        if (e.number != r->finalised + 1 || s->number != e.number || s->state != BatchState::proven) {
            return "final_order";
        }
        s->state = BatchState::finalised;
        s->finalised = place;
        r->finalised = e.number;
        const auto next = r->chain.find(e.number + 1);
        if (next == r->chain.end()) return nullptr;
        // The lock of a commitment counts from when its batch is the first that is not final.
        return change_submission(next->second, [&](Submission& first) {
            if (first.locked_until == 0) return;
            first.locked_until = std::max(first.locked_until, place.timestamp + first.commit_window);
        });
    }
    Fault operator()(const BatchReplaced& e) const {
        RollupRecord* r = rollup_of(e.rollup);
        if (r == nullptr) return "unknown_rollup";
        const auto at = r->chain.find(e.number);
        // The event may stand before or after those of the new submission, which is final at once.
        if (at != r->chain.end() && at->second == e.new_id) return nullptr;
        if (e.number <= r->finalised) return "batch_order";
        orphan(*r, e.number);
        return nullptr;
    }
    Fault operator()(const BatchesDiscarded& e) const {
        RollupRecord* r = rollup_of(e.rollup);
        if (r == nullptr) return "unknown_rollup";
        if (e.from <= r->finalised) return "batch_order";
        orphan(*r, e.from);
        return nullptr;
    }
    Fault operator()(const BondSlashed& e) const {
        return change_submission(e.id, [&](Submission& s) {
            const auto slashed = e.burned.checked_add(e.awarded);
            const auto rest = slashed ? s.bond.checked_sub(*slashed) : std::nullopt;
            s.bond = rest.value_or(U256{});
            s.awarded = e.awarded;
        });
    }
    Fault operator()(const Settled& e) const {
        return change_submission(e.id, [&](Submission& s) {
            if (s.state != BatchState::orphaned) return;
            s.state = BatchState::closed;
            rollup_of(s.rollup)->orphans.erase(s.id);
        });
    }
    Fault operator()(const ItemSkipped&) const { return nullptr; }
    Fault operator()(const CreditCollected&) const { return nullptr; }
    Fault operator()(const CursorsFinal& e) const {
        return change_rollup(e.rollup, [&](RollupRecord& r) {
            r.final_deposit_cursor = e.deposit_cursor;
            r.final_forced_cursor = e.forced_cursor;
        });
    }
    Fault operator()(const WithdrawalClaimed& e) const {
        RollupRecord* r = rollup_of(e.rollup);
        if (r == nullptr) return "unknown_rollup";
        const auto at = r->chain.find(e.number);
        if (at == r->chain.end()) return "unknown_submission";
        return change_submission(at->second, [&](Submission& s) { s.claimed.insert(e.index); });
    }
    Fault operator()(const FeesCollected&) const { return nullptr; }
};

std::optional<HubFault> HubState::apply(const ethereum::Log& log, std::uint64_t timestamp) {
    const auto event = decode_event(log);
    if (!event) {
        return HubFault{"bad_event", std::string(codec_code_text(event.error().code)) + ": " + event.error().where};
    }
    if (!event.value()) return std::nullopt;
    const Place place{log.block_number, timestamp, log.transaction_hash};
    const Apply apply{*this, place};
    const char* fault = std::visit([&](const auto& e) { return apply.take(e); }, *event.value());
    if (fault == nullptr) return std::nullopt;
    return HubFault{fault, "an event in block " + std::to_string(log.block_number) + " of " +
                               ethereum::to_hex(log.address) + " breaks the settlement specification"};
}

const RollupRecord* HubState::rollup(std::uint32_t id) const {
    const auto it = rollups_.find(id);
    return it == rollups_.end() ? nullptr : &it->second;
}

const Submission* HubState::submission(std::uint64_t id) const {
    const auto it = submissions_.find(id);
    return it == submissions_.end() ? nullptr : &it->second;
}

const Submission* HubState::batch(std::uint32_t rollup_id, std::uint64_t number) const {
    const RollupRecord* r = rollup(rollup_id);
    if (r == nullptr) return nullptr;
    const auto it = r->chain.find(number);
    return it == r->chain.end() ? nullptr : submission(it->second);
}

const Submission* HubState::find(std::uint32_t rollup_id, const Bytes32& header_hash) const {
    const auto it = latest_.find(header_hash);
    const Submission* s = it == latest_.end() ? nullptr : submission(it->second);
    return s == nullptr || s->rollup != rollup_id ? nullptr : s;
}

std::optional<Bytes32> RollupRecord::deposit_hash(std::uint64_t cursor) const {
    if (cursor > deposits.size()) return std::nullopt;
    return cursor == 0 ? Bytes32{} : deposits[cursor - 1].hash;
}

std::optional<Bytes32> RollupRecord::forced_hash(std::uint64_t cursor) const {
    if (cursor > forced.size()) return std::nullopt;
    return cursor == 0 ? Bytes32{} : forced[cursor - 1].hash;
}

bool is_returned(const Raise& raise, const Submission& s) {
    switch (s.state) {
        case BatchState::orphaned:
        case BatchState::closed:
            return true;
        case BatchState::proven:
        case BatchState::finalised:
            return raise.effective_block > s.proven.block;
        default:
            return false;
    }
}

U256 bounty_at(const Submission& s, std::uint64_t block, std::uint64_t timestamp) {
    if (s.state != BatchState::pending) return {};
    U256 bounty = s.terms.base;
    if (timestamp >= s.deadline) {
        bounty = s.terms.max;
    } else if (timestamp > s.expected_at) {
        const std::uint64_t age = timestamp - s.expected_at;
        bounty = bounty + ((s.terms.max - s.terms.base) * age).divide(s.deadline - s.expected_at);
    }
    for (const Raise& raise : s.raises) {
        if (raise.effective_block <= block) bounty = bounty + raise.amount;
    }
    if (timestamp < s.deadline) return bounty;
    if (!s.awarded.is_zero()) return bounty + s.awarded;
    return bounty + (s.bond * s.slash_bps).divide(10'000).divide(2);
}

U256 rebate_at(const Submission& s, const U256& base_fee) {
    return std::min(s.terms.rebate_cap, saturated_product(base_fee, s.rebate_gas));
}

}  // namespace quarry::node::l1
