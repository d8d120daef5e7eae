#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quarry/ethereum/intent_records.hpp"
#include "quarry/ethereum/journal.hpp"

namespace quarry::ethereum {

/// An intent and what became of it so far.
struct IntentEntry {
    Intent intent;
    Hash content{};  ///< hash of its record: says whether two intents of one id are the same
    IntentStatus status;
    std::vector<AttemptRecord> attempts;  ///< as many as status.hashes
    bool is_cancel_wanted = false;
    // Times are of this process: after a restart everything is due at once.
    std::uint64_t sent_ms = 0;
    std::uint64_t attempt_ms = 0;
    std::uint64_t failed_ms = 0;  ///< when a step ended at it last
    /// The head at which the nonce was first seen used by a transaction that is none of ours.
    std::optional<std::uint64_t> taken_at;

    [[nodiscard]] bool is_blob() const noexcept { return intent.sidecar != nullptr; }
    [[nodiscard]] bool is_cancelling() const noexcept { return !attempts.empty() && attempts.back().is_cancel; }
};

/// All intents of a journal. Every change is on disk before it is here. Not thread-safe.
class IntentBook {
  public:
    struct Options {
        std::uint64_t chain_id = 0;
        std::size_t keep_final = 0;
    };
    /// journal_damaged, journal_failed.
    static Answer<IntentBook> open(Options options, const PrivateKey& key, std::unique_ptr<Journal> journal);

    [[nodiscard]] std::shared_ptr<IntentEntry> find(const std::string& id) const;
    /// Those that are not final, in the order of submission.
    [[nodiscard]] std::vector<std::shared_ptr<IntentEntry>> open_entries() const;
    [[nodiscard]] std::size_t num_open() const noexcept { return open_.size(); }
    /// The first nonce from `mined` on, the account's next on the chain, that no open intent has.
    [[nodiscard]] std::uint64_t free_nonce(std::uint64_t mined) const;
    /// Whether no open intent has the nonce, and one has a later one.
    [[nodiscard]] bool is_gap(std::uint64_t nonce) const;

    Answer<Done> add(Intent intent);
    /// A new version, and with the first one the nonce.
    Answer<Done> add_attempt(IntentEntry& entry, AttemptRecord attempt);
    /// The entry's last stage; its data and blobs are dropped. `transaction`: the version that was mined.
    Answer<Done> finish(const std::shared_ptr<IntentEntry>& entry, IntentStage stage, std::optional<Hash> transaction,
                        std::optional<EthereumError> error);
    /// The transaction of a version; signing is deterministic.
    [[nodiscard]] SignedTransaction sign(const IntentEntry& entry, const AttemptRecord& attempt) const;

  private:
    IntentBook(Options options, PrivateKey key, std::unique_ptr<Journal> journal)
        : options_(options), key_(std::move(key)), journal_(std::move(journal)) {}
    /// False: the record contradicts those before it.
    bool replay(ManagerRecord record);
    void insert(Intent intent, const Hash& content);
    void push(IntentEntry& entry, AttemptRecord attempt);
    void retire(const std::shared_ptr<IntentEntry>& entry, const FinalRecord& record);
    Answer<Done> compact();

    Options options_;
    PrivateKey key_;
    std::unique_ptr<Journal> journal_;
    std::map<std::string, std::shared_ptr<IntentEntry>> by_id_;
    std::deque<std::shared_ptr<IntentEntry>> open_;
    std::deque<FinalRecord> finals_;  ///< the latest last
    std::size_t num_finals_since_compaction_ = 0;
};

}  // namespace quarry::ethereum
