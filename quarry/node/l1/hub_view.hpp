#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "quarry/node/l1/event_store.hpp"
#include "quarry/node/l1/hub_state.hpp"

/// A hub as a node has followed it: the state that its events make, rolled back where the chain was reorganised, kept
/// across restarts.
namespace quarry::node::l1 {

struct HubViewOptions {
    Address hub;
    Address bridge;
    std::uint64_t chain_id = 0;
    std::uint64_t first_block = 0;    ///< not after that of the hub's creation
    std::uint64_t behind_blocks = 0;  ///< how far behind the head to stay
    std::size_t ring_blocks = 256;    ///< the deepest reorganisation that can be followed
    std::size_t range_blocks = 512;   ///< a request when catching up
    /// Whose chain and queues are to end where the contracts say, at every head: what an endpoint leaves out of its
    /// logs shows then, before anything is decided on it. Empty: only what later events contradict shows.
    std::optional<std::uint32_t> rollup;
};

/// What stopped or delays the view.
struct ViewError {
    enum class Kind {
        passing,    ///< the endpoint's: the next step may succeed
        doubted,    ///< an endpoint contradicts itself: the next step asks again
        storage,    ///< the store cannot be read or written
        contracts,  ///< what is followed breaks the specification, whoever is asked
    };
    std::string code;  ///< a stable word: of the endpoint's failure, of storage, or of HubFault
    std::string detail;
    Kind kind = Kind::passing;
    [[nodiscard]] bool stays() const noexcept { return kind == Kind::storage || kind == Kind::contracts; }
};

class HubView {
  public:
    /// Reads what the store has. Errors of storage; a HubFault of the stored logs.
    static Expected<std::unique_ptr<HubView>, ViewError> open(ethereum::Chain& chain, HubViewOptions options,
                                                              std::unique_ptr<EventStore> store);
    HubView(const HubView&) = delete;
    HubView& operator=(const HubView&) = delete;

    /// Takes in at most `max_events` blocks or rollbacks. Returns how many there were: fewer than asked for means that
    /// the view is at the head. One thread at a time.
    ///
    /// Events that do not follow from each other are an endpoint's mistake before they are the contracts': the view
    /// goes back to its oldest block, and asks again. Only a fault that comes back each time stops it for good, and a
    /// store that fails does at once.
    Expected<std::size_t, ViewError> step(std::size_t max_events = 4'096);

    /// Where the view stands: the last block that it took in. Empty: none yet.
    struct Head {
        std::uint64_t number = 0;
        std::uint64_t timestamp = 0;
        ethereum::Hash hash{};
        U256 base_fee;
    };
    [[nodiscard]] std::optional<Head> head() const;
    /// How often the chain was rolled back, and by how many blocks at most.
    struct Rollbacks {
        std::uint64_t count = 0;
        std::uint64_t deepest = 0;
    };
    [[nodiscard]] Rollbacks rollbacks() const;
    [[nodiscard]] const HubViewOptions& options() const noexcept { return options_; }

    /// Calls `f(state, head)` under the view's lock: it must be short.
    template <class F>
    auto read(F&& f) const {
        const std::scoped_lock lock(mutex_);
        return f(static_cast<const HubState&>(state_), static_cast<const std::optional<Head>&>(head_));
    }

  private:
    HubView(ethereum::Chain& chain, HubViewOptions options, std::unique_ptr<EventStore> store);
    std::optional<ViewError> load();
    Expected<std::size_t, ViewError> follow(std::size_t max_events);
    std::optional<ViewError> compare();
    ViewError judge(ViewError error);
    std::optional<ViewError> take_block(const ethereum::BlockEvent& event);
    std::optional<ViewError> roll_back(const ethereum::RollbackEvent& event);
    std::optional<ViewError> flush();
    std::optional<ViewError> rebuild();
    static std::optional<ViewError> apply(HubState& state, const StoredBlock& block);
    std::optional<ViewError> settle_base(std::uint64_t next_number);

    ethereum::Chain& chain_;
    HubViewOptions options_;
    std::unique_ptr<EventStore> store_;
    std::unique_ptr<ethereum::LogFollower> follower_;
    std::optional<ViewError> fault_;  ///< of the contracts or of storage: for good
    unsigned num_restarts_ = 0;       ///< since the view was at the head, and all was well
    ethereum::Hash compared_{};       ///< the head that was compared last

    mutable std::mutex mutex_;
    HubState state_;
    std::optional<Head> head_;
    Rollbacks rollbacks_;

    HubState base_;                   ///< before recent_: where a rollback starts again
    std::deque<StoredBlock> recent_;  ///< blocks with logs that may still be rolled back
    std::vector<StoredBlock> unsaved_;
    std::optional<std::uint64_t> saved_up_to_;  ///< stored blocks above it are to be dropped
    bool is_dirty_ = false;
};

/// The queues of one rollup as the view shows them, rolling hashes included. An entry or a hash beyond the queue's end
/// does not exist (the hash is zero).
class ViewQueues final : public rollup::L1Queues {
  public:
    ViewQueues(const HubView& view, std::uint32_t rollup) : view_(view), rollup_(rollup) {}
    [[nodiscard]] std::optional<rollup::DepositEntry> deposit(std::uint64_t index) const override;
    [[nodiscard]] std::optional<rollup::ForcedEntry> forced(std::uint64_t index) const override;
    [[nodiscard]] Bytes32 deposit_hash(std::uint64_t cursor) const override;
    [[nodiscard]] Bytes32 forced_hash(std::uint64_t cursor) const override;

  private:
    const HubView& view_;
    std::uint32_t rollup_;
};

/// Text that names what a store of these options follows: for open_event_store.
std::string view_identity(const HubViewOptions& options);

}  // namespace quarry::node::l1
