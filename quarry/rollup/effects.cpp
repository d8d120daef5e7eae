#include "quarry/rollup/effects.hpp"

#include <algorithm>

namespace quarry::rollup {

namespace {

EffectKind with_outcome(EffectKind applied, bool is_applied) noexcept {
    return is_applied ? applied : static_cast<EffectKind>(static_cast<std::uint8_t>(applied) + 1);
}

// An effect is one first byte (its kind), then 16-bit aligned fields over the other 30 bytes of each word; the first
// byte of later words is zero.
void write_fields(const Effect& effect, WordWriter& w) {
    if (const auto* e = std::get_if<WithdrawalEffect>(&effect)) {
        w.integer(e->token);
        w.amount(e->amount);
        w.address(e->recipient);
    } else if (const auto* d = std::get_if<DepositEffect>(&effect)) {
        w.integer(d->index);
        w.integer(d->entry.target);
        w.integer(d->entry.token);
        w.amount(d->entry.amount);
        w.address(d->entry.depositor);
        w.address(d->entry.owner.address);
        w.elements(d->entry.owner.key_hash);
    } else if (const auto* f = std::get_if<ForcedWithdrawalEffect>(&effect)) {
        w.integer(f->index);
        w.integer(f->entry.slot);
        w.integer(f->token);
        w.amount(f->amount);
        w.address(f->entry.sender);
    } else {
        const auto& s = std::get<SetKeyEffect>(effect);
        w.integer(s.index);
        w.integer(s.entry.slot);
        w.address(s.entry.sender);
        w.elements(s.entry.key_hash);
    }
}

Effect read_fields(EffectKind kind, WordReader& r) {
    switch (kind) {
        case EffectKind::withdrawal: {
            WithdrawalEffect e;
            e.token = r.integer<TokenId>();
            e.amount = r.amount();
            e.recipient = r.address();
            return e;
        }
        case EffectKind::deposit_applied:
        case EffectKind::deposit_refunded: {
            DepositEffect e;
            e.applied = kind == EffectKind::deposit_applied;
            e.index = r.integer<std::uint64_t>();
            e.entry.target = r.integer<std::uint32_t>();
            e.entry.token = r.integer<TokenId>();
            e.entry.amount = r.amount();
            e.entry.depositor = r.address();
            e.entry.owner.address = r.address();
            e.entry.owner.key_hash = r.digest();
            return e;
        }
        case EffectKind::forced_withdrawal_applied:
        case EffectKind::forced_withdrawal_void: {
            ForcedWithdrawalEffect e;
            e.applied = kind == EffectKind::forced_withdrawal_applied;
            e.index = r.integer<std::uint64_t>();
            e.entry.slot = r.integer<std::uint32_t>();
            e.token = r.integer<TokenId>();
            e.amount = r.amount();
            e.entry.sender = r.address();
            if (!e.applied && (e.token != 0 || !e.amount.is_zero())) r.refuse(RejectCode::nonzero_padding);
            return e;
        }
        default:
            break;
    }
    SetKeyEffect e;
    e.applied = kind == EffectKind::set_key_applied;
    e.index = r.integer<std::uint64_t>();
    e.entry.slot = r.integer<std::uint32_t>();
    e.entry.sender = r.address();
    e.entry.key_hash = r.digest();
    return e;
}

}  // namespace

EffectKind effect_kind(const Effect& effect) noexcept {
    if (std::holds_alternative<WithdrawalEffect>(effect)) return EffectKind::withdrawal;
    if (const auto* d = std::get_if<DepositEffect>(&effect))
        return with_outcome(EffectKind::deposit_applied, d->applied);
    if (const auto* f = std::get_if<ForcedWithdrawalEffect>(&effect)) {
        return with_outcome(EffectKind::forced_withdrawal_applied, f->applied);
    }
    return with_outcome(EffectKind::set_key_applied, std::get_if<SetKeyEffect>(&effect)->applied);
}

std::size_t effect_word_count(EffectKind kind) noexcept {
    switch (kind) {
        case EffectKind::deposit_applied:
        case EffectKind::deposit_refunded:
            return 4;
        case EffectKind::set_key_applied:
        case EffectKind::set_key_void:
            return 3;
        default:
            return 2;
    }
}

void encode(const Effect& effect, std::vector<std::uint8_t>& out) {
    std::vector<std::uint8_t> fields;
    WordWriter f(fields);
    write_fields(effect, f);
    const EffectKind kind = effect_kind(effect);
    constexpr std::size_t kPart = kWordBytes - 1;
    QUARRY_CHECK(fields.size() <= effect_word_count(kind) * kPart);
    fields.resize(effect_word_count(kind) * kPart);
    for (std::size_t i = 0; i < effect_word_count(kind); ++i) {
        WordWriter w(out);
        w.integer(i == 0 ? static_cast<std::uint8_t>(kind) : std::uint8_t{0});
        w.bytes(std::span(fields).subspan(i * kPart, kPart));
    }
}

Checked<std::vector<Effect>> parse_effects(std::span<const std::uint8_t> bytes) {
    if (bytes.size() % kWordBytes != 0) return RejectCode::bad_length;
    std::vector<Effect> effects;
    while (!bytes.empty()) {
        if (effects.size() == kMaxEffects) return RejectCode::effects_full;
        if (bytes[0] == 0 || bytes[0] > kLastEffectKind) return RejectCode::unknown_opcode;
        const EffectKind kind{bytes[0]};
        const std::size_t num_bytes = effect_word_count(kind) * kWordBytes;
        if (bytes.size() < num_bytes) return RejectCode::truncated;
        std::vector<std::uint8_t> fields;
        for (std::size_t i = 0; i < num_bytes; i += kWordBytes) {
            if (i != 0 && bytes[i] != 0) return RejectCode::nonzero_padding;
            const auto part = bytes.subspan(i + 1, kWordBytes - 1);
            fields.insert(fields.end(), part.begin(), part.end());
        }
        WordReader r(fields);
        const Effect effect = read_fields(kind, r);
        r.zeros(r.left());
        QUARRY_REQUIRE(r.verdict());
        effects.push_back(effect);
        bytes = bytes.subspan(num_bytes);
    }
    return effects;
}

Accumulator effects_start() { return {chain_start("quarry/effects/v1"), 0}; }

void absorb(Accumulator& accumulator, const Effect& effect) {
    std::vector<std::uint8_t> bytes;
    encode(effect, bytes);
    for (std::size_t i = 0; i < bytes.size(); i += kWordBytes) {
        accumulator.absorb_word(std::span<const std::uint8_t, kWordBytes>(bytes.data() + i, kWordBytes));
    }
    ++accumulator.count;
}

}  // namespace quarry::rollup
