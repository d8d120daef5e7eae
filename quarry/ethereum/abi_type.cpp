#include <charconv>

#include "quarry/ethereum/abi.hpp"
#include "quarry/ethereum/abi_head.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::size_t kMaxText = 4'096;
constexpr std::size_t kMaxNesting = 16;
constexpr std::size_t kMaxFields = 256;
constexpr std::size_t kMaxHeadWords = std::size_t{1} << 16;

constexpr CodecError kBadType{CodecCode::bad_type, "parse_abi_types"};
constexpr CodecError kTooLarge{CodecCode::limit_exceeded, "parse_abi_types"};

/// A recursive descent over:   type := (name | "(" type {"," type} ")") {"[" [number] "]"}
class TypeParser {
  public:
    explicit TypeParser(std::string_view text) : rest_(text) {}

    Decoded<AbiType> tuple(std::size_t depth) {
        if (depth > kMaxNesting) return kTooLarge;
        AbiType r{.kind = AbiType::Kind::tuple, .size = 0, .children = {}};
        if (!take('(')) return kBadType;
        if (depth == 0 && take(')')) return r;  // of nested ones there is nothing to encode
        do {
            QUARRY_TRY_ASSIGN(AbiType field, type(depth + 1));
            if (r.children.size() == kMaxFields) return kTooLarge;
            r.children.push_back(std::move(field));
        } while (take(','));
        if (!take(')')) return kBadType;
        return r;
    }
    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  private:
    bool take(char c) {
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// A number from 1 without leading zeros.
    Decoded<std::uint32_t> number() {
        std::uint32_t r = 0;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), r);
        if (error != std::errc{} || r == 0 || rest_[0] == '0') return kBadType;
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return r;
    }
    Decoded<AbiType> named() {
        std::size_t length = 0;
        while (length < rest_.size() && rest_[length] >= 'a' && rest_[length] <= 'z') ++length;
        const std::string_view word = rest_.substr(0, length);
        rest_.remove_prefix(length);
        const bool has_number = !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9';
        AbiType r;
        if (word == "address" && !has_number) {
            r.kind = AbiType::Kind::address;
        } else if (word == "bool" && !has_number) {
            r.kind = AbiType::Kind::boolean;
        } else if (word == "string" && !has_number) {
            r.kind = AbiType::Kind::string;
        } else if (word == "bytes" && !has_number) {
            r.kind = AbiType::Kind::bytes;
        } else if ((word == "uint" || word == "int" || word == "bytes")) {
            const bool is_bytes = word == "bytes";
            r.kind =
                is_bytes ? AbiType::Kind::fixed_bytes : (word == "uint" ? AbiType::Kind::uint : AbiType::Kind::integer);
            r.size = 256;  // uint is uint256
            if (has_number) {
                QUARRY_TRY_ASSIGN(r.size, number());
                if (is_bytes ? r.size > 32 : (r.size % 8 != 0 || r.size > 256)) return kBadType;
            }
        } else {
            return kBadType;
        }
        return r;
    }
    Decoded<AbiType> type(std::size_t depth) {
        QUARRY_TRY_ASSIGN(AbiType r, !rest_.empty() && rest_[0] == '(' ? tuple(depth) : named());
        for (std::size_t level = depth; take('['); ++level) {
            if (level > kMaxNesting) return kTooLarge;
            AbiType array{.kind = AbiType::Kind::array, .size = 0, .children = {}};
            if (!take(']')) {
                array.kind = AbiType::Kind::fixed_array;
                QUARRY_TRY_ASSIGN(array.size, number());
                if (!take(']')) return kBadType;
                if (array.size > kMaxHeadWords) return kTooLarge;
            }
            array.children.push_back(std::move(r));
            if (abi_head_words(array) > kMaxHeadWords) return kTooLarge;
            r = std::move(array);
        }
        return r;
    }

    std::string_view rest_;
};

}  // namespace

bool AbiType::is_dynamic() const {
    switch (kind) {
        case Kind::bytes:
        case Kind::string:
        case Kind::array:
            return true;
        case Kind::fixed_array:
        case Kind::tuple:
            for (const AbiType& child : children) {
                if (child.is_dynamic()) return true;
            }
            return false;
        default:
            return false;
    }
}

std::string AbiType::name() const {
    switch (kind) {
        case Kind::uint:
            return "uint" + std::to_string(size);
        case Kind::integer:
            return "int" + std::to_string(size);
        case Kind::address:
            return "address";
        case Kind::boolean:
            return "bool";
        case Kind::fixed_bytes:
            return "bytes" + std::to_string(size);
        case Kind::bytes:
            return "bytes";
        case Kind::string:
            return "string";
        case Kind::array:
            return children[0].name() + "[]";
        case Kind::fixed_array:
            return children[0].name() + "[" + std::to_string(size) + "]";
        case Kind::tuple:
            break;
    }
    std::string r = "(";
    for (std::size_t i = 0; i < children.size(); ++i) r += (i == 0 ? "" : ",") + children[i].name();
    return r + ")";
}

std::size_t abi_head_words(const AbiType& type) {
    if (type.is_dynamic()) return 1;
    if (type.kind == AbiType::Kind::fixed_array) return type.size * abi_head_words(type.children[0]);
    if (type.kind != AbiType::Kind::tuple) return 1;
    std::size_t r = 0;
    for (const AbiType& child : type.children) r += abi_head_words(child);
    return r;
}

Decoded<AbiType> parse_abi_types(std::string_view text) {
    if (text.size() > kMaxText) return kTooLarge;
    TypeParser parser(text);
    QUARRY_TRY_ASSIGN(AbiType r, parser.tuple(0));
    if (!parser.at_end()) return kBadType;
    return r;
}

AbiType abi_types(std::string_view text) {
    auto r = parse_abi_types(text);
    QUARRY_CHECK(r.ok());
    return std::move(r).value();
}

}  // namespace quarry::ethereum
