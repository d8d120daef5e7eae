#include "quarry/node/l1/proof_call.hpp"

#include <algorithm>

#include "quarry/ethereum/transaction.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/node/l1/batch_data.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/rollup/data_statement.hpp"

namespace quarry::node::l1 {
namespace {

using rollup::BindingForm;
using rollup::L1Binding;
using rollup::TerminalItem;

/// Of a signed transaction beside its calldata: generous.
constexpr std::size_t kEnvelopeBytes = 512;

Problem mismatch(const char* cause) {
    return {Problem::Kind::refused, "opening_mismatch", cause, "prove the batch again from the data that L1 has"};
}

Opening plain_opening(const L1Binding& binding) {
    return {binding.l1_hash, digest_bytes(binding.point), binding.value, {}};
}

Outcome<Opening> blob_opening(const L1Binding& binding, const ethereum::Blob& blob, const ethereum::Kzg& kzg) {
    const auto commitment = kzg.commit(blob);
    if (!commitment || ethereum::versioned_hash(commitment.value()) != binding.l1_hash) {
        return mismatch("a blob is not the one that the statement binds");
    }
    const auto opened = kzg.open(blob, rollup::scalar_bytes(rollup::point_scalar(binding.point)));
    if (!opened || opened.value().y != binding.value) {
        return mismatch("a blob does not have the value that the statement claims");
    }
    Opening opening = plain_opening(binding);
    Bytes kzg_bytes(commitment.value().begin(), commitment.value().end());
    kzg_bytes.insert(kzg_bytes.end(), opened.value().proof.begin(), opened.value().proof.end());
    for (std::size_t i = 0; i < opening.kzg.size(); ++i) {
        std::copy_n(kzg_bytes.begin() + static_cast<std::ptrdiff_t>(32 * i), 32, opening.kzg[i].begin());
    }
    return opening;
}

Outcome<std::vector<Opening>> data_openings(const TerminalItem& item, ByteView data, const ethereum::Kzg* kzg) {
    std::vector<Opening> openings;
    if (data.size() != item.header.byte_length || data.empty() || data.size() % rollup::kWordBytes != 0 ||
        item.data.empty()) {
        return mismatch("the data is not as long as the header says");
    }
    if (item.data.front().form == BindingForm::horner) {
        if (keccak256(data) != item.data.front().l1_hash) {
            return mismatch("the data is not the one that the statement binds");
        }
        openings.push_back(plain_opening(item.data.front()));
        return openings;
    }
    if (kzg == nullptr) {
        return Problem{Problem::Kind::environment, "setup_missing", "blobs cannot be opened without the trusted setup",
                       "set QUARRY_TRUSTED_SETUP to its path"};
    }
    const std::vector<ethereum::Blob> blobs = blobs_of_words(data);
    if (blobs.size() != item.data.size()) return mismatch("the statement binds another number of blobs");
    for (std::size_t i = 0; i < blobs.size(); ++i) {
        auto opening = blob_opening(item.data[i], blobs[i], *kzg);
        if (!opening) return opening.error();
        openings.push_back(opening.value());
    }
    return openings;
}

}  // namespace

Outcome<Item> make_item_call(const TerminalItem& item, const ItemContent& content, const ethereum::Kzg* kzg) {
    const bool is_first = item.header.number == 1;
    if (is_first == content.parent.has_value()) return mismatch("batch 1 alone has no parent");
    if (!is_first && keccak256(rollup::encode(*content.parent)) != item.header.parent_hash) {
        return mismatch("the parent is not the one that the header names");
    }
    auto openings = data_openings(item, content.data, kzg);
    if (!openings) return openings.error();
    Item call;
    call.header = rollup::encode(item.header);
    if (content.parent) call.parent_header = rollup::encode(*content.parent);
    call.payee = to_ethereum(item.batch.payee);
    call.units = item.batch.work.units;
    call.work_root = digest_bytes(item.batch.work.root);
    call.form = static_cast<std::uint8_t>(item.data.front().form);
    call.data = std::move(openings).value();
    if (!item.effects) {
        if (!content.effects.empty()) return mismatch("the statement binds no effects");
        return call;
    }
    if (keccak256(content.effects) != item.effects->l1_hash) {
        return mismatch("the effects are not those that the statement binds");
    }
    call.effects_point = digest_bytes(item.effects->point);
    call.effects.assign(content.effects.begin(), content.effects.end());
    return call;
}

Outcome<ProofCall> make_proof_call(const TerminalProofFile& file, std::uint32_t key,
                                   std::span<const ItemContent> contents, const ethereum::Kzg* kzg) {
    QUARRY_CHECK(contents.size() == file.bundle.items.size() && !contents.empty());
    std::vector<Item> items;
    for (std::size_t i = 0; i < contents.size(); ++i) {
        auto item = make_item_call(file.bundle.items[i], contents[i], kzg);
        if (!item) return item.error();
        items.push_back(std::move(item).value());
    }
    ProofCall call;
    call.num_items = items.size();
    call.calldata = file.log_profile == 0 ? hub_call::submit_proof(items.front(), file.proof)
                                          : hub_call::submit_aggregate(key, file.log_profile, items, file.proof);
    if (call.calldata.size() + kEnvelopeBytes > ethereum::kMaxTransactionBytes) {
        return Problem{Problem::Kind::refused, "too_large", "the proof with its effects is larger than a transaction",
                       "aggregate fewer batches"};
    }
    return call;
}

}  // namespace quarry::node::l1
