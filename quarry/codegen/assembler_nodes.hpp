#pragma once
#include <map>

#include "quarry/codegen/assembler.hpp"

/// Inside of assemble(): what a program computes, before it has an order and slots.
namespace quarry::codegen::detail {

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = ~NodeId{0};

struct NodeTerm {
    NodeId node;
    KoalaBear coefficient;
};

struct Node {
    /// form: constant + terms. The others: operations of the machine, in the order of their operands.
    enum class Kind : std::uint8_t { input, mul, mul_add, line, cube, form };
    Kind kind;
    std::vector<NodeId> operands{};  ///< of an operation
    KoalaBear constant{};            ///< of a form
    std::vector<NodeTerm> terms{};   ///< of a form
    std::uint32_t input = 0;
    std::size_t stage = 0;
    std::uint32_t uses = 0;
    bool is_raw = false;  ///< a form that need not be reduced
};

/// The nodes of all stages, each behind those that it reads; fused as the machine can do it.
class NodeGraph {
  public:
    NodeGraph(const ExpressionGraph& graph, std::span<const std::vector<LinearForm>> stages);

    [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }
    /// By stage.
    [[nodiscard]] const std::vector<std::vector<NodeId>>& outputs() const noexcept { return outputs_; }
    /// What a node reads, each once for every place that it stands in.
    [[nodiscard]] static std::vector<NodeId> reads(const Node& node);

  private:
    NodeId node_of_atom(std::uint32_t atom);
    NodeId node_of_form(const LinearForm& form);
    NodeId add(Node node);
    void count_uses();
    void fuse_cubes();
    void fuse_lines();
    void fuse_sums();
    void split_large_forms();
    void sort();
    [[nodiscard]] bool is_own_product(const NodeTerm& term, KoalaBear coefficient) const;
    NodeId chain(NodeId start, const std::vector<NodeId>& products);

    const ExpressionGraph& graph_;
    std::size_t stage_ = 0;
    std::vector<Node> nodes_;
    std::vector<std::vector<NodeId>> outputs_;
    std::vector<NodeId> of_atom_;
    std::map<std::vector<std::uint32_t>, NodeId> of_form_;
};

/// How the machine computes a form: with small coefficients, some of them subtracted, or with any.
struct FormPlan {
    bool is_large = false;
    NodeId plus = kNoNode, minus = kNoNode;  ///< terms of coefficient 1 and -1 that cost nothing
    std::uint32_t multiple = 0;              ///< of p, that covers what is subtracted
    std::vector<NodeTerm> plus_terms, minus_terms;
};
FormPlan plan_form(const Node& form);
/// What the coefficients of a form with small ones may add up to, each as its absolute value: added and covered, a lane
/// of twice as many p is below 2^51; of a raw one below 2^48.
inline constexpr std::uint64_t kMaxSmallSum = 500'000, kMaxRawSum = 60'000;
/// What the lower halves of a large form's coefficients may add up to: below 2^50.9 / p 1.0055, less a constant and a
/// term of coefficient 1 (Ext.joinHalves). Upper halves of so many terms as kMaxLargeTerms cannot reach 2^51.
inline constexpr std::uint64_t kMaxLowHalves = 950'000;
inline constexpr std::size_t kMaxLargeTerms = 30;

}  // namespace quarry::codegen::detail
