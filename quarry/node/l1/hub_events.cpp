#include "quarry/node/l1/hub_events.hpp"

#include <algorithm>

#include "quarry/node/l1/hub_abi.hpp"

namespace quarry::node::l1 {
namespace {

using ethereum::AbiValue;
using ethereum::CodecCode;
using ethereum::CodecError;
using ethereum::Decoded;

/// The fields of one event in their order. The first that cannot be meant sticks: later reads give zeros.
class Fields {
  public:
    explicit Fields(const AbiValue::List& list) : list_(list) {}
    const AbiValue& next() { return list_.at(at_++); }
    template <class T>
    T integer() {
        return static_cast<T>(next().u64());
    }
    /// A uint256 that counts something.
    std::uint64_t count() {
        const U256& x = next().word();
        if (!x.fits_u64()) refuse("count");
        return x.low_u64();
    }
    U256 wei() { return next().word(); }
    Address address() { return next().address(); }
    Bytes32 bytes32() { return next().bytes32(); }
    bool boolean() { return next().boolean(); }
    Digest digest() {
        const auto digest = digest_of_bytes(bytes32());
        if (!digest) refuse("digest");
        return digest.value_or(Digest{});
    }
    rollup::Amount amount() {
        const auto amount = amount_of(wei());
        if (!amount) refuse("amount");
        return amount.value_or(rollup::Amount());
    }
    void refuse(const char* where) {
        if (!error_) error_ = CodecError{CodecCode::out_of_range, where};
    }
    [[nodiscard]] const std::optional<CodecError>& error() const noexcept { return error_; }

  private:
    const AbiValue::List& list_;
    std::size_t at_ = 0;
    std::optional<CodecError> error_;
};

constexpr std::size_t kWithdrawalBytes = 34;

std::vector<Withdrawal> read_withdrawals(Fields& f) {
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
template <class Event>
Event read(Fields& f);

template <>
VerifiersAdded read(Fields& f) {
    VerifiersAdded e;
    e.key = f.integer<std::uint32_t>();
    e.set.version = f.integer<std::uint16_t>();
    e.is_pinned = f.boolean();
    e.set.one = f.address();
    e.set.four = f.address();
    e.set.sixteen = f.address();
    return e;
}
template <>
RollupRegistered read(Fields& f) {
    RollupRegistered e;
    e.rollup = f.integer<std::uint32_t>();
    e.owner = f.address();
    e.domain = f.bytes32();
    e.min_new_pair_fee = f.wei();
    e.parameters = parameters_of(f.next());
    return e;
}
template <>
SequencerSet read(Fields& f) {
    SequencerSet e;
    e.rollup = f.integer<std::uint32_t>();
    e.account = f.address();
    e.is_allowed = f.boolean();
    return e;
}
template <>
UpgradeScheduled read(Fields& f) {
    UpgradeScheduled e;
    e.rollup = f.integer<std::uint32_t>();
    e.at = f.integer<std::uint64_t>();
    e.parameters = parameters_of(f.next());
    return e;
}
template <>
UpgradeCancelled read(Fields& f) {
    return {f.integer<std::uint32_t>()};
}
template <>
UpgradeApplied read(Fields& f) {
    UpgradeApplied e;
    e.rollup = f.integer<std::uint32_t>();
    e.parameters = parameters_of(f.next());
    return e;
}
template <>
OwnershipOffered read(Fields& f) {
    OwnershipOffered e;
    e.rollup = f.integer<std::uint32_t>();
    e.new_owner = f.address();
    return e;
}
template <>
OwnershipTransferred read(Fields& f) {
    OwnershipTransferred e;
    e.rollup = f.integer<std::uint32_t>();
    e.new_owner = f.address();
    return e;
}
template <>
BatchSubmitted read(Fields& f) {
    BatchSubmitted e;
    e.rollup = f.integer<std::uint32_t>();
    e.number = f.integer<std::uint64_t>();
    e.sequencer = f.address();
    e.id = f.integer<std::uint64_t>();
    e.header_hash = f.bytes32();
    e.header = f.next().bytes();
    e.form = f.integer<std::uint8_t>();
    for (const AbiValue& hash : f.next().list()) e.l1_hashes.push_back(hash.bytes32());
    e.terms = terms_of(f.next());
    e.bond = f.wei();
    if (e.terms.base > e.terms.max) f.refuse("terms");
    if (e.form > 1 || e.l1_hashes.empty() || e.l1_hashes.size() > (e.form == 1 ? rollup::kMaxBlobs : 1)) {
        f.refuse("l1 hashes");
    }
    return e;
}
template <>
BountyRaised read(Fields& f) {
    BountyRaised e;
    e.rollup = f.integer<std::uint32_t>();
    e.number = f.integer<std::uint64_t>();
    e.id = f.integer<std::uint64_t>();
    e.index = f.count();
    e.from = f.address();
    e.amount = f.wei();
    e.effective_block = f.integer<std::uint64_t>();
    return e;
}
template <>
RaiseReclaimed read(Fields& f) {
    RaiseReclaimed e;
    e.id = f.integer<std::uint64_t>();
    e.index = f.count();
    e.to = f.address();
    e.amount = f.wei();
    return e;
}
template <>
ProofCommitted read(Fields& f) {
    ProofCommitted e;
    e.rollup = f.integer<std::uint32_t>();
    e.number = f.integer<std::uint64_t>();
    e.id = f.integer<std::uint64_t>();
    e.from = f.address();
    e.commitment = f.bytes32();
    e.locked_until = f.integer<std::uint64_t>();
    return e;
}
template <>
CommitReturned read(Fields& f) {
    CommitReturned e;
    e.id = f.integer<std::uint64_t>();
    e.to = f.address();
    e.amount = f.wei();
    return e;
}
template <>
CommitForfeited read(Fields& f) {
    CommitForfeited e;
    e.id = f.integer<std::uint64_t>();
    e.amount = f.wei();
    return e;
}
template <>
BatchProven read(Fields& f) {
    BatchProven e;
    e.rollup = f.integer<std::uint32_t>();
    e.number = f.integer<std::uint64_t>();
    e.payee = f.address();
    e.id = f.integer<std::uint64_t>();
    e.relayer = f.address();
    e.owed = f.wei();
    e.units = f.integer<std::uint32_t>();
    e.work_root = f.bytes32();
    e.withdrawals = read_withdrawals(f);
    return e;
}
template <>
BatchFinalised read(Fields& f) {
    BatchFinalised e;
    e.rollup = f.integer<std::uint32_t>();
    e.number = f.integer<std::uint64_t>();
    e.id = f.integer<std::uint64_t>();
    e.header_hash = f.bytes32();
    return e;
}
template <>
BatchReplaced read(Fields& f) {
    BatchReplaced e;
    e.rollup = f.integer<std::uint32_t>();
    e.number = f.integer<std::uint64_t>();
    e.old_id = f.integer<std::uint64_t>();
    e.new_id = f.integer<std::uint64_t>();
    return e;
}
template <>
BatchesDiscarded read(Fields& f) {
    BatchesDiscarded e;
    e.rollup = f.integer<std::uint32_t>();
    e.from = f.integer<std::uint64_t>();
    e.to = f.integer<std::uint64_t>();
    return e;
}
template <>
BondSlashed read(Fields& f) {
    BondSlashed e;
    e.id = f.integer<std::uint64_t>();
    e.burned = f.wei();
    e.awarded = f.wei();
    return e;
}
template <>
Settled read(Fields& f) {
    Settled e;
    e.id = f.integer<std::uint64_t>();
    e.sequencer = f.address();
    e.returned = f.wei();
    return e;
}
template <>
ItemSkipped read(Fields& f) {
    ItemSkipped e;
    e.index = f.count();
    e.rollup = f.integer<std::uint32_t>();
    e.number = f.integer<std::uint64_t>();
    const Bytes32 reason = f.bytes32();
    std::copy_n(reason.begin(), e.reason.size(), e.reason.begin());
    return e;
}
template <>
CreditCollected read(Fields& f) {
    CreditCollected e;
    e.account = f.address();
    e.amount = f.wei();
    return e;
}
template <>
TokenAdded read(Fields& f) {
    TokenAdded e;
    e.rollup = f.integer<std::uint32_t>();
    e.id = f.integer<rollup::TokenId>();
    e.token = f.address();
    return e;
}
template <>
DepositQueued read(Fields& f) {
    DepositQueued e;
    e.rollup = f.integer<std::uint32_t>();
    e.index = f.integer<std::uint64_t>();
    e.entry.depositor = to_rollup(f.address());
    e.entry.token = f.integer<rollup::TokenId>();
    e.entry.amount = f.amount();
    e.entry.owner.address = to_rollup(f.address());
    e.entry.owner.key_hash = f.digest();
    e.entry.target = f.integer<std::uint32_t>();
    e.hash = f.bytes32();
    return e;
}
template <>
ForcedQueued read(Fields& f) {
    ForcedQueued e;
    e.rollup = f.integer<std::uint32_t>();
    e.index = f.integer<std::uint64_t>();
    const rollup::L1Address sender = to_rollup(f.address());
    const auto kind = static_cast<rollup::EffectKind>(f.integer<std::uint8_t>());
    const auto slot = f.integer<std::uint32_t>();
    const Digest key_hash = f.digest();
    if (kind == rollup::EffectKind::set_key_applied) {
        e.entry = rollup::SetKeyEntry{slot, sender, key_hash};
    } else {
        if (kind != rollup::EffectKind::forced_withdrawal_applied) f.refuse("kind");
        e.entry = rollup::ForcedWithdrawalEntry{slot, sender};
    }
    e.fee = f.wei();
    e.hash = f.bytes32();
    return e;
}
template <>
CursorsFinal read(Fields& f) {
    CursorsFinal e;
    e.rollup = f.integer<std::uint32_t>();
    e.number = f.integer<std::uint64_t>();
    e.deposit_cursor = f.integer<std::uint64_t>();
    e.forced_cursor = f.integer<std::uint64_t>();
    e.withdrawals_root = f.bytes32();
    return e;
}
template <>
WithdrawalClaimed read(Fields& f) {
    WithdrawalClaimed e;
    e.rollup = f.integer<std::uint32_t>();
    e.number = f.integer<std::uint64_t>();
    e.index = f.integer<std::uint8_t>();
    e.token = f.integer<rollup::TokenId>();
    e.amount = f.wei();
    e.recipient = f.address();
    return e;
}
template <>
FeesCollected read(Fields& f) {
    FeesCollected e;
    e.sequencer = f.address();
    e.amount = f.wei();
    return e;
}

using EventReader = HubEvent (*)(Fields&);
struct EventRow {
    ethereum::AbiEvent event;
    EventReader read;
};
template <class Event>
HubEvent read_as(Fields& f) {
    return read<Event>(f);
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
        Fields fields(list.value());
        HubEvent event = row.read(fields);
        if (fields.error()) return *fields.error();
        return std::optional<HubEvent>(std::move(event));
    }
    return std::optional<HubEvent>();
}

}  // namespace quarry::node::l1
