#include "quarry/node/segment_input.hpp"

#include <algorithm>
#include <unordered_map>

#include "quarry/node/queue_window.hpp"
#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/store_codec.hpp"

namespace quarry::node {
namespace {

using rollup::RejectCode;
using rollup::WordReader;
using rollup::WordWriter;

constexpr std::uint32_t kInputMagic = 0x51534931;  // "QSI1"

// --- parts of the format, each written and read side by side ---

void write(WordWriter& w, const rollup::RollupParameters& p) {
    w.integer(p.l1_chain_id);
    w.address(p.hub);
    w.integer(p.rollup_id);
    w.elements(p.genesis_root);
    w.amount(p.min_new_pair_fee);
}
rollup::RollupParameters read_parameters(WordReader& r) {
    rollup::RollupParameters p;
    p.l1_chain_id = r.integer<std::uint64_t>();
    p.hub = r.address();
    p.rollup_id = r.integer<std::uint32_t>();
    p.genesis_root = r.digest();
    p.min_new_pair_fee = r.amount();
    if (p.min_new_pair_fee.wide() >> 72 != 0) r.refuse(RejectCode::fee_too_large);  // the domain hashes no more
    return p;
}

void write(WordWriter& w, const rollup::Accumulator& a) {
    w.elements(a.digest);
    w.integer(a.count);
}
rollup::Accumulator read_accumulator(WordReader& r) {
    rollup::Accumulator a;
    a.digest = r.digest();
    a.count = r.integer<std::uint32_t>();
    return a;
}

/// The number of cells in use, then token and sum of each.
void write(WordWriter& w, const rollup::FeeLedger& fees) {
    std::uint8_t used = 0;
    for (const auto& cell : fees.cells()) {
        if (!cell.sum.is_zero()) ++used;
    }
    w.integer(used);
    for (std::size_t i = 0; i < used; ++i) {
        w.integer(fees.cells()[i].token);
        w.amount(fees.cells()[i].sum);
    }
}
rollup::FeeLedger read_fees(WordReader& r) {
    rollup::FeeLedger fees;
    const auto used = r.integer<std::uint8_t>();
    if (used > rollup::FeeLedger::kCells) r.refuse(RejectCode::limit_exceeded);
    std::optional<rollup::TokenId> previous;
    for (std::size_t i = 0; i < used && r.verdict(); ++i) {
        const auto token = r.integer<rollup::TokenId>();
        const rollup::Amount sum = r.amount();
        // Rising tokens, sums above zero: one form for each ledger.
        if (sum.is_zero() || (previous && token <= *previous)) {
            r.refuse(RejectCode::limit_exceeded);
            break;
        }
        fees.add(token, sum);
        previous = token;
    }
    return fees;
}

/// 0 deposit, 1 forced withdrawal, 2 set key; then the fields.
void write(WordWriter& w, const QueueEntry& entry) {
    w.integer(static_cast<std::uint8_t>(entry.index()));
    if (const auto* deposit = std::get_if<rollup::DepositEntry>(&entry)) {
        w.elements(deposit->owner.key_hash);
        w.address(deposit->owner.address);
        w.address(deposit->depositor);
        w.integer(deposit->token);
        w.amount(deposit->amount);
        w.integer(deposit->target);
    } else if (const auto* withdrawal = std::get_if<rollup::ForcedWithdrawalEntry>(&entry)) {
        w.integer(withdrawal->slot);
        w.address(withdrawal->sender);
    } else {
        const auto& set_key = std::get<rollup::SetKeyEntry>(entry);
        w.integer(set_key.slot);
        w.address(set_key.sender);
        w.elements(set_key.key_hash);
    }
}
QueueEntry read_entry(WordReader& r) {
    const auto kind = r.integer<std::uint8_t>();
    if (kind == 0) {
        rollup::DepositEntry e;
        e.owner.key_hash = r.digest();
        e.owner.address = r.address();
        e.depositor = r.address();
        e.token = r.integer<rollup::TokenId>();
        e.amount = r.amount();
        e.target = r.integer<std::uint32_t>();
        return e;
    }
    if (kind == 1) {
        rollup::ForcedWithdrawalEntry e;
        e.slot = r.integer<std::uint32_t>();
        e.sender = r.address();
        return e;
    }
    if (kind != 2) r.refuse(RejectCode::bad_flag);
    rollup::SetKeyEntry e;
    e.slot = r.integer<std::uint32_t>();
    e.sender = r.address();
    e.key_hash = r.digest();
    return e;
}

/// A count, of things that take at least `least_bytes` each: what is left bounds what is allocated.
std::size_t read_count(WordReader& r, std::size_t least_bytes) {
    const auto n = r.integer<std::uint32_t>();
    if (n <= r.left() / least_bytes) return n;
    r.refuse(RejectCode::truncated);
    return 0;
}

/// The state in the middle of a batch, as far as a segment touches it.
class SegmentReader final : public rollup::StateReader {
  public:
    explicit SegmentReader(const SegmentInput& input) : state_(input.before.state) {
        for (const rollup::LeafChange& leaf : input.leaves) leaves_.emplace(leaf.slot, *leaf.before);
        const std::vector<rollup::KeyHash> hashes = rollup::key_hashes(input.keys);
        for (std::size_t i = 0; i < hashes.size(); ++i) keys_.emplace(hashes[i], input.keys[i]);
    }
    [[nodiscard]] const rollup::State& state() const override { return state_; }
    [[nodiscard]] std::optional<rollup::Leaf> leaf(rollup::SlotIndex slot) const override {
        const auto it = leaves_.find(slot);
        return it == leaves_.end() ? std::nullopt : std::optional(it->second);
    }
    [[nodiscard]] std::optional<rollup::AccountKey> key(const rollup::KeyHash& hash) const override {
        const auto it = keys_.find(hash);
        return it == keys_.end() ? std::nullopt : std::optional(it->second);
    }

  private:
    rollup::State state_;
    std::unordered_map<rollup::SlotIndex, rollup::Leaf> leaves_;
    std::unordered_map<rollup::KeyHash, rollup::AccountKey, rollup::DigestHasher> keys_;
};

/// The tree around the touched slots, or a code if it is not the one of the state before.
rollup::Verdict add_tree(const SegmentInput& input, circuits::SegmentSource& source) {
    source.siblings = input.siblings;
    source.root_children = input.root_children;
    const Digest& root = input.before.state.root;
    if (poseidon_compress(input.root_children[0], input.root_children[1]) != root) return RejectCode::root_mismatch;
    const auto changes = rollup::changes_of(source.steps);
    if (changes.empty()) {
        source.update.root_before = source.update.root_after = root;
        return rollup::Accepted{};
    }
    auto update = circuits::plan_from_siblings(changes, input.siblings);
    QUARRY_REQUIRE(update);
    if (update.value().root_before != root) return RejectCode::root_mismatch;
    source.update = std::move(update).value();
    return rollup::Accepted{};
}

}  // namespace

SegmentInput make_segment_input(const circuits::SegmentSource& source, std::span<const rollup::SignatureCheck> checks,
                                std::size_t first_step) {
    SegmentInput input{.parameters = source.parameters,
                       .header = source.header,
                       .before = source.before,
                       .fees = source.fees,
                       .data = {},
                       .entries = {},
                       .leaves = {},
                       .keys = {},
                       .siblings = source.siblings,
                       .root_children = source.root_children};
    for (const rollup::Step& step : source.steps) {
        rollup::encode(step.op, input.data);
        if (!step.effect) continue;
        std::visit(
            [&](const auto& effect) {
                if constexpr (requires { effect.entry; }) input.entries.emplace_back(effect.entry);
            },
            *step.effect);
    }
    for (rollup::LeafChange& change : rollup::changes_of(source.steps)) {
        if (!change.before) continue;
        change.after.reset();
        input.leaves.push_back(std::move(change));
    }
    std::unordered_map<rollup::KeyHash, bool, rollup::DigestHasher> listed;
    for (const rollup::SignatureCheck& check : checks) {
        if (check.step < first_step || check.step - first_step >= source.steps.size()) continue;
        if (listed.emplace(rollup::key_hash(check.key), true).second) input.keys.push_back(check.key);
    }
    return input;
}

std::vector<std::uint8_t> encode(const SegmentInput& input) {
    std::vector<std::uint8_t> bytes;
    WordWriter w(bytes);
    w.integer(kInputMagic);
    write(w, input.parameters);
    w.bytes(rollup::encode(input.header));
    rollup::write_state(w, input.before.state);
    write(w, input.before.data);
    write(w, input.before.effects);
    write(w, input.fees);
    w.integer(static_cast<std::uint32_t>(input.data.size() / rollup::kWordBytes));
    w.bytes(input.data);
    w.integer(static_cast<std::uint32_t>(input.entries.size()));
    for (const QueueEntry& entry : input.entries) write(w, entry);
    w.integer(static_cast<std::uint32_t>(input.leaves.size()));
    for (const rollup::LeafChange& leaf : input.leaves) {
        w.integer(leaf.slot);
        rollup::write_leaf(w, *leaf.before);
    }
    w.integer(static_cast<std::uint32_t>(input.keys.size()));
    for (const rollup::AccountKey& key : input.keys) rollup::write_account_key(w, key);
    for (const std::vector<Digest>& level : input.siblings) {
        w.integer(static_cast<std::uint32_t>(level.size()));
        for (const Digest& d : level) w.elements(d);
    }
    for (const Digest& d : input.root_children) w.elements(d);
    return bytes;
}

rollup::Checked<SegmentInput> parse_segment_input(std::span<const std::uint8_t> bytes) {
    WordReader r(bytes);
    if (r.integer<std::uint32_t>() != kInputMagic) r.refuse(RejectCode::bad_magic);
    SegmentInput input;
    input.parameters = read_parameters(r);
    const auto header = rollup::parse_header(r.bytes<rollup::kHeaderBytes>());
    QUARRY_REQUIRE(r.verdict());
    QUARRY_REQUIRE(header);
    input.header = header.value();
    input.before.state = rollup::read_state(r);
    input.before.data = read_accumulator(r);
    input.before.effects = read_accumulator(r);
    input.fees = read_fees(r);
    input.before.fees = input.fees.digest();
    const std::size_t num_words = read_count(r, rollup::kWordBytes);
    if (num_words > rollup::kMaxBatchWords) return RejectCode::too_many_words;
    for (std::size_t i = 0; i < num_words; ++i) {
        const auto word = r.bytes<rollup::kWordBytes>();
        input.data.insert(input.data.end(), word.begin(), word.end());
    }
    const std::size_t num_entries = read_count(r, 25);
    for (std::size_t i = 0; i < num_entries && r.verdict(); ++i) input.entries.push_back(read_entry(r));
    const std::size_t num_leaves = read_count(r, 4 + rollup::kLeafBytes);
    std::vector<rollup::Leaf> leaves;
    for (std::size_t i = 0; i < num_leaves && r.verdict(); ++i) {
        const rollup::SlotIndex slot = r.slot();
        if (!input.leaves.empty() && input.leaves.back().slot >= slot) return RejectCode::bad_length;
        input.leaves.push_back({slot, std::nullopt, std::nullopt});
        leaves.push_back(rollup::read_leaf(r));
    }
    rollup::set_pairs(leaves);
    for (std::size_t i = 0; i < leaves.size(); ++i) input.leaves[i].before = leaves[i];
    const std::size_t num_keys = read_count(r, rollup::kAccountKeyBytes);
    for (std::size_t i = 0; i < num_keys && r.verdict(); ++i) input.keys.push_back(rollup::read_account_key(r));
    for (std::vector<Digest>& level : input.siblings) {
        level.resize(read_count(r, 32));
        for (Digest& d : level) d = r.digest();
    }
    for (Digest& d : input.root_children) d = r.digest();
    QUARRY_REQUIRE(r.verdict());
    if (r.left() != 0) return RejectCode::bad_length;
    return input;
}

rollup::Checked<std::unique_ptr<const ExecutedSegment>> execute_segment(const SegmentInput& input) {
    const auto ops = rollup::parse_operations(input.data);
    QUARRY_REQUIRE(ops);
    const SegmentReader reader(input);
    QueueWindow queues(input.before.state.deposit_cursor, input.before.state.forced_cursor);
    for (const QueueEntry& entry : input.entries) queues.push(entry);
    const rollup::BatchContext context{.domain = rollup::domain_hash(input.parameters),
                                       .min_new_pair_fee = input.parameters.min_new_pair_fee,
                                       .timestamp = input.header.timestamp,
                                       .fee_receiver = input.header.fee_receiver};
    rollup::Executor executor(context, reader, queues, input.fees, input.before.data.count, input.before.effects.count);
    for (const rollup::Operation& op : ops.value()) QUARRY_REQUIRE(executor.apply(op));

    auto segment = std::make_unique<ExecutedSegment>();
    segment->signature_checks = executor.signature_checks();
    segment->steps = executor.release_steps();
    segment->source.parameters = input.parameters;
    segment->source.header = input.header;
    segment->source.before = input.before;
    segment->source.fees = input.fees;
    segment->source.steps = segment->steps;
    QUARRY_REQUIRE(add_tree(input, segment->source));
    return std::unique_ptr<const ExecutedSegment>(std::move(segment));
}

}  // namespace quarry::node
