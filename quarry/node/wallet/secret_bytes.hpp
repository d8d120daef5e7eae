#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "quarry/curve/schnorr.hpp"

namespace quarry::node::wallet {

/// Bytes that are wiped when they go out of use.
template <std::size_t N>
class SecretBytes {
  public:
    SecretBytes() = default;
    explicit SecretBytes(const std::array<std::uint8_t, N>& bytes) : bytes_(bytes) {}
    SecretBytes(const SecretBytes&) = default;
    SecretBytes& operator=(const SecretBytes&) = default;
    ~SecretBytes() { wipe(bytes_.data(), N); }
    [[nodiscard]] const std::array<std::uint8_t, N>& bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::array<std::uint8_t, N>& bytes() noexcept { return bytes_; }

  private:
    std::array<std::uint8_t, N> bytes_{};
};

/// The scalar of an L2 key, little-endian.
using KeyBytes = SecretBytes<KB11::kScalarBytes>;
inline KeyBytes key_bytes(const SecretKey<KB11>& key) { return KeyBytes(key.encode()); }

/// Text that is wiped when it goes out of use: passphrases, backups.
class SecretText {
  public:
    SecretText() = default;
    /// Wipes its argument: to move a short string copies it.
    explicit SecretText(std::string&& text) : text_(text) {
        wipe(text.data(), text.size());
        text.clear();
    }
    SecretText(SecretText&& other) noexcept { *this = std::move(other); }
    SecretText& operator=(SecretText&& other) noexcept {
        if (this == &other) return *this;
        wipe_text();
        text_ = other.text_;  // not moved: a short string would leave its bytes behind
        other.wipe_text();
        return *this;
    }
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    ~SecretText() { wipe_text(); }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    void wipe_text() {
        wipe(text_.data(), text_.size());
        text_.clear();
    }
    std::string text_;
};

/// Fills a span with unpredictable bytes.
using Entropy = std::function<void(std::span<std::uint8_t>)>;
/// The operating system's.
Entropy system_entropy();

}  // namespace quarry::node::wallet
