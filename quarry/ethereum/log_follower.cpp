#include "quarry/ethereum/log_follower.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "quarry/ethereum/rlp.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::size_t kMaxCursorBlocks = 8'192;
/// Up to so many blocks, logs are asked for by block hash: such an answer cannot be about another chain.
constexpr std::size_t kMaxByHash = 4;

/// The three bits that the bloom sets for a value, as the Yellow Paper's M3:2048.
bool may_contain(const std::array<std::uint8_t, 256>& bloom, ByteView value) {
    const Hash hash = keccak256(value);
    for (std::size_t i = 0; i < 6; i += 2) {
        const unsigned bit = (unsigned{hash[i]} << 8 | hash[i + 1]) & 2047;
        if ((bloom[255 - bit / 8] >> (bit % 8) & 1) == 0) return false;
    }
    return true;
}

bool matches(const Log& log, const LogFilter& filter) {
    const auto contains = [](const auto& list, const auto& x) {
        return list.empty() || std::find(list.begin(), list.end(), x) != list.end();
    };
    if (!contains(filter.addresses, log.address)) return false;
    return filter.topics.empty() || (!log.topics.empty() && contains(filter.topics, log.topics[0]));
}

EthereumError inconsistent(const char* why, const Hash& block) {
    return {EthereumCode::inconsistent_logs, why + to_hex(block), {}};
}

}  // namespace

bool bloom_may_match(const std::array<std::uint8_t, 256>& bloom, const LogFilter& filter) {
    const auto any = [&](const auto& list, const auto& bytes) {
        return list.empty() ||
               std::any_of(list.begin(), list.end(), [&](const auto& x) { return may_contain(bloom, bytes(x)); });
    };
    return any(filter.addresses, [](const Address& a) { return ByteView(a.bytes); }) &&
           any(filter.topics, [](const Hash& h) { return ByteView(h); });
}

Bytes FollowCursor::encode() const {
    RlpWriter hashes;
    for (const BlockRef& block : recent) hashes.string(block.hash);
    return RlpWriter().integer(next_number).list(hashes).as_list();
}

Answer<FollowCursor> FollowCursor::decode(ByteView bytes) {
    const auto read = [&]() -> Decoded<FollowCursor> {
        FollowCursor r;
        RlpReader outer(bytes);
        QUARRY_TRY_ASSIGN(RlpReader items, outer.list());
        QUARRY_TRY(outer.finish());
        QUARRY_TRY_ASSIGN(r.next_number, items.integer64());
        QUARRY_TRY_ASSIGN(RlpReader hashes, items.list());
        QUARRY_TRY(items.finish());
        while (!hashes.at_end()) {
            if (r.recent.size() == kMaxCursorBlocks) return CodecError{CodecCode::limit_exceeded, "FollowCursor"};
            QUARRY_TRY(hashes.fixed(r.recent.emplace_back().hash));
        }
        if (r.recent.size() > r.next_number) return CodecError{CodecCode::out_of_range, "FollowCursor"};
        std::uint64_t number = r.next_number - r.recent.size();
        for (BlockRef& block : r.recent) block.number = number++;
        return r;
    };
    auto r = read();
    if (r) return std::move(r).value();
    return EthereumError{EthereumCode::bad_cursor, codec_code_text(r.error().code), {}};
}

LogFollower::LogFollower(Chain& chain, LogFollowerOptions options, FollowCursor cursor)
    : chain_(chain), options_(std::move(options)), cursor_(std::move(cursor)), range_blocks_(options_.range_blocks) {
    QUARRY_CHECK(options_.range_blocks > 0 && options_.ring_blocks > 0 && options_.ring_blocks <= kMaxCursorBlocks);
}

Answer<std::optional<FollowEvent>> LogFollower::next() {
    if (ready_.empty()) QUARRY_TRY(fill());
    if (ready_.empty()) return std::optional<FollowEvent>();
    FollowEvent event = std::move(ready_.front());
    ready_.pop_front();
    if (const auto* const block = std::get_if<BlockEvent>(&event)) {
        const BlockHeader& header = block->header;
        // The block before the first one is where a reorganisation of the first one starts.
        if (cursor_.recent.empty() && header.number > 0)
            cursor_.recent.push_back({header.number - 1, header.parent_hash});
        cursor_.recent.push_back(header.ref());
        while (cursor_.recent.size() > options_.ring_blocks) cursor_.recent.pop_front();
        cursor_.next_number = header.number + 1;
    } else {
        move_to(std::get_if<RollbackEvent>(&event)->ancestor);
    }
    return std::optional<FollowEvent>(std::move(event));
}

std::optional<RollbackEvent> LogFollower::rewind() {
    ready_.clear();
    if (cursor_.recent.size() < 2) return std::nullopt;
    const BlockRef oldest = cursor_.recent.front();
    const RollbackEvent event{oldest, cursor_.recent.back().number - oldest.number};
    move_to(oldest);
    return event;
}

/// Precondition: it is one of the position's blocks.
void LogFollower::move_to(const BlockRef& ancestor) {
    while (cursor_.recent.back() != ancestor) cursor_.recent.pop_back();
    cursor_.next_number = ancestor.number + 1;
}

/// Finds out what is next. Precondition: nothing is ready.
Answer<Done> LogFollower::fill() {
    QUARRY_TRY_ASSIGN(const BlockHeader head, chain_.block(BlockTag::latest));
    const std::uint64_t first = cursor_.next_number;
    if (head.number >= options_.behind_blocks && head.number - options_.behind_blocks >= first) {
        const std::uint64_t num_new = head.number - options_.behind_blocks - first + 1;
        return fetch_range(first, static_cast<std::size_t>(std::min<std::uint64_t>(num_new, range_blocks_)));
    }
    if (cursor_.recent.empty() || head.hash == cursor_.recent.back().hash) return Done{};
    // Another chain of the same length, a shorter one, or a node that is behind: the highest block that both have
    // tells.
    const BlockRef& tip = cursor_.recent.back();
    const std::uint64_t common = std::min(tip.number, head.number);
    const std::uint64_t oldest = cursor_.recent.front().number;
    if (common < oldest) return Done{};
    QUARRY_TRY_ASSIGN(const BlockHeader block, chain_.block(common));
    if (block.hash == cursor_.recent[static_cast<std::size_t>(common - oldest)].hash) return Done{};
    return find_fork();
}

Answer<Done> LogFollower::fetch_range(std::uint64_t first, std::size_t count) {
    QUARRY_TRY_ASSIGN(std::vector<BlockHeader> headers, chain_.blocks(first, count));
    if (headers.empty()) return Done{};
    if (!cursor_.recent.empty() && headers[0].parent_hash != cursor_.recent.back().hash) return find_fork();
    for (std::size_t i = 1; i < headers.size(); ++i) {
        // The chain changed between two answers: what follows belongs to the new one and is fetched again.
        if (headers[i].parent_hash != headers[i - 1].hash) headers.resize(i);
    }
    QUARRY_TRY_ASSIGN(std::vector<Log> logs, checked_logs(headers));
    auto next_log = logs.begin();
    for (BlockHeader& header : headers) {
        BlockEvent event;
        while (next_log != logs.end() && next_log->block_number == header.number) {
            event.logs.push_back(std::move(*next_log++));
        }
        event.header = std::move(header);
        ready_.emplace_back(std::move(event));
    }
    return Done{};
}

/// The last block that is still part of the chain becomes the ancestor of a rollback.
Answer<Done> LogFollower::find_fork() {
    const std::uint64_t tip = cursor_.recent.back().number;
    for (std::size_t i = cursor_.recent.size(); i-- > 0;) {
        const BlockRef& block = cursor_.recent[i];
        const auto now = chain_.block(block.number);
        if (!now && now.error().code != EthereumCode::not_found) return now.error();
        if (!now || now.value().hash != block.hash) continue;
        // The tip itself: two endpoints disagree for a moment. The next call looks again.
        if (block.number != tip) ready_.emplace_back(RollbackEvent{block, tip - block.number});
        return Done{};
    }
    return EthereumError{EthereumCode::reorg_too_deep,
                         "no block of " + std::to_string(cursor_.recent.front().number) + ".." + std::to_string(tip) +
                             " is part of the chain",
                         {}};
}

/// Logs of the blocks, each checked to belong to its block. May cut `headers` when the node refuses so many at once.
Answer<std::vector<Log>> LogFollower::checked_logs(std::vector<BlockHeader>& headers) {
    std::vector<Log> logs;
    while (headers.size() > kMaxByHash) {
        auto answer = chain_.logs(options_.filter, headers.front().number, headers.back().number);
        if (answer) {
            logs = std::move(answer).value();
            break;
        }
        const EthereumCode code = answer.error().code;
        if (code != EthereumCode::too_many_results && code != EthereumCode::response_too_large) return answer.error();
        headers.resize(headers.size() / 2);
        range_blocks_ = headers.size();
    }
    const std::uint64_t first = headers.front().number;
    std::vector<std::size_t> num_logs(headers.size(), 0);
    for (const Log& log : logs) {
        if (log.block_number < first || log.block_number - first >= headers.size()) {
            return inconsistent("a log outside of the range, block ", log.block_hash);
        }
        const auto i = static_cast<std::size_t>(log.block_number - first);
        if (log.block_hash != headers[i].hash) return inconsistent("a log of another block, ", log.block_hash);
        ++num_logs[i];
    }
    for (std::size_t i = 0; i < headers.size(); ++i) {
        // Near the head a node may not have the block yet, far below it may have thrown its logs away, and both answer
        // with none.
        if (num_logs[i] != 0 || !bloom_may_match(headers[i].logs_bloom, options_.filter)) continue;
        auto more = chain_.logs_of(options_.filter, headers[i].hash);
        if (!more && more.error().code == EthereumCode::not_found) {
            return inconsistent("no logs of the block ", headers[i].hash);
        }
        if (!more) return more.error();
        for (Log& log : more.value()) {
            if (log.block_hash != headers[i].hash || log.block_number != headers[i].number) {
                return inconsistent("a log of another block, ", log.block_hash);
            }
            logs.push_back(std::move(log));
        }
    }
    for (const Log& log : logs) {
        if (!matches(log, options_.filter)) return inconsistent("a log that nobody asked for, block ", log.block_hash);
    }
    const auto position = [](const Log& log) { return std::pair(log.block_number, log.log_index); };
    std::sort(logs.begin(), logs.end(), [&](const Log& a, const Log& b) { return position(a) < position(b); });
    const auto twice = std::adjacent_find(logs.begin(), logs.end(),
                                          [&](const Log& a, const Log& b) { return position(a) == position(b); });
    if (twice != logs.end()) return inconsistent("two logs in one place, block ", twice->block_hash);
    return logs;
}

}  // namespace quarry::ethereum
