#pragma once
#include <span>
#include <vector>

#include "quarry/proof/proof.hpp"
#include "quarry/recursion/builder.hpp"
#include "quarry/rollup/data_statement.hpp"
#include "quarry/rollup/join.hpp"

/// Statements on wires: lists of elements in the normative order (docs/spec/operations.md, section 6), by the place of
/// each part.
namespace quarry::recursion {

using Elements = std::vector<BaseExpr>;
inline void append_to(Elements& to, std::span<const BaseExpr> more) { to.insert(to.end(), more.begin(), more.end()); }

/// Where a part of a statement lies in its elements.
struct Slice {
    std::size_t begin, size;
    [[nodiscard]] std::span<const BaseExpr> of(const Elements& e) const { return std::span(e).subspan(begin, size); }
    [[nodiscard]] Slice part(Slice inner) const { return {begin + inner.begin, inner.size}; }
};

// A segment and a join begin with the same: kind, version, domain, header, payee.
inline constexpr Slice kHead{0, 28};
inline constexpr Slice kPayee{18, 10};
inline constexpr std::size_t kPointSize = 43;    ///< rollup::BatchPoint
inline constexpr std::size_t kBindingSize = 18;  ///< rollup::BindingPoint
inline constexpr std::size_t kWorkSize = 10;     ///< rollup::Work: units in two limbs, root
inline constexpr Slice kSegmentBefore{28, kPointSize}, kSegmentAfter{71, kPointSize}, kSegmentWork{114, kWorkSize};
inline constexpr std::size_t kSegmentElements = 124;
inline constexpr std::size_t kJoinPointSize = kPointSize + 2 * kBindingSize;
inline constexpr Slice kJoinBefore{28, kJoinPointSize}, kJoinAfter{107, kJoinPointSize}, kJoinWork{186, kWorkSize};
inline constexpr std::size_t kJoinElements = 196;
// Inside a join point.
inline constexpr Slice kOperations{0, kPointSize}, kDataBinding{43, kBindingSize}, kEffectsBinding{61, kBindingSize};
// rollup::DataStatement.
inline constexpr std::size_t kDataElements = 80;
inline constexpr std::size_t kDataForm = 12, kDataWords = 29;
inline constexpr Slice kDataPayee{2, 10}, kDataBefore{13, 8}, kDataAfter{21, 8}, kDataL1Hash{30, 16},
    kDataPointAndValue{46, 24}, kDataWork{70, kWorkSize};
// Inside a batch point.
inline constexpr std::size_t kSlotCount = 8, kDataCount = 33, kEffectsCount = 42;

/// How a leaf's public tuples are made of its statement's elements: each value is one of them, or a constant.
struct TupleLayout {
    struct Value {
        bool is_element;
        std::size_t element;
        KoalaBear constant;
    };
    struct Tuple {
        std::uint32_t bus;
        KoalaBear multiplicity;
        std::vector<Value> values;
    };
    std::vector<Tuple> tuples;

    [[nodiscard]] BasicStatement<BaseExpr> on_wires(const Elements& elements) const;
};
/// Found by looking: the tuples and elements of two statements whose elements all differ, from each other and between
/// the two. Precondition (checked): each value is an element or the same constant in both.
TupleLayout find_layout(const std::vector<PublicTuple>& first, std::span<const KoalaBear> first_elements,
                        const std::vector<PublicTuple>& second, std::span<const KoalaBear> second_elements);
/// Of segments and of data proofs.
const TupleLayout& segment_layout();
const TupleLayout& data_layout();

/// Elements as witnesses.
Elements witnesses(CircuitBuilder& builder, std::span<const KoalaBear> values);
/// The chain with this tag (rollup::chain_start).
DigestWire tagged_chain(CircuitBuilder& builder, std::string_view tag, std::span<const BaseExpr> elements);
/// rollup::merge of work.
Elements merge_work(CircuitBuilder& builder, std::span<const BaseExpr> left, std::span<const BaseExpr> right);

}  // namespace quarry::recursion
