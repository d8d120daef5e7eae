#pragma once
#include <cstdint>
#include <vector>

#include "quarry/air/table.hpp"

namespace quarry {

/// One operation on slots. A slot is a vector of values: rows of a coset, or pairs of folded rows.
struct TapeOp {
    enum class Kind : std::uint8_t { multiply, dot };
    Kind kind;
    std::uint32_t target;
    std::uint32_t a = 0, b = 0;                   ///< multiply: slots
    std::uint32_t first_term = 0, num_terms = 0;  ///< dot: constant + sum of terms (atom = slot)
    KoalaBear constant;
};

/// A straight-line program that computes some root products from the inputs.
struct Tape {
    std::vector<TapeOp> ops;
    std::vector<Term> terms;
    std::uint32_t num_slots = 0;
    std::vector<std::uint32_t> used_inputs;  ///< slots below inputs.size() that the program reads
    struct Root {
        std::uint32_t slot;
        std::uint32_t root;  ///< index into Program::roots
    };
    std::vector<Root> roots;  ///< by falling degree
};

/// How the prover evaluates a table's constraints. The sum of all weighted constraints is rewritten as
///     sum_j a_j c_j  =  constant + sum over columns of (..) column + sum over roots of (..) root,
/// so that output linear layers move into the weights, columns that appear only linearly are never extended, and only
/// the *inputs* of products (linear forms of columns) are. [DESIGN section 2, lever 2]
///
/// A root is a product that several constraints share (the outputs of a linear layer), or the whole non-linear part of
/// one constraint, when its products are its own (a coefficient of a product of polynomials): whichever is less work.
struct Program {
    std::vector<LinearForm> inputs;  ///< forms over column atoms: slot i of every tape
    static constexpr std::uint32_t kNoConstraint = 0xffffffff;
    struct Root {
        LinearForm form;           ///< of atoms of degree >= 2
        std::uint32_t constraint;  ///< whose non-linear part it is, or kNoConstraint: a product
        unsigned degree;
    };
    std::vector<Root> roots;  ///< by falling degree
    unsigned max_degree = 1;
    std::vector<Tape> at_least;                           ///< [d]: the roots of degree >= d, d = 0 .. max_degree
    Tape below_max;                                       ///< the roots of degree < max_degree
    [[nodiscard]] std::vector<unsigned> degrees() const;  ///< distinct degrees of roots, falling
};

Program compile(const Table& table);

/// The constant and the terms of degree 1 of a form.
LinearForm linear_part(const ExpressionGraph& graph, const LinearForm& form);

/// The weights of constant, columns (this row and next) and roots for given weights of the constraints.
template <class E>
struct ProgramWeights {
    E constant;
    std::vector<E> column, next_column;
    std::vector<E> roots;
};

template <class E>
ProgramWeights<E> distribute(const Table& table, const Program& program, const std::vector<E>& constraint_weights) {
    const auto& atoms = table.graph.atoms();
    std::vector<E> weight(atoms.size(), E());
    ProgramWeights<E> r{E(), std::vector<E>(table.num_columns(), E()), std::vector<E>(table.num_columns(), E()), {}};
    auto push = [&](const LinearForm& form, const E& w) {
        r.constant = r.constant + w * form.constant;
        for (const Term& t : form.terms) weight[t.atom] = weight[t.atom] + w * t.coefficient;
    };
    std::vector<bool> whole(table.constraints.size());
    for (const Program::Root& root : program.roots) {
        if (root.constraint != Program::kNoConstraint) whole[root.constraint] = true;
    }
    for (std::size_t j = 0; j < table.constraints.size(); ++j) {
        push(whole[j] ? linear_part(table.graph, table.constraints[j].form) : table.constraints[j].form,
             constraint_weights[j]);
    }
    for (std::size_t a = atoms.size(); a-- > 0;) {
        if (atoms[a].kind == Atom::Kind::alias) push(atoms[a].left, weight[a]);
        if (atoms[a].kind == Atom::Kind::column) r.column[atoms[a].column] = weight[a];
        if (atoms[a].kind == Atom::Kind::next_column) r.next_column[atoms[a].column] = weight[a];
    }
    for (const Program::Root& root : program.roots) {
        r.roots.push_back(root.constraint != Program::kNoConstraint ? constraint_weights[root.constraint]
                                                                    : weight[root.form.terms.front().atom]);
    }
    return r;
}

}  // namespace quarry
