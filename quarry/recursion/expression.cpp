#include "quarry/recursion/expression.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/recursion/builder.hpp"

namespace quarry::recursion {
namespace {
/// A sum with this many terms becomes a wire when more is added to it: sums of thousands of terms are built one by one,
/// and copying stays short.
constexpr std::size_t kMaxTerms = 32;
/// What is added to others, or scaled, with more terms than this becomes a wire first: it may be used again.
constexpr std::size_t kMaxCopied = 2;
/// A factor with at most this many terms is multiplied out instead of becoming a wire first.
constexpr std::size_t kMaxDistributed = 2;
}  // namespace

ExtensionExpr::ExtensionExpr(const ExtField& constant) : node_(std::make_shared<Node>()) {
    node_->value = node_->constant = constant;
}

bool ExtensionExpr::is_linear() const noexcept {
    return std::all_of(node_->terms.begin(), node_->terms.end(), [](const Monomial& m) { return m.b == kNoWire; });
}

ExtensionExpr ExtensionExpr::combine(const ExtensionExpr& a, const ExtensionExpr& b, KoalaBear weight) {
    auto node = std::make_shared<Node>();
    node->builder = a.node_->builder != nullptr ? a.node_->builder : b.node_->builder;
    node->value = a.value() + b.value() * weight;
    const auto add = [&](const ExtensionExpr& x, KoalaBear w, std::size_t max_terms) {
        if (x.node_->terms.size() > max_terms) node->builder->wire(x);
        node->constant += x.node_->constant * w;
        for (const Monomial& m : x.node_->terms) {
            const auto same = std::find_if(node->terms.begin(), node->terms.end(),
                                           [&](const Monomial& o) { return o.a == m.a && o.b == m.b; });
            if (same == node->terms.end()) {
                node->terms.push_back({m.a, m.b, m.coefficient * w});
            } else {
                same->coefficient += m.coefficient * w;
            }
        }
    };
    add(a, KoalaBear(1), kMaxTerms);
    add(b, weight, kMaxCopied);
    std::erase_if(node->terms, [](const Monomial& m) { return m.coefficient.is_zero(); });
    return ExtensionExpr(std::move(node));
}

ExtensionExpr operator+(const ExtensionExpr& a, const ExtensionExpr& b) {
    return ExtensionExpr::combine(a, b, KoalaBear(1));
}
ExtensionExpr operator-(const ExtensionExpr& a, const ExtensionExpr& b) {
    return ExtensionExpr::combine(a, b, -KoalaBear(1));
}

ExtensionExpr operator*(const ExtensionExpr& a, KoalaBear c) {
    if (c.is_zero()) return {ExtField()};
    if (a.node_->terms.size() > kMaxCopied) a.node_->builder->wire(a);
    auto node = std::make_shared<ExtensionExpr::Node>(*a.node_);
    node->value = a.value() * c;
    node->constant = node->constant * c;
    for (Monomial& m : node->terms) m.coefficient *= c;
    return ExtensionExpr(std::move(node));
}

ExtensionExpr operator*(const ExtensionExpr& a, const ExtensionExpr& b) {
    using Node = ExtensionExpr::Node;
    const auto in_base = [](const ExtField& x) { return x == ExtField(x[0]); };
    if (a.is_constant() && b.is_constant()) return {a.value() * b.value()};
    if (a.is_constant() && in_base(a.value())) return b * a.value()[0];
    if (b.is_constant() && in_base(b.value())) return a * b.value()[0];

    // One factor is multiplied out, if it is short; the other is a wire.
    const auto size = [&](const ExtensionExpr& x) {
        const bool whole = !x.is_linear() || !in_base(x.node_->constant);
        return whole ? std::size_t{1000} : x.node_->terms.size() + (x.node_->constant.is_zero() ? 0 : 1);
    };
    const bool a_is_shorter = size(a) <= size(b);
    const ExtensionExpr& shorter = a_is_shorter ? a : b;
    const ExtensionExpr& longer = a_is_shorter ? b : a;
    CircuitBuilder* builder = a.node_->builder != nullptr ? a.node_->builder : b.node_->builder;
    const Address wire = builder->wire(longer);
    auto node = std::make_shared<Node>();
    node->builder = builder;
    node->value = a.value() * b.value();
    if (size(shorter) > kMaxDistributed) {
        const Address other = builder->wire(shorter);
        node->terms.push_back({std::min(wire, other), std::max(wire, other), KoalaBear(1)});
        return ExtensionExpr(std::move(node));
    }
    for (const Monomial& m : shorter.node_->terms) {
        node->terms.push_back({std::min(wire, m.a), std::max(wire, m.a), m.coefficient});
    }
    const KoalaBear constant = shorter.node_->constant[0];
    if (!constant.is_zero()) node->terms.push_back({wire, kNoWire, constant});
    return ExtensionExpr(std::move(node));
}

const ExtensionExpr& BaseExpr::lifted() const {
    QUARRY_CHECK(!is_digest_);
    return extension_;
}

DigestWire BaseExpr::as_digest(const std::array<BaseExpr, kBlock>& elements) {
    const DigestWire digest = elements[0].digest_;
    for (std::size_t i = 0; i < kBlock; ++i) {
        QUARRY_CHECK(elements[i].is_digest_ && elements[i].digest_.address == digest.address &&
                     elements[i].index_ == i);
    }
    return digest;
}

}  // namespace quarry::recursion
