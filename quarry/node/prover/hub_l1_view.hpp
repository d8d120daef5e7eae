#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "quarry/ethereum/blob_source.hpp"
#include "quarry/ethereum/transaction_manager.hpp"
#include "quarry/node/l1/hub_view.hpp"
#include "quarry/node/prover/l1_view.hpp"

namespace quarry::node::prover {

/// L1View of a hub on an Ethereum chain: its events as they were followed, blobs and calldata, and an account that
/// sends.
class HubL1View final : public L1View {
  public:
    using LoadKzg = std::function<ethereum::Answer<const ethereum::Kzg*>()>;
    /// All must outlive it. `sender`: null if there is no key to sign with: proofs are made and wait. `load_kzg` is
    /// called when blobs are to be opened first. A proof counts as accepted with so many confirmations.
    HubL1View(l1::HubView& view, ethereum::Chain& chain, ethereum::BlobSource& blobs,
              ethereum::TransactionManager* sender, LoadKzg load_kzg, unsigned confirmations);

    Outcome<Done> refresh() override;
    [[nodiscard]] std::optional<Problem> sender_trouble() const override { return sender_trouble_; }
    [[nodiscard]] L1Head head() const override { return head_; }
    [[nodiscard]] std::vector<RollupOnL1> rollups() const override;
    [[nodiscard]] std::optional<BatchOnL1> batch(std::uint32_t rollup, std::uint64_t number) const override;
    [[nodiscard]] const rollup::L1Queues& queues(std::uint32_t rollup) const override;
    Outcome<std::vector<std::uint8_t>> fetch_data(const BatchOnL1& batch) override;
    Outcome<Done> submit(const ProofToSubmit& proof) override;
    [[nodiscard]] SubmissionStatus submission(const std::string& id) const override;
    Outcome<Done> cancel(const std::string& id) override;

  private:
    void find_irreversible();
    /// Why the contract refuses a transaction that is in a block: the same call once more.
    [[nodiscard]] std::string revert_cause(const ethereum::IntentStatus& status) const;

    l1::HubView& view_;
    ethereum::Chain& chain_;
    ethereum::BlobSource& blobs_;
    ethereum::TransactionManager* sender_;
    LoadKzg load_kzg_;
    unsigned confirmations_;
    L1Head head_;
    std::optional<Problem> sender_trouble_;
    Digest genesis_root_{};
    std::uint64_t irreversible_block_ = 0;
    mutable std::map<std::uint32_t, std::unique_ptr<l1::ViewQueues>> queues_;
};

}  // namespace quarry::node::prover
