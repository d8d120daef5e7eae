#include "quarry/ethereum/rlp.hpp"

#include <algorithm>

namespace quarry::ethereum {

void RlpWriter::header(std::size_t length, std::uint8_t offset) {
    if (length < 56) {
        out_.push_back(static_cast<std::uint8_t>(offset + length));
        return;
    }
    const Bytes digits = U256(length).to_minimal_bytes();
    out_.push_back(static_cast<std::uint8_t>(offset + 55 + digits.size()));
    raw(digits);
}

RlpWriter& RlpWriter::string(ByteView bytes) {
    if (bytes.size() != 1 || bytes[0] >= 0x80) header(bytes.size(), 0x80);
    return raw(bytes);
}

RlpWriter& RlpWriter::list(const RlpWriter& items) {
    header(items.out_.size(), 0xc0);
    return raw(items.out_);
}

RlpWriter& RlpWriter::raw(ByteView items) {
    out_.insert(out_.end(), items.begin(), items.end());
    return *this;
}

Bytes RlpWriter::as_list() const { return std::move(RlpWriter().list(*this).out_); }

Decoded<RlpReader::Item> RlpReader::next() {
    const char* const where = "RlpReader::next";
    if (rest_.empty()) return CodecError{CodecCode::truncated, where};
    const std::uint8_t first = rest_[0];
    Item item{.is_list = first >= 0xc0, .payload = {}};
    if (first < 0x80) {
        item.payload = rest_.first(1);
        rest_ = rest_.subspan(1);
        return item;
    }
    std::size_t length = first - (item.is_list ? 0xc0U : 0x80U);
    std::size_t header_bytes = 1;
    if (length > 55) {
        const std::size_t num_digits = length - 55;
        if (rest_.size() < 1 + num_digits) return CodecError{CodecCode::truncated, where};
        const auto digits = rest_.subspan(1, num_digits);
        const U256 value = U256::from_bytes(digits);
        if (digits[0] == 0 || value < U256(56)) return CodecError{CodecCode::not_minimal, where};
        header_bytes += num_digits;
        length = value.low_u64();  // at most 8 digits
    }
    if (rest_.size() - header_bytes < length) return CodecError{CodecCode::truncated, where};
    item.payload = rest_.subspan(header_bytes, length);
    if (!item.is_list && length == 1 && item.payload[0] < 0x80) return CodecError{CodecCode::not_minimal, where};
    rest_ = rest_.subspan(header_bytes + length);
    return item;
}

Decoded<ByteView> RlpReader::string() {
    QUARRY_TRY_ASSIGN(const Item item, next());
    if (item.is_list) return CodecError{CodecCode::wrong_kind, "RlpReader::string"};
    return item.payload;
}

Decoded<RlpReader> RlpReader::list() {
    QUARRY_TRY_ASSIGN(const Item item, next());
    if (!item.is_list) return CodecError{CodecCode::wrong_kind, "RlpReader::list"};
    return RlpReader(item.payload);
}

Decoded<U256> RlpReader::integer() {
    QUARRY_TRY_ASSIGN(const ByteView digits, string());
    if (digits.size() > 32) return CodecError{CodecCode::out_of_range, "RlpReader::integer"};
    if (!digits.empty() && digits[0] == 0) return CodecError{CodecCode::not_minimal, "RlpReader::integer"};
    return U256::from_bytes(digits);
}

Decoded<std::uint64_t> RlpReader::integer64() {
    QUARRY_TRY_ASSIGN(const U256 value, integer());
    if (!value.fits_u64()) return CodecError{CodecCode::out_of_range, "RlpReader::integer64"};
    return value.low_u64();
}

Decoded<bool> RlpReader::fixed(std::span<std::uint8_t> out) {
    QUARRY_TRY_ASSIGN(const ByteView bytes, string());
    if (bytes.size() != out.size()) return CodecError{CodecCode::bad_length, "RlpReader::fixed"};
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return true;
}

Decoded<bool> RlpReader::finish() const {
    if (!rest_.empty()) return CodecError{CodecCode::trailing_bytes, "RlpReader::finish"};
    return true;
}

}  // namespace quarry::ethereum
