#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/base/result.hpp"

namespace quarry {

/// Little-endian fixed-width integers, appended.
class ByteWriter {
  public:
    void u8(std::uint8_t x) { bytes_.push_back(x); }
    void u16(std::uint16_t x) { put(x, 2); }
    void u32(std::uint32_t x) { put(x, 4); }
    void raw(std::span<const std::uint8_t> xs) { bytes_.insert(bytes_.end(), xs.begin(), xs.end()); }
    [[nodiscard]] std::vector<std::uint8_t> take() && { return std::move(bytes_); }

  private:
    void put(std::uint64_t x, unsigned num_bytes) {
        for (unsigned i = 0; i < num_bytes; ++i) bytes_.push_back(static_cast<std::uint8_t>(x >> (8 * i)));
    }
    std::vector<std::uint8_t> bytes_;
};

/// Reads the same from untrusted bytes: every read is checked, none allocates.
class ByteReader {
  public:
    explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
    Result<std::uint8_t> u8(const char* where) {
        QUARRY_TRY_ASSIGN(const std::uint64_t x, get(1, where));
        return static_cast<std::uint8_t>(x);
    }
    Result<std::uint16_t> u16(const char* where) {
        QUARRY_TRY_ASSIGN(const std::uint64_t x, get(2, where));
        return static_cast<std::uint16_t>(x);
    }
    Result<std::uint32_t> u32(const char* where) {
        QUARRY_TRY_ASSIGN(const std::uint64_t x, get(4, where));
        return static_cast<std::uint32_t>(x);
    }
    Result<std::span<const std::uint8_t>> raw(std::size_t count, const char* where) {
        if (remaining() < count) return Error{Errc::truncated, where};
        at_ += count;
        return bytes_.subspan(at_ - count, count);
    }
    [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - at_; }
    [[nodiscard]] Status finish(const char* where) const {
        if (remaining() != 0) return Error{Errc::trailing_bytes, where};
        return Ok{};
    }

  private:
    Result<std::uint64_t> get(std::size_t count, const char* where) {
        QUARRY_TRY_ASSIGN(const auto bytes, raw(count, where));
        std::uint64_t x = 0;
        for (std::size_t i = 0; i < count; ++i) x |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
        return x;
    }
    std::span<const std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

}  // namespace quarry
