#pragma once
#include <cstdint>
#include <string_view>

#include "quarry/ethereum/types.hpp"
#include "quarry/ethereum/u256.hpp"

/// Recursive Length Prefix, the encoding of transactions and block headers. [Eth-RLP]
namespace quarry::ethereum {

/// Appends items; a list is written by another writer and added as a whole.
class RlpWriter {
  public:
    RlpWriter& string(ByteView bytes);
    /// Big-endian without leading zeros.
    RlpWriter& integer(const U256& value) { return string(value.to_minimal_bytes()); }
    RlpWriter& address(const Address& address) { return string(address.bytes); }
    RlpWriter& list(const RlpWriter& items);
    /// Bytes that already are items.
    RlpWriter& raw(ByteView items);
    /// The items without a list around them.
    [[nodiscard]] const Bytes& items() const noexcept { return out_; }
    /// One list of all items.
    [[nodiscard]] Bytes as_list() const;

  private:
    void header(std::size_t length, std::uint8_t offset);
    Bytes out_;
};

/// Reads items one after the other from untrusted bytes. Total: every read is checked, none allocates, lengths must be
/// minimal. Views point into the input.
class RlpReader {
  public:
    explicit RlpReader(ByteView items) : rest_(items) {}

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
    [[nodiscard]] bool next_is_list() const noexcept { return !rest_.empty() && rest_[0] >= 0xc0; }
    Decoded<ByteView> string();
    /// A reader of the list's items.
    Decoded<RlpReader> list();
    /// not_minimal: a leading zero; out_of_range: more than 32 bytes.
    Decoded<U256> integer();
    Decoded<std::uint64_t> integer64();
    /// A string of exactly out.size() bytes. bad_length.
    Decoded<bool> fixed(std::span<std::uint8_t> out);
    /// trailing_bytes unless everything was read.
    [[nodiscard]] Decoded<bool> finish() const;

  private:
    struct Item {
        bool is_list = false;
        ByteView payload;
    };
    Decoded<Item> next();
    ByteView rest_;
};

}  // namespace quarry::ethereum
