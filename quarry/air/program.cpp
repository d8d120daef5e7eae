#include "quarry/air/program.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "quarry/base/check.hpp"

namespace quarry {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

using FormKey = std::vector<std::uint32_t>;
FormKey key_of(const LinearForm& form) {
    FormKey key{form.constant.canonical()};
    for (const Term& t : form.terms) {
        key.push_back(t.atom);
        key.push_back(t.coefficient.canonical());
    }
    return key;
}

// Emits the operations for a set of roots, values numbered in order of creation; slots are assigned afterwards.
class TapeBuilder {
  public:
    TapeBuilder(const Table& table, Program& program, std::map<FormKey, std::uint32_t>& input_of)
        : table_(table), program_(program), input_of_(input_of) {}

    /// Adds to the program's inputs what these roots read.
    void emit(std::vector<std::uint32_t> wanted) {
        wanted_ = std::move(wanted);
        for (const std::uint32_t r : wanted_) root_values_.push_back(value_of_form(program_.roots[r].form));
    }
    /// Precondition: the program has all its inputs, behind which the slots begin.
    Tape finish() && { return assign_slots(wanted_, root_values_); }

  private:
    static constexpr std::uint32_t kInput = 0x80000000;  // marks a value that is an input

    std::uint32_t input(const LinearForm& form) {
        const auto [it, fresh] =
            input_of_.try_emplace(key_of(form), static_cast<std::uint32_t>(program_.inputs.size()));
        if (fresh) program_.inputs.push_back(form);
        return kInput | it->second;
    }

    std::uint32_t value_of_atom(std::uint32_t a) {
        const auto known = value_of_atom_.find(a);
        if (known != value_of_atom_.end()) return known->second;
        const Atom& atom = table_.graph.atoms()[a];
        std::uint32_t v = kNone;
        if (atom.kind == Atom::Kind::product) {
            const std::uint32_t left = value_of_form(atom.left);
            const std::uint32_t right = value_of_form(atom.right);
            v = static_cast<std::uint32_t>(ops_.size());
            ops_.push_back({TapeOp::Kind::multiply, v, left, right, 0, 0, {}});
        } else if (atom.kind == Atom::Kind::alias) {
            v = value_of_form(atom.left);
        } else {
            v = input({{}, {{a, KoalaBear(1)}}});
        }
        value_of_atom_[a] = v;
        return v;
    }

    std::uint32_t value_of_form(const LinearForm& form) {
        if (table_.graph.degree(form) <= 1) return input(form);
        if (form.constant.is_zero() && form.terms.size() == 1 && form.terms[0].coefficient == KoalaBear(1)) {
            return value_of_atom(form.terms[0].atom);
        }
        const FormKey key = key_of(form);
        const auto known = value_of_form_.find(key);
        if (known != value_of_form_.end()) return known->second;
        // The part that is linear in columns becomes one input, its constant included.
        LinearForm columns;
        std::vector<Term> terms;
        for (const Term& t : form.terms) {
            if (table_.graph.atoms()[t.atom].degree == 1) {
                columns.terms.push_back(t);
            } else {
                terms.push_back({value_of_atom(t.atom), t.coefficient});
            }
        }
        KoalaBear constant = form.constant;
        if (!columns.terms.empty()) {
            columns.constant = constant;
            constant = KoalaBear();
            terms.push_back({input(columns), KoalaBear(1)});
        }
        const auto v = static_cast<std::uint32_t>(ops_.size());
        const auto first = static_cast<std::uint32_t>(terms_.size());
        const auto count = static_cast<std::uint32_t>(terms.size());
        terms_.insert(terms_.end(), terms.begin(), terms.end());
        ops_.push_back({TapeOp::Kind::dot, v, 0, 0, first, count, constant});
        value_of_form_[key] = v;
        return v;
    }

    template <class F>
    void for_each_operand(TapeOp& op, F f) {
        if (op.kind == TapeOp::Kind::multiply) {
            f(op.a);
            f(op.b);
        } else {
            for (std::uint32_t i = 0; i < op.num_terms; ++i) f(terms_[op.first_term + i].atom);
        }
    }

    Tape assign_slots(const std::vector<std::uint32_t>& wanted, const std::vector<std::uint32_t>& root_values) {
        Tape tape;
        std::vector<std::uint32_t> last_use(ops_.size(), 0);
        std::set<std::uint32_t> used;
        for (std::uint32_t i = 0; i < ops_.size(); ++i) {
            for_each_operand(ops_[i], [&](std::uint32_t v) {
                if ((v & kInput) != 0) {
                    used.insert(v & ~kInput);
                } else {
                    last_use[v] = i;
                }
            });
        }
        for (const std::uint32_t v : root_values) {
            QUARRY_CHECK((v & kInput) == 0);
            last_use[v] = kNone;
        }
        const auto num_inputs = static_cast<std::uint32_t>(program_.inputs.size());
        std::vector<std::uint32_t> slot(ops_.size(), kNone);
        std::vector<std::uint32_t> free_slots;
        std::uint32_t next_slot = num_inputs;
        for (std::uint32_t i = 0; i < ops_.size(); ++i) {
            std::vector<std::uint32_t> freed;
            for_each_operand(ops_[i], [&](std::uint32_t& v) {
                if ((v & kInput) != 0) {
                    v &= ~kInput;
                } else {
                    if (last_use[v] == i) {
                        freed.push_back(slot[v]);
                        last_use[v] = 0;
                    }
                    v = slot[v];
                }
            });
            // The target never shares a slot with an operand: kernels may write before they have read everything.
            if (free_slots.empty()) free_slots.push_back(next_slot++);
            slot[i] = free_slots.back();
            free_slots.pop_back();
            ops_[i].target = slot[i];
            free_slots.insert(free_slots.end(), freed.begin(), freed.end());
        }
        for (std::size_t i = 0; i < wanted.size(); ++i) tape.roots.push_back({slot[root_values[i]], wanted[i]});
        tape.num_slots = next_slot;
        tape.used_inputs.assign(used.begin(), used.end());
        tape.ops = std::move(ops_);
        tape.terms = std::move(terms_);
        return tape;
    }

    const Table& table_;
    Program& program_;
    std::map<FormKey, std::uint32_t>& input_of_;
    std::map<std::uint32_t, std::uint32_t> value_of_atom_;
    std::map<FormKey, std::uint32_t> value_of_form_;
    std::vector<std::uint32_t> wanted_, root_values_;
    std::vector<TapeOp> ops_;
    std::vector<Term> terms_;
};

LinearForm nonlinear_part(const ExpressionGraph& graph, const LinearForm& form) {
    LinearForm r;
    for (const Term& t : form.terms) {
        if (graph.atoms()[t.atom].degree > 1) r.terms.push_back(t);
    }
    return r;
}

// The products that a form consists of once aliases are dissolved, rising.
std::vector<std::uint32_t> products_of(const ExpressionGraph& graph, const LinearForm& form) {
    std::set<std::uint32_t> products;
    std::set<std::uint32_t> seen;
    const std::function<void(const LinearForm&)> collect = [&](const LinearForm& f) {
        for (const Term& t : f.terms) {
            if (!seen.insert(t.atom).second) continue;
            const Atom& atom = graph.atoms()[t.atom];
            if (atom.kind == Atom::Kind::alias) collect(atom.left);
            if (atom.kind == Atom::Kind::product) products.insert(t.atom);
        }
    };
    collect(form);
    return {products.begin(), products.end()};
}

// A root costs one multiplication of an extension element by a base element: five products. Added up for a constraint,
// with a product's root split among the constraints that share it, this is compared with one root and a base-field term
// for each part of the form.
std::vector<Program::Root> find_roots(const Table& table) {
    constexpr std::size_t kRootCost = 5;
    constexpr std::size_t kUnit = 5040;  // divisible by every number up to 10
    std::vector<std::vector<std::uint32_t>> products;
    std::vector<std::size_t> uses(table.graph.atoms().size());
    for (const Constraint& c : table.constraints) {
        products.push_back(products_of(table.graph, c.form));
        for (const std::uint32_t a : products.back()) ++uses[a];
    }
    std::vector<Program::Root> roots;
    std::set<std::uint32_t> shared;
    for (std::uint32_t j = 0; j < table.constraints.size(); ++j) {
        if (products[j].empty()) continue;
        const LinearForm form = nonlinear_part(table.graph, table.constraints[j].form);
        std::size_t dissolved_cost = 0;
        for (const std::uint32_t a : products[j]) dissolved_cost += kRootCost * kUnit / uses[a];
        if (dissolved_cost > (kRootCost + form.terms.size()) * kUnit) {
            roots.push_back({form, j, table.graph.degree(form)});
        } else {
            shared.insert(products[j].begin(), products[j].end());
        }
    }
    for (const std::uint32_t a : shared) {
        roots.push_back({{{}, {{a, KoalaBear(1)}}}, Program::kNoConstraint, table.graph.atoms()[a].degree});
    }
    // By falling degree; the order within a degree is that of the constraints and atoms.
    std::vector<Program::Root> sorted;
    for (unsigned degree = table.max_degree(); degree >= 2; --degree) {
        for (const Program::Root& root : roots) {
            if (root.degree == degree) sorted.push_back(root);
        }
    }
    return sorted;
}

}  // namespace

LinearForm linear_part(const ExpressionGraph& graph, const LinearForm& form) {
    LinearForm r{form.constant, {}};
    for (const Term& t : form.terms) {
        if (graph.atoms()[t.atom].degree == 1) r.terms.push_back(t);
    }
    return r;
}

std::vector<unsigned> Program::degrees() const {
    std::vector<unsigned> r;
    for (const Root& root : roots) {
        if (r.empty() || r.back() != root.degree) r.push_back(root.degree);
    }
    return r;
}

Program compile(const Table& table) {
    Program program;
    program.roots = find_roots(table);
    program.max_degree = table.max_degree();
    std::map<FormKey, std::uint32_t> input_of;
    const auto emit = [&](auto keep) {
        std::vector<std::uint32_t> wanted;
        for (std::uint32_t r = 0; r < program.roots.size(); ++r) {
            if (keep(program.roots[r].degree)) wanted.push_back(r);
        }
        TapeBuilder builder(table, program, input_of);
        builder.emit(std::move(wanted));
        return builder;
    };
    const auto build = [&](auto keep) { return emit(keep).finish(); };
    // All roots first: they read every input, so that the number of inputs, and with it every slot, is the same in all
    // tapes.
    program.at_least.push_back(emit([](unsigned) { return true; }).finish());
    for (unsigned d = 1; d <= program.max_degree; ++d) {
        const bool same = std::ranges::none_of(program.roots, [&](const auto& r) { return r.degree == d - 1; });
        program.at_least.push_back(same ? program.at_least.back() : build([&](unsigned e) { return e >= d; }));
    }
    program.below_max = build([&](unsigned e) { return e < program.max_degree; });
    return program;
}

}  // namespace quarry
