#include "quarry/codegen/assembler.hpp"

#include <algorithm>
#include <array>

#include "quarry/base/check.hpp"
#include "quarry/codegen/assembler_nodes.hpp"

namespace quarry::codegen {
namespace {

using detail::FormPlan;
using detail::kNoNode;
using detail::Node;
using detail::NodeGraph;
using detail::NodeId;
using detail::NodeTerm;

/// Nodes that wait at a time: many, so that blocks are long; not all, so that slots are few.
constexpr std::size_t kWindow = 512;

bool is_unit(const NodeTerm& t) { return t.coefficient == KoalaBear(1) || t.coefficient == -KoalaBear(1); }

MachineOp operation(const Node& node) {
    switch (node.kind) {
        case Node::Kind::mul:
            return MachineOp::mul;
        case Node::Kind::mul_add:
            return MachineOp::mul_add;
        case Node::Kind::line:
            return MachineOp::line;
        case Node::Kind::cube:
            return MachineOp::cube;
        default:
            break;
    }
    const auto& t = node.terms;
    if (t.size() == 2 && node.constant.is_zero() && is_unit(t[0]) && is_unit(t[1]) && !node.is_raw) {
        const bool first = t[0].coefficient == KoalaBear(1);
        const bool second = t[1].coefficient == KoalaBear(1);
        if (first && second) return MachineOp::add;
        if (first || second) return MachineOp::sub;
    }
    if (detail::plan_form(node).is_large) return MachineOp::large;
    return node.is_raw ? MachineOp::raw : MachineOp::small;
}

/// Lanes of 51 bits, those of a raw result of 48.
void check_bounds(const Node& node, const FormPlan& plan) {
    constexpr std::uint64_t kLane = std::uint64_t{1} << 51, kRaw = std::uint64_t{1} << 48;
    constexpr std::uint64_t kReduced = KoalaBear::kModulus + KoalaBear::kModulus / 180;
    if (plan.is_large) {
        std::uint64_t low = 0;
        for (const NodeTerm& t : plan.plus_terms) low += t.coefficient.canonical() & 0xffff;
        QUARRY_CHECK(plan.plus_terms.size() <= detail::kMaxLargeTerms && low <= detail::kMaxLowHalves);
        return;
    }
    std::uint64_t most = node.constant.canonical() + std::uint64_t{plan.multiple} * KoalaBear::kModulus;
    if (plan.plus != kNoNode) most += kReduced;
    for (const NodeTerm& t : plan.plus_terms) most += t.coefficient.canonical() * kReduced;
    QUARRY_CHECK(most < (node.is_raw ? kRaw : kLane));
}

class Emitter {
  public:
    Emitter(const NodeGraph& graph, std::span<const Slot> inputs) : nodes_(graph.nodes()), slot_(nodes_.size()) {
        std::vector<bool> taken(kMaxSlots);
        for (const Slot slot : inputs) taken[(slot - kFirstSlot) / kWordBytes] = true;
        for (std::size_t i = kMaxSlots; i-- > 0;) {
            if (!taken[i]) free_.push_back(static_cast<Slot>(kFirstSlot + i * kWordBytes));
        }
        for (const Slot slot : inputs) note(slot);
        for (const Node& node : nodes_) left_.push_back(node.uses);
        for (NodeId id = 0; id < nodes_.size(); ++id) {
            if (nodes_[id].kind == Node::Kind::input) slot_[id] = inputs[nodes_[id].input];
        }
        done_.resize(nodes_.size());
        for (const Node& node : nodes_) {
            op_.push_back(node.kind == Node::Kind::input ? MachineOp{} : operation(node));
        }
    }

    /// Everything of one stage: blocks as long as can be within the window.
    void run(std::size_t stage) {
        std::vector<NodeId> waiting;
        NodeId next = 0;
        while (true) {
            for (; next < nodes_.size() && waiting.size() < kWindow; ++next) {
                if (nodes_[next].stage != stage) continue;
                if (nodes_[next].kind == Node::Kind::input) {
                    done_[next] = true;
                } else {
                    waiting.push_back(next);
                }
            }
            if (waiting.empty()) return;
            std::array<std::size_t, kMachineOps> ready{};
            for (const NodeId id : waiting) {
                if (is_ready(id)) ++ready[static_cast<std::size_t>(op_[id])];
            }
            const auto most = std::max_element(ready.begin(), ready.end());
            QUARRY_CHECK(*most > 0);
            const auto op = static_cast<MachineOp>(most - ready.begin());
            std::erase_if(waiting, [&](NodeId id) {
                if (op_[id] != op || !is_ready(id)) return false;
                emit(op, id);
                return true;
            });
        }
    }
    [[nodiscard]] std::size_t close() { return code_.close(); }
    /// After the next stage: the slot may have another use.
    void release(NodeId id) { use(id); }
    [[nodiscard]] Slot slot(NodeId id) const { return slot_[id]; }
    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return code_.bytes(); }
    [[nodiscard]] std::size_t end_of_slots() const { return end_; }

  private:
    [[nodiscard]] bool is_ready(NodeId id) const {
        return std::ranges::all_of(NodeGraph::reads(nodes_[id]), [&](NodeId read) { return done_[read]; });
    }
    void note(Slot slot) { end_ = std::max(end_, slot + kWordBytes); }
    void use(NodeId id) {
        QUARRY_CHECK(left_[id] > 0);
        if (--left_[id] == 0 && nodes_[id].kind != Node::Kind::input) free_.push_back(slot_[id]);
    }
    Slot make(NodeId id) {
        // What is read by the same record may be overwritten by it.
        for (const NodeId read : NodeGraph::reads(nodes_[id])) use(read);
        QUARRY_CHECK(!free_.empty());
        slot_[id] = free_.back();
        free_.pop_back();
        note(slot_[id]);
        done_[id] = true;
        return slot_[id];
    }
    [[nodiscard]] Slot slot_or_zero(NodeId id) const { return id == kNoNode ? kZeroSlot : slot_[id]; }
    [[nodiscard]] std::vector<MachineTerm> terms_of(const std::vector<NodeTerm>& terms) const {
        std::vector<MachineTerm> r;
        for (const NodeTerm& t : terms) r.push_back({slot_[t.node], t.coefficient.canonical()});
        return r;
    }

    void emit(MachineOp op, NodeId id) {
        const Node& node = nodes_[id];
        if (op <= MachineOp::cube) {
            std::vector<Slot> operands;
            for (const NodeId operand : node.operands) operands.push_back(slot_[operand]);
            for (const NodeTerm& t : node.terms) operands.push_back(slot_[t.node]);
            if (op == MachineOp::sub && node.terms[0].coefficient != KoalaBear(1)) std::swap(operands[0], operands[1]);
            operands.push_back(make(id));
            code_.put(op, operands);
            return;
        }
        const FormPlan plan = detail::plan_form(node);
        check_bounds(node, plan);
        const Slot plus = slot_or_zero(plan.plus);
        const Slot minus = slot_or_zero(plan.minus);
        const auto plus_terms = terms_of(plan.plus_terms);
        const auto minus_terms = terms_of(plan.minus_terms);
        const Slot out = make(id);
        if (plan.is_large) {
            code_.put_large(out, plus, node.constant.canonical(), plus_terms);
        } else {
            code_.put_form(op, out, plus, minus, node.constant.canonical(), plan.multiple, plus_terms, minus_terms);
        }
    }

    const std::vector<Node>& nodes_;
    MachineCode code_;
    std::vector<MachineOp> op_;
    std::vector<Slot> slot_;
    std::vector<Slot> free_;
    std::vector<std::uint32_t> left_;  ///< uses to come
    std::vector<bool> done_;
    std::size_t end_ = 0;
};

}  // namespace

Assembled assemble(const ExpressionGraph& graph, std::span<const Slot> inputs,
                   std::span<const std::vector<LinearForm>> stages) {
    const NodeGraph nodes(graph, stages);
    Emitter emitter(nodes, inputs);
    Assembled r;
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
        emitter.run(stage);
        r.ends.push_back(emitter.close());
        r.outputs.emplace_back();
        for (const NodeId id : nodes.outputs()[stage]) r.outputs.back().push_back(emitter.slot(id));
        for (const NodeId id : nodes.outputs()[stage]) emitter.release(id);
    }
    r.code = emitter.bytes();
    r.end_of_slots = emitter.end_of_slots();
    return r;
}

}  // namespace quarry::codegen
