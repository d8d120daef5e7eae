#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "quarry/ethereum/chain.hpp"

/// Follows the chain block by block: logs in order, each exactly once, with rollbacks where the chain was reorganised.
namespace quarry::ethereum {

/// Where a follower stands: the last blocks that it delivered, oldest first, contiguous. Stored together with what the
/// consumer made of them, it makes delivery exactly once across restarts.
struct FollowCursor {
    std::uint64_t next_number = 0;  ///< the block to deliver next
    std::deque<BlockRef> recent;    ///< empty, or ends with next_number - 1

    [[nodiscard]] Bytes encode() const;
    /// Total. bad_cursor.
    static Answer<FollowCursor> decode(ByteView bytes);
    friend bool operator==(const FollowCursor&, const FollowCursor&) = default;
};

/// A new block on top of the last one, and its logs that the filter asks for.
struct BlockEvent {
    BlockHeader header;
    std::vector<Log> logs;
};
/// All blocks above `ancestor` are no longer part of the chain: undo what they did.
struct RollbackEvent {
    BlockRef ancestor;
    std::uint64_t depth = 0;  ///< number of blocks undone
};
using FollowEvent = std::variant<BlockEvent, RollbackEvent>;

struct LogFollowerOptions {
    LogFilter filter;
    std::size_t range_blocks = 64;    ///< blocks a request when catching up; halved when a node refuses
    std::size_t ring_blocks = 256;    ///< the deepest reorganisation that can be followed
    std::uint64_t behind_blocks = 0;  ///< how far behind the head to stay
};

class LogFollower {
  public:
    /// Starts at the cursor; a new one starts at the block `next_number` (say, that of the contract's creation).
    LogFollower(Chain& chain, LogFollowerOptions options, FollowCursor cursor);

    /// The next event, empty when there is none yet. Memory is bounded by one range of blocks. reorg_too_deep,
    /// inconsistent_logs (an endpoint whose logs contradict its own headers: the next call asks again), errors of the
    /// way. Not thread-safe.
    Answer<std::optional<FollowEvent>> next();
    /// What came after the oldest block that the position names is delivered again, as the node says it then. What the
    /// consumer is to undo for it; empty: the position names no other block.
    std::optional<RollbackEvent> rewind();
    /// The position after the events that next() returned so far.
    [[nodiscard]] const FollowCursor& cursor() const noexcept { return cursor_; }

  private:
    void move_to(const BlockRef& ancestor);
    Answer<Done> fill();
    Answer<Done> fetch_range(std::uint64_t first, std::size_t count);
    Answer<Done> find_fork();
    Answer<std::vector<Log>> checked_logs(std::vector<BlockHeader>& headers);

    Chain& chain_;
    LogFollowerOptions options_;
    FollowCursor cursor_;
    std::deque<FollowEvent> ready_;
    std::size_t range_blocks_;
};

/// Whether a block with this bloom may have logs that the filter asks for; false is certain.
bool bloom_may_match(const std::array<std::uint8_t, 256>& bloom, const LogFilter& filter);

}  // namespace quarry::ethereum
