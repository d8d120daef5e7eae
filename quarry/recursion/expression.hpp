#pragma once
#include <array>
#include <memory>
#include <vector>

#include "quarry/field/extension.hpp"
#include "quarry/recursion/buses.hpp"

namespace quarry::recursion {

class CircuitBuilder;

/// The address that no wire has.
inline constexpr Address kNoWire = ~Address{0};

/// coefficient a b; b = kNoWire: coefficient a.
struct Monomial {
    Address a, b;
    KoalaBear coefficient;
};

/// An extension element of a circuit: a sum of wires and products of two wires that becomes a wire of its own only when
/// it must. A value type; carries the value that it has in the witness at hand.
class ExtensionExpr {
  public:
    ExtensionExpr() : ExtensionExpr(ExtField()) {}
    ExtensionExpr(const ExtField& constant);  // NOLINT(google-explicit-constructor)

    [[nodiscard]] const ExtField& value() const noexcept { return node_->value; }
    [[nodiscard]] bool is_constant() const noexcept { return node_->terms.empty(); }

    friend ExtensionExpr operator+(const ExtensionExpr& a, const ExtensionExpr& b);
    friend ExtensionExpr operator-(const ExtensionExpr& a, const ExtensionExpr& b);
    friend ExtensionExpr operator*(const ExtensionExpr& a, const ExtensionExpr& b);
    friend ExtensionExpr operator*(const ExtensionExpr& a, KoalaBear c);

  private:
    friend class CircuitBuilder;
    struct Node {
        CircuitBuilder* builder = nullptr;
        ExtField value, constant;
        std::vector<Monomial> terms;  ///< once it has a wire, that wire alone
    };
    explicit ExtensionExpr(std::shared_ptr<Node> node) : node_(std::move(node)) {}
    [[nodiscard]] bool is_linear() const noexcept;
    static ExtensionExpr combine(const ExtensionExpr& a, const ExtensionExpr& b, KoalaBear weight_of_b);

    std::shared_ptr<Node> node_;
};

inline const ExtensionExpr kZeroExpr{ExtField()};
inline const ExtensionExpr kOneExpr{ExtField(1)};

/// A digest on a wire.
struct DigestWire {
    Address address = kNoWire;
    Digest value{};
};

/// A base element of a circuit: an extension wire that is known to hold one, or an element of a digest (with which
/// nothing can be done but to treat the digest as a whole).
class BaseExpr {
  public:
    BaseExpr() = default;
    BaseExpr(KoalaBear constant) : extension_(ExtField(constant)) {}  // NOLINT(google-explicit-constructor)
    /// Precondition: in the base field in every witness that the circuit accepts.
    explicit BaseExpr(ExtensionExpr lifted) : extension_(std::move(lifted)) {}
    /// Element `index` of a digest.
    BaseExpr(const DigestWire& digest, std::size_t index)
        : extension_(ExtField(digest.value[index])), digest_(digest), index_(index), is_digest_(true) {}

    [[nodiscard]] KoalaBear value() const noexcept { return extension_.value()[0]; }
    [[nodiscard]] const ExtensionExpr& lifted() const;
    [[nodiscard]] const DigestWire* digest() const noexcept { return is_digest_ ? &digest_ : nullptr; }
    [[nodiscard]] std::size_t index_in_digest() const noexcept { return index_; }
    /// The digest that these eight are, in order (checked).
    static DigestWire as_digest(const std::array<BaseExpr, kBlock>& elements);

    friend BaseExpr operator+(const BaseExpr& a, const BaseExpr& b) { return BaseExpr(a.lifted() + b.lifted()); }
    friend BaseExpr operator-(const BaseExpr& a, const BaseExpr& b) { return BaseExpr(a.lifted() - b.lifted()); }
    friend BaseExpr operator*(const BaseExpr& a, const BaseExpr& b) { return BaseExpr(a.lifted() * b.lifted()); }
    friend ExtensionExpr operator*(const ExtensionExpr& a, const BaseExpr& b) { return a * b.lifted(); }
    friend ExtensionExpr operator*(const BaseExpr& a, const ExtensionExpr& b) { return b * a.lifted(); }
    friend ExtensionExpr operator+(const ExtensionExpr& a, const BaseExpr& b) { return a + b.lifted(); }
    friend ExtensionExpr operator-(const ExtensionExpr& a, const BaseExpr& b) { return a - b.lifted(); }

  private:
    ExtensionExpr extension_;
    DigestWire digest_;
    std::size_t index_ = 0;
    bool is_digest_ = false;
};

/// x, which the circuit knows.
inline BaseExpr number(std::uint64_t x) { return {KoalaBear(x)}; }

}  // namespace quarry::recursion
