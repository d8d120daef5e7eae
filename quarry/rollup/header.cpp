#include "quarry/rollup/header.hpp"

#include "quarry/rollup/elements.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::rollup {

std::vector<std::uint8_t> encode(const Header& h) {
    std::vector<std::uint8_t> out;
    out.reserve(kHeaderBytes);
    WordWriter w(out);
    w.integer(h.version);
    w.integer(h.rollup_id);
    w.integer(h.number);
    w.bytes(h.parent_hash);
    w.integer(h.byte_length);
    w.integer(h.timestamp);
    w.elements(h.fee_receiver);
    w.integer(h.num_effects);
    w.integer(h.deposit_cursor);
    w.bytes(h.deposit_hash);
    w.integer(h.forced_cursor);
    w.bytes(h.forced_hash);
    w.elements(h.post_root);
    w.integer(h.post_slot_count);
    QUARRY_CHECK(out.size() == kHeaderBytes);
    return out;
}

Checked<Header> parse_header(std::span<const std::uint8_t> bytes) {
    if (bytes.size() != kHeaderBytes) return RejectCode::bad_length;
    WordReader r(bytes);
    Header h;
    h.version = r.integer<std::uint16_t>();
    if (h.version != kProtocolVersion) return RejectCode::unsupported_version;
    h.rollup_id = r.integer<std::uint32_t>();
    h.number = r.integer<std::uint64_t>();
    h.parent_hash = r.bytes<32>();
    h.byte_length = r.integer<std::uint32_t>();
    if (h.byte_length > kMaxBatchWords * kWordBytes) return RejectCode::too_many_words;
    if (h.byte_length % kWordBytes != 0) return RejectCode::bad_length;
    h.timestamp = r.integer<Timestamp>();
    h.fee_receiver = r.digest();
    h.num_effects = r.integer<std::uint16_t>();
    if (h.num_effects > kMaxEffects) return RejectCode::limit_exceeded;
    h.deposit_cursor = r.integer<std::uint64_t>();
    h.deposit_hash = r.bytes<32>();
    h.forced_cursor = r.integer<std::uint64_t>();
    h.forced_hash = r.bytes<32>();
    h.post_root = r.digest();
    h.post_slot_count = r.integer<SlotIndex>();
    if (h.post_slot_count > kMaxSlots) return RejectCode::slot_out_of_range;
    QUARRY_REQUIRE(r.verdict());
    return h;
}

std::vector<KoalaBear> elements(const Header& h) {
    ElementWriter w;
    w.small(h.version);
    w.limbs(h.rollup_id);
    w.limbs(h.number);
    w.big_endian(h.parent_hash);
    w.limbs(h.byte_length);
    w.limbs(h.timestamp);
    w.digest(h.fee_receiver);
    w.small(h.num_effects);
    w.limbs(h.deposit_cursor);
    w.big_endian(h.deposit_hash);
    w.limbs(h.forced_cursor);
    w.big_endian(h.forced_hash);
    w.digest(h.post_root);
    w.small(h.post_slot_count);
    QUARRY_CHECK(w.elements().size() == 85);
    return w.elements();
}

Digest header_hash(const Header& h) { return hash_elements("quarry/header/v1", elements(h)); }

}  // namespace quarry::rollup
