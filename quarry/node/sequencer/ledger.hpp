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
    std::vector<std::pair<std::uint64_t, OrderEntry>> returned;
    std::vector<std::uint64_t> removed_returned;
    std::vector<BatchRecord> batches;
    std::vector<std::uint64_t> removed_batches;

    [[nodiscard]] bool empty() const noexcept {
        return operations.empty() && forgotten.empty() && order.empty() && removed_order.empty() && returned.empty() &&
               removed_returned.empty() && batches.empty() && removed_batches.empty();
    }
};

/// What a sequencer must not forget beside the state: the operations that it acknowledged, in which order it executed
/// them, what became of them and of their batches. A folder, over RocksDB. Reading is safe from any thread, writing
/// from one. What cannot be read, or is damaged, is an error, never a thing that is not there.
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
    /// Why the first read failed that did: for who looks later than at that read.
    [[nodiscard]] std::optional<StorageError> read_failure() const;

    [[nodiscard]] Stored<std::optional<OperationRecord>> operation(const Digest& id) const;
    [[nodiscard]] Stored<std::optional<BatchRecord>> batch(std::uint64_t number) const;

    /// Calls with the steps from `first` on, in order, until there are no more, or the call returns false. A gap among
    /// them is damage.
    Stored<rollup::Accepted> for_each_step(std::uint64_t first,
                                           const std::function<bool(std::uint64_t, const OrderEntry&)>& call) const;
    /// The steps to be taken again, in order; their numbers have no gaps.
    [[nodiscard]] Stored<std::vector<std::pair<std::uint64_t, OrderEntry>>> returned() const;
    /// Batches from `first` on, rising.
    [[nodiscard]] Stored<std::vector<BatchRecord>> batches_from(std::uint64_t first) const;
    /// The ids of the operations that wait, in order of arrival.
    [[nodiscard]] Stored<std::vector<Digest>> waiting() const;
    /// Bytes in memory tables and files, about.
    [[nodiscard]] std::uint64_t size_bytes() const;

  private:
    struct Engine;
    explicit Ledger(std::unique_ptr<Engine> engine);
    std::unique_ptr<Engine> engine_;
};

}  // namespace quarry::node::sequencer
