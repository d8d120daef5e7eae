#include "quarry/air/expression.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"

namespace quarry {

LinearForm add(const LinearForm& a, const LinearForm& b) {
    LinearForm r{a.constant + b.constant, {}};
    r.terms.reserve(a.terms.size() + b.terms.size());
    auto i = a.terms.begin();
    auto j = b.terms.begin();
    while (i != a.terms.end() || j != b.terms.end()) {
        if (j == b.terms.end() || (i != a.terms.end() && i->atom < j->atom)) {
            r.terms.push_back(*i++);
        } else if (i == a.terms.end() || j->atom < i->atom) {
            r.terms.push_back(*j++);
        } else {
            const KoalaBear c = i->coefficient + j->coefficient;
            if (!c.is_zero()) r.terms.push_back({i->atom, c});
            ++i;
            ++j;
        }
    }
    return r;
}

LinearForm scale(const LinearForm& a, KoalaBear c) {
    if (c.is_zero()) return {};
    LinearForm r = a;
    r.constant *= c;
    for (Term& t : r.terms) t.coefficient *= c;
    return r;
}

namespace {
void append(std::vector<std::uint32_t>& key, const LinearForm& form) {
    key.push_back(static_cast<std::uint32_t>(form.terms.size()));
    key.push_back(form.constant.canonical());
    for (const Term& t : form.terms) {
        key.push_back(t.atom);
        key.push_back(t.coefficient.canonical());
    }
}
}  // namespace

unsigned ExpressionGraph::degree(const LinearForm& form) const {
    unsigned d = 0;
    for (const Term& t : form.terms) d = std::max(d, atoms_[t.atom].degree);
    return d;
}

std::uint32_t ExpressionGraph::intern(Key key, Atom atom) {
    const auto [it, fresh] = known_.try_emplace(std::move(key), static_cast<std::uint32_t>(atoms_.size()));
    if (fresh) atoms_.push_back(std::move(atom));
    return it->second;
}

std::uint32_t ExpressionGraph::column(std::uint32_t column, bool next) {
    const auto kind = next ? Atom::Kind::next_column : Atom::Kind::column;
    return intern({static_cast<std::uint32_t>(kind), column}, {kind, column, {}, {}, 1});
}

std::uint32_t ExpressionGraph::product(const LinearForm& left, const LinearForm& right) {
    QUARRY_CHECK(!left.is_constant() && !right.is_constant());
    Key a;
    Key b;
    append(a, left);
    append(b, right);
    const bool ordered = a <= b;
    Key key{static_cast<std::uint32_t>(Atom::Kind::product)};
    const Key& first = ordered ? a : b;
    const Key& second = ordered ? b : a;
    key.insert(key.end(), first.begin(), first.end());
    key.insert(key.end(), second.begin(), second.end());
    return intern(std::move(key), {Atom::Kind::product, 0, left, right, degree(left) + degree(right)});
}

std::uint32_t ExpressionGraph::alias(const LinearForm& form) {
    QUARRY_CHECK(degree(form) >= 2);  // forms of columns stay forms: bus tuples are made of them
    Key key{static_cast<std::uint32_t>(Atom::Kind::alias)};
    append(key, form);
    return intern(std::move(key), {Atom::Kind::alias, 0, form, {}, degree(form)});
}

Expr operator*(const Expr& a, const Expr& b) {
    ExpressionGraph* graph = Expr::common(a, b);
    if (a.form_.is_constant()) return {graph, scale(b.form_, a.form_.constant)};
    if (b.form_.is_constant()) return {graph, scale(a.form_, b.form_.constant)};
    return {graph, graph->product(a.form_, b.form_)};
}

Expr Expr::named() const {
    if (form_.is_constant() || graph_->degree(form_) <= 1) return *this;
    return {graph_, graph_->alias(form_)};
}

std::vector<Expr> convolve(std::span<const Expr> a, std::span<const Expr> b) {
    QUARRY_CHECK(!a.empty() && !b.empty());
    ExpressionGraph* graph = nullptr;
    Convolution record;
    for (const Expr& x : a) record.left.push_back(x.form());
    for (const Expr& x : b) record.right.push_back(x.form());
    for (const std::span<const Expr> factor : {a, b}) {
        for (const Expr& x : factor) graph = x.graph_ != nullptr ? x.graph_ : graph;
    }
    const std::size_t known = graph != nullptr ? graph->atoms().size() : 0;
    std::vector<Expr> product(a.size() + b.size() - 1);
    if (record.left == record.right) {
        for (std::size_t i = 0; i < a.size(); ++i) {
            product[2 * i] += a[i] * a[i];
            for (std::size_t j = 0; j < i; ++j) product[i + j] += Expr(2) * (a[i] * a[j]);
        }
    } else {
        for (std::size_t i = 0; i < a.size(); ++i) {
            for (std::size_t j = 0; j < b.size(); ++j) product[i + j] += a[i] * b[j];
        }
    }
    bool recorded = false;
    for (Expr& x : product) {
        x = x.named();
        const LinearForm& form = x.form();
        const bool fresh = form.terms.size() == 1 && form.constant.is_zero() &&
                           form.terms[0].coefficient == KoalaBear(1) && form.terms[0].atom >= known &&
                           graph->atoms()[form.terms[0].atom].kind == Atom::Kind::alias;
        record.result.push_back(fresh ? form.terms[0].atom : Convolution::kElsewhere);
        recorded = recorded || fresh;
    }
    if (recorded) graph->convolutions_.push_back(std::move(record));
    return product;
}

}  // namespace quarry
