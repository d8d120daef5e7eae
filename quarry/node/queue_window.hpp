#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "quarry/node/operation_json.hpp"
#include "quarry/rollup/effects.hpp"

namespace quarry::node {

/// A run of each L1 queue: what one batch, or the rest of an input, needs of them. Whatever the cursor, the rolling
/// hashes are those that it was told: zero on a development network.
class QueueWindow final : public rollup::L1Queues {
  public:
    QueueWindow() = default;
    /// The next entries pushed have these numbers.
    QueueWindow(std::uint64_t deposit_cursor, std::uint64_t forced_cursor)
        : deposit_start_(deposit_cursor), forced_start_(forced_cursor) {}

    void push(const QueueEntry& entry) {
        if (const auto* deposit = std::get_if<rollup::DepositEntry>(&entry)) {
            deposits_.push_back(*deposit);
        } else if (const auto* withdrawal = std::get_if<rollup::ForcedWithdrawalEntry>(&entry)) {
            forced_.emplace_back(*withdrawal);
        } else {
            forced_.emplace_back(std::get<rollup::SetKeyEntry>(entry));
        }
    }
    /// What a header says that L1's rolling hashes are: a batch's window ends where its cursors do.
    void set_hashes(const rollup::Bytes32& deposit_hash, const rollup::Bytes32& forced_hash) {
        deposit_hash_ = deposit_hash;
        forced_hash_ = forced_hash;
    }
    /// The numbers that the next entries get.
    [[nodiscard]] std::uint64_t deposit_end() const noexcept { return deposit_start_ + deposits_.size(); }
    [[nodiscard]] std::uint64_t forced_end() const noexcept { return forced_start_ + forced_.size(); }

    [[nodiscard]] std::optional<rollup::DepositEntry> deposit(std::uint64_t index) const override {
        return at(deposits_, deposit_start_, index);
    }
    [[nodiscard]] std::optional<rollup::ForcedEntry> forced(std::uint64_t index) const override {
        return at(forced_, forced_start_, index);
    }
    [[nodiscard]] rollup::Bytes32 deposit_hash(std::uint64_t) const override { return deposit_hash_; }
    [[nodiscard]] rollup::Bytes32 forced_hash(std::uint64_t) const override { return forced_hash_; }

  private:
    template <class T>
    static std::optional<T> at(const std::vector<T>& entries, std::uint64_t start, std::uint64_t index) {
        if (index < start || index - start >= entries.size()) return std::nullopt;
        return entries[index - start];
    }
    std::uint64_t deposit_start_ = 0;
    std::uint64_t forced_start_ = 0;
    rollup::Bytes32 deposit_hash_{};
    rollup::Bytes32 forced_hash_{};
    std::vector<rollup::DepositEntry> deposits_;
    std::vector<rollup::ForcedEntry> forced_;
};

}  // namespace quarry::node
