#include "quarry/node/flat_json.hpp"

#include <algorithm>

namespace quarry::node {
namespace {

constexpr std::size_t kMaxElements = 32;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes tokens off the front of a text.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : rest_(text) {}
    bool take(char c) {
        skip_space();
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::optional<std::string_view> string() {
        if (!take('"')) return std::nullopt;
        for (std::size_t i = 0; i < rest_.size(); ++i) {
            const char c = rest_[i];
            if (c == '"') return cut(i, 1);
            if (c < ' ' || c > '~' || c == '\\') return std::nullopt;
        }
        return std::nullopt;
    }
    /// Digits; what surrounds them is the caller's question.
    std::optional<std::string_view> digits() {
        skip_space();
        std::size_t n = 0;
        while (n < rest_.size() && is_digit(rest_[n])) ++n;
        if (n == 0) return std::nullopt;
        return cut(n, 0);
    }
    bool at_end() {
        skip_space();
        return rest_.empty();
    }

  private:
    void skip_space() {
        while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    }
    std::string_view cut(std::size_t n, std::size_t behind) {
        const std::string_view r = rest_.substr(0, n);
        rest_.remove_prefix(n + behind);
        return r;
    }
    std::string_view rest_;
};

std::optional<unsigned> hex_digit(char c) {
    if (is_digit(c)) return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

void append_hex(std::string& out, std::uint8_t byte) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
}

}  // namespace

const char* json_code_name(JsonCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, text) \
    case JsonCode::name:     \
        return #name;
        QUARRY_JSON_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown";
}

const char* json_code_text(JsonCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, text) \
    case JsonCode::name:     \
        return text;
        QUARRY_JSON_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown cause";
}

ObjectReader::ObjectReader(std::string_view text, std::size_t limit_bytes) {
    if (text.size() > limit_bytes) {
        refuse(JsonCode::too_long, "");
    } else {
        scan(text);
    }
}

void ObjectReader::scan(std::string_view text) {
    Scanner in(text);
    if (!in.take('{')) return refuse(JsonCode::bad_syntax, "");
    if (in.take('}')) return in.at_end() ? void() : refuse(JsonCode::bad_syntax, "");
    do {
        const auto name = in.string();
        if (!name || !in.take(':')) return refuse(JsonCode::bad_syntax, "");
        const auto string = in.string();
        const auto value = string ? string : in.digits();
        if (!value) return refuse(JsonCode::bad_syntax, *name);
        if (find(*name) != nullptr) return refuse(JsonCode::duplicate_field, *name);
        if (num_fields_ == kMaxFields) return refuse(JsonCode::too_many_fields, *name);
        fields_[num_fields_++] = {*name, *value, string.has_value(), false};
    } while (in.take(','));
    if (!in.take('}') || !in.at_end()) refuse(JsonCode::bad_syntax, "");
}

ObjectReader::Field* ObjectReader::find(std::string_view name) noexcept {
    for (std::size_t i = 0; i < num_fields_; ++i) {
        if (fields_[i].name == name) return &fields_[i];
    }
    return nullptr;
}

bool ObjectReader::has(std::string_view name) const noexcept {
    return std::any_of(fields_.begin(), fields_.begin() + num_fields_,
                       [&](const Field& field) { return field.name == name; });
}

void ObjectReader::refuse(JsonCode code, std::string_view field) {
    if (!error_) error_ = JsonError{code, std::string(field)};
}

std::string_view ObjectReader::value(std::string_view name, bool is_string) {
    if (error_) return {};
    Field* field = find(name);
    if (field == nullptr) {
        refuse(JsonCode::missing_field, name);
        return {};
    }
    field->is_read = true;
    if (field->is_string == is_string) return field->value;
    refuse(JsonCode::wrong_type, name);
    return {};
}

std::uint64_t ObjectReader::number(std::string_view name, std::uint64_t max) {
    const std::string_view digits = value(name, false);
    std::uint64_t r = 0;
    bool bad = digits.size() > 1 && digits.front() == '0';
    for (const char c : digits) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        bad = bad || r > (max - digit) / 10;
        if (bad) break;
        r = 10 * r + digit;
    }
    if (!bad) return r;
    refuse(JsonCode::bad_number, name);
    return 0;
}

rollup::Amount ObjectReader::amount(std::string_view name) {
    const std::string_view digits = value(name, true);
    if (error_) return {};
    const auto amount = rollup::parse_amount(digits);
    if (amount) return amount.value();
    refuse(JsonCode::bad_amount, name);
    return {};
}

void ObjectReader::hex(std::string_view name, std::span<std::uint8_t> out) {
    const std::string_view digits = value(name, true);
    if (error_) return;
    if (digits.size() != 2 + 2 * out.size() || !digits.starts_with("0x")) return refuse(JsonCode::bad_hex, name);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto high = hex_digit(digits[2 + 2 * i]);
        const auto low = hex_digit(digits[3 + 2 * i]);
        if (!high || !low) return refuse(JsonCode::bad_hex, name);
        out[i] = static_cast<std::uint8_t>(*high << 4 | *low);
    }
}

void ObjectReader::elements(std::string_view name, std::span<KoalaBear> out) {
    QUARRY_CHECK(out.size() <= kMaxElements);
    std::array<std::uint8_t, 4 * kMaxElements> bytes{};
    hex(name, std::span(bytes).first(4 * out.size()));
    for (std::size_t i = 0; i < out.size(); ++i) {
        std::uint32_t word = 0;
        for (std::size_t k = 0; k < 4; ++k) word = word << 8 | bytes[4 * i + k];
        const auto x = KoalaBear::from_canonical(word);
        if (!x) return refuse(JsonCode::non_canonical, name);
        out[i] = *x;
    }
}

std::optional<JsonError> ObjectReader::finish() {
    for (std::size_t i = 0; i < num_fields_; ++i) {
        if (!fields_[i].is_read) refuse(JsonCode::unknown_field, fields_[i].name);
    }
    return error_;
}

void ObjectWriter::name(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    out_ += separator_;
    out_ += '"';
    out_ += name;
    out_ += separator_.empty() ? "\":" : "\": ";
}

ObjectWriter& ObjectWriter::text(std::string_view field, std::string_view value) {
    name(field);
    out_ += '"';
    out_ += value;
    out_ += '"';
    return *this;
}

ObjectWriter& ObjectWriter::integer(std::string_view field, std::uint64_t value) {
    name(field);
    out_ += std::to_string(value);
    return *this;
}

ObjectWriter& ObjectWriter::hex(std::string_view field, std::span<const std::uint8_t> bytes) {
    return text(field, to_hex(bytes));
}

ObjectWriter& ObjectWriter::elements(std::string_view field, std::span<const KoalaBear> elements) {
    return text(field, to_hex(elements));
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
    std::string r = "0x";
    r.reserve(2 + 2 * bytes.size());
    for (const std::uint8_t b : bytes) append_hex(r, b);
    return r;
}

std::string to_hex(std::span<const KoalaBear> elements) {
    std::string r = "0x";
    r.reserve(2 + 8 * elements.size());
    for (const KoalaBear x : elements) {
        for (unsigned k = 4; k-- > 0;) append_hex(r, static_cast<std::uint8_t>(x.canonical() >> (8 * k)));
    }
    return r;
}

}  // namespace quarry::node
