#include "quarry/node/operation_json.hpp"

#include <algorithm>
#include <array>

namespace quarry::node {
namespace {

constexpr std::size_t kDegree = KB11::Field::kDegree;

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

// --- reading

rollup::Authorisation read_authorisation(ObjectReader& r) {
    rollup::Authorisation auth;
    auth.slot = r.integer<rollup::SlotIndex>("slot");
    auth.expiry = r.integer<rollup::Timestamp>("expiry");
    auth.fee = r.amount("fee");
    auth.signature = r.bytes<rollup::kSignatureBytes>("signature");
    return auth;
}

PublicKey<KB11> read_key(ObjectReader& r, std::string_view name) {
    std::array<KoalaBear, 2 * kDegree> coordinates;
    r.elements(name, coordinates);
    AffinePoint<KB11> point;
    for (std::size_t i = 0; i < kDegree; ++i) {
        point.x[i] = coordinates[i];
        point.y[i] = coordinates[kDegree + i];
    }
    const auto key = PublicKey<KB11>::from_point(point);
    if (key) return key.value();
    r.refuse(JsonCode::off_curve, name);
    return {};
}

rollup::AccountKey read_account_key(ObjectReader& r, std::string_view name) {
    std::array<KoalaBear, rollup::AccountKey::kX + rollup::AccountKey::kY> elements;
    r.elements(name, elements);
    rollup::AccountKey key;
    std::copy_n(elements.begin(), key.x.size(), key.x.begin());
    std::copy_n(elements.begin() + key.x.size(), key.y.size(), key.y.begin());
    return key;
}

rollup::Owner read_owner(ObjectReader& r) { return {r.digest("owner_key_hash"), r.address("owner_address")}; }

SignedTransaction read_signed(ObjectReader& r, rollup::Operation op) {
    SignedTransaction line;
    *rollup::authorisation(op) = read_authorisation(r);
    line.tx.op = std::move(op);
    line.tx.token = r.integer<rollup::TokenId>("token");
    line.tx.nonce = r.integer<rollup::Nonce>("nonce");
    line.key = read_key(r, "key");
    line.tx.key = to_account_key(line.key);
    return line;
}

SignedTransaction read_transfer(ObjectReader& r) {
    SignedTransaction line =
        read_signed(r, rollup::Transfer{{}, r.integer<rollup::SlotIndex>("receiver"), r.amount("amount")});
    line.tx.receiver_pair = r.digest("receiver_pair");
    return line;
}

rollup::DepositEntry read_deposit(ObjectReader& r) {
    rollup::DepositEntry entry;
    entry.owner = read_owner(r);
    entry.depositor = r.address("depositor");
    entry.token = r.integer<rollup::TokenId>("token");
    entry.amount = r.amount("amount");
    entry.target = r.has("target") ? r.integer<std::uint32_t>("target") : rollup::kNewSlot;
    return entry;
}

std::optional<QueueEntry> read_queue_entry(ObjectReader& r, std::string_view type) {
    if (type == "deposit") return read_deposit(r);
    if (type == "forced_withdrawal")
        return rollup::ForcedWithdrawalEntry{r.integer<std::uint32_t>("slot"), r.address("sender")};
    if (type == "set_key")
        return rollup::SetKeyEntry{r.integer<std::uint32_t>("slot"), r.address("sender"), r.digest("key_hash")};
    return std::nullopt;
}

std::optional<SignedTransaction> read_transaction(ObjectReader& r, std::string_view type) {
    if (type == "transfer") return read_transfer(r);
    if (type == "transfer_new") return read_signed(r, rollup::TransferNew{{}, 0, r.amount("amount"), read_owner(r)});
    if (type == "withdraw") return read_signed(r, rollup::Withdraw{{}, r.amount("amount"), r.address("recipient")});
    if (type == "change_key") return read_signed(r, rollup::ChangeKey{{}, read_account_key(r, "new_key")});
    return std::nullopt;
}

// --- writing

void write_key(ObjectWriter& w, std::string_view name, const rollup::AccountKey& key) {
    std::array<KoalaBear, rollup::AccountKey::kX + rollup::AccountKey::kY> elements;
    std::copy(key.x.begin(), key.x.end(), elements.begin());
    std::copy(key.y.begin(), key.y.end(), elements.begin() + key.x.size());
    w.elements(name, elements);
}

void write_owner(ObjectWriter& w, const rollup::Owner& owner) {
    w.elements("owner_key_hash", owner.key_hash).address("owner_address", owner.address);
}

void write_entry(ObjectWriter& w, const QueueEntry& entry) {
    std::visit(Overloaded{[&](const rollup::DepositEntry& x) {
                              w.text("type", "deposit");
                              write_owner(w, x.owner);
                              w.address("depositor", x.depositor).integer("token", x.token).amount("amount", x.amount);
                              if (x.target != rollup::kNewSlot) w.integer("target", x.target);
                          },
                          [&](const rollup::ForcedWithdrawalEntry& x) {
                              w.text("type", "forced_withdrawal").integer("slot", x.slot).address("sender", x.sender);
                          },
                          [&](const rollup::SetKeyEntry& x) {
                              w.text("type", "set_key").integer("slot", x.slot).address("sender", x.sender);
                              w.elements("key_hash", x.key_hash);
                          }},
               entry);
}

}  // namespace

Parsed<InputLine> parse_input_line(std::string_view line) {
    ObjectReader r(line, kMaxLineBytes);
    const std::string_view type = r.text("type");
    std::optional<InputLine> result;
    if (auto tx = read_transaction(r, type)) {
        result = std::move(*tx);
    } else if (const auto entry = read_queue_entry(r, type)) {
        result = *entry;
    } else {
        r.refuse(JsonCode::unknown_type, "type");
    }
    if (auto error = r.finish()) return std::move(*error);
    return std::move(*result);
}

std::string to_json(const SignedTransaction& line) {
    ObjectWriter w;
    std::visit(Overloaded{[&](const rollup::Transfer& x) {
                              w.text("type", "transfer").integer("receiver", x.receiver).amount("amount", x.amount);
                              w.elements("receiver_pair", line.tx.receiver_pair);
                          },
                          [&](const rollup::TransferNew& x) {
                              w.text("type", "transfer_new").amount("amount", x.amount);
                              write_owner(w, x.owner);
                          },
                          [&](const rollup::Withdraw& x) {
                              w.text("type", "withdraw").amount("amount", x.amount);
                              w.address("recipient", x.recipient);
                          },
                          [&](const rollup::ChangeKey& x) {
                              w.text("type", "change_key");
                              write_key(w, "new_key", x.key);
                          },
                          [](const auto&) { QUARRY_CHECK(false); }},
               line.tx.op);
    const rollup::Authorisation& auth = *rollup::authorisation(line.tx.op);
    std::array<KoalaBear, 2 * kDegree> coordinates;
    for (std::size_t i = 0; i < kDegree; ++i) {
        coordinates[i] = line.key.point().x[i];
        coordinates[kDegree + i] = line.key.point().y[i];
    }
    w.integer("slot", auth.slot).integer("token", line.tx.token).integer("nonce", line.tx.nonce);
    w.integer("expiry", auth.expiry).amount("fee", auth.fee);
    w.elements("key", coordinates).hex("signature", auth.signature);
    return std::move(w).finish();
}

std::string to_json(const InputLine& line) {
    if (const auto* tx = std::get_if<SignedTransaction>(&line)) return to_json(*tx);
    ObjectWriter w;
    write_entry(w, std::get<QueueEntry>(line));
    return std::move(w).finish();
}

Parsed<IndexedEntry> parse_queue_line(std::string_view line) {
    ObjectReader r(line, kMaxLineBytes);
    const auto index = r.integer<std::uint64_t>("index");
    const auto entry = read_queue_entry(r, r.text("type"));
    if (!entry) r.refuse(JsonCode::unknown_type, "type");
    if (auto error = r.finish()) return std::move(*error);
    return IndexedEntry{index, *entry};
}

std::string to_json(const IndexedEntry& entry) {
    ObjectWriter w;
    w.integer("index", entry.index);
    write_entry(w, entry.entry);
    return std::move(w).finish();
}

}  // namespace quarry::node
