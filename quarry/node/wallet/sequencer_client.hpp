#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/ethereum/clock.hpp"
#include "quarry/ethereum/http.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/node/wallet/signed_log.hpp"
#include "quarry/rollup/types.hpp"

/// The sequencer's RPC as a client sees it (docs/rpc.md). Its answers are not proofs: what matters to a signature is
/// checked by whoever signs.
namespace quarry::node::wallet {

/// quarry_status, what a wallet needs of it.
struct SequencerStatus {
    rollup::RollupParameters parameters;
    Digest domain{};
    bool ready = false;
    std::uint64_t batch = 0;
    std::uint64_t posted_batch = 0;
    std::uint64_t proven_batch = 0;
    std::uint64_t finalised_batch = 0;
};

/// An account of quarry_getAccount.
struct AccountView {
    rollup::SlotIndex slot = 0;
    rollup::TokenId token = 0;
    rollup::Amount balance;
    rollup::Nonce nonce = 0;
    rollup::Nonce next_nonce = 0;
    rollup::Owner owner;
    Digest pair{};
};

/// In the order in which an operation passes them, then the two that end or restart its way.
enum class Stage { received, executed, posted, proven, claimable, reverted, rejected };
const char* stage_name(Stage stage) noexcept;
std::optional<Stage> stage_of(std::string_view name) noexcept;
/// Whether an operation at stage `now` has got to `wanted`. Never for reverted and rejected.
bool has_reached(Stage now, Stage wanted) noexcept;

struct ReceiptView {
    Digest id{};
    Stage stage = Stage::received;
    std::optional<std::uint64_t> batch;
    std::optional<std::uint64_t> index;
    std::optional<rollup::SlotIndex> created_slot;
    std::string code;    ///< why it was rejected or reverted
    std::string reason;  ///< the same for people
};

struct FeeQuote {
    bool accepted = false;
    rollup::Amount minimum;
    rollup::Amount new_pair_minimum;
    rollup::Amount suggested;
};

/// quarry_stateRoot after the last closed batch.
struct QueueCursors {
    std::uint64_t batch = 0;
    std::uint64_t deposit_cursor = 0;
    std::uint64_t forced_cursor = 0;
};

/// Problems of the way: rpc_unreachable (nobody answered, after a few attempts), bad_answer. What the sequencer refuses
/// has its own code as name (docs/rpc.md, section 3). After rpc_unreachable it is unknown whether it took an operation.
class SequencerClient {
  public:
    /// bad_url.
    static Outcome<SequencerClient> connect(const std::string& url, std::shared_ptr<ethereum::HttpTransport> transport,
                                            ethereum::Clock& clock);

    Outcome<SequencerStatus> status();
    /// Accounts of an owner, of all tokens, by rising slot. What belongs to somebody else is bad_answer.
    Outcome<std::vector<AccountView>> accounts_of(const rollup::Owner& owner);
    Outcome<AccountView> account(rollup::SlotIndex slot);
    Outcome<FeeQuote> fee_quote(rollup::TokenId token);
    Outcome<QueueCursors> cursors();
    /// Idempotent: sending a known operation again answers with its receipt. That of another one is bad_answer.
    Outcome<ReceiptView> send(const SignedEntry& entry);
    /// No value: the sequencer does not know the operation. The receipt of another one is bad_answer.
    Outcome<std::optional<ReceiptView>> receipt(const Digest& id);

  private:
    SequencerClient(ethereum::Url url, std::shared_ptr<ethereum::HttpTransport> transport, ethereum::Clock& clock)
        : url_(std::move(url)), transport_(std::move(transport)), clock_(&clock) {}
    /// The answer's body.
    Outcome<std::string> exchange(const std::string& method, const std::string& params);

    ethereum::Url url_;
    std::shared_ptr<ethereum::HttpTransport> transport_;
    ethereum::Clock* clock_;
};

/// Readers of whole answers, for the client and its fuzzer. Total. bad_answer, or what the sequencer refuses.
Outcome<SequencerStatus> parse_status_answer(std::string_view body);
Outcome<std::vector<AccountView>> parse_accounts_answer(std::string_view body);
Outcome<FeeQuote> parse_fee_answer(std::string_view body);
Outcome<QueueCursors> parse_cursors_answer(std::string_view body);
Outcome<ReceiptView> parse_receipt_answer(std::string_view body);

}  // namespace quarry::node::wallet
