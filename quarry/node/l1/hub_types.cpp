#include "quarry/node/l1/hub_types.hpp"

#include <algorithm>
#include <optional>

#include "quarry/node/l1/abi_fields.hpp"

namespace quarry::node::l1 {

using ethereum::AbiValue;

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
    Parameters x;
    AbiFields(value.list())(x.key, x.policy, x.expected_time, x.proving_window, x.replace_window, x.commit_window,
                            x.batch_bond, x.slash_bps, x.commit_deposit, x.rebate_gas, x.max_effects, x.max_pending,
                            x.forced_delay, x.forced_cap, x.forced_fee, x.forced_fee_step);
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
    Item x;
    AbiFields(value.list())(x.header, x.parent_header, x.payee, x.units, x.work_root, x.form, x.data, x.effects_point,
                            x.effects);
    return x;
}

AbiValue to_abi(const VerifierSet& x) { return AbiValue::of({std::uint64_t{x.version}, x.one, x.four, x.sixteen}); }

VerifierSet verifier_set_of(const AbiValue& value) {
    VerifierSet x;
    AbiFields(value.list())(x.version, x.one, x.four, x.sixteen);
    return x;
}

BatchView batch_view_of(const AbiValue& value) {
    BatchView x;
    std::uint8_t status = 0;
    AbiFields(value.list())(status, x.id, x.rollup, x.number, x.header_hash, x.data_hash, x.sequencer, x.key,
                            x.submitted_at, x.expected_at, x.deadline, x.open_at, x.locked_until, x.base, x.max,
                            x.rebate_cap, x.bond, x.payee, x.owed, x.proven_at);
    x.status = static_cast<BatchState>(status);
    return x;
}

RollupView rollup_view_of(const AbiValue& value) {
    RollupView x;
    AbiFields(value.list())(x.owner, x.pending_owner, x.domain, x.min_new_pair_fee, x.is_trusted, x.head, x.finalised,
                            x.head_hash, x.finalised_hash, x.upgrade_at, x.parameters);
    return x;
}

QueueHead queue_head_of(const AbiValue& value) {
    QueueHead x;
    AbiFields(value.list())(x.deposit_hash, x.forced_hash, x.deposit_count, x.forced_count, x.forced_time);
    return x;
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
