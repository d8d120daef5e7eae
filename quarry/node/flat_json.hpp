#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "quarry/node/expected.hpp"
#include "quarry/rollup/types.hpp"

/// The JSON of Quarry's own files: one object without nesting, whose values are unsigned integers and strings of
/// printable ASCII without escapes. Reading it allocates nothing. Specification: docs/spec/json-lines.md.
namespace quarry::node {

/// Every cause for which such an object is refused: X(name, sentence a user can act on).
#define QUARRY_JSON_CODES(X)                                                                               \
    X(too_long, "the object is longer than its kind may be")                                               \
    X(bad_syntax, "this is not one JSON object of plain strings and unsigned integers")                    \
    X(too_many_fields, "the object has more fields than any kind has")                                     \
    X(duplicate_field, "a field occurs twice")                                                             \
    X(missing_field, "a field is missing")                                                                 \
    X(unknown_field, "a field does not belong to objects of this kind")                                    \
    X(wrong_type, "a number stands where a string belongs, or a string where a number does")               \
    X(unknown_type, "the type is none of those that the specification lists")                              \
    X(bad_number, "a number has a sign, a fraction, an exponent or a leading zero, or is out of range")    \
    X(bad_amount, "an amount is not a string of decimal digits without sign or leading zeros, below 2^96") \
    X(bad_hex, "the value is not 0x and as many hexadecimal digits as the field has")                      \
    X(non_canonical, "a field element is not below the modulus")                                           \
    X(off_curve, "the public key is not a point of the curve")                                             \
    X(out_of_order, "an entry does not follow the one before it")

enum class JsonCode {
#define QUARRY_X(name, text) name,
    QUARRY_JSON_CODES(QUARRY_X)
#undef QUARRY_X
};
/// The enumerator's name, stable: scripts may match on it.
const char* json_code_name(JsonCode code) noexcept;
/// One sentence for people.
const char* json_code_text(JsonCode code) noexcept;

/// A cause, and the field it is about (empty: the whole object).
struct JsonError {
    JsonCode code = JsonCode::bad_syntax;
    std::string field;
    friend bool operator==(const JsonError&, const JsonError&) = default;
};

template <class T>
using Parsed = Expected<T, JsonError>;

/// Reads the fields of one object by name. The first refusal sticks: later reads give zeros, and finish() says the
/// cause, so that a decoder reads like the list of its fields.
class ObjectReader {
  public:
    static constexpr std::size_t kMaxFields = 48;

    /// `text` must live as long as the reader. White space around the object is allowed.
    ObjectReader(std::string_view text, std::size_t limit_bytes);

    [[nodiscard]] bool has(std::string_view name) const noexcept;
    std::string_view text(std::string_view name) { return value(name, true); }
    template <class T>
    T integer(std::string_view name) {
        return static_cast<T>(number(name, std::numeric_limits<T>::max()));
    }
    rollup::Amount amount(std::string_view name);
    /// 0x and two digits a byte.
    void hex(std::string_view name, std::span<std::uint8_t> out);
    template <std::size_t N>
    std::array<std::uint8_t, N> bytes(std::string_view name) {
        std::array<std::uint8_t, N> r{};
        hex(name, r);
        return r;
    }
    rollup::L1Address address(std::string_view name) { return {bytes<20>(name)}; }
    /// Field elements as 4 bytes each, big-endian. At most 32.
    void elements(std::string_view name, std::span<KoalaBear> out);
    Digest digest(std::string_view name) {
        Digest r;
        elements(name, r);
        return r;
    }

    void refuse(JsonCode code, std::string_view field);
    /// The first cause for which the object is refused; last of all, fields that nobody read.
    [[nodiscard]] std::optional<JsonError> finish();

  private:
    struct Field {
        std::string_view name;
        std::string_view value;
        bool is_string = false;
        bool is_read = false;
    };
    void scan(std::string_view text);
    [[nodiscard]] Field* find(std::string_view name) noexcept;
    std::string_view value(std::string_view name, bool is_string);
    std::uint64_t number(std::string_view name, std::uint64_t max);

    std::array<Field, kMaxFields> fields_{};
    std::size_t num_fields_ = 0;
    std::optional<JsonError> error_;
};

/// Writes what ObjectReader reads.
class ObjectWriter {
  public:
    /// `separator` stands before each field: nothing, or a line break and the indentation.
    explicit ObjectWriter(std::string_view separator = {}) : separator_(separator) {}
    /// Precondition: printable ASCII without quotes and backslashes.
    ObjectWriter& text(std::string_view name, std::string_view value);
    ObjectWriter& integer(std::string_view name, std::uint64_t value);
    ObjectWriter& amount(std::string_view name, rollup::Amount value) { return text(name, to_string(value)); }
    ObjectWriter& hex(std::string_view name, std::span<const std::uint8_t> bytes);
    ObjectWriter& address(std::string_view name, const rollup::L1Address& x) { return hex(name, x.bytes); }
    ObjectWriter& elements(std::string_view name, std::span<const KoalaBear> elements);
    /// The object, without the end of its last line.
    [[nodiscard]] std::string finish() && { return std::move(out_) + (separator_.empty() ? "}" : "\n}"); }

  private:
    void name(std::string_view name);
    std::string_view separator_;
    std::string out_ = "{";
};

/// 0x and two lower-case digits a byte; of elements, 4 bytes each, big-endian.
std::string to_hex(std::span<const std::uint8_t> bytes);
std::string to_hex(std::span<const KoalaBear> elements);

}  // namespace quarry::node
