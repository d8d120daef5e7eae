#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/node/expected.hpp"
#include "quarry/node/signing.hpp"

/// What a key has signed for a rollup. A signature is on disk here before anybody else has it, so that the wallet can
/// send it again, and does not sign a second operation with its nonce unawares.
///
/// A line an operation: the time (seconds since 1970), a space, the operation (docs/spec/json-lines.md, section 2).
namespace quarry::node::wallet {

struct SignedEntry {
    std::uint64_t time = 0;
    SignedTransaction tx;
    Digest id{};
};

/// A batch may be dated so many seconds before the L1 block that has it (docs/spec/settlement.md), and an expiry is
/// compared with the batch's date.
inline constexpr std::uint64_t kMaxBatchAgeSeconds = 43'200;

inline constexpr std::size_t kMaxLogBytes = std::size_t{256} << 20;

/// The entries of a log; `complete_bytes`: up to the last line's end (a line that a crash cut short was never sent).
struct LogContent {
    std::vector<SignedEntry> entries;
    std::size_t complete_bytes = 0;
};
/// log_damaged. Total.
Outcome<LogContent> parse_signed_log(std::string_view text, const Digest& domain);

/// One process at a time has it.
class SignedLog {
  public:
    /// Opens or makes FOLDER/operations/<start of the key hash>-<start of the domain>.log and locks it. wallet_busy:
    /// another process has it; log_damaged.
    static Outcome<SignedLog> open(const std::string& folder, const rollup::KeyHash& key_hash, const Digest& domain);
    SignedLog(SignedLog&& other) noexcept;
    SignedLog& operator=(SignedLog&& other) noexcept;
    SignedLog(const SignedLog&) = delete;
    SignedLog& operator=(const SignedLog&) = delete;
    ~SignedLog();

    [[nodiscard]] const std::vector<SignedEntry>& entries() const noexcept { return content_.entries; }
    /// Of a slot, those that a batch can still execute, oldest first.
    [[nodiscard]] std::vector<SignedEntry> alive(rollup::SlotIndex slot, std::uint64_t now) const;
    /// On disk when this returns.
    Outcome<Done> append(std::uint64_t time, const SignedTransaction& tx);

  private:
    SignedLog() = default;
    std::string path_;
    Digest domain_{};
    LogContent content_;
    int fd_ = -1;
};

}  // namespace quarry::node::wallet
