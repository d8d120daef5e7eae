#include "quarry/codegen/tracer.hpp"

namespace quarry::codegen {

TableValues<TracedValue> evaluate_table(Tracer& /*tracer*/, const Table& table, const std::vector<TracedValue>& row,
                                        const std::vector<TracedValue>& next) {
    std::vector<Expr> atoms;
    const auto sum = [&](const LinearForm& form) {
        Expr s(form.constant);
        for (const Term& t : form.terms) s += atoms[t.atom] * Expr(t.coefficient);
        return s;
    };
    for (const Atom& atom : table.graph.atoms()) {
        switch (atom.kind) {
            case Atom::Kind::column:
                atoms.push_back(row[atom.column].expression());
                break;
            case Atom::Kind::next_column:
                atoms.push_back(next[atom.column].expression());
                break;
            case Atom::Kind::product: {
                const Expr left = sum(atom.left);
                atoms.push_back(left * sum(atom.right));
                break;
            }
            case Atom::Kind::alias:
                atoms.push_back(sum(atom.left));
                break;
        }
    }
    TableValues<TracedValue> values;
    for (const Constraint& c : table.constraints) values.constraints.emplace_back(sum(c.form));
    for (const Interaction& interaction : table.interactions) {
        values.multiplicities.emplace_back(sum(interaction.multiplicity));
        values.tuples.emplace_back();
        for (const LinearForm& x : interaction.tuple) values.tuples.back().emplace_back(sum(x));
    }
    return values;
}

}  // namespace quarry::codegen
