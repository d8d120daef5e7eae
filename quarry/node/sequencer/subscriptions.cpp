#include <set>

#include "quarry/node/sequencer/rpc_service.hpp"

namespace quarry::node::sequencer {
namespace {

std::string notification(std::uint64_t id, const std::string& result) {
    return R"({"jsonrpc":"2.0","method":"quarry_subscription","params":{"subscription":"0x)" +
           [&] {
               char digits[17] = {};
               std::snprintf(digits, sizeof digits, "%llx", static_cast<unsigned long long>(id));
               return std::string(digits);
           }() +
           R"(","result":)" + result + "}}";
}

}  // namespace

std::optional<std::uint64_t> Subscriptions::add(const rpc::ConnectionPointer& connection,
                                                std::optional<rollup::SlotIndex> slot) {
    const std::scoped_lock lock(mutex_);
    std::size_t& count = per_connection_[connection->id()];
    if (count >= max_per_connection_) return std::nullopt;
    ++count;
    const std::uint64_t id = next_++;
    all_[id] = {connection, connection->id(), slot};
    if (slot) by_slot_.emplace(*slot, id);
    return id;
}

bool Subscriptions::remove(std::uint64_t connection, std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    const auto it = all_.find(id);
    if (it == all_.end() || it->second.connection_id != connection) return false;
    if (it->second.slot) {
        auto [first, last] = by_slot_.equal_range(*it->second.slot);
        while (first != last) first = first->second == id ? by_slot_.erase(first) : std::next(first);
    }
    all_.erase(it);
    if (--per_connection_[connection] == 0) per_connection_.erase(connection);
    return true;
}

void Subscriptions::remove_all(std::uint64_t connection) {
    std::vector<std::uint64_t> ids;
    {
        const std::scoped_lock lock(mutex_);
        if (!per_connection_.contains(connection)) return;
        for (const auto& [id, subscription] : all_) {
            if (subscription.connection_id == connection) ids.push_back(id);
        }
    }
    for (const std::uint64_t id : ids) remove(connection, id);
}

void Subscriptions::publish(const Events& events) const {
    const std::scoped_lock lock(mutex_);
    if (all_.empty()) return;
    const auto push = [&](std::uint64_t id, const std::string& text) {
        if (const auto connection = all_.at(id).connection.lock()) connection->push(notification(id, text));
    };
    for (const Receipt& receipt : events.receipts) {
        std::set<std::uint64_t> ids;
        for (const auto& slot : {std::optional(receipt.slot), receipt.receiver}) {
            if (!slot) continue;
            const auto [first, last] = by_slot_.equal_range(*slot);
            for (auto it = first; it != last; ++it) ids.insert(it->second);
        }
        if (ids.empty()) continue;
        const std::string text = to_json(receipt);
        for (const std::uint64_t id : ids) push(id, text);
    }
    for (const BatchSummary& batch : events.batches) {
        const std::string text = to_json(batch);
        for (const auto& [id, subscription] : all_) {
            if (!subscription.slot) push(id, text);
        }
    }
}

std::size_t Subscriptions::size() const {
    const std::scoped_lock lock(mutex_);
    return all_.size();
}

bool Subscriptions::wants_receipts() const {
    const std::scoped_lock lock(mutex_);
    return !by_slot_.empty();
}

}  // namespace quarry::node::sequencer
