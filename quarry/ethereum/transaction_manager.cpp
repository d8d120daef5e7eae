#include "quarry/ethereum/transaction_manager.hpp"

#include <algorithm>
#include <utility>

#include "quarry/ethereum/intent_book.hpp"
#include "quarry/ethereum/rpc_chain.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::size_t kMaxIdBytes = 200;
constexpr std::uint64_t kTransferGas = 21'000;
/// A blob transaction costs twice as much with every replacement: if its fees are enough, it gets this many times as
/// long.
constexpr std::uint64_t kBlobPatience = 4;
/// Blocks after which a nonce that somebody else used counts as lost, beyond the confirmations: nodes show receipts
/// late.
constexpr std::uint64_t kForeignNonceBlocks = 6;

/// By how much the nodes behind one name differ all the time.
constexpr std::uint64_t kUsualLagBlocks = 4;

using EntryPtr = std::shared_ptr<IntentEntry>;

bool is_consistent(const BlobSidecar& sidecar) {
    return std::all_of(sidecar.blobs.begin(), sidecar.blobs.end(),
                       [](const Blob& blob) { return blob.size() == kBlobBytes; }) &&
           sidecar.commitments.size() == sidecar.blobs.size() &&
           sidecar.cell_proofs.size() == kCellsPerBlob * sidecar.blobs.size();
}

}  // namespace

const char* intent_stage_name(IntentStage stage) noexcept {
    switch (stage) {
        case IntentStage::queued:
            return "queued";
        case IntentStage::sent:
            return "sent";
        case IntentStage::mined:
            return "mined";
        case IntentStage::confirmed:
            return "confirmed";
        case IntentStage::reverted:
            return "reverted";
        case IntentStage::failed:
            return "failed";
        case IntentStage::cancelled:
            return "cancelled";
    }
    return "unknown";
}

/// step() alone changes entries that are in the book, and submit() adds to it: step() may read without the lock what it
/// wrote under it.
class TransactionManager::Impl {
  public:
    Impl(TransactionManagerOptions options, PrivateKey key, Chain& chain, IntentBook book, Clock& clock)
        : options_(std::move(options)), key_(std::move(key)), chain_(chain), clock_(clock), book_(std::move(book)) {}

    Answer<Done> submit(Intent intent);
    Answer<Done> cancel(const std::string& id);
    Answer<IntentStatus> status(const std::string& id) const;
    Answer<Done> step();
    [[nodiscard]] const Address& address() const noexcept { return key_.address(); }
    [[nodiscard]] std::size_t num_open() const {
        const std::scoped_lock lock(mutex_);
        return book_.num_open();
    }
    [[nodiscard]] std::vector<std::string> open_ids() const {
        const std::scoped_lock lock(mutex_);
        std::vector<std::string> ids;
        for (const EntryPtr& entry : book_.open_entries()) ids.push_back(entry->intent.id);
        return ids;
    }

  private:
    /// What the chain looks like in this step.
    struct View {
        std::uint64_t head = 0;
        std::uint64_t nonce = 0;  ///< the account's next, as mined
        std::uint64_t now_ms = 0;
        std::optional<FeeSuggestion> fees;  ///< asked for when needed
    };

    [[nodiscard]] FeeLimits limits() const {
        return {options_.max_fee_per_gas, options_.max_fee_per_blob_gas, options_.min_priority_fee};
    }
    [[nodiscard]] Answer<Done> check_intent(const Intent& intent) const;
    Answer<FeeSuggestion> fees(View& view);
    void set_error(IntentEntry& entry, std::optional<EthereumError> error);
    Answer<Done> finish(const EntryPtr& entry, IntentStage stage, std::optional<Hash> transaction,
                        std::optional<EthereumError> error);
    Answer<Done> add_attempt(IntentEntry& entry, AttemptRecord attempt, const View& view);

    [[nodiscard]] std::uint64_t free_nonce(const View& view) const {
        const std::scoped_lock lock(mutex_);  // submit() adds to the intents that are looked at
        return book_.free_nonce(view.nonce);
    }
    [[nodiscard]] bool is_cancel_wanted(const IntentEntry& entry) const {
        const std::scoped_lock lock(mutex_);
        return entry.is_cancel_wanted;
    }
    [[nodiscard]] std::vector<EntryPtr> entries_in_order() const;
    Answer<bool> look(View& view);
    Answer<Done> track_all(const std::vector<EntryPtr>& entries, View& view);
    Answer<Done> track(const EntryPtr& entry, View& view);
    Answer<bool> has_blocks(std::uint64_t first, std::uint64_t count, const std::optional<Hash>& hash);
    Answer<Done> track_used_nonce(const EntryPtr& entry, const View& view);
    Answer<Done> settle(const EntryPtr& entry, const Receipt& receipt, std::size_t attempt, const View& view);
    Answer<Done> replace_if_due(IntentEntry& entry, View& view);
    Answer<Done> send_queued(const std::vector<EntryPtr>& entries, View& view);
    Answer<Done> send_first(const EntryPtr& entry, View& view, bool is_alone);
    Answer<Done> fill_gap(View& view);
    Answer<std::optional<std::uint64_t>> choose_gas(const EntryPtr& entry, const Fees& fees, bool is_alone);
    std::optional<Fees> choose_fees(IntentEntry& entry, const FeeSuggestion& now, std::uint64_t gas_limit);
    void send(IntentEntry& entry, const View& view);

    TransactionManagerOptions options_;
    PrivateKey key_;
    Chain& chain_;
    Clock& clock_;
    std::mutex step_mutex_;     ///< one step at a time
    mutable std::mutex mutex_;  ///< of the book and its entries
    IntentBook book_;
    std::uint64_t newest_head_ = 0;     ///< the highest that a step saw lately
    std::uint64_t newest_head_ms_ = 0;  ///< when it did last
};

Answer<Done> TransactionManager::Impl::check_intent(const Intent& intent) const {
    if (intent.id.empty() || intent.id.size() > kMaxIdBytes) {
        return EthereumError{
            EthereumCode::intent_conflict, "an id of " + std::to_string(intent.id.size()) + " bytes", {}};
    }
    if (intent.sidecar && !is_consistent(*intent.sidecar)) return EthereumError{EthereumCode::bad_blob, intent.id, {}};
    if (intent.sidecar && intent.sidecar->blobs.empty()) return EthereumError{EthereumCode::too_many_blobs, "0", {}};
    IntentEntry entry;
    entry.intent = intent;
    AttemptRecord attempt;
    attempt.fees = {options_.max_fee_per_gas, options_.max_fee_per_gas, options_.max_fee_per_blob_gas};
    attempt.nonce = ~std::uint64_t{0};
    SignedTransaction t = book_.sign(entry, attempt);
    t.body.gas_limit = intent.gas_limit == 0 ? minimum_gas(t.body) : intent.gas_limit;
    return check_rules(t);
}

Answer<Done> TransactionManager::Impl::submit(Intent intent) {
    QUARRY_TRY(check_intent(intent));
    const Hash content = keccak256(encode_record(IntentRecord{intent}));
    const std::scoped_lock lock(mutex_);
    if (const auto known = book_.find(intent.id)) {
        if (known->content == content) return Done{};
        return EthereumError{EthereumCode::intent_conflict, intent.id, {}};
    }
    if (book_.num_open() >= options_.max_queued) return EthereumError{EthereumCode::pool_full, intent.id, {}};
    return book_.add(std::move(intent));
}

Answer<Done> TransactionManager::Impl::cancel(const std::string& id) {
    const std::scoped_lock lock(mutex_);
    const auto entry = book_.find(id);
    if (!entry) return EthereumError{EthereumCode::unknown_intent, id, {}};
    if (entry->status.is_final() || (entry->status.nonce && entry->is_blob())) {
        return EthereumError{EthereumCode::not_cancellable, id, {}};
    }
    entry->is_cancel_wanted = true;
    return Done{};
}

Answer<IntentStatus> TransactionManager::Impl::status(const std::string& id) const {
    const std::scoped_lock lock(mutex_);
    const auto entry = book_.find(id);
    if (!entry) return EthereumError{EthereumCode::unknown_intent, id, {}};
    return entry->status;
}

Answer<FeeSuggestion> TransactionManager::Impl::fees(View& view) {
    if (!view.fees) {
        QUARRY_TRY_ASSIGN(view.fees, chain_.suggest_fees());
        view.fees->priority_fee = std::min(view.fees->priority_fee, options_.max_priority_fee);
    }
    return *view.fees;
}

void TransactionManager::Impl::set_error(IntentEntry& entry, std::optional<EthereumError> error) {
    const std::scoped_lock lock(mutex_);
    entry.status.error = std::move(error);
}

Answer<Done> TransactionManager::Impl::finish(const EntryPtr& entry, IntentStage stage, std::optional<Hash> transaction,
                                              std::optional<EthereumError> error) {
    const std::scoped_lock lock(mutex_);
    return book_.finish(entry, stage, transaction, std::move(error));
}

Answer<Done> TransactionManager::Impl::add_attempt(IntentEntry& entry, AttemptRecord attempt, const View& view) {
    const std::scoped_lock lock(mutex_);
    QUARRY_TRY(book_.add_attempt(entry, std::move(attempt)));
    entry.attempt_ms = view.now_ms;
    return Done{};
}

Answer<Done> TransactionManager::Impl::step() {
    const std::scoped_lock step_lock(step_mutex_);
    View view;
    view.now_ms = std::max<std::uint64_t>(clock_.now_ms(), 1);  // 0: never
    QUARRY_TRY_ASSIGN(const bool is_present, look(view));
    if (!is_present) return Done{};
    const std::vector<EntryPtr> entries = entries_in_order();
    const auto tracked = track_all(entries, view);
    const auto queued = send_queued(entries, view);
    const auto filled = fill_gap(view);
    for (const auto& done : {tracked, queued, filled}) QUARRY_TRY(done);
    return Done{};
}

/// One failure of the way ends a round, and the entry that met it comes last in the next: what cannot be answered about
/// one of them keeps no other, and a node that is gone is not asked once for each.
std::vector<EntryPtr> TransactionManager::Impl::entries_in_order() const {
    const std::scoped_lock lock(mutex_);
    std::multimap<std::uint64_t, EntryPtr> by_failure;  // of equal ones, in the order of submission
    for (const EntryPtr& entry : book_.open_entries()) by_failure.emplace(entry->failed_ms, entry);
    std::vector<EntryPtr> entries;
    for (const auto& [failed_ms, entry] : by_failure) entries.push_back(entry);
    return entries;
}

/// Head and nonce. False, and far behind node_behind: the head is below one that was shown before, and a node that is
/// behind would have nonces used again. What one false answer said of the head is forgotten after a while.
Answer<bool> TransactionManager::Impl::look(View& view) {
    QUARRY_TRY_ASSIGN(const BlockHeader head, chain_.block(BlockTag::latest));
    QUARRY_TRY_ASSIGN(view.nonce, chain_.transaction_count(key_.address(), BlockTag::latest));
    view.head = head.number;
    if (view.head < newest_head_ && view.now_ms - newest_head_ms_ < options_.bump_after_ms) {
        if (newest_head_ - view.head <= kUsualLagBlocks) return false;
        return EthereumError{
            EthereumCode::node_behind, std::to_string(view.head) + " after " + std::to_string(newest_head_), {}};
    }
    newest_head_ = view.head;
    newest_head_ms_ = view.now_ms;
    return true;
}

Answer<Done> TransactionManager::Impl::track_all(const std::vector<EntryPtr>& entries, View& view) {
    for (const EntryPtr& entry : entries) {
        Answer<Done> done = Done{};
        if (entry->status.nonce) {
            done = track(entry, view);
        } else if (is_cancel_wanted(*entry)) {
            done = finish(entry, IntentStage::cancelled, std::nullopt, std::nullopt);
        }
        if (!done) entry->failed_ms = view.now_ms;
        QUARRY_TRY(done);
    }
    return Done{};
}

/// An entry that has a nonce.
Answer<Done> TransactionManager::Impl::track(const EntryPtr& entry, View& view) {
    if (*entry->status.nonce < view.nonce) return track_used_nonce(entry, view);
    const bool was_mined = entry->status.stage == IntentStage::mined;
    {
        const std::scoped_lock lock(mutex_);
        entry->taken_at.reset();
        entry->status.stage = IntentStage::sent;
        entry->status.receipt.reset();
        entry->status.depth = 0;
        if (entry->attempt_ms == 0) entry->attempt_ms = view.now_ms;  // sent by an earlier process
    }
    const std::uint64_t sent_before_ms = view.now_ms - entry->sent_ms;
    // A reorganisation takes it out of its block, and not every node puts it back into its pool.
    if (was_mined || entry->sent_ms == 0 || sent_before_ms >= options_.resend_after_ms) send(*entry, view);
    return replace_if_due(*entry, view);
}

Answer<Done> TransactionManager::Impl::track_used_nonce(const EntryPtr& entry, const View& view) {
    for (std::size_t i = entry->status.hashes.size(); i-- > 0;) {
        QUARRY_TRY_ASSIGN(const auto receipt, chain_.receipt(entry->status.hashes[i]));
        if (receipt) return settle(entry, *receipt, i, view);
    }
    {
        const std::scoped_lock lock(mutex_);
        entry->status.receipt.reset();
        entry->status.stage = IntentStage::sent;
        entry->taken_at = std::min(entry->taken_at.value_or(view.head), view.head);
    }
    const std::uint64_t num_blocks = options_.confirmations + kForeignNonceBlocks;
    if (view.head - *entry->taken_at < num_blocks) return Done{};
    QUARRY_TRY_ASSIGN(const bool is_lost, has_blocks(*entry->taken_at, num_blocks, std::nullopt));
    if (!is_lost) return Done{};
    return finish(
        entry, IntentStage::failed, std::nullopt,
        EthereumError{EthereumCode::nonce_too_low, "the nonce was used by a transaction of somebody else", {}});
}

/// Whether the chain has so many linked blocks from number `first` on, at least one, the first one with this hash. What
/// is final is decided by them: the number that a node gives its head may be any.
Answer<bool> TransactionManager::Impl::has_blocks(std::uint64_t first, std::uint64_t count,
                                                  const std::optional<Hash>& hash) {
    count = std::max<std::uint64_t>(count, 1);
    QUARRY_TRY_ASSIGN(const std::vector<BlockHeader> blocks, chain_.blocks(first, count));
    for (std::size_t i = 1; i < blocks.size(); ++i) {
        if (blocks[i].parent_hash != blocks[i - 1].hash) return false;
    }
    return blocks.size() == count && (!hash || blocks.front().hash == *hash);
}

/// A version of it is in a block.
Answer<Done> TransactionManager::Impl::settle(const EntryPtr& entry, const Receipt& receipt, std::size_t attempt,
                                              const View& view) {
    IntentStage outcome = receipt.is_success ? IntentStage::confirmed : IntentStage::reverted;
    if (entry->attempts[attempt].is_cancel) outcome = IntentStage::cancelled;
    {
        const std::scoped_lock lock(mutex_);
        entry->taken_at.reset();
        entry->status.stage = IntentStage::mined;
        entry->status.receipt = receipt;
        entry->status.outcome = outcome;
        entry->status.depth = view.head + 1 - std::min(receipt.block.number, view.head + 1);
        entry->status.error.reset();
    }
    if (entry->status.depth < options_.confirmations) return Done{};
    // The receipt may come from a block that is no longer part of the chain.
    QUARRY_TRY_ASSIGN(const bool is_buried,
                      has_blocks(receipt.block.number, options_.confirmations, receipt.block.hash));
    if (!is_buried) return Done{};
    return finish(entry, outcome, entry->status.hashes[attempt], std::nullopt);
}

Answer<Done> TransactionManager::Impl::replace_if_due(IntentEntry& entry, View& view) {
    const bool shall_cancel = is_cancel_wanted(entry) && !entry.is_cancelling();
    const std::uint64_t waited_ms = view.now_ms - entry.attempt_ms;
    const bool is_next = *entry.status.nonce == view.nonce;
    if (!shall_cancel && (!is_next || waited_ms < options_.bump_after_ms)) return Done{};
    QUARRY_TRY_ASSIGN(const FeeSuggestion now, fees(view));
    const AttemptRecord& last = entry.attempts.back();
    const bool is_blob = entry.is_blob() && !entry.is_cancelling();
    if (is_blob && are_enough(last.fees, now, true) && waited_ms < kBlobPatience * options_.bump_after_ms)
        return Done{};
    const auto raised = replacement_fees(last.fees, now, limits(), is_blob);
    AttemptRecord attempt = last;
    if (raised) attempt.fees = *raised;
    if (shall_cancel) {
        attempt.is_cancel = true;
        attempt.gas_limit = kTransferGas;
    }
    const auto cost = worst_cost(attempt.fees, attempt.gas_limit, is_blob ? entry.intent.sidecar->blobs.size() : 0);
    const U256& own_limit = entry.intent.max_total_fee;
    if (!raised || !cost || (!own_limit.is_zero() && *cost > own_limit)) {
        set_error(entry, EthereumError{EthereumCode::fee_above_cap, "a replacement is due", {}});
        return Done{};
    }
    QUARRY_TRY(add_attempt(entry, std::move(attempt), view));
    send(entry, view);
    return Done{};
}

/// Hands the latest version to the node. What goes wrong is repeated later: the nonce is bound, so there is no other
/// way.
void TransactionManager::Impl::send(IntentEntry& entry, const View& view) {
    const AttemptRecord& attempt = entry.attempts.back();
    const SignedTransaction t = book_.sign(entry, attempt);
    const Bytes bytes = t.body.is_blob() ? encode_with_sidecar(t, *entry.intent.sidecar) : encode_transaction(t);
    const auto sent = chain_.send_raw(bytes);
    const std::scoped_lock lock(mutex_);
    entry.sent_ms = view.now_ms;
    if (sent || sent.error().code == EthereumCode::already_known) {
        entry.status.error.reset();
    } else {
        entry.status.error = sent.error();
    }
}

Answer<Done> TransactionManager::Impl::send_queued(const std::vector<EntryPtr>& entries, View& view) {
    std::size_t num_in_flight = 0;
    std::size_t num_unmined[2] = {0, 0};  // plain, blob
    const auto count = [&](const IntentEntry& entry) {
        ++num_in_flight;
        if (entry.status.stage == IntentStage::sent) ++num_unmined[entry.is_blob() ? 1 : 0];
    };
    for (const EntryPtr& entry : entries) {
        if (entry->status.nonce && !entry->status.is_final()) count(*entry);
    }
    for (const EntryPtr& entry : entries) {
        if (entry->status.nonce || entry->status.is_final()) continue;
        if (num_in_flight >= options_.max_in_flight) break;
        // Nodes keep blob transactions in a pool of their own and refuse an account that is in both. What comes first
        // goes first, or a stream of one kind would keep the other waiting for ever.
        if (num_unmined[entry->is_blob() ? 0 : 1] != 0) break;
        const auto done = send_first(entry, view, num_unmined[0] + num_unmined[1] == 0);
        if (!done) entry->failed_ms = view.now_ms;
        QUARRY_TRY(done);
        if (entry->status.nonce) count(*entry);
    }
    return Done{};
}

/// After a reorganisation deeper than the confirmations the account's next nonce may be one that is not in use any
/// more, while transactions with later ones wait for it.
Answer<Done> TransactionManager::Impl::fill_gap(View& view) {
    EntryPtr filler;
    {
        const std::scoped_lock lock(mutex_);
        if (!book_.is_gap(view.nonce)) return Done{};
        Intent intent;
        intent.to = key_.address();
        intent.gas_limit = kTransferGas;
        for (unsigned k = 0;; ++k) {
            intent.id = "gap/" + std::to_string(view.nonce) + "/" + std::to_string(k);
            filler = book_.find(intent.id);
            if (!filler || !filler->status.is_final()) break;
        }
        const std::string id = intent.id;
        if (!filler) QUARRY_TRY(book_.add(std::move(intent)));
        filler = book_.find(id);
    }
    return filler->status.nonce ? Answer<Done>(Done{}) : send_first(filler, view, true);
}

/// Gives the entry a nonce and sends it, if it can pay and would not revert. Otherwise its status says what it waits
/// for.
Answer<Done> TransactionManager::Impl::send_first(const EntryPtr& entry, View& view, bool is_alone) {
    QUARRY_TRY_ASSIGN(const FeeSuggestion now, fees(view));
    const auto offer = first_fees(now, limits(), entry->is_blob());
    if (!offer) {
        set_error(*entry, EthereumError{EthereumCode::fee_above_cap, "base fee " + now.base_fee.to_decimal(), {}});
        return Done{};
    }
    QUARRY_TRY_ASSIGN(const auto gas_limit, choose_gas(entry, *offer, is_alone));
    if (!gas_limit) return Done{};
    const auto chosen = choose_fees(*entry, now, *gas_limit);
    if (!chosen) {
        set_error(*entry, EthereumError{EthereumCode::fee_above_cap, "the transaction's own limit", {}});
        return Done{};
    }
    const std::size_t num_blobs = entry->is_blob() ? entry->intent.sidecar->blobs.size() : 0;
    const auto cost = worst_cost(*chosen, *gas_limit, num_blobs);
    const auto needed = cost ? cost->checked_add(entry->intent.value) : std::nullopt;
    QUARRY_TRY_ASSIGN(const U256 balance, chain_.balance(key_.address(), BlockTag::latest));
    if (!needed || *needed > balance) {
        set_error(*entry, EthereumError{EthereumCode::insufficient_funds, "balance " + balance.to_decimal(), {}});
        return Done{};
    }
    AttemptRecord attempt{.id = entry->intent.id,
                          .nonce = free_nonce(view),
                          .gas_limit = *gas_limit,
                          .fees = *chosen,
                          .is_cancel = false};
    QUARRY_TRY(add_attempt(*entry, std::move(attempt), view));
    send(*entry, view);
    return Done{};
}

/// Empty: it cannot be sent now, or never; the status says why.
Answer<std::optional<std::uint64_t>> TransactionManager::Impl::choose_gas(const EntryPtr& entry, const Fees& offer,
                                                                          bool is_alone) {
    const Intent& intent = entry->intent;
    if (intent.gas_limit != 0) return std::optional(intent.gas_limit);
    CallRequest request;
    request.from = key_.address();
    request.to = intent.to;
    request.data = intent.data;
    request.value = intent.value;
    if (intent.sidecar) {
        request.blob_hashes = intent.sidecar->versioned_hashes();
        request.max_fee_per_blob_gas = offer.max_blob;
    }
    const auto estimate = chain_.estimate_gas(request);
    const std::optional<std::uint64_t> none;
    if (!estimate) {
        const EthereumCode code = estimate.error().code;
        set_error(*entry, estimate.error());
        // It may depend on one of ours that is not mined yet.
        const bool is_hopeless = code == EthereumCode::execution_reverted || code == EthereumCode::gas_above_cap;
        if (is_hopeless && is_alone) QUARRY_TRY(finish(entry, IntentStage::failed, std::nullopt, estimate.error()));
        if (is_transient(code) || code == EthereumCode::stopped) return estimate.error();
        return none;
    }
    const auto attempt = AttemptRecord{.id = intent.id, .nonce = 0, .gas_limit = 0, .fees = offer, .is_cancel = false};
    const std::uint64_t minimum = minimum_gas(book_.sign(*entry, attempt).body);
    if (estimate.value() > kTransactionGasCap) {
        QUARRY_TRY(finish(entry, IntentStage::failed, std::nullopt,
                          EthereumError{EthereumCode::gas_above_cap, std::to_string(estimate.value()), {}}));
        return none;
    }
    const std::uint64_t with_margin = estimate.value() + estimate.value() * options_.gas_margin_percent / 100;
    return std::optional(std::min(std::max(with_margin, minimum), kTransactionGasCap));
}

std::optional<Fees> TransactionManager::Impl::choose_fees(IntentEntry& entry, const FeeSuggestion& now,
                                                          std::uint64_t gas_limit) {
    const U256& own_limit = entry.intent.max_total_fee;
    const std::size_t num_blobs = entry.is_blob() ? entry.intent.sidecar->blobs.size() : 0;
    for (const auto rule : {&first_fees, &tight_fees}) {
        const auto offer = rule(now, limits(), entry.is_blob());
        const auto cost = offer ? worst_cost(*offer, gas_limit, num_blobs) : std::nullopt;
        if (cost && (own_limit.is_zero() || *cost <= own_limit)) return offer;
    }
    return std::nullopt;
}

TransactionManager::TransactionManager(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TransactionManager::~TransactionManager() = default;

Answer<std::unique_ptr<TransactionManager>> TransactionManager::create(TransactionManagerOptions options,
                                                                       PrivateKey key, Chain& chain,
                                                                       std::unique_ptr<Journal> journal, Clock& clock) {
    QUARRY_TRY(check_chain(chain, options.chain_id));
    QUARRY_TRY_ASSIGN(IntentBook book,
                      IntentBook::open({options.chain_id, options.keep_final}, key, std::move(journal)));
    return std::unique_ptr<TransactionManager>(new TransactionManager(
        std::make_unique<Impl>(std::move(options), std::move(key), chain, std::move(book), clock)));
}

Answer<Done> TransactionManager::submit(Intent intent) { return impl_->submit(std::move(intent)); }
Answer<Done> TransactionManager::cancel(const std::string& id) { return impl_->cancel(id); }
Answer<IntentStatus> TransactionManager::status(const std::string& id) const { return impl_->status(id); }
std::size_t TransactionManager::num_open() const { return impl_->num_open(); }
std::vector<std::string> TransactionManager::open_ids() const { return impl_->open_ids(); }
const Address& TransactionManager::address() const noexcept { return impl_->address(); }
Answer<Done> TransactionManager::step() { return impl_->step(); }

}  // namespace quarry::ethereum
