#include "quarry/node/prover/hub_l1_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/node/l1/batch_data.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/hub_abi.hpp"
#include "quarry/node/l1/proof_call.hpp"
#include "quarry/rollup/hashing.hpp"
#include "quarry/rollup/memory_store.hpp"

namespace quarry::node::prover {
namespace {

using ethereum::IntentStage;
using l1::U256;

constexpr std::size_t kEventsAtOnce = 1024;

/// The value, or the largest that all sums have room for.
Wei to_wei(const U256& x) {
    if (x.num_bits() > 100) return Wei{1} << 100;
    const Bytes32 bytes = x.to_bytes();
    Wei r = 0;
    for (const std::uint8_t b : std::span(bytes).last(16)) r = r << 8 | b;
    return r;
}

U256 to_u256(Wei x) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = bytes.size(); i-- > 0; x >>= 8) bytes[i] = static_cast<std::uint8_t>(x);
    return U256::from_bytes(bytes);
}

Wei less(Wei x, Wei y) { return x > y ? x - y : Wei{0}; }

BatchOnL1 to_batch(const l1::Submission& s, const L1Head& head) {
    BatchOnL1 b;
    b.header = s.header;
    b.hash = s.header_hash;
    b.submission = s.id;
    b.block = s.submitted.block;
    b.posted_at = static_cast<rollup::Timestamp>(s.submitted.timestamp);
    b.key = s.key;
    b.placement = s.form == 1 ? DataPlacement::blobs : DataPlacement::calldata;
    b.l1_hashes = s.l1_hashes;
    b.phase = s.state == l1::BatchState::finalised ? BatchPhase::finalised
              : s.state == l1::BatchState::proven  ? BatchPhase::proven
                                                   : BatchPhase::pending;
    b.payee = l1::to_rollup(s.payee);
    b.base = to_wei(s.terms.base);
    b.max = to_wei(s.terms.max);
    for (const l1::Raise& raise : s.raises) {
        if (!raise.is_reclaimed && raise.effective_block <= head.block + 1) b.raised += to_wei(raise.amount);
    }
    b.rebate_cap = to_wei(s.terms.rebate_cap);
    b.rebate_gas = s.rebate_gas;
    b.expected_at = static_cast<rollup::Timestamp>(s.expected_at);
    b.deadline = static_cast<rollup::Timestamp>(s.deadline);
    if (b.phase == BatchPhase::pending) {
        const std::uint64_t late = std::max<std::uint64_t>(head.timestamp, s.deadline);
        b.awarded = less(to_wei(l1::bounty_at(s, head.block + 1, late)), b.max + b.raised);
    }
    return b;
}

Problem no_submission(const BatchOnL1& batch) {
    return {Problem::Kind::environment, "data_unavailable",
            fmt::format("batch {} is not on L1 any more", batch.header.number), "the next round sees what is"};
}

}  // namespace

HubL1View::HubL1View(l1::HubView& view, ethereum::Chain& chain, ethereum::BlobSource& blobs,
                     ethereum::TransactionManager* sender, LoadKzg load_kzg, unsigned confirmations)
    : view_(view),
      chain_(chain),
      blobs_(blobs),
      sender_(sender),
      load_kzg_(std::move(load_kzg)),
      confirmations_(confirmations) {
    genesis_root_ = rollup::MemoryStore().state().root;
}

Outcome<Done> HubL1View::refresh() {
    head_.connected = false;
    // First what became of own transactions: what the view shows then is at least as new. An endpoint that has no
    // answer for one of them may still serve everything else.
    sender_trouble_.reset();
    if (sender_ != nullptr) {
        const auto stepped = sender_->step();
        if (!stepped) sender_trouble_ = l1::chain_problem(stepped.error());
    }
    for (;;) {
        const auto count = view_.step(kEventsAtOnce);
        if (!count) return l1::view_problem(count.error());
        if (count.value() < kEventsAtOnce) break;
    }
    const auto fees = chain_.suggest_fees();
    if (!fees) return l1::chain_problem(fees.error());
    const auto at = view_.head();
    head_.block = at ? at->number : 0;
    head_.timestamp = at ? static_cast<rollup::Timestamp>(at->timestamp) : 0;
    head_.base_fee = to_wei(fees.value().base_fee);
    head_.priority_fee = to_wei(fees.value().priority_fee);
    head_.connected = true;
    find_irreversible();
    return Done{};
}

void HubL1View::find_irreversible() {
    const auto block = chain_.block(ethereum::BlockTag::finalized);
    // A chain without finality: what is deeper than a reorganisation can be followed.
    const std::uint64_t deepest = view_.options().ring_blocks;
    const std::uint64_t number = block ? block.value().number : head_.block - std::min(head_.block, deepest);
    irreversible_block_ = std::max(irreversible_block_, number);
}

std::vector<RollupOnL1> HubL1View::rollups() const {
    return view_.read([&](const l1::HubState& state, const auto&) {
        std::vector<RollupOnL1> all;
        for (const auto& [id, record] : state.rollups()) {
            RollupOnL1 r;
            const auto fee = l1::amount_of(record.min_new_pair_fee);
            r.parameters.l1_chain_id = view_.options().chain_id;
            r.parameters.hub = l1::to_rollup(view_.options().hub);
            r.parameters.rollup_id = id;
            r.parameters.genesis_root = genesis_root_;
            r.parameters.min_new_pair_fee = fee.value_or(rollup::Amount());
            // Of another protocol, whatever it is: nothing here can execute it.
            if (record.is_foreign) continue;
            if (l1::digest_bytes(rollup::domain_hash(r.parameters)) != record.domain) continue;
            r.head = record.head;
            r.finalised = record.finalised;
            r.irreversible = record.finalised;
            while (r.irreversible > 0) {
                const l1::Submission* s = state.batch(id, r.irreversible);
                if (s != nullptr && s->finalised.block <= irreversible_block_) break;
                --r.irreversible;
            }
            all.push_back(r);
        }
        return all;
    });
}

std::optional<BatchOnL1> HubL1View::batch(std::uint32_t rollup, std::uint64_t number) const {
    return view_.read([&](const l1::HubState& state, const auto&) -> std::optional<BatchOnL1> {
        const l1::Submission* s = state.batch(rollup, number);
        if (s == nullptr) return std::nullopt;
        BatchOnL1 b = to_batch(*s, head_);
        const auto verifiers = state.verifiers().find(s->key);
        b.trusted = verifiers != state.verifiers().end() && verifiers->second.is_pinned;
        return b;
    });
}

const rollup::L1Queues& HubL1View::queues(std::uint32_t rollup) const {
    auto& queues = queues_[rollup];
    if (queues == nullptr) queues = std::make_unique<l1::ViewQueues>(view_, rollup);
    return *queues;
}

Outcome<std::vector<std::uint8_t>> HubL1View::fetch_data(const BatchOnL1& batch) {
    const auto submission = view_.read([&](const l1::HubState& state, const auto&) -> std::optional<l1::Submission> {
        const l1::Submission* s = state.submission(batch.submission);
        if (s == nullptr || s->header_hash != batch.hash) return std::nullopt;
        return *s;
    });
    if (!submission) return no_submission(batch);
    return l1::fetch_batch_data(chain_, blobs_, *submission);
}

Outcome<Done> HubL1View::submit(const ProofToSubmit& proof) {
    if (sender_ == nullptr) {
        return Problem{Problem::Kind::environment, "no_key", "there is no account that could send the proof",
                       "give its secret key with --key FILE: the proof is kept"};
    }
    const bool blobs = std::ranges::any_of(proof.proof.bundle.items, [](const rollup::TerminalItem& item) {
        return std::ranges::any_of(item.data, [](const auto& b) { return b.form == rollup::BindingForm::blob; });
    });
    const ethereum::Kzg* kzg = nullptr;
    if (blobs) {
        const auto loaded = load_kzg_();
        if (!loaded) return l1::chain_problem(loaded.error());
        kzg = loaded.value();
    }
    std::vector<l1::ItemContent> contents;
    for (const ProofToSubmit::Item& item : proof.items) contents.push_back({item.parent, item.data, item.effects});
    auto call = l1::make_proof_call(proof.proof, proof.key, contents, kzg);
    if (!call) return call.error();
    ethereum::Intent intent;
    intent.id = proof.id;
    intent.to = view_.options().hub;
    intent.data = std::move(call.value().calldata);
    intent.max_total_fee = to_u256(proof.max_fee);
    const auto submitted = sender_->submit(std::move(intent));
    if (!submitted) return l1::chain_problem(submitted.error());
    return Done{};
}

std::string HubL1View::revert_cause(const ethereum::IntentStatus& status) const {
    if (status.error && !status.error->revert_data.empty()) return l1::revert_name(status.error->revert_data);
    if (status.stage_at(confirmations_) != IntentStage::reverted) {
        return status.error ? ethereum::ethereum_code_name(status.error->code) : intent_stage_name(status.stage);
    }
    const auto sent = status.hashes.empty() ? std::nullopt : std::optional(chain_.transaction(status.hashes.back()));
    if (!sent || !*sent) return "unknown_revert";
    ethereum::CallRequest request;
    request.from = sent->value().from;
    request.to = sent->value().to;
    request.data = sent->value().data;
    const auto result = chain_.call(request, ethereum::BlockTag::latest);
    if (result || result.error().revert_data.empty()) return "unknown_revert";
    return l1::revert_name(result.error().revert_data);
}

SubmissionStatus HubL1View::submission(const std::string& id) const {
    SubmissionStatus s;
    if (sender_ == nullptr) return s;
    const auto status = sender_->status(id);
    if (!status) return s;
    const ethereum::IntentStatus& intent = status.value();
    if (!intent.hashes.empty()) s.transaction = intent.hashes.back();
    if (intent.receipt) {
        s.transaction = intent.receipt->transaction_hash;
        s.gas_used = intent.receipt->gas_used;
        s.fee = to_wei(intent.receipt->effective_gas_price) * s.gas_used;
    }
    switch (intent.stage_at(confirmations_)) {
        case IntentStage::queued:
        case IntentStage::sent:
        case IntentStage::mined:
            s.phase = SubmissionPhase::sending;
            s.above_max_fee = intent.error && intent.error->code == ethereum::EthereumCode::fee_above_cap;
            break;
        case IntentStage::confirmed:
            s.phase = SubmissionPhase::accepted;
            break;
        case IntentStage::reverted:
        case IntentStage::failed:
            s.phase = SubmissionPhase::refused;
            s.code = revert_cause(intent);
            s.reason = "the hub does not take the proof: " + s.code;
            break;
        case IntentStage::cancelled:
            s.phase = SubmissionPhase::cancelled;
            break;
    }
    return s;
}

Outcome<Done> HubL1View::cancel(const std::string& id) {
    if (sender_ == nullptr) return Done{};
    const auto cancelled = sender_->cancel(id);
    if (!cancelled) return l1::chain_problem(cancelled.error());
    return Done{};
}

}  // namespace quarry::node::prover
