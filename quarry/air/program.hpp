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
///     sum_j a_j c_j  =  constant + sum over columns of (..) column + sum over root products of (..) product,
/// so that output linear layers move into the weights, columns that appear only linearly are never extended, and only
/// the *inputs* of products (linear forms of columns) are. [DESIGN section 2, lever 2]
struct Program {
    std::vector<LinearForm> inputs;  ///< forms over column atoms: slot i of every tape
    struct Root {
        std::uint32_t atom;
        unsigned degree;
    };
    std::vector<Root> roots;  ///< by falling degree
    unsigned max_degree = 1;
    std::vector<Tape> at_least;                           ///< [d]: the roots of degree >= d, d = 0 .. max_degree
    Tape below_max;                                       ///< the roots of degree < max_degree
    [[nodiscard]] std::vector<unsigned> degrees() const;  ///< distinct degrees of roots, falling
};

Program compile(const Table& table);

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
    for (std::size_t j = 0; j < table.constraints.size(); ++j) push(table.constraints[j].form, constraint_weights[j]);
    std::vector<bool> is_root(atoms.size());
    for (const Program::Root& root : program.roots) is_root[root.atom] = true;
    for (std::size_t a = atoms.size(); a-- > 0;) {
        if (atoms[a].kind == Atom::Kind::alias && !is_root[a]) push(atoms[a].left, weight[a]);
        if (atoms[a].kind == Atom::Kind::column) r.column[atoms[a].column] = weight[a];
        if (atoms[a].kind == Atom::Kind::next_column) r.next_column[atoms[a].column] = weight[a];
    }
    for (const Program::Root& root : program.roots) r.roots.push_back(weight[root.atom]);
    return r;
}

}  // namespace quarry
