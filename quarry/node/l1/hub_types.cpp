#include "quarry/node/l1/hub_types.hpp"

#include <algorithm>
#include <optional>

namespace quarry::node::l1 {
namespace {

using ethereum::AbiValue;

/// Reads a tuple's fields one after the other.
class Fields {
  public:
    explicit Fields(const AbiValue& tuple) : list_(tuple.list()) {}
    const AbiValue& next() { return list_.at(at_++); }
    template <class T>
    T integer() {
        return static_cast<T>(next().u64());
    }
    U256 wei() { return next().word(); }
    Address address() { return next().address(); }
    Bytes32 bytes32() { return next().bytes32(); }

  private:
    const AbiValue::List& list_;
    std::size_t at_ = 0;
};

}  // namespace

const char* batch_state_name(BatchState state) noexcept {
    constexpr std::array<const char*, 6> kNames{"none", "pending", "proven", "finalised", "orphaned", "closed"};
    const auto i = static_cast<std::size_t>(state);
    return i < kNames.size() ? kNames[i] : "unknown";
}

AbiValue to_abi(const Parameters& x) {
    return AbiValue::of({std::uint64_t{x.key}, std::uint64_t{x.policy}, std::uint64_t{x.expected_time},
                         std::uint64_t{x.proving_window}, std::uint64_t{x.replace_window},
                         std::uint64_t{x.commit_window}, x.batch_bond, std::uint64_t{x.slash_bps}, x.commit_deposit,
                         std::uint64_t{x.rebate_gas}, std::uint64_t{x.max_effects}, std::uint64_t{x.max_pending},
                         std::uint64_t{x.forced_delay}, std::uint64_t{x.forced_cap}, x.forced_fee, x.forced_fee_step});
}

Parameters parameters_of(const AbiValue& value) {
    Fields f(value);
    Parameters x;
    x.key = f.integer<std::uint32_t>();
    x.policy = f.integer<std::uint8_t>();
    x.expected_time = f.integer<std::uint32_t>();
    x.proving_window = f.integer<std::uint32_t>();
    x.replace_window = f.integer<std::uint32_t>();
    x.commit_window = f.integer<std::uint32_t>();
    x.batch_bond = f.wei();
    x.slash_bps = f.integer<std::uint16_t>();
    x.commit_deposit = f.wei();
    x.rebate_gas = f.integer<std::uint32_t>();
    x.max_effects = f.integer<std::uint16_t>();
    x.max_pending = f.integer<std::uint16_t>();
    x.forced_delay = f.integer<std::uint32_t>();
    x.forced_cap = f.integer<std::uint16_t>();
    x.forced_fee = f.wei();
    x.forced_fee_step = f.wei();
    return x;
}

AbiValue to_abi(const Terms& x) { return AbiValue::of({x.base, x.max, x.rebate_cap}); }

Terms terms_of(const AbiValue& value) { return {value[0].word(), value[1].word(), value[2].word()}; }

AbiValue to_abi(const Opening& x) {
    return AbiValue::of({x.l1_hash, x.point, x.value, AbiValue::of({x.kzg[0], x.kzg[1], x.kzg[2]})});
}

Opening opening_of(const AbiValue& value) {
    const AbiValue& kzg = value[3];
    return {value[0].bytes32(),
            value[1].bytes32(),
            value[2].bytes32(),
            {kzg[0].bytes32(), kzg[1].bytes32(), kzg[2].bytes32()}};
}

AbiValue to_abi(const Item& x) {
    AbiValue::List openings;
    for (const Opening& opening : x.data) openings.push_back(to_abi(opening));
    return AbiValue::of({x.header, x.parent_header, x.payee, std::uint64_t{x.units}, x.work_root, std::uint64_t{x.form},
                         AbiValue::of(std::move(openings)), x.effects_point, x.effects});
}

Item item_of(const AbiValue& value) {
    Fields f(value);
    Item x;
    x.header = f.next().bytes();
    x.parent_header = f.next().bytes();
    x.payee = f.address();
    x.units = f.integer<std::uint32_t>();
    x.work_root = f.bytes32();
    x.form = f.integer<std::uint8_t>();
    for (const AbiValue& opening : f.next().list()) x.data.push_back(opening_of(opening));
    x.effects_point = f.bytes32();
    x.effects = f.next().bytes();
    return x;
}

AbiValue to_abi(const VerifierSet& x) { return AbiValue::of({std::uint64_t{x.version}, x.one, x.four, x.sixteen}); }

VerifierSet verifier_set_of(const AbiValue& value) {
    return {static_cast<std::uint16_t>(value[0].u64()), value[1].address(), value[2].address(), value[3].address()};
}

BatchView batch_view_of(const AbiValue& value) {
    Fields f(value);
    BatchView x;
    x.status = static_cast<BatchState>(std::min<std::uint64_t>(f.next().u64(), 0xff));
    x.id = f.integer<std::uint64_t>();
    x.rollup = f.integer<std::uint32_t>();
    x.number = f.integer<std::uint64_t>();
    x.header_hash = f.bytes32();
    x.data_hash = f.bytes32();
    x.sequencer = f.address();
    x.key = f.integer<std::uint32_t>();
    x.submitted_at = f.integer<std::uint64_t>();
    x.expected_at = f.integer<std::uint64_t>();
    x.deadline = f.integer<std::uint64_t>();
    x.open_at = f.integer<std::uint64_t>();
    x.locked_until = f.integer<std::uint64_t>();
    x.base = f.wei();
    x.max = f.wei();
    x.rebate_cap = f.wei();
    x.bond = f.wei();
    x.payee = f.address();
    x.owed = f.wei();
    x.proven_at = f.integer<std::uint64_t>();
    return x;
}

RollupView rollup_view_of(const AbiValue& value) {
    Fields f(value);
    RollupView x;
    x.owner = f.address();
    x.pending_owner = f.address();
    x.domain = f.bytes32();
    x.min_new_pair_fee = f.wei();
    x.is_trusted = f.next().boolean();
    x.head = f.integer<std::uint64_t>();
    x.finalised = f.integer<std::uint64_t>();
    x.head_hash = f.bytes32();
    x.finalised_hash = f.bytes32();
    x.upgrade_at = f.integer<std::uint64_t>();
    x.parameters = parameters_of(f.next());
    return x;
}

QueueHead queue_head_of(const AbiValue& value) {
    return {value[0].bytes32(), value[1].bytes32(), value[2].u64(), value[3].u64(), value[4].u64()};
}

U256 saturated_sum(const U256& x, const U256& y) {
    Bytes32 ones;
    ones.fill(0xff);
    return x.checked_add(y).value_or(U256::from_bytes(ones));
}

U256 saturated_product(const U256& x, std::uint64_t y) {
    Bytes32 ones;
    ones.fill(0xff);
    return x.checked_mul(y).value_or(U256::from_bytes(ones));
}

Bytes32 digest_bytes(const Digest& digest) noexcept {
    Bytes32 out{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const std::uint32_t x = digest[i].canonical();
        for (std::size_t k = 0; k < 4; ++k) out[4 * i + k] = static_cast<std::uint8_t>(x >> (24 - 8 * k));
    }
    return out;
}

std::optional<Digest> digest_of_bytes(const Bytes32& bytes) noexcept {
    Digest digest;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        std::uint32_t x = 0;
        for (std::size_t k = 0; k < 4; ++k) x = x << 8 | bytes[4 * i + k];
        const auto element = KoalaBear::from_canonical(x);
        if (!element) return std::nullopt;
        digest[i] = *element;
    }
    return digest;
}

U256 to_u256(const rollup::Amount& x) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[15 - i] = static_cast<std::uint8_t>(x.wide() >> (8 * i));
    return U256::from_bytes(bytes);
}

std::optional<rollup::Amount> amount_of(const U256& x) {
    if (x.num_bits() > rollup::Amount::kBits) return std::nullopt;
    rollup::Amount::Wide wide = 0;
    for (const std::uint8_t b : x.to_bytes()) wide = wide << 8 | b;
    return rollup::Amount::from_wide(wide);
}

}  // namespace quarry::node::l1
