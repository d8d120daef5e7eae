#include "quarry/rollup/operations.hpp"

#include <algorithm>

#include "quarry/rollup/words.hpp"

namespace quarry::rollup {

namespace {

// E is cut in two so that every 16-bit limb of every field is a limb of a word: three limbs end word 0, five follow the
// fee.
constexpr std::size_t kEBytes = 16;
constexpr std::size_t kEFirstBytes = 6;
constexpr std::size_t kFeeBytes = Amount::kFeeBits / 8;

/// The signature's integers are big-endian in a batch and little-endian in the signature's own format: E, then S.
void reverse_halves(SignatureBytes& s) noexcept {
    std::reverse(s.begin(), s.begin() + kEBytes);
    std::reverse(s.begin() + kEBytes, s.end());
}

/// Words 0 to 2 of every signed operation. `other`: the receiver's slot, or 0.
void write_frame(WordWriter& w, Opcode code, const Authorisation& auth, SlotIndex other, Amount amount) {
    SignatureBytes signature = auth.signature;
    reverse_halves(signature);
    const std::span<const std::uint8_t> s(signature);
    w.integer(static_cast<std::uint8_t>(code));
    w.integer(auth.slot);
    w.integer(other);
    w.amount(amount);
    w.integer(auth.expiry);
    w.bytes(s.first(kEFirstBytes));
    w.amount(auth.fee, kFeeBytes);
    w.bytes(s.subspan(kEFirstBytes));
}

struct Frame {
    Authorisation auth;
    SlotIndex other = 0;
    Amount amount;
};

/// After the opcode.
Frame read_frame(WordReader& r) {
    Frame f;
    f.auth.slot = r.slot();
    f.other = r.slot();
    f.amount = r.amount();
    f.auth.expiry = r.integer<Timestamp>();
    const auto first = r.bytes<kEFirstBytes>();
    f.auth.fee = r.amount(kFeeBytes);
    const auto rest = r.bytes<kSignatureBytes - kEFirstBytes>();
    std::copy(first.begin(), first.end(), f.auth.signature.begin());
    std::copy(rest.begin(), rest.end(), f.auth.signature.begin() + kEFirstBytes);
    reverse_halves(f.auth.signature);
    return f;
}

/// Fields that an opcode does not use.
void require_zero(WordReader& r, bool zero) {
    if (!zero) r.refuse(RejectCode::nonzero_padding);
}

void write_key(WordWriter& w, const AccountKey& key) {
    w.elements(key.x);
    w.elements(key.y);
}
AccountKey read_key(WordReader& r) {
    AccountKey key;
    for (KoalaBear& x : key.x) x = r.element();
    for (KoalaBear& y : key.y) y = r.element();
    return key;
}

// Words that a signed operation has beyond its third, and the last two of publish key: byte 0 is zero, so that 30 bytes
// of fields each stay aligned; a field that runs over the end of a word leaves that byte out. Zeros follow the fields.
void write_spread(std::vector<std::uint8_t>& out, std::span<const std::uint8_t> fields, std::size_t num_words) {
    constexpr std::size_t kPart = kWordBytes - 1;
    WordWriter w(out);
    for (std::size_t i = 0; i < num_words; ++i) {
        const auto rest = fields.subspan(std::min(fields.size(), i * kPart));
        const auto part = rest.first(std::min(rest.size(), kPart));
        w.zeros(1);
        w.bytes(part);
        w.zeros(kPart - part.size());
    }
}

std::vector<std::uint8_t> read_spread(WordReader& r, std::size_t num_words) {
    std::vector<std::uint8_t> fields;
    for (std::size_t i = 0; i < num_words; ++i) {
        r.zeros(1);
        const auto part = r.bytes<kWordBytes - 1>();
        fields.insert(fields.end(), part.begin(), part.end());
    }
    return fields;
}

/// Ends the reading of `inner`, a part of what r reads.
void finish(WordReader& r, WordReader& inner) {
    inner.zeros(inner.left());
    if (!inner.verdict()) r.refuse(inner.verdict().code());
}

struct Encoder {
    std::vector<std::uint8_t>& out;

    void operator()(const Transfer& op) const {
        WordWriter w(out);
        write_frame(w, Opcode::transfer, op.auth, op.receiver, op.amount);
    }
    void operator()(const TransferNew& op) const {
        WordWriter w(out);
        write_frame(w, Opcode::transfer_new, op.auth, op.receiver, op.amount);
        std::vector<std::uint8_t> fields;
        WordWriter f(fields);
        f.elements(op.owner.key_hash);
        f.address(op.owner.address);
        write_spread(out, fields, 2);
    }
    void operator()(const Withdraw& op) const {
        WordWriter w(out);
        write_frame(w, Opcode::withdraw, op.auth, 0, op.amount);
        write_spread(out, op.recipient.bytes, 1);
    }
    void operator()(const ChangeKey& op) const {
        WordWriter w(out);
        write_frame(w, Opcode::change_key, op.auth, 0, Amount());
        key_words(op.key);
    }
    void operator()(const PublishKey& op) const {
        WordWriter w(out);
        w.integer(static_cast<std::uint8_t>(Opcode::publish_key));
        w.integer(op.slot);
        w.zeros(kWordBytes - 5);
        key_words(op.key);
    }
    void key_words(const AccountKey& key) const {
        std::vector<std::uint8_t> fields;
        WordWriter f(fields);
        write_key(f, key);
        write_spread(out, fields, 2);
    }
    void operator()(const Collect& op) const {
        WordWriter w(out);
        w.integer(static_cast<std::uint8_t>(Opcode::collect));
        w.integer(op.slot);
        w.zeros(kWordBytes - 5);
    }
    void queue_record(Opcode code) const {
        WordWriter w(out);
        w.integer(static_cast<std::uint8_t>(code));
        w.zeros(kWordBytes - 1);
    }
    void operator()(const Deposit&) const { queue_record(Opcode::deposit); }
    void operator()(const ForcedWithdrawal&) const { queue_record(Opcode::forced_withdrawal); }
    void operator()(const SetKey&) const { queue_record(Opcode::set_key); }
};

Operation read_transfer_new(WordReader& r) {
    const Frame f = read_frame(r);
    TransferNew op{.auth = f.auth, .receiver = f.other, .amount = f.amount, .owner = {}};
    const auto fields = read_spread(r, 2);
    WordReader inner(fields);
    op.owner.key_hash = inner.digest();
    op.owner.address = inner.address();
    finish(r, inner);
    return op;
}

Operation read_withdraw(WordReader& r) {
    const Frame f = read_frame(r);
    require_zero(r, f.other == 0);
    Withdraw op{.auth = f.auth, .amount = f.amount, .recipient = {}};
    const auto fields = read_spread(r, 1);
    WordReader inner(fields);
    op.recipient = inner.address();
    finish(r, inner);
    return op;
}

AccountKey read_key_words(WordReader& r) {
    const auto fields = read_spread(r, 2);
    WordReader inner(fields);
    const AccountKey key = read_key(inner);
    finish(r, inner);
    return key;
}

Operation read_change_key(WordReader& r) {
    const Frame f = read_frame(r);
    require_zero(r, f.other == 0 && f.amount.is_zero());
    return ChangeKey{.auth = f.auth, .key = read_key_words(r)};
}

Operation read_publish_key(WordReader& r) {
    const SlotIndex slot = r.slot();
    r.zeros(kWordBytes - 5);
    return PublishKey{.slot = slot, .key = read_key_words(r)};
}

Operation read_body(Opcode code, WordReader& r) {
    switch (code) {
        case Opcode::transfer: {
            const Frame f = read_frame(r);
            return Transfer{.auth = f.auth, .receiver = f.other, .amount = f.amount};
        }
        case Opcode::transfer_new:
            return read_transfer_new(r);
        case Opcode::withdraw:
            return read_withdraw(r);
        case Opcode::change_key:
            return read_change_key(r);
        case Opcode::publish_key:
            return read_publish_key(r);
        case Opcode::collect: {
            const SlotIndex slot = r.slot();
            r.zeros(kWordBytes - 5);
            return Collect{slot};
        }
        case Opcode::deposit:
            r.zeros(kWordBytes - 1);
            return Deposit{};
        case Opcode::forced_withdrawal:
            r.zeros(kWordBytes - 1);
            return ForcedWithdrawal{};
        case Opcode::set_key:
            break;
    }
    r.zeros(kWordBytes - 1);
    return SetKey{};
}

}  // namespace

Opcode opcode(const Operation& op) noexcept { return static_cast<Opcode>(op.index() + 1); }
static_assert(std::variant_size_v<Operation> == kLastOpcode);
static_assert(
    std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(Opcode::set_key) - 1, Operation>, SetKey>);
static_assert(std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(Opcode::publish_key) - 1, Operation>,
                             PublishKey>);

std::size_t word_count(Opcode code) noexcept {
    switch (code) {
        case Opcode::transfer:
        case Opcode::publish_key:
            return 3;
        case Opcode::transfer_new:
        case Opcode::change_key:
            return 5;
        case Opcode::withdraw:
            return 4;
        default:
            return 1;
    }
}

const Authorisation* authorisation(const Operation& op) {
    return std::visit(
        [](const auto& o) -> const Authorisation* {
            if constexpr (requires { o.auth; })
                return &o.auth;
            else
                return nullptr;
        },
        op);
}
Authorisation* authorisation(Operation& op) {
    return const_cast<Authorisation*>(authorisation(static_cast<const Operation&>(op)));
}

void encode(const Operation& op, std::vector<std::uint8_t>& out) {
    QUARRY_CHECK(check_encodable(op).ok());
    const std::size_t before = out.size();
    std::visit(Encoder{out}, op);
    QUARRY_CHECK(out.size() - before == word_count(opcode(op)) * kWordBytes);
}

std::vector<std::uint8_t> encode(std::span<const Operation> ops) {
    std::vector<std::uint8_t> out;
    for (const Operation& op : ops) encode(op, out);
    return out;
}

Verdict check_encodable(const Operation& op) {
    const auto slots_fit = std::visit(
        [](const auto& o) {
            bool ok = true;
            if constexpr (requires { o.auth; }) ok = ok && o.auth.slot < kMaxSlots;
            if constexpr (requires { o.receiver; }) ok = ok && o.receiver < kMaxSlots;
            if constexpr (requires { o.slot; }) ok = ok && o.slot < kMaxSlots;
            return ok;
        },
        op);
    if (!slots_fit) return RejectCode::slot_out_of_range;
    const Authorisation* auth = authorisation(op);
    if (auth != nullptr && !auth->fee.fits_fee()) return RejectCode::fee_too_large;
    return Accepted{};
}

Checked<ParsedOperation> parse_operation(std::span<const std::uint8_t> bytes) {
    WordReader peek(bytes);
    const auto code = peek.integer<std::uint8_t>();
    QUARRY_REQUIRE(peek.verdict());
    if (code == 0 || code > kLastOpcode) return RejectCode::unknown_opcode;
    const std::size_t num_bytes = word_count(Opcode{code}) * kWordBytes;
    if (bytes.size() < num_bytes) return RejectCode::truncated;
    WordReader r(bytes.subspan(1, num_bytes - 1));
    const Operation op = read_body(Opcode{code}, r);
    QUARRY_REQUIRE(r.verdict());
    QUARRY_CHECK(r.left() == 0);
    return ParsedOperation{op, num_bytes};
}

Checked<std::vector<Operation>> parse_operations(std::span<const std::uint8_t> bytes) {
    if (bytes.size() > kMaxBatchWords * kWordBytes) return RejectCode::too_many_words;
    if (bytes.size() % kWordBytes != 0) return RejectCode::bad_length;
    std::vector<Operation> ops;
    while (!bytes.empty()) {
        const auto parsed = parse_operation(bytes);
        QUARRY_REQUIRE(parsed);
        bytes = bytes.subspan(parsed.value().num_bytes);
        ops.push_back(parsed.value().op);
    }
    return ops;
}

Message make_message(const Operation& op, const KeyHash& signer, TokenId token, Nonce nonce,
                     const Digest& receiver_pair) {
    const Authorisation* auth = authorisation(op);
    QUARRY_CHECK(auth != nullptr);
    Message m{.opcode = static_cast<std::uint8_t>(opcode(op)),
              .token = token,
              .slot = auth->slot,
              .key_hash = signer,
              .nonce = nonce,
              .expiry = auth->expiry,
              .fee = auth->fee,
              .amount = {},
              .payload = {}};
    if (const auto* transfer = std::get_if<Transfer>(&op)) {
        m.amount = transfer->amount;
        m.payload = receiver_pair;
    } else if (const auto* create = std::get_if<TransferNew>(&op)) {
        m.amount = create->amount;
        m.payload = pair_hash(create->owner);
    } else if (const auto* withdraw = std::get_if<Withdraw>(&op)) {
        m.amount = withdraw->amount;
        m.payload = address_block(withdraw->recipient);
    } else {
        m.payload = key_hash(std::get<ChangeKey>(op).key);
    }
    return m;
}

}  // namespace quarry::rollup
