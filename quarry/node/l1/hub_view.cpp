#include "quarry/node/l1/hub_view.hpp"

#include <algorithm>
#include <utility>

#include "quarry/node/l1/hub_contract.hpp"

namespace quarry::node::l1 {
namespace {

using ethereum::EthereumCode;

constexpr std::size_t kMaxUnsavedBlocks = 256;
/// How often the same fault has to come back until it is believed.
constexpr unsigned kMaxRestarts = 10;

ViewError storage_failure(const StorageError& error) {
    return {storage_code_name(error.code), error.message, ViewError::Kind::storage};
}

ViewError chain_failure(const ethereum::EthereumError& error) {
    const bool is_fault = error.code == EthereumCode::reorg_too_deep;
    return {ethereum_code_name(error.code), error.detail,
            is_fault ? ViewError::Kind::contracts : ViewError::Kind::passing};
}

}  // namespace

std::string view_identity(const HubViewOptions& options) {
    return "hub " + ethereum::to_hex(options.hub) + " on chain " + std::to_string(options.chain_id) + " from block " +
           std::to_string(options.first_block);
}

HubView::HubView(ethereum::Chain& chain, HubViewOptions options, std::unique_ptr<EventStore> store)
    : chain_(chain), options_(std::move(options)), store_(std::move(store)) {}

Expected<std::unique_ptr<HubView>, ViewError> HubView::open(ethereum::Chain& chain, HubViewOptions options,
                                                            std::unique_ptr<EventStore> store) {
    std::unique_ptr<HubView> view(new HubView(chain, std::move(options), std::move(store)));
    if (auto error = view->load()) return *std::move(error);
    return view;
}

std::optional<ViewError> HubView::load() {
    auto content = store_->load();
    if (!content) return storage_failure(content.error());
    ethereum::FollowCursor cursor;
    cursor.next_number = options_.first_block;
    if (content.value().cursor) cursor = *content.value().cursor;
    for (StoredBlock& block : content.value().blocks) recent_.push_back(std::move(block));
    if (auto error = settle_base(cursor.next_number)) return error;
    if (auto error = rebuild()) return error;
    if (!cursor.recent.empty()) {
        const ethereum::BlockRef& last = cursor.recent.back();
        head_ = Head{last.number, recent_.empty() ? 0 : recent_.back().timestamp, last.hash, {}};
    }
    ethereum::LogFollowerOptions options;
    options.filter.addresses = {options_.hub, options_.bridge};
    options.range_blocks = options_.range_blocks;
    options.ring_blocks = options_.ring_blocks;
    options.behind_blocks = options_.behind_blocks;
    follower_ = std::make_unique<ethereum::LogFollower>(chain_, options, cursor);
    return std::nullopt;
}

std::optional<ViewError> HubView::apply(HubState& state, const StoredBlock& block) {
    for (const ethereum::Log& log : block.logs) {
        if (auto fault = state.apply(log, block.timestamp)) {
            return ViewError{fault->code, fault->detail, ViewError::Kind::contracts};
        }
    }
    return std::nullopt;
}

std::optional<ViewError> HubView::rebuild() {
    state_ = base_;
    for (const StoredBlock& block : recent_) {
        if (auto error = apply(state_, block)) return error;
    }
    return std::nullopt;
}

/// Blocks that no reorganisation reaches any more move into the base.
std::optional<ViewError> HubView::settle_base(std::uint64_t next_number) {
    while (!recent_.empty() && recent_.front().number + options_.ring_blocks < next_number) {
        if (auto error = apply(base_, recent_.front())) return error;
        recent_.pop_front();
    }
    return std::nullopt;
}

Expected<std::size_t, ViewError> HubView::step(std::size_t max_events) {
    if (fault_) return *fault_;
    auto count = follow(max_events);
    const bool is_at_head = count && count.value() < max_events;
    if (is_at_head) {
        if (auto error = compare()) count = *std::move(error);
    }
    if (!count && count.error().kind == ViewError::Kind::contracts) count = judge(count.error());
    if (!count && count.error().stays()) {
        fault_ = count.error();
        return count;
    }
    if (count && is_at_head) num_restarts_ = 0;
    fault_ = flush();
    if (fault_) return *fault_;
    return count;
}

Expected<std::size_t, ViewError> HubView::follow(std::size_t max_events) {
    std::size_t count = 0;
    for (; count < max_events; ++count) {
        auto event = follower_->next();
        if (!event && event.error().code == EthereumCode::inconsistent_logs) chain_.doubt();
        if (!event) return chain_failure(event.error());
        if (!event.value()) break;
        std::optional<ViewError> error;
        if (const auto* block = std::get_if<ethereum::BlockEvent>(&*event.value())) {
            error = take_block(*block);
        } else {
            const auto& rollback = std::get<ethereum::RollbackEvent>(*event.value());
            error = roll_back(rollback);
            const std::scoped_lock lock(mutex_);
            ++rollbacks_.count;
            rollbacks_.deepest = std::max(rollbacks_.deepest, rollback.depth);
        }
        if (!error && unsaved_.size() >= kMaxUnsavedBlocks) error = flush();
        if (error) return *std::move(error);
    }
    return count;
}

/// Whether the contracts have of the rollup what the view has, as of the head. An endpoint that does not say is no
/// fault: it may have gone on to another block.
std::optional<ViewError> HubView::compare() {
    if (!options_.rollup || !head_ || head_->hash == compared_) return std::nullopt;
    const RollupRecord* r = state_.rollup(*options_.rollup);
    if (r == nullptr || r->is_foreign) return std::nullopt;
    const auto info = HubReader(chain_, options_.hub, head_->hash).rollup_info(r->id);
    const auto queues = BridgeReader(chain_, options_.bridge, head_->hash).queues(r->id, 0, 0);
    if (!info || !queues) return std::nullopt;
    const bool is_same = info.value().head == r->head && info.value().finalised == r->finalised &&
                         queues.value().deposit_count == r->deposits.size() &&
                         queues.value().forced_count == r->forced.size();
    if (!is_same) {
        return ViewError{"events_missing",
                         "up to block " + std::to_string(head_->number) +
                             " there are other events than the contracts' "
                             "state says",
                         ViewError::Kind::contracts};
    }
    compared_ = head_->hash;
    return std::nullopt;
}

/// What an endpoint said since the view's oldest block contradicts itself, or the contracts. Unless that has been so
/// each time before, all of it is asked for again, of another endpoint if there is one.
ViewError HubView::judge(ViewError error) {
    if (num_restarts_ == kMaxRestarts) return error;
    ++num_restarts_;
    chain_.doubt();
    if (const auto undone = follower_->rewind()) {
        if (auto failed = roll_back(*undone)) return *std::move(failed);
    }
    error.kind = ViewError::Kind::doubted;
    return error;
}

std::optional<ViewError> HubView::take_block(const ethereum::BlockEvent& event) {
    StoredBlock block{event.header.number, event.header.timestamp, event.logs};
    const std::scoped_lock lock(mutex_);
    is_dirty_ = true;
    head_ = Head{event.header.number, event.header.timestamp, event.header.hash, event.header.base_fee_per_gas};
    if (block.logs.empty()) return std::nullopt;
    if (auto error = apply(state_, block)) return error;
    recent_.push_back(block);
    unsaved_.push_back(std::move(block));
    return settle_base(event.header.number + 1);
}

std::optional<ViewError> HubView::roll_back(const ethereum::RollbackEvent& event) {
    const std::uint64_t keep = event.ancestor.number;
    const auto is_undone = [keep](const StoredBlock& block) { return block.number > keep; };
    const std::scoped_lock lock(mutex_);
    is_dirty_ = true;
    saved_up_to_ = std::min(saved_up_to_.value_or(keep), keep);
    std::erase_if(unsaved_, is_undone);
    std::erase_if(recent_, is_undone);
    head_ = Head{keep, head_ ? head_->timestamp : 0, event.ancestor.hash, head_ ? head_->base_fee : U256{}};
    return rebuild();
}

std::optional<ViewError> HubView::flush() {
    if (!is_dirty_) return std::nullopt;
    // What the follower has read ahead is not part of the position.
    const auto written = store_->write(saved_up_to_, unsaved_, follower_->cursor());
    if (!written) return storage_failure(written.error());
    unsaved_.clear();
    saved_up_to_.reset();
    is_dirty_ = false;
    return std::nullopt;
}

std::optional<HubView::Head> HubView::head() const {
    const std::scoped_lock lock(mutex_);
    return head_;
}

HubView::Rollbacks HubView::rollbacks() const {
    const std::scoped_lock lock(mutex_);
    return rollbacks_;
}

std::optional<rollup::DepositEntry> ViewQueues::deposit(std::uint64_t index) const {
    return view_.read([&](const HubState& state, const auto&) -> std::optional<rollup::DepositEntry> {
        const RollupRecord* r = state.rollup(rollup_);
        if (r == nullptr || index >= r->deposits.size()) return std::nullopt;
        return r->deposits[index].entry;
    });
}

std::optional<rollup::ForcedEntry> ViewQueues::forced(std::uint64_t index) const {
    return view_.read([&](const HubState& state, const auto&) -> std::optional<rollup::ForcedEntry> {
        const RollupRecord* r = state.rollup(rollup_);
        if (r == nullptr || index >= r->forced.size()) return std::nullopt;
        return r->forced[index].entry;
    });
}

Bytes32 ViewQueues::deposit_hash(std::uint64_t cursor) const {
    return view_.read([&](const HubState& state, const auto&) {
        const RollupRecord* r = state.rollup(rollup_);
        return r == nullptr ? Bytes32{} : r->deposit_hash(cursor).value_or(Bytes32{});
    });
}

Bytes32 ViewQueues::forced_hash(std::uint64_t cursor) const {
    return view_.read([&](const HubState& state, const auto&) {
        const RollupRecord* r = state.rollup(rollup_);
        return r == nullptr ? Bytes32{} : r->forced_hash(cursor).value_or(Bytes32{});
    });
}

}  // namespace quarry::node::l1
