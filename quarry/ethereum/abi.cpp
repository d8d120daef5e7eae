#include "quarry/ethereum/abi.hpp"

#include <algorithm>

#include "quarry/ethereum/abi_head.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::size_t kWord = 32;
using Kind = AbiType::Kind;

/// Whether a word is one that the type has.
Decoded<bool> check_word(const AbiType& type, const U256& word, const char* where) {
    const unsigned num_bits = word.num_bits();
    switch (type.kind) {
        case Kind::uint:
            if (num_bits > type.size) return CodecError{CodecCode::out_of_range, where};
            return true;
        case Kind::integer: {
            // Sign extension: all bits from the sign upwards are equal.
            const Bytes32 bytes = word.to_bytes();
            const std::size_t first = kWord - type.size / 8;
            const std::uint8_t sign = bytes[first] >> 7 != 0 ? 0xff : 0;
            if (std::any_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(first),
                            [&](std::uint8_t x) { return x != sign; })) {
                return CodecError{CodecCode::out_of_range, where};
            }
            return true;
        }
        case Kind::address:
            if (num_bits > 160) return CodecError{CodecCode::bad_padding, where};
            return true;
        case Kind::boolean:
            if (num_bits > 1) return CodecError{CodecCode::out_of_range, where};
            return true;
        case Kind::fixed_bytes: {
            const Bytes32 bytes = word.to_bytes();
            if (std::any_of(bytes.begin() + type.size, bytes.end(), [](std::uint8_t x) { return x != 0; })) {
                return CodecError{CodecCode::bad_padding, where};
            }
            return true;
        }
        default:
            return CodecError{CodecCode::wrong_kind, where};
    }
}

class Encoder {
  public:
    /// Values of a tuple or array: heads, then what the heads point to.
    static Decoded<bool> sequence(const std::vector<const AbiType*>& types, const AbiValue::List& values, Bytes& out) {
        std::size_t head_bytes = 0;
        for (const AbiType* type : types) head_bytes += kWord * abi_head_words(*type);
        const std::size_t start = out.size();
        Bytes tail;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (types[i]->is_dynamic()) {
                put_word(U256(head_bytes + tail.size()), out);
                QUARRY_TRY(value(*types[i], values[i], tail));
            } else {
                QUARRY_TRY(value(*types[i], values[i], out));
            }
        }
        QUARRY_CHECK(out.size() - start == head_bytes);
        out.insert(out.end(), tail.begin(), tail.end());
        return true;
    }

    static Decoded<bool> value(const AbiType& type, const AbiValue& v, Bytes& out) {
        const char* const where = "abi_encode";
        switch (type.kind) {
            case Kind::bytes:
            case Kind::string:
                if (!v.is_bytes()) return CodecError{CodecCode::wrong_kind, where};
                put_word(U256(v.bytes().size()), out);
                out.insert(out.end(), v.bytes().begin(), v.bytes().end());
                out.resize(out.size() + (kWord - v.bytes().size() % kWord) % kWord);
                return true;
            case Kind::array:
            case Kind::fixed_array:
                if (!v.is_list()) return CodecError{CodecCode::wrong_kind, where};
                if (type.kind == Kind::array) {
                    put_word(U256(v.list().size()), out);
                } else if (v.list().size() != type.size) {
                    return CodecError{CodecCode::bad_length, where};
                }
                return sequence(std::vector<const AbiType*>(v.list().size(), &type.children[0]), v.list(), out);
            case Kind::tuple:
                if (!v.is_list()) return CodecError{CodecCode::wrong_kind, where};
                return tuple(type, v.list(), out);
            default:
                if (!v.is_word()) return CodecError{CodecCode::wrong_kind, where};
                QUARRY_TRY(check_word(type, v.word(), where));
                put_word(v.word(), out);
                return true;
        }
    }

    static Decoded<bool> tuple(const AbiType& type, const AbiValue::List& values, Bytes& out) {
        if (values.size() != type.children.size()) return CodecError{CodecCode::bad_length, "abi_encode"};
        std::vector<const AbiType*> types;
        types.reserve(type.children.size());
        for (const AbiType& child : type.children) types.push_back(&child);
        return sequence(types, values, out);
    }

  private:
    static void put_word(const U256& word, Bytes& out) {
        const Bytes32 bytes = word.to_bytes();
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
};

/// Decodes within a budget of values and bytes, so that arrays whose elements all point to one place cannot grow it.
class Decoder {
  public:
    explicit Decoder(ByteView data) : bytes_left_(data.size()) {}

    Decoded<AbiValue::List> tuple(const AbiType& type, ByteView area) {
        AbiValue::List r;
        std::size_t at = 0;
        for (const AbiType& child : type.children) {
            QUARRY_TRY_ASSIGN(AbiValue v, listed(child, area, at));
            r.push_back(std::move(v));
            at += kWord * abi_head_words(child);
        }
        return r;
    }

  private:
    static constexpr const char* kWhere = "abi_decode";

    static Decoded<U256> word(ByteView area, std::size_t at) {
        if (area.size() < at || area.size() - at < kWord) return CodecError{CodecCode::truncated, kWhere};
        return U256::from_bytes(area.subspan(at, kWord));
    }

    /// A value whose head is at `at`; offsets count from the start of the area.
    Decoded<AbiValue> listed(const AbiType& type, ByteView area, std::size_t at) {
        if (values_left_-- == 0) return CodecError{CodecCode::limit_exceeded, kWhere};
        if (!type.is_dynamic()) return in_place(type, area, at);
        QUARRY_TRY_ASSIGN(const U256 offset, word(area, at));
        if (offset > U256(area.size())) return CodecError{CodecCode::bad_offset, kWhere};
        return dynamic(type, area.subspan(offset.low_u64()));
    }

    Decoded<AbiValue> in_place(const AbiType& type, ByteView area, std::size_t at) {
        if (type.kind == Kind::tuple || type.kind == Kind::fixed_array) {
            if (area.size() < at) return CodecError{CodecCode::truncated, kWhere};
            return elements(type, area.subspan(at));
        }
        QUARRY_TRY_ASSIGN(const U256 v, word(area, at));
        QUARRY_TRY(check_word(type, v, kWhere));
        return AbiValue(v);
    }

    Decoded<AbiValue> elements(const AbiType& type, ByteView area) {
        if (type.kind == Kind::tuple) {
            QUARRY_TRY_ASSIGN(AbiValue::List list, tuple(type, area));
            return AbiValue(std::move(list));
        }
        return repeated(type.children[0], type.size, area);
    }

    Decoded<AbiValue> repeated(const AbiType& element, std::size_t count, ByteView area) {
        const std::size_t head_bytes = kWord * abi_head_words(element);
        if (count > area.size() / head_bytes) return CodecError{CodecCode::truncated, kWhere};
        AbiValue::List list;
        for (std::size_t i = 0; i < count; ++i) {
            QUARRY_TRY_ASSIGN(AbiValue v, listed(element, area, i * head_bytes));
            list.push_back(std::move(v));
        }
        return AbiValue(std::move(list));
    }

    Decoded<AbiValue> dynamic(const AbiType& type, ByteView area) {
        if (type.kind == Kind::tuple || type.kind == Kind::fixed_array) return elements(type, area);
        QUARRY_TRY_ASSIGN(const U256 length, word(area, 0));
        area = area.subspan(kWord);
        if (length > U256(area.size())) return CodecError{CodecCode::truncated, kWhere};
        const std::size_t size = length.low_u64();
        if (type.kind == Kind::array) return repeated(type.children[0], size, area);
        if (size > bytes_left_) return CodecError{CodecCode::limit_exceeded, kWhere};
        bytes_left_ -= size;
        return AbiValue(Bytes(area.begin(), area.begin() + static_cast<std::ptrdiff_t>(size)));
    }

    std::size_t values_left_ = kMaxAbiValues;
    std::size_t bytes_left_;
};

Hash hash_text(std::string_view text) {
    return keccak256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

Selector selector_of(const Hash& hash) {
    Selector r{};
    std::copy_n(hash.begin(), r.size(), r.begin());
    return r;
}

/// The position of the parameter list in "name(...)".
std::size_t list_position(std::string_view signature) {
    const std::size_t r = signature.find('(');
    QUARRY_CHECK(r != std::string_view::npos && r > 0);
    return r;
}

}  // namespace

const U256& AbiValue::word() const {
    QUARRY_CHECK(is_word());
    return *std::get_if<U256>(&v_);
}

std::uint64_t AbiValue::u64() const {
    QUARRY_CHECK(word().fits_u64());
    return word().low_u64();
}

Address AbiValue::address() const {
    const Bytes32 bytes = word().to_bytes();
    Address r;
    std::copy_n(bytes.begin() + 12, 20, r.bytes.begin());
    return r;
}

const Bytes& AbiValue::bytes() const {
    QUARRY_CHECK(is_bytes());
    return *std::get_if<Bytes>(&v_);
}

const AbiValue::List& AbiValue::list() const {
    QUARRY_CHECK(is_list());
    return *std::get_if<List>(&v_);
}

Decoded<Bytes> abi_encode(const AbiType& types, const AbiValue::List& values) {
    Bytes r;
    QUARRY_TRY(Encoder::tuple(types, values, r));
    return r;
}

Decoded<AbiValue::List> abi_decode(const AbiType& types, ByteView data) { return Decoder(data).tuple(types, data); }

Selector selector(std::string_view signature) { return selector_of(hash_text(signature)); }
Hash event_topic(std::string_view signature) { return hash_text(signature); }

AbiFunction::AbiFunction(std::string_view signature, std::string_view results)
    : arguments_(abi_types(signature.substr(list_position(signature)))), results_(abi_types(results)) {
    selector_ = selector(std::string(signature.substr(0, list_position(signature))) + arguments_.name());
}

Bytes AbiFunction::call(const AbiValue::List& arguments) const {
    const auto encoded = abi_encode(arguments_, arguments);
    QUARRY_CHECK(encoded.ok());
    Bytes r(selector_.begin(), selector_.end());
    r.insert(r.end(), encoded.value().begin(), encoded.value().end());
    return r;
}

bool AbiFunction::matches(ByteView calldata) const noexcept {
    return calldata.size() >= selector_.size() && std::equal(selector_.begin(), selector_.end(), calldata.begin());
}

Decoded<AbiValue::List> AbiFunction::decode_call(ByteView calldata) const {
    if (!matches(calldata)) return CodecError{CodecCode::wrong_kind, "AbiFunction::decode_call"};
    return abi_decode(arguments_, calldata.subspan(selector_.size()));
}

AbiEvent::AbiEvent(std::string_view signature) {
    constexpr std::string_view kIndexed = " indexed";
    std::string types(signature.substr(list_position(signature)));
    // The marks stand behind top-level fields only: taken out in order, they say which fields they belong to.
    std::size_t depth = 0;
    is_indexed_.push_back(false);
    for (std::size_t i = 0; i < types.size();) {
        if (types.compare(i, kIndexed.size(), kIndexed) == 0) {
            is_indexed_.back() = true;
            types.erase(i, kIndexed.size());
            continue;
        }
        if (types[i] == '(') ++depth;
        if (types[i] == ')') --depth;
        if (types[i] == ',' && depth == 1) is_indexed_.push_back(false);
        ++i;
    }
    const AbiType all = abi_types(types);
    is_indexed_.resize(all.children.size());
    topic_ = hash_text(std::string(signature.substr(0, list_position(signature))) + all.name());
    indexed_.kind = plain_.kind = Kind::tuple;
    for (std::size_t i = 0; i < all.children.size(); ++i) {
        const AbiType& child = all.children[i];
        if (!is_indexed_[i]) {
            plain_.children.push_back(child);
            continue;
        }
        // What does not fit a topic is there as its hash.
        const bool is_word = !child.is_dynamic() && child.kind != Kind::tuple && child.kind != Kind::fixed_array;
        indexed_.children.push_back(is_word ? child : AbiType{.kind = Kind::fixed_bytes, .size = 32, .children = {}});
    }
}

Decoded<AbiValue::List> AbiEvent::decode(const std::vector<Hash>& topics, ByteView data) const {
    if (topics.empty() || topics[0] != topic_) return CodecError{CodecCode::wrong_kind, "AbiEvent::decode"};
    if (topics.size() != 1 + indexed_.children.size()) return CodecError{CodecCode::bad_length, "AbiEvent::decode"};
    QUARRY_TRY_ASSIGN(AbiValue::List plain, abi_decode(plain_, data));
    AbiValue::List r;
    std::size_t next_plain = 0;
    std::size_t next_indexed = 0;
    for (const bool is_indexed : is_indexed_) {
        if (is_indexed) {
            const U256 word = U256::from_bytes(topics[1 + next_indexed]);
            QUARRY_TRY(check_word(indexed_.children[next_indexed++], word, "AbiEvent::decode"));
            r.emplace_back(word);
        } else {
            r.push_back(std::move(plain[next_plain++]));
        }
    }
    return r;
}

}  // namespace quarry::ethereum
