#include <fmt/format.h>

#include <utility>

#include "quarry/node/sequencer/rpc_service.hpp"

namespace quarry::node::sequencer {

std::uint64_t Subscriptions::topic_of(std::optional<rollup::SlotIndex> slot) noexcept {
    return slot ? std::uint64_t{*slot} + 1 : kBatches;
}

std::optional<std::uint64_t> Subscriptions::add(const rpc::ConnectionPointer& connection,
                                                std::optional<rollup::SlotIndex> slot) {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t topic = topic_of(slot);
    const auto mine = topics_of_.find(connection->id());
    if (mine != topics_of_.end() && mine->second.contains(topic)) return topic;
    if ((mine == topics_of_.end() ? 0 : mine->second.size()) >= max_per_connection_) return std::nullopt;
    topics_of_[connection->id()].insert(topic);
    listeners_[topic].emplace(connection->id(), connection);
    ++size_;
    return topic;
}

bool Subscriptions::remove(std::uint64_t connection, std::uint64_t topic) {
    const std::scoped_lock lock(mutex_);
    const auto mine = topics_of_.find(connection);
    if (mine == topics_of_.end() || mine->second.erase(topic) == 0) return false;
    if (mine->second.empty()) topics_of_.erase(mine);
    forget(connection, topic);
    return true;
}

void Subscriptions::remove_all(std::uint64_t connection) {
    const std::scoped_lock lock(mutex_);
    const auto mine = topics_of_.extract(connection);
    if (mine.empty()) return;
    for (const std::uint64_t topic : mine.mapped()) forget(connection, topic);
}

void Subscriptions::forget(std::uint64_t connection, std::uint64_t topic) {
    const auto it = listeners_.find(topic);
    it->second.erase(connection);
    if (it->second.empty()) listeners_.erase(it);
    --size_;
}

template <class Result>
void Subscriptions::tell(std::uint64_t topic, const Result& result) const {
    const auto listeners = listeners_.find(topic);
    if (listeners == listeners_.end()) return;
    const auto text = std::make_shared<const std::string>(fmt::format(
        R"({{"jsonrpc":"2.0","method":"quarry_subscription","params":{{"subscription":"0x{:x}","result":{}}}}})", topic,
        to_json(result)));
    for (const auto& [id, listener] : listeners->second) {
        if (const auto connection = listener.lock()) connection->push(text);
    }
}

void Subscriptions::publish(const Events& events) const {
    const std::scoped_lock lock(mutex_);
    for (const Receipt& receipt : events.receipts) {
        tell(topic_of(receipt.slot), receipt);
        if (receipt.receiver && *receipt.receiver != receipt.slot) tell(topic_of(receipt.receiver), receipt);
    }
    for (const BatchSummary& batch : events.batches) tell(kBatches, batch);
}

std::size_t Subscriptions::size() const {
    const std::scoped_lock lock(mutex_);
    return size_;
}

bool Subscriptions::wants_receipts() const {
    const std::scoped_lock lock(mutex_);
    return !listeners_.empty() && listeners_.rbegin()->first != kBatches;
}

}  // namespace quarry::node::sequencer
