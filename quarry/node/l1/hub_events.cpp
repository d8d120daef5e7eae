#include "quarry/node/l1/hub_events.hpp"

#include <algorithm>

#include "quarry/node/l1/abi_fields.hpp"
#include "quarry/node/l1/hub_abi.hpp"

namespace quarry::node::l1 {
namespace {

using ethereum::Decoded;

constexpr std::size_t kWithdrawalBytes = 34;

std::vector<Withdrawal> read_withdrawals(AbiFields& f) {
    const Bytes& bytes = f.next().bytes();
    if (bytes.size() % kWithdrawalBytes != 0 || bytes.size() > kWithdrawalBytes * rollup::kMaxEffects) {
        f.refuse("withdrawals");
        return {};
    }
    std::vector<Withdrawal> out;
    for (std::size_t at = 0; at < bytes.size(); at += kWithdrawalBytes) {
        rollup::WordReader reader(ByteView(bytes).subspan(at, kWithdrawalBytes));
        Withdrawal& w = out.emplace_back();
        w.token = reader.integer<rollup::TokenId>();
        w.amount = reader.amount();
        w.recipient = {reader.address().bytes};
    }
    return out;
}

// One reader an event; fields in the order of the signature.
void read(AbiFields& f, VerifiersAdded& e) {
    f(e.key, e.set.version, e.is_pinned, e.set.one, e.set.four, e.set.sixteen);
}
void read(AbiFields& f, RollupRegistered& e) { f(e.rollup, e.owner, e.domain, e.min_new_pair_fee, e.parameters); }
void read(AbiFields& f, SequencerSet& e) { f(e.rollup, e.account, e.is_allowed); }
void read(AbiFields& f, UpgradeScheduled& e) { f(e.rollup, e.at, e.parameters); }
void read(AbiFields& f, UpgradeCancelled& e) { f(e.rollup); }
void read(AbiFields& f, UpgradeApplied& e) { f(e.rollup, e.parameters); }
void read(AbiFields& f, OwnershipOffered& e) { f(e.rollup, e.new_owner); }
void read(AbiFields& f, OwnershipTransferred& e) { f(e.rollup, e.new_owner); }
void read(AbiFields& f, BatchSubmitted& e) {
    f(e.rollup, e.number, e.sequencer, e.id, e.header_hash, e.header, e.form, e.l1_hashes, e.terms, e.bond);
    if (e.terms.base > e.terms.max) f.refuse("terms");
    if (e.form > 1 || e.l1_hashes.empty() || e.l1_hashes.size() > (e.form == 1 ? rollup::kMaxBlobs : 1))
        f.refuse("l1 hashes");
}
void read(AbiFields& f, BountyRaised& e) { f(e.rollup, e.number, e.id, e.index, e.from, e.amount, e.effective_block); }
void read(AbiFields& f, RaiseReclaimed& e) { f(e.id, e.index, e.to, e.amount); }
void read(AbiFields& f, ProofCommitted& e) { f(e.rollup, e.number, e.id, e.from, e.commitment, e.locked_until); }
void read(AbiFields& f, CommitReturned& e) { f(e.id, e.to, e.amount); }
void read(AbiFields& f, CommitForfeited& e) { f(e.id, e.amount); }
void read(AbiFields& f, BatchProven& e) {
    f(e.rollup, e.number, e.payee, e.id, e.relayer, e.owed, e.units, e.work_root);
    e.withdrawals = read_withdrawals(f);
}
void read(AbiFields& f, BatchFinalised& e) { f(e.rollup, e.number, e.id, e.header_hash); }
void read(AbiFields& f, BatchReplaced& e) { f(e.rollup, e.number, e.old_id, e.new_id); }
void read(AbiFields& f, BatchesDiscarded& e) { f(e.rollup, e.from, e.to); }
void read(AbiFields& f, BondSlashed& e) { f(e.id, e.burned, e.awarded); }
void read(AbiFields& f, Settled& e) { f(e.id, e.sequencer, e.returned); }
void read(AbiFields& f, ItemSkipped& e) {
    Bytes32 reason{};  // a bytes4
    f(e.index, e.rollup, e.number, reason);
    std::copy_n(reason.begin(), e.reason.size(), e.reason.begin());
}
void read(AbiFields& f, CreditCollected& e) { f(e.account, e.amount); }
void read(AbiFields& f, TokenAdded& e) { f(e.rollup, e.id, e.token); }
void read(AbiFields& f, DepositQueued& e) {
    f(e.rollup, e.index, e.entry.depositor, e.entry.token, e.entry.amount, e.entry.owner.address,
      e.entry.owner.key_hash, e.entry.target, e.hash);
}
void read(AbiFields& f, ForcedQueued& e) {
    rollup::L1Address sender;
    std::uint8_t kind = 0;
    rollup::SlotIndex slot = 0;
    Digest key_hash{};
    f(e.rollup, e.index, sender, kind, slot, key_hash, e.fee, e.hash);
    if (rollup::EffectKind{kind} == rollup::EffectKind::set_key_applied) {
        e.entry = rollup::SetKeyEntry{slot, sender, key_hash};
    } else {
        if (rollup::EffectKind{kind} != rollup::EffectKind::forced_withdrawal_applied) f.refuse("kind");
        e.entry = rollup::ForcedWithdrawalEntry{slot, sender};
    }
}
void read(AbiFields& f, CursorsFinal& e) {
    f(e.rollup, e.number, e.deposit_cursor, e.forced_cursor, e.withdrawals_root);
}
void read(AbiFields& f, WithdrawalClaimed& e) { f(e.rollup, e.number, e.index, e.token, e.amount, e.recipient); }
void read(AbiFields& f, FeesCollected& e) { f(e.sequencer, e.amount); }

using EventReader = HubEvent (*)(AbiFields&);
struct EventRow {
    ethereum::AbiEvent event;
    EventReader read;
};
template <class Event>
HubEvent read_as(AbiFields& f) {
    Event event;
    read(f, event);
    return event;
}

const std::vector<EventRow>& event_table() {
    static const std::vector<EventRow> kTable{
#define QUARRY_X(name, signature) EventRow{ethereum::AbiEvent(signature), &read_as<name>},
        QUARRY_HUB_EVENTS(QUARRY_X) QUARRY_BRIDGE_EVENTS(QUARRY_X)
#undef QUARRY_X
    };
    return kTable;
}

}  // namespace

Decoded<std::optional<HubEvent>> decode_event(const ethereum::Log& log) {
    if (log.topics.empty()) return std::optional<HubEvent>();
    for (const EventRow& row : event_table()) {
        if (row.event.topic() != log.topics[0]) continue;
        const auto list = row.event.decode(log.topics, log.data);
        if (!list) return list.error();
        AbiFields fields(list.value());
        HubEvent event = row.read(fields);
        if (fields.error()) return *fields.error();
        return std::optional<HubEvent>(std::move(event));
    }
    return std::optional<HubEvent>();
}

}  // namespace quarry::node::l1
