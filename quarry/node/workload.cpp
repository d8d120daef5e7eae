#include "quarry/node/workload.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "quarry/base/parallel.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node {
namespace {

using rollup::Amount;
using rollup::Leaf;
using rollup::SlotIndex;

constexpr std::size_t kBlockLines = 4096;
constexpr std::uint64_t kGenerationStep = std::uint64_t{1} << 32;
constexpr unsigned kMaxGenerations = 8;
constexpr unsigned kAttempts = 1000;  ///< to draw a slot with some property
constexpr std::uint64_t kMaxDeposit = 1'000'000;
constexpr std::uint64_t kNoKey = ~std::uint64_t{0};

/// SplitMix64: the same numbers on every platform.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    /// Evenly below n > 0, but for a bias of n / 2^64.
    std::uint64_t below(std::uint64_t n) {
        return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
    }

  private:
    std::uint64_t state_;
};

/// What is wrong with a line, and the code under which it is refused.
enum class Flaw {
    none,
    signature,
    used_nonce,
    later_nonce,
    overspend,
    expired,
    no_receiver,
    no_sender,
    other_key,
    other_token,
    other_pair,
    zero_amount,
    to_itself,
    cut_line,
};
constexpr std::array<std::pair<Flaw, const char*>, 13> kFlaws{{{Flaw::signature, "bad_signature"},
                                                               {Flaw::later_nonce, "nonce_too_high"},
                                                               {Flaw::overspend, "insufficient_balance"},
                                                               {Flaw::expired, "expired"},
                                                               {Flaw::no_receiver, "unknown_receiver"},
                                                               {Flaw::cut_line, "bad_syntax"},
                                                               {Flaw::no_sender, "unknown_slot"},
                                                               {Flaw::other_key, "wrong_key"},
                                                               {Flaw::other_token, "wrong_token"},
                                                               {Flaw::other_pair, "receiver_pair_mismatch"},
                                                               {Flaw::zero_amount, "zero_amount"},
                                                               {Flaw::to_itself, "self_transfer"},
                                                               {Flaw::used_nonce, "nonce_too_low"}}};

/// A line before it is signed.
struct Draft {
    InputLine line;
    std::uint64_t signer = 0;  ///< number of the key
    Flaw flaw = Flaw::none;
};

/// The state as it will be after the lines so far. Fees that slot 0 collects are left out: it has at least as much.
class Model {
  public:
    Model(const rollup::StateReader& state, const DevelopmentKeys& keys);

    [[nodiscard]] SlotIndex size() const noexcept { return static_cast<SlotIndex>(leaves_.size()); }
    [[nodiscard]] Leaf& leaf(SlotIndex slot) { return leaves_[slot]; }
    /// kNoKey: nobody here can sign for the slot.
    [[nodiscard]] std::uint64_t key(SlotIndex slot) const { return keys_[slot]; }
    void set_key(SlotIndex slot, std::uint64_t key, const rollup::KeyHash& hash) {
        keys_[slot] = key;
        leaves_[slot].owner.key_hash = hash;
        leaves_[slot].pair = rollup::pair_hash(leaves_[slot].owner);
    }
    void add(const rollup::Owner& owner, rollup::TokenId token, Amount balance) {
        leaves_.push_back(rollup::make_leaf(owner, token, balance));
        keys_.push_back(leaves_.size() - 1);
    }

  private:
    std::vector<Leaf> leaves_;
    std::vector<std::uint64_t> keys_;
};

Model::Model(const rollup::StateReader& state, const DevelopmentKeys& keys)
    : leaves_(state.state().slot_count), keys_(state.state().slot_count, kNoKey) {
    constexpr std::size_t kPiece = 4096;
    parallel_for(leaves_.size(), kPiece, [&](std::size_t begin, std::size_t end) {
        const auto points = keys.public_keys(begin, end - begin);
        std::vector<rollup::AccountKey> published;
        published.reserve(points.size());
        for (const auto& point : points) published.push_back(to_account_key(point));
        const auto hashes = rollup::key_hashes(published);
        for (std::size_t slot = begin; slot < end; ++slot) {
            leaves_[slot] = state.leaf(static_cast<SlotIndex>(slot)).value();
            const rollup::KeyHash& want = leaves_[slot].owner.key_hash;
            if (hashes[slot - begin] == want) keys_[slot] = slot;
            for (unsigned g = 1; g <= kMaxGenerations && keys_[slot] == kNoKey; ++g) {
                const std::uint64_t key = slot + g * kGenerationStep;
                if (keys.public_keys(key, 1)[0].hash() == want) keys_[slot] = key;
            }
        }
    });
}

class Generator {
  public:
    Generator(const rollup::StateReader& state, const rollup::RollupParameters& parameters, const DevelopmentKeys& keys,
              const WorkloadOptions& options)
        : model_(state, keys), parameters_(parameters), keys_(keys), options_(options), random_(options.seed) {}

    /// The next line, or no value if no slot can pay.
    std::optional<Draft> next(bool valid) {
        if (model_.size() == 0) return std::nullopt;
        if (!valid) return flawed_transfer();
        std::uint64_t at = random_.below(options_.mix.total());
        const auto is = [&](unsigned weight) {
            if (at < weight) return true;
            at -= weight;
            return false;
        };
        if (is(options_.mix.transfer)) return transfer();
        if (is(options_.mix.new_pair)) return transfer_new();
        if (is(options_.mix.withdraw)) return withdraw();
        if (is(options_.mix.deposit)) return deposit();
        if (is(options_.mix.change_key)) return change_key();
        return is(options_.mix.forced) ? forced_withdrawal() : set_key();
    }
    /// The line's text. Thread-safe.
    [[nodiscard]] std::string finish(Draft& draft, const Digest& domain) const;

  private:
    template <class Predicate>
    std::optional<SlotIndex> draw(Predicate&& accept) {
        for (unsigned i = 0; i < kAttempts; ++i) {
            const auto slot = static_cast<SlotIndex>(random_.below(model_.size()));
            if (accept(slot)) return slot;
        }
        return std::nullopt;
    }
    Amount fee_of(SlotIndex slot) { return model_.leaf(slot).token == model_.leaf(0).token ? options_.fee : Amount(); }
    std::optional<SlotIndex> draw_sender(Amount fee) {
        return draw([&](SlotIndex slot) {
            const Leaf& leaf = model_.leaf(slot);
            return model_.key(slot) != kNoKey && leaf.nonce < rollup::kMaxNonce - 1 && leaf.balance > fee;
        });
    }
    /// 1 to a sixteenth of what is left after the fee.
    Amount draw_amount(Amount balance, Amount fee) {
        const auto most = std::min<Amount::Wide>((balance.wide() - fee.wide()) / 16, ~std::uint64_t{0});
        return Amount(1 + random_.below(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(most))));
    }
    Draft signed_draft(SlotIndex slot, rollup::Operation op, Amount fee) {
        const Leaf& leaf = model_.leaf(slot);
        *rollup::authorisation(op) = {.slot = slot, .expiry = options_.expiry, .fee = fee, .signature = {}};
        return {SignedTransaction{{std::move(op), {}, leaf.token, leaf.nonce, {}}, {}}, model_.key(slot), Flaw::none};
    }
    void pay(SlotIndex slot, Amount amount, Amount fee) {
        Leaf& leaf = model_.leaf(slot);
        leaf.balance = checked_sub(checked_sub(leaf.balance, amount).value(), fee).value();
        ++leaf.nonce;
    }
    /// Key `index` with address `index`.
    [[nodiscard]] rollup::Owner owner(std::uint64_t index) const {
        return {keys_.public_keys(index, 1)[0].hash(), keys_.address(index)};
    }

    std::optional<Draft> transfer();
    std::optional<Draft> transfer_new();
    std::optional<Draft> withdraw();
    std::optional<Draft> deposit();
    std::optional<Draft> change_key();
    std::optional<Draft> forced_withdrawal();
    std::optional<Draft> set_key();
    std::optional<Draft> flawed_transfer();

    Model model_;
    const rollup::RollupParameters& parameters_;
    const DevelopmentKeys& keys_;
    const WorkloadOptions& options_;
    Random random_;
    std::size_t num_flawed_ = 0;
};

std::optional<Draft> Generator::transfer() {
    const auto from = draw_sender(options_.fee);
    if (!from) return std::nullopt;
    const Leaf sender = model_.leaf(*from);
    const Amount fee = fee_of(*from);
    const Amount amount = draw_amount(sender.balance, fee);
    const auto to = draw([&](SlotIndex slot) {
        const Leaf& leaf = model_.leaf(slot);
        return slot != *from && leaf.token == sender.token && checked_add(leaf.balance, amount).has_value();
    });
    if (!to) return std::nullopt;
    Draft draft = signed_draft(*from, rollup::Transfer{{}, *to, amount}, fee);
    std::get<SignedTransaction>(draft.line).tx.receiver_pair = model_.leaf(*to).pair;
    pay(*from, amount, fee);
    model_.leaf(*to).balance = checked_add(model_.leaf(*to).balance, amount).value();
    return draft;
}

std::optional<Draft> Generator::transfer_new() {
    // The minimum fee has to be collected, so only senders of the fee slot's token can pay one.
    const Amount fee = std::max(options_.fee, parameters_.min_new_pair_fee);
    const auto from = draw_sender(fee);
    if (!from || (model_.leaf(*from).token != model_.leaf(0).token && !fee.is_zero())) return transfer();
    const Leaf sender = model_.leaf(*from);
    const Amount amount = draw_amount(sender.balance, fee);
    const rollup::Owner to = owner(model_.size());
    Draft draft = signed_draft(*from, rollup::TransferNew{{}, 0, amount, to}, fee);
    pay(*from, amount, fee);
    model_.add(to, sender.token, amount);
    return draft;
}

std::optional<Draft> Generator::withdraw() {
    const auto from = draw_sender(options_.fee);
    if (!from) return std::nullopt;
    const Leaf sender = model_.leaf(*from);
    const Amount fee = fee_of(*from);
    const Amount amount = draw_amount(sender.balance, fee);
    Draft draft = signed_draft(*from, rollup::Withdraw{{}, amount, sender.owner.address}, fee);
    pay(*from, amount, fee);
    return draft;
}

std::optional<Draft> Generator::deposit() {
    const Amount amount(1 + random_.below(kMaxDeposit));
    if (random_.below(2) == 0) {
        const rollup::Owner to = owner(model_.size());
        const rollup::TokenId token = model_.leaf(0).token;
        model_.add(to, token, amount);
        return Draft{QueueEntry(rollup::DepositEntry{to, to.address, token, amount, rollup::kNewSlot}), 0, Flaw::none};
    }
    const auto to = static_cast<SlotIndex>(random_.below(model_.size()));
    Leaf& leaf = model_.leaf(to);
    if (const auto sum = checked_add(leaf.balance, amount)) leaf.balance = *sum;
    return Draft{QueueEntry(rollup::DepositEntry{leaf.owner, leaf.owner.address, leaf.token, amount, to}), 0,
                 Flaw::none};
}

std::optional<Draft> Generator::change_key() {
    const auto slot = draw_sender(options_.fee);
    if (!slot) return std::nullopt;
    if (*slot == 0) return transfer();  // whoever changes the fee receiver's key does it on purpose
    const std::uint64_t key = model_.key(*slot) + kGenerationStep;
    const PublicKey<KB11> point = keys_.public_keys(key, 1)[0];
    const Amount fee = fee_of(*slot);
    Draft draft = signed_draft(*slot, rollup::ChangeKey{{}, to_account_key(point)}, fee);
    pay(*slot, Amount(), fee);
    model_.set_key(*slot, key, point.hash());
    return draft;
}

std::optional<Draft> Generator::forced_withdrawal() {
    const auto slot = static_cast<SlotIndex>(random_.below(model_.size()));
    if (slot == 0) return transfer();
    Leaf& leaf = model_.leaf(slot);
    leaf.balance = Amount();
    return Draft{QueueEntry(rollup::ForcedWithdrawalEntry{slot, leaf.owner.address}), 0, Flaw::none};
}

std::optional<Draft> Generator::set_key() {
    const auto slot = static_cast<SlotIndex>(random_.below(model_.size()));
    if (slot == 0 || model_.key(slot) == kNoKey) return transfer();
    const std::uint64_t key = model_.key(slot) + kGenerationStep;
    const rollup::KeyHash hash = keys_.public_keys(key, 1)[0].hash();
    const rollup::L1Address sender = model_.leaf(slot).owner.address;
    model_.set_key(slot, key, hash);
    return Draft{QueueEntry(rollup::SetKeyEntry{slot, sender, hash}), 0, Flaw::none};
}

/// A transfer as it could have been, with one thing wrong. Changes nothing.
std::optional<Draft> Generator::flawed_transfer() {
    const auto from = draw_sender(options_.fee);
    if (!from) return std::nullopt;
    const Leaf sender = model_.leaf(*from);
    const auto to = draw([&](SlotIndex slot) {
        return slot != *from && model_.leaf(slot).token == sender.token && !model_.leaf(slot).balance.is_zero();
    });
    if (!to) return std::nullopt;
    Draft draft = signed_draft(*from, rollup::Transfer{{}, *to, Amount(1)}, fee_of(*from));
    draft.flaw = kFlaws[num_flawed_++ % kFlaws.size()].first;
    if (draft.flaw == Flaw::used_nonce && sender.nonce == 0) draft.flaw = Flaw::later_nonce;
    auto& tx = std::get<SignedTransaction>(draft.line).tx;
    auto& op = std::get<rollup::Transfer>(tx.op);
    tx.receiver_pair = model_.leaf(*to).pair;
    switch (draft.flaw) {
        case Flaw::used_nonce:
            --tx.nonce;
            break;
        case Flaw::later_nonce:
            tx.nonce += 1000;
            break;
        case Flaw::overspend:
            op.amount = Amount::max();
            break;
        case Flaw::expired:
            op.auth.expiry = 1;
            break;
        case Flaw::no_receiver:
            op.receiver = rollup::kMaxSlots - 1;
            break;
        case Flaw::no_sender:
            op.auth.slot = rollup::kMaxSlots - 1;
            break;
        case Flaw::other_key:
            draft.signer = model_.key(*from) + kGenerationStep / 2;
            break;
        case Flaw::other_token:
            tx.token = static_cast<rollup::TokenId>(tx.token + 1);
            op.auth.fee = Amount();  // there is nowhere to collect a fee in that token
            break;
        case Flaw::other_pair:
            tx.receiver_pair = sender.pair;
            break;
        case Flaw::zero_amount:
            op.amount = Amount();
            break;
        case Flaw::to_itself:
            op.receiver = *from;
            tx.receiver_pair = sender.pair;
            break;
        case Flaw::none:
        case Flaw::signature:
        case Flaw::cut_line:
            break;
    }
    return draft;
}

std::string Generator::finish(Draft& draft, const Digest& domain) const {
    if (auto* tx = std::get_if<SignedTransaction>(&draft.line)) {
        sign(*tx, domain, keys_.secret(draft.signer));
        if (draft.flaw == Flaw::signature) rollup::authorisation(tx->tx.op)->signature[20] ^= 1;
    }
    std::string text = to_json(draft.line);
    if (draft.flaw == Flaw::cut_line) text.pop_back();
    return text + "\n";
}

const char* code_of(Flaw flaw) {
    for (const auto& [known, code] : kFlaws) {
        if (known == flaw) return code;
    }
    return "";
}

}  // namespace

Outcome<WorkloadReport> make_workload(const rollup::StateReader& state, const rollup::RollupParameters& parameters,
                                      const DevelopmentKeys& keys, const WorkloadOptions& options,
                                      const LineSink& sink) {
    QUARRY_CHECK(options.mix.total() > 0 && options.num_invalid <= options.count);
    const Digest domain = rollup::domain_hash(parameters);
    Generator generator(state, parameters, keys, options);
    Random positions(options.seed + 1);
    WorkloadReport report;
    std::size_t invalid_left = options.num_invalid;
    for (std::size_t done = 0; done < options.count;) {
        std::vector<Draft> drafts;
        for (; drafts.size() < kBlockLines && done < options.count; ++done) {
            const bool valid = positions.below(options.count - done) >= invalid_left;
            auto draft = generator.next(valid);
            if (!draft) {
                return Problem{Problem::Kind::refused, "no_sender",
                               "no account of this seed in the state can pay for another operation",
                               "give the seed that the state was made with, or make one with larger balances"};
            }
            if (!valid) --invalid_left, ++report.invalid[code_of(draft->flaw)];
            report.valid += valid ? 1 : 0;
            drafts.push_back(std::move(*draft));
        }
        std::vector<std::string> lines(drafts.size());
        parallel_for(drafts.size(), 16, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) lines[i] = generator.finish(drafts[i], domain);
        });
        std::string text;
        for (const std::string& line : lines) text += line;
        if (!sink(text)) break;
    }
    return report;
}

}  // namespace quarry::node
