#include "quarry/node/wallet/signed_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <utility>

#include "quarry/base/write_fully.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/operation_json.hpp"
#include "quarry/node/wallet/wallet_folder.hpp"

namespace quarry::node::wallet {
namespace {

constexpr std::size_t kNameDigits = 16;  // of a hash, in a file's name

Problem log_damaged(std::size_t line) {
    return {Problem::Kind::bad_input, "log_damaged",
            fmt::format("line {} of the wallet's log of signed operations is damaged", line),
            "move the file away; before you sign again, wait until `quarry wallet balance` shows what you expect"};
}

std::string start_of(const Digest& digest) { return to_hex(digest).substr(2, kNameDigits); }

}  // namespace

Outcome<LogContent> parse_signed_log(std::string_view text, const Digest& domain) {
    LogContent content;
    for (std::size_t number = 1;; ++number) {
        const std::size_t end = text.find('\n', content.complete_bytes);
        if (end == std::string_view::npos) return content;
        const std::string_view line = text.substr(content.complete_bytes, end - content.complete_bytes);
        content.complete_bytes = end + 1;
        SignedEntry entry;
        const auto time = std::from_chars(line.data(), line.data() + line.size(), entry.time);
        const auto at = static_cast<std::size_t>(time.ptr - line.data());
        if (time.ec != std::errc() || at >= line.size() || line[at] != ' ') return log_damaged(number);
        auto parsed = parse_input_line(line.substr(at + 1));
        if (!parsed || !std::holds_alternative<SignedTransaction>(parsed.value())) return log_damaged(number);
        entry.tx = std::get<SignedTransaction>(std::move(parsed).value());
        entry.id = rollup::transaction_id(domain, entry.tx.tx);
        content.entries.push_back(std::move(entry));
    }
}

Outcome<SignedLog> SignedLog::open(const std::string& folder, const rollup::KeyHash& key_hash, const Digest& domain) {
    SignedLog log;
    log.path_ = fmt::format("{}/operations/{}-{}.log", folder, start_of(key_hash), start_of(domain));
    log.domain_ = domain;
    QUARRY_PASS_ON(make_private_folder(folder + "/operations"));
    log.fd_ = ::open(log.path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log.fd_ < 0) return cannot_write(log.path_, errno);
    if (::flock(log.fd_, LOCK_EX | LOCK_NB) != 0)
        return Problem{Problem::Kind::environment, "wallet_busy", "another process signs with this key",
                       "wait until it ends"};
    const auto bytes = read_whole_file(log.path_, kMaxLogBytes);
    if (!bytes) return bytes.error();
    auto content = parse_signed_log(as_text(bytes.value()), domain);
    if (!content) return content.error();
    log.content_ = std::move(content).value();
    if (::ftruncate(log.fd_, static_cast<off_t>(log.content_.complete_bytes)) != 0)
        return cannot_write(log.path_, errno);
    const std::string operations = folder + "/operations";
    QUARRY_PASS_ON(sync_paths(std::span(&operations, 1)));
    return log;
}

SignedLog::SignedLog(SignedLog&& other) noexcept { *this = std::move(other); }

SignedLog& SignedLog::operator=(SignedLog&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(domain_, other.domain_);
    std::swap(content_, other.content_);
    std::swap(fd_, other.fd_);
    return *this;
}

SignedLog::~SignedLog() {
    if (fd_ >= 0) (void)::close(fd_);
}

std::vector<SignedEntry> SignedLog::alive(rollup::SlotIndex slot, std::uint64_t now) const {
    std::vector<SignedEntry> found;
    for (const SignedEntry& entry : content_.entries) {
        const auto& auth = *rollup::authorisation(entry.tx.tx.op);
        if (auth.slot == slot && auth.expiry + kMaxBatchAgeSeconds >= now) found.push_back(entry);
    }
    return found;
}

Outcome<Done> SignedLog::append(std::uint64_t time, const SignedTransaction& tx) {
    const std::string line = fmt::format("{} {}\n", time, to_json(tx));
    int error = write_fully(fd_, as_bytes(line));
    if (error == 0 && ::fsync(fd_) != 0) error = errno;
    if (error != 0) {
        // Half a line would make a damaged one of the next.
        (void)!::ftruncate(fd_, static_cast<off_t>(content_.complete_bytes));
        return cannot_write(path_, error);
    }
    content_.complete_bytes += line.size();
    content_.entries.push_back({time, tx, rollup::transaction_id(domain_, tx.tx)});
    return Done{};
}

}  // namespace quarry::node::wallet
