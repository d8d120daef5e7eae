#include "quarry/apps/passphrase.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

#include "quarry/apps/failure.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/secret_file.hpp"
#include "quarry/node/wallet/keystore.hpp"

namespace quarry::apps {
namespace {

using node::wallet::kMaxPassphraseBytes;
using node::wallet::kMinPassphraseBytes;
using node::wallet::SecretText;

constexpr const char* kVariable = "QUARRY_WALLET_PASSPHRASE";
constexpr std::size_t kMaxSecretFileBytes = 4096;

Failure interrupted() {
    return {exit_refused, "interrupted", "no passphrase was typed", "nothing was done; try again"};
}

void interrupt_read(int /*signal*/) {}

/// The terminal of this process, silent while the object lives. A signal ends the reading instead of the process, so
/// that the terminal never stays silent.
class SilentTerminal {
  public:
    SilentTerminal() : fd_(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        if (fd_ < 0 || ::tcgetattr(fd_, &before_) != 0)
            throw Failure(exit_bad_input, "no_passphrase", "there is no terminal to type a passphrase at",
                          fmt::format("give --passphrase-file FILE, or set {}", kVariable));
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        silent.c_lflag |= ICANON;
        struct sigaction action{};
        action.sa_handler = interrupt_read;  // without SA_RESTART: read() returns
        for (std::size_t i = 0; i < kSignals.size(); ++i) (void)::sigaction(kSignals[i], &action, &old_[i]);
        (void)::tcsetattr(fd_, TCSAFLUSH, &silent);
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;
    ~SilentTerminal() {
        (void)::tcsetattr(fd_, TCSAFLUSH, &before_);
        for (std::size_t i = 0; i < kSignals.size(); ++i) (void)::sigaction(kSignals[i], &old_[i], nullptr);
        (void)::close(fd_);
    }

    SecretText ask(const std::string& prompt) const {
        say(prompt);
        std::string line;
        line.reserve(kMaxPassphraseBytes + 1);  // in one place, so that one place is wiped
        char c = 0;
        ssize_t n = 0;
        while ((n = ::read(fd_, &c, 1)) == 1 && c != '\n' && line.size() <= kMaxPassphraseBytes) line += c;
        say("\n");
        SecretText text(std::move(line));
        if (n != 1) throw interrupted();
        return text;
    }

  private:
    static constexpr std::array<int, 3> kSignals{SIGINT, SIGTERM, SIGHUP};
    void say(const std::string& text) const { (void)!::write(fd_, text.data(), text.size()); }
    int fd_;
    termios before_{};
    std::array<struct sigaction, kSignals.size()> old_{};
};

SecretText typed(const std::string& prompt, bool is_new) {
    const SilentTerminal terminal;
    SecretText first = terminal.ask(prompt + ": ");
    if (is_new && terminal.ask("the same again: ").text() != first.text())
        throw Failure(exit_refused, "passphrases_differ", "the two passphrases differ", "try again");
    return first;
}

}  // namespace

SecretText read_secret_file(const std::string& path) {
    auto bytes = value_of(node::read_secret_file(path, kMaxSecretFileBytes));
    std::string text(bytes.begin(), bytes.end());
    wipe(bytes.data(), bytes.size());
    return SecretText(std::move(text));
}

SecretText read_standard_input(std::size_t limit_bytes) {
    std::string text;
    text.reserve(limit_bytes + 1);  // in one place, so that one place is wiped
    char c = 0;
    while (text.size() <= limit_bytes && ::read(STDIN_FILENO, &c, 1) == 1) text += c;
    if (text.size() > limit_bytes)
        throw Failure(exit_bad_input, "too_long", fmt::format("stdin has more than {} bytes", limit_bytes),
                      "give the backup alone");
    return SecretText(std::move(text));
}

SecretText read_passphrase(const std::string& file, const std::string& prompt, bool is_new) {
    SecretText text;
    if (!file.empty()) {
        const SecretText content = read_secret_file(file);
        text = SecretText(content.text().substr(0, content.text().find_first_of("\r\n")));
    } else if (const char* set = std::getenv(kVariable); set != nullptr) {
        text = SecretText(set);
    } else {
        text = typed(prompt, is_new);
    }
    if (is_new && text.text().size() < kMinPassphraseBytes)
        throw Failure(exit_refused, "passphrase_too_short",
                      fmt::format("a passphrase has at least {} characters", kMinPassphraseBytes),
                      "choose a longer one: it is all that protects the file");
    if (text.text().size() > kMaxPassphraseBytes)
        throw Failure(exit_bad_input, "passphrase_too_long",
                      fmt::format("a passphrase has at most {} characters", kMaxPassphraseBytes), "choose another");
    return text;
}

}  // namespace quarry::apps
