#include "quarry/recursion/constraints.hpp"

#include <map>
#include <optional>
#include <set>

namespace quarry::recursion {
namespace {

using Key = std::vector<std::uint32_t>;
Key key_of(const LinearForm& form) {
    Key key{form.constant.canonical()};
    for (const Term& t : form.terms) {
        key.push_back(t.atom);
        key.push_back(t.coefficient.canonical());
    }
    return key;
}

/// Evaluates what is asked for, and each form and atom once.
class Evaluator {
  public:
    Evaluator(CircuitBuilder& builder, const ExpressionGraph& graph, const std::vector<ExtensionExpr>& row,
              const std::vector<ExtensionExpr>& next)
        : builder_(builder),
          graph_(graph),
          row_(row),
          next_(next),
          uses_(graph.atoms().size(), 0),
          values_(graph.atoms().size()) {
        for (const Convolution& c : graph.convolutions()) {
            if (c.left.size() > kConvolution || c.right.size() > kConvolution) continue;
            for (const std::uint32_t atom : c.result) {
                if (atom != Convolution::kElsewhere) part_of_[atom] = &c;
            }
        }
    }

    /// Announces a form that value() will be asked for: what is used more than once is known before anything is made.
    void announce(const LinearForm& form) {
        Shared& shared = forms_[key_of(form)];
        if (shared.uses++ > 0) return;
        for (const Term& t : form.terms) {
            if (uses_[t.atom]++ > 0) continue;
            if (const auto part = part_of_.find(t.atom); part != part_of_.end()) {
                if (!convolved_.insert(part->second).second) continue;
                for (const LinearForm& x : part->second->left) announce(x);
                for (const LinearForm& x : part->second->right) announce(x);
                continue;
            }
            const Atom& atom = graph_.atoms()[t.atom];
            if (atom.kind == Atom::Kind::product || atom.kind == Atom::Kind::alias) announce(atom.left);
            if (atom.kind == Atom::Kind::product) announce(atom.right);
        }
    }

    ExtensionExpr value(const LinearForm& form) {
        Shared& shared = forms_.at(key_of(form));
        if (!shared.value) {
            ExtensionExpr sum(ExtField(form.constant));
            for (const Term& t : form.terms) sum = sum + atom(t.atom) * t.coefficient;
            if (shared.uses > 1 && form.terms.size() > 1) (void)builder_.wire(sum);
            shared.value = sum;
        }
        return *shared.value;
    }

  private:
    struct Shared {
        std::size_t uses = 0;
        std::optional<ExtensionExpr> value;
    };

    const ExtensionExpr& atom(std::uint32_t i) {
        if (const auto part = part_of_.find(i); !values_[i] && part != part_of_.end()) convolve(*part->second);
        if (!values_[i]) {
            values_[i] = make_atom(graph_.atoms()[i]);
            const bool is_column =
                graph_.atoms()[i].kind == Atom::Kind::column || graph_.atoms()[i].kind == Atom::Kind::next_column;
            if (uses_[i] > 1 && !is_column) (void)builder_.wire(*values_[i]);
        }
        return *values_[i];
    }
    void convolve(const Convolution& c) {
        std::vector<ExtensionExpr> left;
        std::vector<ExtensionExpr> right;
        for (const LinearForm& x : c.left) left.push_back(value(x));
        for (const LinearForm& x : c.right) right.push_back(value(x));
        const auto z = builder_.convolve(left, right);
        for (std::size_t k = 0; k < c.result.size(); ++k) {
            if (c.result[k] != Convolution::kElsewhere) values_[c.result[k]] = z[k];
        }
    }
    ExtensionExpr make_atom(const Atom& atom) {
        switch (atom.kind) {
            case Atom::Kind::column:
                return row_[atom.column];
            case Atom::Kind::next_column:
                return next_[atom.column];
            case Atom::Kind::product: {
                const ExtensionExpr left = value(atom.left);
                const ExtensionExpr right = value(atom.right);
                return left * right;
            }
            case Atom::Kind::alias:
                break;
        }
        return value(atom.left);
    }

    CircuitBuilder& builder_;
    const ExpressionGraph& graph_;
    const std::vector<ExtensionExpr>& row_;
    const std::vector<ExtensionExpr>& next_;
    std::map<Key, Shared> forms_;
    std::map<std::uint32_t, const Convolution*> part_of_;  ///< by atom that one makes
    std::set<const Convolution*> convolved_;
    std::vector<std::size_t> uses_;  ///< by atom: forms that have it
    std::vector<std::optional<ExtensionExpr>> values_;
};

}  // namespace

TableValues<ExtensionExpr> evaluate_on_wires(CircuitBuilder& builder, const Table& table,
                                             const std::vector<ExtensionExpr>& row,
                                             const std::vector<ExtensionExpr>& next) {
    Evaluator evaluator(builder, table.graph, row, next);
    for (const Constraint& c : table.constraints) evaluator.announce(c.form);
    for (const Interaction& interaction : table.interactions) {
        evaluator.announce(interaction.multiplicity);
        for (const LinearForm& x : interaction.tuple) evaluator.announce(x);
    }
    TableValues<ExtensionExpr> values;
    for (const Constraint& c : table.constraints) values.constraints.push_back(evaluator.value(c.form));
    for (const Interaction& interaction : table.interactions) {
        values.multiplicities.push_back(evaluator.value(interaction.multiplicity));
        values.tuples.emplace_back();
        for (const LinearForm& x : interaction.tuple) values.tuples.back().push_back(evaluator.value(x));
    }
    return values;
}

}  // namespace quarry::recursion
