#include "quarry/ethereum/intent_book.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace quarry::ethereum {
namespace {

/// Finals after which the journal is written anew: what is over takes no more room than this many intents.
constexpr std::size_t kCompactAfter = 64;

}  // namespace

Answer<IntentBook> IntentBook::open(Options options, const PrivateKey& key, std::unique_ptr<Journal> journal) {
    IntentBook book(options, key, std::move(journal));
    QUARRY_TRY_ASSIGN(const std::vector<Bytes> records, book.journal_->read());
    for (std::size_t i = 0; i < records.size(); ++i) {
        auto record = decode_record(records[i]);
        if (!record || !book.replay(std::move(record).value())) {
            return EthereumError{EthereumCode::journal_damaged, "record " + std::to_string(i), {}};
        }
    }
    return book;
}

bool IntentBook::replay(ManagerRecord record) {
    if (auto* const added = std::get_if<IntentRecord>(&record)) {
        if (find(added->intent.id)) return false;
        const Hash content = keccak256(encode_record(*added));
        insert(std::move(added->intent), content);
        return true;
    }
    if (auto* const attempt = std::get_if<AttemptRecord>(&record)) {
        const auto entry = find(attempt->id);
        if (!entry || entry->status.is_final()) return false;
        if (entry->status.nonce && *entry->status.nonce != attempt->nonce) return false;
        push(*entry, std::move(*attempt));
        return true;
    }
    const FinalRecord& final = *std::get_if<FinalRecord>(&record);
    auto entry = find(final.id);
    if (entry && entry->status.is_final()) return false;
    if (!entry) {  // after a compaction only its end is left
        entry = std::make_shared<IntentEntry>();
        entry->intent.id = final.id;
        entry->content = final.content;
        by_id_[final.id] = entry;
    }
    retire(entry, final);
    return true;
}

std::shared_ptr<IntentEntry> IntentBook::find(const std::string& id) const {
    const auto at = by_id_.find(id);
    return at == by_id_.end() ? nullptr : at->second;
}

std::uint64_t IntentBook::free_nonce(std::uint64_t mined) const {
    std::set<std::uint64_t> held;
    for (const auto& entry : open_) {
        if (entry->status.nonce) held.insert(*entry->status.nonce);
    }
    while (held.contains(mined)) ++mined;
    return mined;
}

bool IntentBook::is_gap(std::uint64_t nonce) const {
    return free_nonce(nonce) == nonce && std::ranges::any_of(open_, [&](const auto& entry) {
               return entry->status.nonce && *entry->status.nonce > nonce;
           });
}

std::vector<std::shared_ptr<IntentEntry>> IntentBook::open_entries() const { return {open_.begin(), open_.end()}; }

void IntentBook::insert(Intent intent, const Hash& content) {
    auto entry = std::make_shared<IntentEntry>();
    entry->content = content;
    entry->intent = std::move(intent);
    by_id_[entry->intent.id] = entry;
    open_.push_back(std::move(entry));
}

Answer<Done> IntentBook::add(Intent intent) {
    const Bytes record = encode_record(IntentRecord{intent});
    QUARRY_TRY(journal_->append(record));
    insert(std::move(intent), keccak256(record));
    return Done{};
}

void IntentBook::push(IntentEntry& entry, AttemptRecord attempt) {
    entry.status.nonce = attempt.nonce;
    entry.status.stage = IntentStage::sent;
    entry.status.hashes.push_back(sign(entry, attempt).hash);
    entry.attempts.push_back(std::move(attempt));
}

Answer<Done> IntentBook::add_attempt(IntentEntry& entry, AttemptRecord attempt) {
    QUARRY_CHECK(!entry.status.nonce || *entry.status.nonce == attempt.nonce);
    QUARRY_TRY(journal_->append(encode_record(attempt)));
    push(entry, std::move(attempt));
    return Done{};
}

void IntentBook::retire(const std::shared_ptr<IntentEntry>& entry, const FinalRecord& record) {
    entry->status.stage = record.stage;
    entry->status.nonce = record.nonce;
    if (entry->status.hashes.empty() && record.transaction) entry->status.hashes.push_back(*record.transaction);
    if (record.stage == IntentStage::failed && !entry->status.error) {
        entry->status.error = EthereumError{record.error, "", {}};
    }
    entry->intent.data = {};
    entry->intent.sidecar = nullptr;
    entry->attempts.clear();
    std::erase(open_, entry);
    finals_.push_back(record);
    while (finals_.size() > options_.keep_final) {
        by_id_.erase(finals_.front().id);
        finals_.pop_front();
    }
}

Answer<Done> IntentBook::finish(const std::shared_ptr<IntentEntry>& entry, IntentStage stage,
                                std::optional<Hash> transaction, std::optional<EthereumError> error) {
    const FinalRecord record{.id = entry->intent.id,
                             .content = entry->content,
                             .stage = stage,
                             .nonce = entry->status.nonce,
                             .transaction = transaction,
                             .error = error ? error->code : EthereumCode::rpc_error};
    QUARRY_TRY(journal_->append(encode_record(record)));
    entry->status.error = std::move(error);
    retire(entry, record);
    if (++num_finals_since_compaction_ >= kCompactAfter) return compact();
    return Done{};
}

Answer<Done> IntentBook::compact() {
    std::vector<Bytes> records;
    for (const FinalRecord& final : finals_) records.push_back(encode_record(final));
    for (const auto& entry : open_) {
        records.push_back(encode_record(IntentRecord{entry->intent}));
        for (const AttemptRecord& attempt : entry->attempts) records.push_back(encode_record(attempt));
    }
    QUARRY_TRY(journal_->rewrite(records));
    num_finals_since_compaction_ = 0;
    return Done{};
}

SignedTransaction IntentBook::sign(const IntentEntry& entry, const AttemptRecord& attempt) const {
    Transaction t;
    t.chain_id = options_.chain_id;
    t.nonce = attempt.nonce;
    t.max_priority_fee_per_gas = attempt.fees.priority;
    t.max_fee_per_gas = attempt.fees.max;
    t.gas_limit = attempt.gas_limit;
    if (attempt.is_cancel) {
        t.to = key_.address();
    } else {
        t.to = entry.intent.to;
        t.value = entry.intent.value;
        t.data = entry.intent.data;
        if (entry.is_blob()) {
            t.max_fee_per_blob_gas = attempt.fees.max_blob;
            t.blob_hashes = entry.intent.sidecar->versioned_hashes();
        }
    }
    return sign_transaction(t, key_);
}

}  // namespace quarry::ethereum
