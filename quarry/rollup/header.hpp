#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/rollup/reject.hpp"
#include "quarry/rollup/types.hpp"

namespace quarry::rollup {

inline constexpr std::uint16_t kProtocolVersion = 1;

/// What L1 stores of a batch before it is proven. All of it is in the statement, through header_hash.
struct Header {
    std::uint16_t version = kProtocolVersion;  ///< selects the verifying key
    std::uint32_t rollup_id = 0;
    std::uint64_t number = 0;       ///< the first batch is 1
    Bytes32 parent_hash{};          ///< Keccak-256 of the parent's encoding; L1 checks it, the circuit only binds it
    std::uint32_t byte_length = 0;  ///< of the operations: whole words, without padding
    Timestamp timestamp = 0;
    Digest fee_receiver{};  ///< a pair hash
    std::uint16_t num_effects = 0;
    std::uint64_t deposit_cursor = 0;  ///< after the batch
    Bytes32 deposit_hash{};            ///< the deposit queue's rolling Keccak at the cursor; L1 checks it
    std::uint64_t forced_cursor = 0;
    Bytes32 forced_hash{};
    Digest post_root{};
    SlotIndex post_slot_count = 0;
    friend bool operator==(const Header&, const Header&) noexcept = default;

    [[nodiscard]] State post_state() const noexcept {
        return {post_root, post_slot_count, deposit_cursor, forced_cursor};
    }
};

inline constexpr std::size_t kHeaderBytes = 2 + 4 + 8 + 32 + 4 + 4 + 32 + 2 + 8 + 32 + 8 + 32 + 32 + 4;

/// Big-endian, fields in the order of the struct; kHeaderBytes bytes.
std::vector<std::uint8_t> encode(const Header& header);
/// Total and canonical: encode(parse(x)) = x.
Checked<Header> parse_header(std::span<const std::uint8_t> bytes);

/// What is hashed: 85 elements (docs/spec/hashing.md, section 5).
std::vector<KoalaBear> elements(const Header& header);

/// The chain "quarry/header/v1" over 85 elements (docs/spec/hashing.md): where the data accumulator starts.
Digest header_hash(const Header& header);

}  // namespace quarry::rollup
