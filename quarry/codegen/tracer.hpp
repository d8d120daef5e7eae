#pragma once
#include <memory>
#include <vector>

#include "quarry/air/expression.hpp"
#include "quarry/iop/zerocheck.hpp"

/// Runs the verifier's text (zerocheck-inl.hpp, proof-inl.hpp, whir-inl.hpp) on expressions instead of numbers.
namespace quarry::codegen {

/// An element of E that the text computes: a linear form of what is known and of products. A sum that a product takes,
/// or that a difference of sums does, is one atom from then on, for whoever has a copy: sums must not grow over a chain
/// of operations.
class TracedValue {
  public:
    TracedValue() : TracedValue(Expr()) {}
    explicit TracedValue(Expr e) : e_(std::make_shared<Expr>(std::move(e))) {}
    [[nodiscard]] const Expr& expression() const noexcept { return *e_; }

    friend TracedValue operator+(const TracedValue& a, const TracedValue& b) { return TracedValue(*a.e_ + *b.e_); }
    friend TracedValue operator-(const TracedValue& a, const TracedValue& b) {
        if (a.is_sum() && b.is_sum()) a.name(), b.name();
        return TracedValue(*a.e_ - *b.e_);
    }
    friend TracedValue operator*(const TracedValue& a, const TracedValue& b) {
        a.name();
        b.name();
        return TracedValue(*a.e_ * *b.e_);
    }
    friend TracedValue operator*(const TracedValue& a, KoalaBear c) { return TracedValue(*a.e_ * Expr(c)); }

  private:
    [[nodiscard]] bool is_sum() const { return e_->form().terms.size() > 1; }
    void name() const {
        if (is_sum()) *e_ = e_->named();
    }
    std::shared_ptr<Expr> e_;
};

/// The arithmetic: see NativeBackend.
class Tracer {
  public:
    using F = TracedValue;
    using E = TracedValue;

    /// Something that the contract knows: input number `n` of the program.
    [[nodiscard]] TracedValue input(std::uint32_t n) { return TracedValue(Expr(&graph_, graph_.column(n, false))); }
    [[nodiscard]] const ExpressionGraph& graph() const noexcept { return graph_; }

    [[nodiscard]] static TracedValue constant(KoalaBear x) { return TracedValue(Expr(x)); }
    /// Precondition (checked): in F_p.
    [[nodiscard]] static TracedValue constant(const ExtField& x) {
        for (std::size_t i = 1; i < ExtField::kDegree; ++i) QUARRY_CHECK(x[i].is_zero());
        return TracedValue(Expr(x[0]));
    }
    /// Only the univariate skip divides, which this protocol does not have (checked).
    [[nodiscard]] static TracedValue inverse(const TracedValue& x) {
        QUARRY_CHECK(false);
        return x;
    }

  private:
    ExpressionGraph graph_;
};

/// The table's own graph over these values. Forms are taken apart down to columns and products: a dense matrix of
/// small constants costs the machine less than its factors.
TableValues<TracedValue> evaluate_table(Tracer& tracer, const Table& table, const std::vector<TracedValue>& row,
                                        const std::vector<TracedValue>& next);

}  // namespace quarry::codegen
