#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quarry/ethereum/log_follower.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/storage_error.hpp"

/// The logs of a hub that were followed, by block, and how far. L1 has them all, so that nothing here needs a sync:
/// what a crash takes away is asked for again. What must not come apart is a position and the logs before it; they
/// change in one atomic write.
namespace quarry::node::l1 {

struct StoredBlock {
    std::uint64_t number = 0;
    std::uint64_t timestamp = 0;  ///< seconds
    std::vector<ethereum::Log> logs;
    friend bool operator==(const StoredBlock&, const StoredBlock&) = default;
};

/// One block's record. Total: bad bytes give an error.
ethereum::Bytes encode(const StoredBlock& block);
ethereum::Decoded<StoredBlock> decode_block(ethereum::ByteView bytes);

class EventStore {
  public:
    EventStore() = default;
    EventStore(const EventStore&) = delete;
    EventStore& operator=(const EventStore&) = delete;
    virtual ~EventStore() = default;

    struct Content {
        std::optional<ethereum::FollowCursor> cursor;  ///< empty: a new store
        std::vector<StoredBlock> blocks;               ///< with logs, rising
    };
    virtual Stored<Content> load() = 0;
    /// Blocks above `keep` are dropped (none if there is no such number), then `blocks` added; the position becomes
    /// `cursor`.
    virtual Stored<Done> write(std::optional<std::uint64_t> keep, const std::vector<StoredBlock>& blocks,
                               const ethereum::FollowCursor& cursor) = 0;
};

/// RocksDB in a folder. `identity` names the chain, the contracts and the start: a folder of another identity is
/// refused (not_a_state_directory).
Stored<std::unique_ptr<EventStore>> open_event_store(const std::string& path, const std::string& identity);
/// In memory.
std::unique_ptr<EventStore> make_memory_event_store();

}  // namespace quarry::node::l1
