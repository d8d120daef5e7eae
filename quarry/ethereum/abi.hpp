#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "quarry/ethereum/types.hpp"
#include "quarry/ethereum/u256.hpp"

/// The contract interface: values of Solidity's types as calldata, results and event data. [Sol-ABI]
namespace quarry::ethereum {

/// A type: uintN, intN (as two's complement words), address, bool, bytesN, bytes, string, T[], T[n], (T1,...,Tn).
struct AbiType {
    enum class Kind { uint, integer, address, boolean, fixed_bytes, bytes, string, array, fixed_array, tuple };
    Kind kind = Kind::uint;
    std::uint32_t size = 0;         ///< bits of uint and integer, bytes of fixed_bytes, elements of fixed_array
    std::vector<AbiType> children;  ///< the element of an array, the fields of a tuple

    [[nodiscard]] bool is_dynamic() const;
    /// The canonical name, as signatures are hashed.
    [[nodiscard]] std::string name() const;
};

/// A value: a word (numbers, addresses, booleans; bytesN is a word too, left-aligned), bytes or text, or a list
/// (arrays and tuples). What it means is the type's business.
class AbiValue {
  public:
    using List = std::vector<AbiValue>;
    AbiValue() = default;
    /// Any unsigned number, and booleans; a pointer is neither.
    template <std::unsigned_integral T>
    AbiValue(T x) : v_(U256(static_cast<std::uint64_t>(x))) {}     // NOLINT(google-explicit-constructor)
    AbiValue(const U256& x) : v_(x) {}                             // NOLINT(google-explicit-constructor)
    AbiValue(const Address& x) : v_(U256::from_bytes(x.bytes)) {}  // NOLINT(google-explicit-constructor)
    AbiValue(const Bytes32& x) : v_(U256::from_bytes(x)) {}        // NOLINT(google-explicit-constructor)
    AbiValue(Bytes x) : v_(std::move(x)) {}                        // NOLINT(google-explicit-constructor)
    explicit AbiValue(List x) : v_(std::move(x)) {}
    /// An array or a tuple: of({1U, of({address, true})}). (A list of one list in braces alone would be a copy of it.)
    static AbiValue of(List elements) { return AbiValue(std::move(elements)); }
    static AbiValue text(std::string_view s) { return Bytes(s.begin(), s.end()); }

    /// Readers. Precondition: the value is of that shape (what decode() returns has the shape of its type).
    [[nodiscard]] const U256& word() const;
    [[nodiscard]] std::uint64_t u64() const;  ///< Precondition: the type has at most 64 bits
    [[nodiscard]] bool boolean() const { return !word().is_zero(); }
    [[nodiscard]] Address address() const;
    [[nodiscard]] Bytes32 bytes32() const { return word().to_bytes(); }
    [[nodiscard]] const Bytes& bytes() const;
    [[nodiscard]] const List& list() const;
    [[nodiscard]] const AbiValue& operator[](std::size_t i) const { return list().at(i); }
    [[nodiscard]] bool is_word() const noexcept { return std::holds_alternative<U256>(v_); }
    [[nodiscard]] bool is_bytes() const noexcept { return std::holds_alternative<Bytes>(v_); }
    [[nodiscard]] bool is_list() const noexcept { return std::holds_alternative<List>(v_); }
    friend bool operator==(const AbiValue&, const AbiValue&) = default;

  private:
    std::variant<U256, Bytes, List> v_;
};

/// "(uint64,(address,bytes32)[],bytes)": a tuple without names. bad_type; limit_exceeded (nesting above 16, text above
/// 4,096 bytes, more than 256 fields).
Decoded<AbiType> parse_abi_types(std::string_view text);
/// For signatures written in the program. Precondition: it parses.
AbiType abi_types(std::string_view text);

/// The encoding of a tuple's fields, as in calldata after the selector. wrong_kind (a value's shape is not its type's),
/// bad_length (a fixed array or a tuple of another size), out_of_range, bad_padding (bytesN with more bytes).
Decoded<Bytes> abi_encode(const AbiType& types, const AbiValue::List& values);
/// The fields of a tuple. Total and strict as Solidity's decoder is: numbers in range, padding of words checked,
/// offsets inside the input. Values in all are at most kMaxAbiValues and bytes in all at most the input's length, so
/// that arrays that share their content cannot grow it. Trailing bytes are allowed, as Solidity allows them.
inline constexpr std::size_t kMaxAbiValues = std::size_t{1} << 18;
Decoded<AbiValue::List> abi_decode(const AbiType& types, ByteView data);

using Selector = std::array<std::uint8_t, 4>;
/// The first four bytes of Keccak-256 of "name(type,...)".
Selector selector(std::string_view signature);
/// Keccak-256 of "Name(type,...)", indexed fields included: topic 0 of an event.
Hash event_topic(std::string_view signature);

/// A function by its signature, "submit(uint64,bytes)", and the types of its results, "(uint256)".
class AbiFunction {
  public:
    /// Precondition: both parse.
    explicit AbiFunction(std::string_view signature, std::string_view results = "()");
    /// Calldata. Precondition: the values have the shapes of the types.
    [[nodiscard]] Bytes call(const AbiValue::List& arguments) const;
    [[nodiscard]] bool matches(ByteView calldata) const noexcept;
    /// wrong_kind: another function's selector.
    [[nodiscard]] Decoded<AbiValue::List> decode_call(ByteView calldata) const;
    [[nodiscard]] Decoded<AbiValue::List> decode_results(ByteView data) const { return abi_decode(results_, data); }
    [[nodiscard]] const Selector& id() const noexcept { return selector_; }

  private:
    Selector selector_;
    AbiType arguments_;
    AbiType results_;
};

/// An event, "Submitted(uint64 indexed,address indexed,bytes32)".
class AbiEvent {
  public:
    /// Precondition: it parses.
    explicit AbiEvent(std::string_view signature);
    [[nodiscard]] const Hash& topic() const noexcept { return topic_; }
    /// All fields in their order. Indexed fields of dynamic types are their hashes. wrong_kind: another event;
    /// bad_length: another number of topics.
    [[nodiscard]] Decoded<AbiValue::List> decode(const std::vector<Hash>& topics, ByteView data) const;

  private:
    Hash topic_{};
    std::vector<bool> is_indexed_;
    AbiType indexed_;
    AbiType plain_;
};

}  // namespace quarry::ethereum
