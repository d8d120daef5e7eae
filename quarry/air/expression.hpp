#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "quarry/field/koala_bear.hpp"

namespace quarry {

/// An atom times a coefficient.
struct Term {
    std::uint32_t atom;
    KoalaBear coefficient;
    friend bool operator==(const Term&, const Term&) = default;
};

/// constant + sum of terms; terms sorted by atom, no zero coefficients: equal forms are equal vectors.
struct LinearForm {
    KoalaBear constant;
    std::vector<Term> terms;
    friend bool operator==(const LinearForm&, const LinearForm&) = default;
    [[nodiscard]] bool is_constant() const noexcept { return terms.empty(); }
};

LinearForm add(const LinearForm& a, const LinearForm& b);
LinearForm scale(const LinearForm& a, KoalaBear c);

/// What a linear form is made of. Columns have degree 1; a product multiplies two forms; an alias names a form, so that
/// structured linear maps (a circulant by its factors, say) keep their structure where they feed a product.
struct Atom {
    enum class Kind : std::uint8_t { column, next_column, product, alias };
    Kind kind;
    std::uint32_t column = 0;  ///< column kinds: the column's number
    LinearForm left;           ///< product, alias
    LinearForm right;          ///< product
    unsigned degree = 1;
};

/// result[k] names sum_(i+j=k) left[i] right[j]. Says nothing that the atoms do not say: a circuit, for which the
/// product of two polynomials is cheaper than the products that it is made of, can know where one is.
struct Convolution {
    static constexpr std::uint32_t kElsewhere = ~std::uint32_t{0};
    std::vector<LinearForm> left, right;
    std::vector<std::uint32_t> result;  ///< an alias, or kElsewhere: no atom, or one that stood there before
};

/// The expression graph of one table: atoms in topological order. Constraints are written once; every interpreter (row
/// checker, degree checker, prover, verifier, later circuits and code generators) runs over this graph.
class Expr;
class ExpressionGraph {
  public:
    std::uint32_t column(std::uint32_t column, bool next);
    std::uint32_t product(const LinearForm& left, const LinearForm& right);
    std::uint32_t alias(const LinearForm& form);
    [[nodiscard]] unsigned degree(const LinearForm& form) const;
    [[nodiscard]] const std::vector<Atom>& atoms() const noexcept { return atoms_; }
    [[nodiscard]] const std::vector<Convolution>& convolutions() const noexcept { return convolutions_; }

  private:
    friend std::vector<Expr> convolve(std::span<const Expr> a, std::span<const Expr> b);
    using Key = std::vector<std::uint32_t>;
    std::uint32_t intern(Key key, Atom atom);
    std::vector<Atom> atoms_;
    std::vector<Convolution> convolutions_;
    std::map<Key, std::uint32_t> known_;  ///< equal atoms are one atom
};

/// A polynomial in the columns of a row and of the next row. A value type; arithmetic builds the graph it points to.
class Expr {
  public:
    Expr() = default;
    Expr(KoalaBear c) { form_.constant = c; }                    // NOLINT(google-explicit-constructor)
    Expr(int c) { form_.constant = KoalaBear::from_signed(c); }  // NOLINT(google-explicit-constructor)
    Expr(ExpressionGraph* graph, std::uint32_t atom) : graph_(graph), form_{{}, {{atom, KoalaBear(1)}}} {}

    friend Expr operator+(const Expr& a, const Expr& b) { return {common(a, b), add(a.form_, b.form_)}; }
    friend Expr operator-(const Expr& a, const Expr& b) {
        return {common(a, b), add(a.form_, scale(b.form_, -KoalaBear(1)))};
    }
    friend Expr operator-(const Expr& a) { return {a.graph_, scale(a.form_, -KoalaBear(1))}; }
    friend Expr operator*(const Expr& a, const Expr& b);
    Expr& operator+=(const Expr& o) { return *this = *this + o; }
    Expr& operator-=(const Expr& o) { return *this = *this - o; }
    Expr& operator*=(const Expr& o) { return *this = *this * o; }
    /// The same value as one atom: see Atom.
    [[nodiscard]] Expr named() const;

    [[nodiscard]] const LinearForm& form() const noexcept { return form_; }

  private:
    Expr(ExpressionGraph* graph, LinearForm form) : graph_(graph), form_(std::move(form)) {}
    static ExpressionGraph* common(const Expr& a, const Expr& b) { return a.graph_ != nullptr ? a.graph_ : b.graph_; }
    friend std::vector<Expr> convolve(std::span<const Expr> a, std::span<const Expr> b);
    ExpressionGraph* graph_ = nullptr;
    LinearForm form_;
};

/// The product of the polynomials with these coefficients, each coefficient named; recorded as a Convolution.
/// Precondition: neither is empty.
std::vector<Expr> convolve(std::span<const Expr> a, std::span<const Expr> b);

/// The value of every atom from the values of the columns. E: anything with + and *, and built from a KoalaBear by
/// `lift`.
template <class E, class Lift>
std::vector<E> evaluate_atoms(const ExpressionGraph& graph, const std::vector<E>& row, const std::vector<E>& next,
                              Lift lift);

/// The value of a form from the values of the atoms.
template <class E, class Lift>
E evaluate_form(const LinearForm& form, const std::vector<E>& atoms, Lift lift) {
    E s = lift(form.constant);
    for (const Term& t : form.terms) s = s + atoms[t.atom] * t.coefficient;
    return s;
}

template <class E, class Lift>
std::vector<E> evaluate_atoms(const ExpressionGraph& graph, const std::vector<E>& row, const std::vector<E>& next,
                              Lift lift) {
    std::vector<E> values;
    values.reserve(graph.atoms().size());
    for (const Atom& atom : graph.atoms()) {
        switch (atom.kind) {
            case Atom::Kind::column:
                values.push_back(row[atom.column]);
                break;
            case Atom::Kind::next_column:
                values.push_back(next[atom.column]);
                break;
            case Atom::Kind::product:
                values.push_back(evaluate_form(atom.left, values, lift) * evaluate_form(atom.right, values, lift));
                break;
            case Atom::Kind::alias:
                values.push_back(evaluate_form(atom.left, values, lift));
                break;
        }
    }
    return values;
}

}  // namespace quarry
