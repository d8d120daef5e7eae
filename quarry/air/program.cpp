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

    Tape build(const std::vector<std::uint32_t>& wanted) {
        std::vector<std::uint32_t> root_values;
        for (const std::uint32_t r : wanted) root_values.push_back(value_of_atom(program_.roots[r].atom));
        return assign_slots(wanted, root_values);
    }

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
    std::vector<TapeOp> ops_;
    std::vector<Term> terms_;
};

// Aliases whose value products need.
std::vector<bool> find_valued(const std::vector<Atom>& atoms) {
    std::vector<bool> valued(atoms.size());
    const auto mark = [&](const LinearForm& form) {
        for (const Term& t : form.terms) valued[t.atom] = true;
    };
    for (std::size_t a = atoms.size(); a-- > 0;) {
        if (atoms[a].kind == Atom::Kind::product || (atoms[a].kind == Atom::Kind::alias && valued[a])) {
            mark(atoms[a].left);
            mark(atoms[a].right);
        }
    }
    return valued;
}

// Products that carry weight once aliases are dissolved. An alias that must be computed anyway is a root itself: one
// weight instead of one for each product that it sums.
std::vector<Program::Root> find_roots(const Table& table) {
    const auto& atoms = table.graph.atoms();
    const std::vector<bool> valued = find_valued(atoms);
    std::vector<bool> weighted(atoms.size());
    auto mark = [&](const LinearForm& form) {
        for (const Term& t : form.terms) weighted[t.atom] = true;
    };
    for (const Constraint& c : table.constraints) mark(c.form);
    std::vector<Program::Root> roots;
    for (std::size_t a = atoms.size(); a-- > 0;) {
        if (!weighted[a]) continue;
        const bool is_alias = atoms[a].kind == Atom::Kind::alias;
        if (atoms[a].kind == Atom::Kind::product || (is_alias && valued[a])) {
            roots.push_back({static_cast<std::uint32_t>(a), atoms[a].degree});
        } else if (is_alias) {
            mark(atoms[a].left);
        }
    }
    std::sort(roots.begin(), roots.end(), [](const auto& x, const auto& y) {
        return x.degree != y.degree ? x.degree > y.degree : x.atom < y.atom;
    });
    return roots;
}

}  // namespace

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
    auto build = [&](auto keep) {
        std::vector<std::uint32_t> wanted;
        for (std::uint32_t r = 0; r < program.roots.size(); ++r) {
            if (keep(program.roots[r].degree)) wanted.push_back(r);
        }
        return TapeBuilder(table, program, input_of).build(wanted);
    };
    // A first pass collects every input, so that their number, and with it every slot, is the same in all tapes.
    (void)build([](unsigned) { return true; });
    for (unsigned d = 0; d <= program.max_degree; ++d)
        program.at_least.push_back(build([&](unsigned e) { return e >= d; }));
    program.below_max = build([&](unsigned e) { return e < program.max_degree; });
    return program;
}

}  // namespace quarry
