#include "quarry/node/sequencer/mempool.hpp"

#include <iterator>

namespace quarry::node::sequencer {

const char* admission_name(AdmissionCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, text)  \
    case AdmissionCode::name: \
        return #name;
        QUARRY_ADMISSION_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown";
}

const char* admission_text(AdmissionCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, text)  \
    case AdmissionCode::name: \
        return text;
        QUARRY_ADMISSION_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown cause";
}

namespace {

/// A tenth more, and more at all.
bool outbids(std::uint64_t priority, std::uint64_t other) {
    return priority > other && priority - other >= other / 10 + (other % 10 != 0 ? 1 : 0);
}

}  // namespace

void Mempool::unlist(const Account& account, rollup::SlotIndex slot) {
    if (account.waiting.empty()) return;
    const WaitingOperation& first = account.waiting.begin()->second;
    const WaitingOperation& last = account.waiting.rbegin()->second;
    ready_.erase({first.priority, first.sequence, slot});
    last_.erase({last.priority, last.sequence, slot});
}

void Mempool::list(const Account& account, rollup::SlotIndex slot) {
    if (account.waiting.empty()) return;
    const auto& [nonce, first] = *account.waiting.begin();
    const WaitingOperation& last = account.waiting.rbegin()->second;
    if (nonce <= account.nonce) ready_.insert({first.priority, first.sequence, slot});
    if (!last.returned) last_.insert({last.priority, last.sequence, slot});
}

std::optional<AdmissionCode> Mempool::refusal(const WaitingOperation& operation, rollup::Nonce account_nonce,
                                              bool at_once) const {
    const rollup::Nonce nonce = operation.tx.tx.nonce;
    const bool passes = at_once && nonce == account_nonce;
    const auto account = accounts_.find(operation.slot());
    if (nonce >= account_nonce && nonce - account_nonce > limits_.max_operations_per_account)
        return AdmissionCode::nonce_too_far;
    if (account != accounts_.end()) {
        const auto other = account->second.waiting.find(nonce);
        if (other != account->second.waiting.end()) {
            const bool better = !other->second.returned && outbids(operation.priority, other->second.priority);
            return better ? std::nullopt : std::optional(AdmissionCode::replacement_underpriced);
        }
        if (!passes && account->second.waiting.size() >= limits_.max_operations_per_account)
            return AdmissionCode::account_full;
    }
    if (passes || size_ < limits_.max_operations) return std::nullopt;
    const bool better =
        !last_.empty() && last_.begin()->priority < operation.priority && last_.begin()->slot != operation.slot();
    return better ? std::nullopt : std::optional(AdmissionCode::mempool_full);
}

std::optional<Mempool::Displaced> Mempool::add(WaitingOperation operation, rollup::Nonce account_nonce, bool at_once) {
    const rollup::SlotIndex slot = operation.slot();
    const rollup::Nonce nonce = operation.tx.tx.nonce;
    std::optional<Displaced> displaced;
    const auto known = accounts_.find(slot);
    if (known != accounts_.end() && known->second.waiting.contains(nonce)) {
        displaced = Displaced{take(slot, nonce), AdmissionCode::replaced};
    } else if (size_ >= limits_.max_operations && !operation.stored && !(at_once && nonce == account_nonce) &&
               !last_.empty()) {
        const rollup::SlotIndex worst = last_.begin()->slot;
        displaced = Displaced{take(worst, accounts_.at(worst).waiting.rbegin()->first), AdmissionCode::evicted};
    }
    Account& account = accounts_[slot];
    unlist(account, slot);
    account.nonce = account_nonce;
    expiries_.emplace(rollup::authorisation(operation.tx.tx.op)->expiry, slot, nonce);
    by_id_.insert_or_assign(operation.id, std::pair(slot, nonce));
    account.waiting.emplace(nonce, std::move(operation));
    ++size_;
    list(account, slot);
    return displaced;
}

void Mempool::set_nonce(rollup::SlotIndex slot, rollup::Nonce nonce) {
    const auto account = accounts_.find(slot);
    if (account == accounts_.end()) return;
    unlist(account->second, slot);
    account->second.nonce = nonce;
    list(account->second, slot);
}

const WaitingOperation* Mempool::best() const {
    if (ready_.empty()) return nullptr;
    const Account& account = accounts_.at(ready_.begin()->slot);
    return &account.waiting.begin()->second;
}

WaitingOperation* Mempool::find(const Digest& id) {
    const auto known = by_id_.find(id);
    if (known == by_id_.end()) return nullptr;
    const auto [slot, nonce] = known->second;
    return &accounts_.at(slot).waiting.at(nonce);
}

WaitingOperation Mempool::take(rollup::SlotIndex slot, rollup::Nonce nonce) {
    const auto account = accounts_.find(slot);
    QUARRY_CHECK(account != accounts_.end());
    unlist(account->second, slot);
    auto node = account->second.waiting.extract(nonce);
    QUARRY_CHECK(!node.empty());
    WaitingOperation operation = std::move(node.mapped());
    expiries_.erase({rollup::authorisation(operation.tx.tx.op)->expiry, slot, nonce});
    by_id_.erase(operation.id);
    --size_;
    if (account->second.waiting.empty())
        accounts_.erase(account);
    else
        list(account->second, slot);
    return operation;
}

std::vector<WaitingOperation> Mempool::take_expired(rollup::Timestamp now) {
    std::vector<WaitingOperation> r;
    while (!expiries_.empty() && std::get<0>(*expiries_.begin()) < now) {
        const auto [expiry, slot, nonce] = *expiries_.begin();
        r.push_back(take(slot, nonce));
    }
    return r;
}

rollup::Nonce Mempool::next_nonce(rollup::SlotIndex slot, rollup::Nonce nonce) const {
    const auto account = accounts_.find(slot);
    if (account == accounts_.end()) return nonce;
    for (auto it = account->second.waiting.find(nonce); it != account->second.waiting.end() && it->first == nonce; ++it)
        ++nonce;
    return nonce;
}

std::uint64_t Mempool::priority_at(std::size_t rank) const {
    if (ready_.size() <= rank) return 0;
    return std::next(ready_.begin(), static_cast<std::ptrdiff_t>(rank))->priority;
}

}  // namespace quarry::node::sequencer
