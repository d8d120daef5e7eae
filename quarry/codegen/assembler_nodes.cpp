#include "quarry/codegen/assembler_nodes.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"

namespace quarry::codegen::detail {
namespace {

constexpr KoalaBear kOne(1);

bool is_alone(const LinearForm& form) {
    return form.terms.size() == 1 && form.constant.is_zero() && form.terms[0].coefficient == kOne;
}

/// |c| as a signed number, and whether it is negative.
std::pair<std::uint32_t, bool> magnitude(KoalaBear c) {
    const std::uint32_t x = c.canonical();
    if (x <= KoalaBear::kModulus / 2) return {x, false};
    return {KoalaBear::kModulus - x, true};
}

}  // namespace

std::vector<NodeId> NodeGraph::reads(const Node& node) {
    std::vector<NodeId> r = node.operands;
    for (const NodeTerm& t : node.terms) r.push_back(t.node);
    return r;
}

NodeGraph::NodeGraph(const ExpressionGraph& graph, std::span<const std::vector<LinearForm>> stages)
    : graph_(graph), of_atom_(graph.atoms().size(), kNoNode) {
    for (; stage_ < stages.size(); ++stage_) {
        outputs_.emplace_back();
        for (const LinearForm& form : stages[stage_]) outputs_.back().push_back(node_of_form(form));
    }
    count_uses();
    fuse_cubes();
    fuse_lines();
    fuse_sums();
    split_large_forms();
    sort();
    count_uses();
}

NodeId NodeGraph::add(Node node) {
    node.stage = stage_;
    nodes_.push_back(std::move(node));
    return static_cast<NodeId>(nodes_.size() - 1);
}

NodeId NodeGraph::node_of_atom(std::uint32_t atom) {
    if (of_atom_[atom] != kNoNode) return of_atom_[atom];
    const Atom& a = graph_.atoms()[atom];
    NodeId id = kNoNode;
    switch (a.kind) {
        case Atom::Kind::column:
            id = add({.kind = Node::Kind::input, .input = a.column});
            break;
        case Atom::Kind::product: {
            const NodeId left = node_of_form(a.left);
            const NodeId right = node_of_form(a.right);
            id = add({.kind = Node::Kind::mul, .operands = {left, right}});
            break;
        }
        case Atom::Kind::alias:
            id = node_of_form(a.left);
            break;
        case Atom::Kind::next_column:
            QUARRY_CHECK(false);  // a tracer's inputs are columns
    }
    return of_atom_[atom] = id;
}

NodeId NodeGraph::node_of_form(const LinearForm& form) {
    if (is_alone(form)) return node_of_atom(form.terms[0].atom);
    // Aliases of one form are one node: of these, coefficients add up.
    std::map<NodeId, KoalaBear> sum;
    for (const Term& t : form.terms) {
        const NodeId node = node_of_atom(t.atom);
        sum[node] = sum[node] + t.coefficient;
    }
    Node node{.kind = Node::Kind::form, .constant = form.constant};
    std::vector<std::uint32_t> key{form.constant.canonical()};
    for (const auto& [id, coefficient] : sum) {
        if (coefficient.is_zero()) continue;
        node.terms.push_back({id, coefficient});
        key.push_back(id);
        key.push_back(coefficient.canonical());
    }
    const auto [it, fresh] = of_form_.try_emplace(std::move(key), kNoNode);
    if (fresh) it->second = add(std::move(node));
    return it->second;
}

void NodeGraph::count_uses() {
    for (Node& node : nodes_) node.uses = 0;
    for (const Node& node : nodes_) {
        for (const NodeId id : reads(node)) ++nodes_[id].uses;
    }
    for (const auto& of_stage : outputs_) {
        for (const NodeId id : of_stage) ++nodes_[id].uses;
    }
}

// (x x) x, the square read by nothing else.
void NodeGraph::fuse_cubes() {
    for (Node& node : nodes_) {
        if (node.kind != Node::Kind::mul) continue;
        for (std::size_t side = 0; side < 2; ++side) {
            const NodeId x = node.operands[1 - side];
            Node& square = nodes_[node.operands[side]];
            if (square.kind != Node::Kind::mul || square.uses != 1) continue;
            if (square.operands != std::vector<NodeId>{x, x}) continue;
            square.uses = 0;
            nodes_[x].uses -= 2;
            node.kind = Node::Kind::cube;
            node.operands = {x};
            break;
        }
    }
}

// a + r (b - a), product and difference read by nothing else.
void NodeGraph::fuse_lines() {
    for (Node& node : nodes_) {
        if (node.kind != Node::Kind::form || node.terms.size() != 2 || !node.constant.is_zero()) continue;
        for (std::size_t side = 0; side < 2; ++side) {
            const NodeTerm a = node.terms[side];
            const NodeTerm& other = node.terms[1 - side];
            if (a.coefficient != kOne || !is_own_product(other, kOne)) continue;
            Node& product = nodes_[other.node];
            bool fused = false;
            for (std::size_t k = 0; k < 2 && !fused; ++k) {
                Node& difference = nodes_[product.operands[k]];
                const NodeId r = product.operands[1 - k];
                if (difference.kind != Node::Kind::form || difference.uses != 1 || difference.terms.size() != 2 ||
                    !difference.constant.is_zero())
                    continue;
                for (std::size_t i = 0; i < 2; ++i) {
                    const NodeTerm& b = difference.terms[i];
                    const NodeTerm& minus = difference.terms[1 - i];
                    if (b.coefficient != kOne || minus.coefficient != -kOne || minus.node != a.node) continue;
                    const NodeId to = b.node;
                    product.uses = difference.uses = 0;
                    --nodes_[a.node].uses;
                    node.kind = Node::Kind::line;
                    node.operands = {r, a.node, to};
                    node.terms.clear();
                    fused = true;
                    break;
                }
            }
            if (fused) break;
        }
    }
}

bool NodeGraph::is_own_product(const NodeTerm& term, KoalaBear coefficient) const {
    const Node& node = nodes_[term.node];
    return term.coefficient == coefficient && node.kind == Node::Kind::mul && node.uses == 1;
}

/// start + the sum of products that nothing else reads, which become its steps. kNoNode: nothing to start from.
NodeId NodeGraph::chain(NodeId start, const std::vector<NodeId>& products) {
    for (const NodeId id : products) {
        if (start != kNoNode) {
            nodes_[id].kind = Node::Kind::mul_add;
            nodes_[id].operands.push_back(start);
        }
        start = id;
    }
    return start;
}

// Forms with products of their own: each of these takes the sum so far along.
void NodeGraph::fuse_sums() {
    const std::size_t count = nodes_.size();
    for (NodeId id = 0; id < count; ++id) {
        if (nodes_[id].kind != Node::Kind::form || nodes_[id].uses == 0) continue;
        std::vector<NodeId> plus, minus;
        std::vector<NodeTerm> rest;
        for (const NodeTerm& t : nodes_[id].terms) {
            if (is_own_product(t, kOne)) {
                plus.push_back(t.node);
            } else if (is_own_product(t, -kOne)) {
                minus.push_back(t.node);
            } else {
                rest.push_back(t);
            }
        }
        stage_ = nodes_[id].stage;
        if (minus.size() >= 2) {
            rest.push_back({chain(kNoNode, minus), -kOne});
        } else if (minus.size() == 1) {
            rest.push_back({minus[0], -kOne});
        }
        const KoalaBear constant = nodes_[id].constant;
        const bool nothing = rest.empty() && constant.is_zero();
        const bool alone = rest.size() == 1 && constant.is_zero() && rest[0].coefficient == kOne;
        if (plus.size() < 2 && !(plus.size() == 1 && alone)) {
            for (const NodeId p : plus) rest.push_back({p, kOne});
            nodes_[id].terms = std::move(rest);
            continue;
        }
        NodeId start = kNoNode;
        if (alone) start = rest[0].node;
        if (!alone && !nothing) {
            start = add({.kind = Node::Kind::form, .constant = constant, .terms = std::move(rest), .uses = 1});
            nodes_[start].is_raw = true;
        }
        const NodeId last = plus.back();
        plus.pop_back();
        start = chain(start, plus);
        // The form itself is the last step.
        nodes_[id].kind = Node::Kind::mul_add;
        nodes_[id].operands = nodes_[last].operands;
        nodes_[id].operands.push_back(start);
        nodes_[id].terms.clear();
        nodes_[id].constant = KoalaBear();
        nodes_[last].uses = 0;
        nodes_[last].operands.clear();
    }
}

void NodeGraph::split_large_forms() {
    const std::size_t count = nodes_.size();
    for (NodeId id = 0; id < count; ++id) {
        if (nodes_[id].kind != Node::Kind::form) continue;
        stage_ = nodes_[id].stage;
        // What is left may have small coefficients alone: then it is no large form any more.
        for (FormPlan plan = plan_form(nodes_[id]); plan.is_large; plan = plan_form(nodes_[id])) {
            nodes_[id].is_raw = false;
            // The last terms that fit become a form of their own, from which the others go on. A large form adds all
            // its terms.
            std::vector<NodeTerm> terms = std::move(plan.plus_terms);
            std::uint64_t low = 0;
            std::size_t kept = 0;
            for (; kept < terms.size() && kept < kMaxLargeTerms; ++kept) {
                low += terms[terms.size() - 1 - kept].coefficient.canonical() & 0xffff;
                if (low > kMaxLowHalves) break;
            }
            if (kept == terms.size()) break;
            Node part{.kind = Node::Kind::form, .uses = 1};
            part.terms.assign(terms.end() - static_cast<std::ptrdiff_t>(kept), terms.end());
            terms.resize(terms.size() - kept);
            if (plan.plus != kNoNode) part.terms.push_back({plan.plus, kOne});
            terms.insert(terms.begin(), {add(std::move(part)), kOne});
            nodes_[id].terms = std::move(terms);
        }
    }
}

// Behind what they read, each stage behind the one before; without what was fused into others.
void NodeGraph::sort() {
    std::vector<NodeId> place(nodes_.size(), kNoNode);
    std::vector<Node> sorted;
    std::size_t stage = 0;
    const auto visit = [&](auto&& self, NodeId id) -> NodeId {
        if (place[id] != kNoNode) return place[id];
        Node node = nodes_[id];
        for (NodeId& operand : node.operands) operand = self(self, operand);
        for (NodeTerm& term : node.terms) term.node = self(self, term.node);
        node.stage = stage;
        sorted.push_back(std::move(node));
        return place[id] = static_cast<NodeId>(sorted.size() - 1);
    };
    for (; stage < outputs_.size(); ++stage) {
        for (NodeId& id : outputs_[stage]) id = visit(visit, id);
    }
    nodes_ = std::move(sorted);
}

FormPlan plan_form(const Node& form) {
    FormPlan plan;
    std::uint64_t sum = 0;
    for (const NodeTerm& t : form.terms) {
        const std::uint32_t size = magnitude(t.coefficient).first;
        sum += size;
        plan.is_large = plan.is_large || size > 0xffff;
    }
    plan.is_large = plan.is_large || sum > (form.is_raw ? kMaxRawSum : kMaxSmallSum);
    std::uint64_t subtracted = 0;
    for (const NodeTerm& t : form.terms) {
        const auto [size, is_negative] = magnitude(t.coefficient);
        if (t.coefficient == kOne && plan.plus == kNoNode) {
            plan.plus = t.node;
        } else if (plan.is_large) {
            plan.plus_terms.push_back(t);
        } else if (size == 1 && is_negative && plan.minus == kNoNode) {
            plan.minus = t.node;
            ++subtracted;
        } else if (is_negative) {
            plan.minus_terms.push_back({t.node, KoalaBear(size)});
            subtracted += size;
        } else {
            plan.plus_terms.push_back(t);
        }
    }
    // A lane is at most 1.0055 p.
    plan.multiple = static_cast<std::uint32_t>(subtracted == 0 ? 0 : subtracted + subtracted / 180 + 1);
    return plan;
}

}  // namespace quarry::codegen::detail
