#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quarry/node/sequencer/ledger_records.hpp"
#include "quarry/node/storage_error.hpp"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace quarry::node::sequencer {

/// What changes together in a ledger.
struct LedgerChanges {
    struct Operation {
        Digest id{};
        OperationRecord record;
        std::optional<std::uint64_t> waited_as;  ///< its sequence number, if the ledger has it as waiting
    };
    std::vector<Operation> operations;
    std::vector<Digest> forgotten;  ///< operations whose receipts are given up
    std::vector<std::pair<std::uint64_t, OrderEntry>> order;
    std::vector<std::uint64_t> removed_order;
    std::vector<BatchRecord> batches;
    std::vector<std::uint64_t> removed_batches;

    [[nodiscard]] bool empty() const noexcept {
        return operations.empty() && forgotten.empty() && order.empty() && removed_order.empty() && batches.empty() &&
               removed_batches.empty();
    }
};

/// What a sequencer must not forget beside the state: the operations that it acknowledged, in which order it executed
/// them, what became of them and of their batches. A folder, over RocksDB. Reading is safe from any thread, writing
/// from one.
class Ledger {
  public:
    /// Opens the folder, or makes an empty ledger of this rollup there. not_a_state_directory: the ledger of another.
    static Stored<std::unique_ptr<Ledger>> open(const std::string& directory, const Digest& domain,
                                                rocksdb::Env* env = nullptr);
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;
    ~Ledger();

    /// One synced atomic write. After a failure every further one is refused (failed_before): only opening the ledger
    /// again tells what is on disk.
    Stored<rollup::Accepted> write(const LedgerChanges& changes);

    [[nodiscard]] std::optional<OperationRecord> operation(const Digest& id) const;
    [[nodiscard]] std::optional<BatchRecord> batch(std::uint64_t number) const;

    /// Calls with the steps from `first` on, in order, until one is missing, damaged, or the call returns false.
    void for_each_step(std::uint64_t first, const std::function<bool(std::uint64_t, const OrderEntry&)>& call) const;
    /// Batches from `first` on, rising.
    [[nodiscard]] std::vector<BatchRecord> batches_from(std::uint64_t first) const;
    /// One past the last step; 0: there is none.
    [[nodiscard]] std::uint64_t order_end() const;
    /// The ids of the operations that wait, in order of arrival.
    [[nodiscard]] std::vector<Digest> waiting() const;
    /// Bytes in memory tables and files, about.
    [[nodiscard]] std::uint64_t size_bytes() const;

  private:
    struct Engine;
    explicit Ledger(std::unique_ptr<Engine> engine);
    std::unique_ptr<Engine> engine_;
};

}  // namespace quarry::node::sequencer
