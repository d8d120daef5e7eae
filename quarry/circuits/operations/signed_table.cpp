#include "quarry/circuits/operations/signed_table.hpp"

#include "quarry/base/parallel.hpp"
#include "quarry/hash/poseidon_batch.hpp"
#include "quarry/rollup/fee_ledger.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::circuits {

namespace {

using OpRow = SignedRow<Expr>;

/// What several parts of the constraints name.
struct Names {
    Expr real;    ///< selector of used rows
    Expr opcode;  ///< 0 on padding
    Expr time;
    Expr slot, receiver;
};

Names constrain_kind(AirBuilder& b, const OpRow& row) {
    Names n;
    for (std::size_t k = 0; k < row.kind.size(); ++k) {
        // A change of key needs none: amount.positive and amount.none leave 0 and the selector.
        if (k != kKindChangeKey) b.boolean(indexed("kind", k), row.kind[k]);
        n.real += row.kind[k];
        n.opcode += row.kind[k] * constant(static_cast<std::uint32_t>(k) + 1);
    }
    b.boolean("kind.exclusive", n.real);
    n.time = row.word + 1;
    return n;
}

/// Words 0 to 2: every field but the opcode is a cell.
void receive_words(AirBuilder& b, const OpRow& row, Names& n) {
    FieldWriter<Expr> first;
    FieldWriter<Expr> second;
    FieldWriter<Expr> third;
    first << row.slot << row.receiver << row.amount << row.expiry;
    first.part(row.e, 5, 8);
    second.part(row.fee, 0, 4).part(row.e, 0, 5).part(row.s, 16, 22);
    third.part(row.s, 0, 15);
    receive_word(b, "word[0]", n.real, row.word, first.word(n.opcode));
    receive_word(b, "word[1]", n.real, row.word + 1, second.word(row.fee[4]));
    receive_word(b, "word[2]", n.real, row.word + 2, third.word(row.s[15]));
    require_byte(b, "fee.top", n.real, row.fee[4]);
    n.slot = require_slot(b, "slot", n.real, row.slot);
    n.receiver = require_slot(b, "receiver", n.real, row.receiver);
}

/// T1, fields that a kind does not use, and S3.
void constrain_fields(AirBuilder& b, const OpRow& row, const Names& n) {
    const Expr amount = sum_of(row.amount);
    b.equal("amount.positive", amount * row.amount_inverse, n.real - row.kind[kKindChangeKey]);
    b.zero("amount.none", amount * row.kind[kKindChangeKey]);
    b.zero("receiver.none", sum_of(row.receiver) * (row.kind[kKindWithdraw] + row.kind[kKindChangeKey]));

    b.receive("timestamp", kTimestampBus, n.real, {row.timestamp[0], row.timestamp[1]});
    b.boolean("expiry.borrow", row.borrow);
    require_range16(b, "expiry.low", n.real, row.expiry[0] - row.timestamp[0] + row.borrow * constant(1u << 16));
    require_range16(b, "expiry.high", n.real, row.expiry[1] - row.timestamp[1] - row.borrow);
}

std::array<Expr, 6> padded_fee(const OpRow& row) {
    return {row.fee[0], row.fee[1], row.fee[2], row.fee[3], row.fee[4], Expr(0)};
}

/// S1, S2, S4, S5.
void debit_sender(AirBuilder& b, const OpRow& row, const Names& n) {
    const SenderCells<Expr>& sender = row.sender;
    require_hash(b, "sender.pair", n.real, sender.key_hash, pair_block(sender.address), sender.pair);
    const LeafCells<Expr> before{.exists = 1,
                                 .pair = sender.pair,
                                 .balance = sender.balance,
                                 .token = sender.token,
                                 .published = 1,
                                 .nonce = sender.nonce};
    LeafCells<Expr> after = before;
    after.balance = sender.rest;
    after.nonce = sender.nonce + 1;
    access_memory(b, "sender", n.real, n.slot, sender.previous, n.time, before, after);

    require_sum(b, "sender.balance", sender.balance, {sender.rest, row.amount, padded_fee(row)});
    require_range16(b, "sender.rest", n.real, sender.rest);
    require_range16(b, "sender.nonce.low", n.real, after.nonce - sender.nonce_high * constant(1u << 16));
    require_range14(b, "sender.nonce.high", n.real, sender.nonce_high);
}

/// S6, S7. Without a fee the ledger is not touched.
void pay_fee(AirBuilder& b, const OpRow& row, const Names& n) {
    const PaymentCells<Expr>& p = row.payment;
    const Expr fee = sum_of(row.fee);
    b.equal("fee.pays", fee * p.fee_inverse, p.pays);
    b.zero("fee.free", fee * (1 - p.pays));
    b.zero("fee.real", p.pays * (1 - n.real));
    access_fees(b, "fees", p.pays, row.sender.token, p.previous, n.time, p.before, p.after);
    require_sum(b, "fees.sum", p.after, {p.before, padded_fee(row)});
    require_range16(b, "fees.after", p.pays, p.after);

    const Expr sum = sum_of(p.before);
    b.equal("fees.opens", sum * p.sum_inverse, p.pays - p.opens);
    b.zero("fees.open", sum * p.opens);
    access_register(b, "fee_tokens", p.opens, kFeeTokens, p.count_previous, n.time, {p.count, 0, 0, 0},
                    {p.count + 1, 0, 0, 0});
    require_range16(b, "fee_tokens.limit", p.opens, constant(rollup::FeeLedger::kCells - 1) - p.count);
}

/// T2 to T5. T2 is the memory's: two accesses of one slot cannot have one time.
void credit_receiver(AirBuilder& b, const OpRow& row, const Names& n) {
    const Expr& m = row.kind[kKindTransfer];
    const LeafCells<Expr> before{.exists = 1,
                                 .pair = row.payload,
                                 .balance = row.to.balance,
                                 .token = row.sender.token,
                                 .published = row.to.published,
                                 .nonce = row.to.nonce};
    LeafCells<Expr> after = before;
    after.balance = row.to.credited;
    access_memory(b, "to", m, n.receiver, row.to.previous, n.time, before, after);
    require_sum(b, "to.balance", row.to.credited, {row.to.balance, row.amount});
    require_range16(b, "to.credited", m, row.to.credited);
}

/// S8.
void authorise(AirBuilder& b, const OpRow& row, const Names& n) {
    b.receive("domain", kDomainBus, n.real, {row.domain.begin(), row.domain.end()});
    const DigestOf<Expr> block0{row.sender.token + n.opcode * constant(1u << 16),
                                n.slot,
                                row.sender.nonce,
                                row.expiry[0],
                                row.expiry[1],
                                row.fee[0],
                                row.fee[1],
                                row.fee[2]};
    const DigestOf<Expr> block1{row.fee[3],    row.fee[4],    row.amount[0], row.amount[1],
                                row.amount[2], row.amount[3], row.amount[4], row.amount[5]};
    require_hash(b, "message[0]", n.real, row.domain, row.sender.key_hash, row.chain[0]);
    require_hash(b, "message[1]", n.real, row.chain[0], row.payload, row.chain[1]);
    require_hash(b, "message[2]", n.real, row.chain[1], block0, row.chain[2]);
    require_hash(b, "message[3]", n.real, row.chain[2], block1, row.chain[3]);
    b.receive("signature", kSignatureBus, n.real,
              signature_tuple(n.time, row.sender.key_hash, row.chain[3], row.e, row.s));
}

}  // namespace

void SignedTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    Names n = constrain_kind(b, row);
    receive_words(b, row, n);
    constrain_fields(b, row, n);
    debit_sender(b, row, n);
    pay_fee(b, row, n);
    credit_receiver(b, row, n);
    b.send("extension", kExtensionBus, n.real - row.kind[kKindTransfer],
           extension_tuple<Expr>({.opcode = n.opcode,
                                  .time = n.time,
                                  .slot = n.slot,
                                  .receiver = n.receiver,
                                  .token = row.sender.token,
                                  .amount = row.amount,
                                  .fee = row.fee,
                                  .payload = row.payload}));
    authorise(b, row, n);
}

namespace {

using Cells = SignedRow<KoalaBear>;

template <std::size_t N>
std::array<KoalaBear, N> little_endian_limbs(const std::uint8_t* bytes) {
    std::array<KoalaBear, N> r;
    for (std::size_t i = 0; i < N; ++i) r[i] = KoalaBear(bytes[2 * i] | std::uint32_t{bytes[2 * i + 1]} << 8);
    return r;
}

void fill_signature(Cells& row, const rollup::SignatureBytes& signature) {
    row.e = little_endian_limbs<8>(signature.data());
    const std::uint8_t* s = signature.data() + 16;
    const auto low = little_endian_limbs<15>(s);
    const auto high = little_endian_limbs<6>(s + 31);
    std::copy(low.begin(), low.end(), row.s.begin());
    row.s[15] = KoalaBear(s[30]);
    std::copy(high.begin(), high.end(), row.s.begin() + 16);
}

void fill_sender(SenderCells<KoalaBear>& cells, const TimedStep& timed) {
    const rollup::LeafChange& access = timed.step->access[0];
    const rollup::Leaf& leaf = *access.before;
    const std::uint32_t nonce = access.after->nonce;
    cells = {.previous = KoalaBear(timed.previous[0]),
             .key_hash = leaf.owner.key_hash,
             .address = address_pieces(leaf.owner.address),
             .pair = leaf.pair,
             .balance = amount_limbs(leaf.balance),
             .rest = amount_limbs(access.after->balance),
             .token = KoalaBear(leaf.token),
             .nonce = KoalaBear(leaf.nonce),
             .nonce_high = KoalaBear(nonce >> 16)};
}

void fill_payment(PaymentCells<KoalaBear>& cells, const TimedStep& timed, KoalaBear fee) {
    if (timed.step->fee.is_zero()) return;
    cells.pays = KoalaBear(1);
    cells.fee_inverse = fee.inverse();
    cells.previous = KoalaBear(timed.fees_previous);
    cells.before = amount_limbs(timed.fees_before);
    cells.after = amount_limbs(timed.fees_after);
    cells.sum_inverse = inverse_or_zero(sum_of(cells.before));
    if (const auto& count = timed.registers[kFeeTokens - 1]) {
        cells.opens = KoalaBear(1);
        cells.count = KoalaBear(count->before);
        cells.count_previous = KoalaBear(count->previous);
    }
}

void fill_receiver(ReceiverCells<KoalaBear>& cells, const TimedStep& timed, const std::array<KoalaBear, 6>& amount) {
    if (rollup::opcode(timed.step->op) != rollup::Opcode::transfer) {
        cells.credited = amount;
        return;
    }
    const rollup::LeafChange& access = timed.step->access[1];
    cells = {.previous = KoalaBear(timed.previous[1]),
             .published = KoalaBear(access.before->key_published ? 1 : 0),
             .nonce = KoalaBear(access.before->nonce),
             .balance = amount_limbs(access.before->balance),
             .credited = amount_limbs(access.after->balance)};
}

std::uint32_t receiver_of(const rollup::Operation& op) {
    if (const auto* transfer = std::get_if<rollup::Transfer>(&op)) return transfer->receiver;
    if (const auto* create = std::get_if<rollup::TransferNew>(&op)) return create->receiver;
    return 0;
}

/// Everything but the hashes of the message.
Cells signed_row(const TimedStep& timed, rollup::Timestamp timestamp) {
    const rollup::Operation& op = timed.step->op;
    const rollup::Authorisation& auth = *rollup::authorisation(op);
    const rollup::Message& message = *timed.step->message;
    Cells row{};
    row.kind[op.index()] = KoalaBear(1);
    row.word = KoalaBear(timed.word);
    row.slot = limbs_of(auth.slot);
    row.receiver = limbs_of(receiver_of(op));
    row.amount = amount_limbs(message.amount);
    row.expiry = limbs_of(auth.expiry);
    const auto fee = amount_limbs(auth.fee);
    std::copy_n(fee.begin(), row.fee.size(), row.fee.begin());
    fill_signature(row, auth.signature);
    row.timestamp = limbs_of(timestamp);
    row.borrow = KoalaBear((auth.expiry & 0xffff) < (timestamp & 0xffff) ? 1 : 0);
    row.amount_inverse = inverse_or_zero(sum_of(row.amount));
    fill_sender(row.sender, timed);
    fill_payment(row.payment, timed, sum_of(row.fee));
    fill_receiver(row.to, timed, row.amount);
    row.payload = message.payload;
    return row;
}

/// The chains of rows [begin, end), on the batch kernels.
void fill_chains(std::span<Cells> rows, const std::vector<const TimedStep*>& steps, std::size_t begin,
                 const Digest& domain) {
    std::vector<Digest> state(rows.size(), domain);
    std::vector<Digest> children(2 * rows.size());
    for (std::size_t k = 0; k < 4; ++k) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const rollup::Message& message = *steps[begin + i]->step->message;
            children[2 * i] = state[i];
            children[2 * i + 1] = k == 0   ? message.key_hash
                                  : k == 1 ? message.payload
                                           : rollup::message_blocks(message)[k - 2];
        }
        poseidon_compress_pairs(children, state);
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i].chain[k] = state[i];
    }
}

}  // namespace

std::vector<SignedRow<KoalaBear>> signed_rows(const Timeline& timeline) {
    std::vector<const TimedStep*> steps;
    for (const TimedStep& timed : timeline.steps) {
        if (rollup::authorisation(timed.step->op) != nullptr) steps.push_back(&timed);
    }
    std::vector<Cells> rows(steps.size());
    parallel_for(steps.size(), 256, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            rows[i] = signed_row(*steps[i], timeline.header.timestamp);
            rows[i].domain = timeline.statement.domain;
        }
        fill_chains(std::span(rows).subspan(begin, end - begin), steps, begin, timeline.statement.domain);
    });
    return rows;
}

}  // namespace quarry::circuits
