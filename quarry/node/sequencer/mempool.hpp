#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "quarry/node/signing.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::sequencer {

/// Every cause, beside the rollup's own, for which a sequencer refuses a sound operation: X(name, sentence).
#define QUARRY_ADMISSION_CODES(X)                                                                              \
    X(expires_too_soon, "the operation expires before it can be expected to be executed")                      \
    X(fee_too_low, "the fee is below the sequencer's minimum for this token")                                  \
    X(token_not_accepted, "the sequencer takes no fees in this token")                                         \
    X(nonce_too_far, "the nonce is further ahead of the account's than the mempool keeps")                     \
    X(replacement_underpriced, "an operation with this slot and nonce waits; a replacement pays a tenth more") \
    X(account_full, "as many operations of this account wait as the mempool keeps")                            \
    X(mempool_full, "the mempool is full of operations that pay as much or more; try again later")             \
    X(replaced, "another operation of the same slot and nonce with a higher fee took its place")               \
    X(evicted, "the mempool was full, and better paid operations came")

enum class AdmissionCode {
#define QUARRY_X(name, text) name,
    QUARRY_ADMISSION_CODES(QUARRY_X)
#undef QUARRY_X
};
/// The enumerator's name, stable: scripts may match on it.
const char* admission_name(AdmissionCode code) noexcept;
/// One sentence for people.
const char* admission_text(AdmissionCode code) noexcept;

struct MempoolLimits {
    std::size_t max_operations = 65'536;          ///< waiting, in all
    std::size_t max_operations_per_account = 64;  ///< waiting, of one slot
};

struct WaitingOperation {
    SignedTransaction tx;  ///< with a signature that verifies
    Digest id{};
    std::uint64_t sequence = 0;  ///< order of arrival
    std::uint64_t priority = 0;  ///< what it pays, comparable over tokens
    std::uint32_t reverts = 0;   ///< batches with it that were taken back
    bool returned = false;       ///< was executed already, and its batch taken back: stays until it is executed again
    bool stored = false;         ///< the ledger has it as waiting, under its sequence

    [[nodiscard]] rollup::SlotIndex slot() const { return rollup::authorisation(tx.tx.op)->slot; }
};

/// Operations with good signatures that wait for an earlier nonce or for room. In memory; what is acknowledged of it is
/// in the ledger.
///
/// The next one is the best of those whose nonce is their account's (or below: executing it tells why not): by
/// priority, then by arrival.
class Mempool {
  public:
    explicit Mempool(const MempoolLimits& limits) : limits_(limits) {}

    /// Whether `add` would take it. account_nonce: of its slot, now. `at_once`: an operation with that nonce will not
    /// wait, and takes no room.
    [[nodiscard]] std::optional<AdmissionCode> refusal(const WaitingOperation& operation, rollup::Nonce account_nonce,
                                                       bool at_once) const;
    /// Takes it, and gives back what it displaces: the one that it replaces, or an evicted one; the code says which.
    /// Precondition: no refusal, or `stored`: that one evicts nothing.
    struct Displaced {
        WaitingOperation operation;
        AdmissionCode code = AdmissionCode::replaced;
    };
    std::optional<Displaced> add(WaitingOperation operation, rollup::Nonce account_nonce, bool at_once);

    /// The account's nonce is now this one.
    void set_nonce(rollup::SlotIndex slot, rollup::Nonce nonce);
    /// The next operation to execute, or null.
    [[nodiscard]] const WaitingOperation* best() const;
    /// Takes out the operation with this slot and nonce. Precondition: it is there.
    WaitingOperation take(rollup::SlotIndex slot, rollup::Nonce nonce);
    /// The waiting operation with this id, or null.
    [[nodiscard]] WaitingOperation* find(const Digest& id);
    /// Takes out those whose expiry is before `now`.
    std::vector<WaitingOperation> take_expired(rollup::Timestamp now);

    /// The first nonce from `nonce` on that does not wait.
    [[nodiscard]] rollup::Nonce next_nonce(rollup::SlotIndex slot, rollup::Nonce nonce) const;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t num_ready() const noexcept { return ready_.size(); }
    /// The priority of the operation that is `rank` places behind the best one; 0 if there is none.
    [[nodiscard]] std::uint64_t priority_at(std::size_t rank) const;

  private:
    struct Account {
        rollup::Nonce nonce = 0;
        std::map<rollup::Nonce, WaitingOperation> waiting;
    };
    /// Best first.
    struct ReadyKey {
        std::uint64_t priority = 0;
        std::uint64_t sequence = 0;
        rollup::SlotIndex slot = 0;
        friend bool operator<(const ReadyKey& a, const ReadyKey& b) noexcept {
            if (a.priority != b.priority) return a.priority > b.priority;
            return a.sequence < b.sequence;
        }
    };
    /// The last operation of an account, worst paid first: what may be evicted.
    struct LastKey {
        std::uint64_t priority = 0;
        std::uint64_t sequence = 0;
        rollup::SlotIndex slot = 0;
        friend bool operator<(const LastKey& a, const LastKey& b) noexcept {
            if (a.priority != b.priority) return a.priority < b.priority;
            return a.sequence > b.sequence;
        }
    };
    /// Takes the account out of the two orders, and puts it back after a change.
    void unlist(const Account& account, rollup::SlotIndex slot);
    void list(const Account& account, rollup::SlotIndex slot);

    MempoolLimits limits_;
    std::unordered_map<rollup::SlotIndex, Account> accounts_;
    std::unordered_map<Digest, std::pair<rollup::SlotIndex, rollup::Nonce>, rollup::DigestHasher> by_id_;
    std::set<ReadyKey> ready_;
    std::set<LastKey> last_;
    std::set<std::tuple<rollup::Timestamp, rollup::SlotIndex, rollup::Nonce>> expiries_;
    std::size_t size_ = 0;
};

}  // namespace quarry::node::sequencer
