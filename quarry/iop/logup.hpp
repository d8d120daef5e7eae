#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "quarry/air/program.hpp"
#include "quarry/air/table.hpp"
#include "quarry/field/packed_ext.hpp"
#include "quarry/iop/gkr.hpp"

namespace quarry {

/// A table with its trace: the witness columns are 2^log_height elements each from `columns` on, end to end, the
/// preprocessed ones likewise from `preprocessed` on.
struct TableInstance {
    const Table* table = nullptr;
    const Program* program = nullptr;
    unsigned log_height = 0;
    const KoalaBear* columns = nullptr;
    const KoalaBear* preprocessed = nullptr;
    [[nodiscard]] const KoalaBear* column(std::size_t c) const noexcept {
        const std::size_t witness = table->num_witness();
        return c < witness ? columns + (c << log_height) : preprocessed + ((c - witness) << log_height);
    }
};

/// Where the fractions of each interaction lie in the leaf layer of LogUp-GKR: an aligned block of 2^log_height at
/// `offset`.
struct LeafBlock {
    std::size_t table;
    std::size_t interaction;
    std::size_t offset;
};
struct LeafLayout {
    std::vector<LeafBlock> blocks;
    unsigned log_size = 0;  ///< m; 0 when there is no interaction at all
};
/// Tables must be given by falling height.
LeafLayout make_leaf_layout(std::span<const Table* const> tables, std::span<const unsigned> log_heights);

/// The challenges of the fingerprint  alpha - (bus + sum_k beta^(k+1) tuple_k).
template <class E>
struct BusChallenges {
    E alpha, beta;
};

/// numerator_weight * multiplicity + denominator_weight * denominator of one interaction, as constant and weights of
/// columns.
template <class E>
struct BusWeights {
    E constant;
    std::vector<E> column, next_column;
};

/// Adds the weights of one interaction to `sum`. `lift` makes an E from a base element.
template <class E, class Lift>
void add_interaction(const Table& table, const Interaction& interaction, const BusChallenges<E>& challenges,
                     const E& numerator_weight, const E& denominator_weight, Lift lift, BusWeights<E>& sum) {
    auto push = [&](const LinearForm& form, const E& w) {
        sum.constant = sum.constant + w * form.constant;
        for (const Term& t : form.terms) {
            const Atom& atom = table.graph.atoms()[t.atom];
            auto& target = atom.kind == Atom::Kind::column ? sum.column : sum.next_column;
            target[atom.column] = target[atom.column] + w * t.coefficient;
        }
    };
    push(interaction.multiplicity, numerator_weight);
    sum.constant = sum.constant + denominator_weight * (challenges.alpha - lift(KoalaBear(interaction.bus)));
    E power = denominator_weight * challenges.beta;
    for (std::size_t k = 0; k < interaction.tuple.size(); ++k) {
        if (k > 0) power = power * challenges.beta;
        push(interaction.tuple[k], lift(KoalaBear()) - power);
    }
}

/// A tuple that the statement puts on a bus: how public input is bound to the tables. F: elements, or wires.
template <class F>
struct BasicPublicTuple {
    std::uint32_t bus;
    F multiplicity;
    std::vector<F> tuple;
};
using PublicTuple = BasicPublicTuple<KoalaBear>;

/// The sum of multiplicity / fingerprint over public tuples, as (numerator, denominator).
template <class B>
std::pair<typename B::E, typename B::E> public_fraction(B& backend,
                                                        std::span<const BasicPublicTuple<typename B::F>> tuples,
                                                        const BusChallenges<typename B::E>& challenges) {
    using E = typename B::E;
    const auto lift = [&](KoalaBear x) { return backend.constant(ExtField(x)); };
    E numerator = lift(KoalaBear());
    E denominator = lift(KoalaBear(1));
    std::vector<E> beta_powers{challenges.beta};
    for (const auto& t : tuples) {
        E fingerprint = challenges.alpha - lift(KoalaBear(t.bus));
        for (std::size_t k = 0; k < t.tuple.size(); ++k) {
            if (k == beta_powers.size()) beta_powers.push_back(beta_powers.back() * challenges.beta);
            fingerprint = fingerprint - beta_powers[k] * t.tuple[k];
        }
        const E others = numerator * fingerprint;
        const E own = denominator * t.multiplicity;
        numerator = others + own;
        denominator = denominator * fingerprint;
    }
    return {numerator, denominator};
}

/// The leaf layer of all interactions, padded with 0/1. Precondition: the layout has a block.
FractionLeaves make_leaves(std::span<const TableInstance> tables, const LeafLayout& layout,
                           const BusChallenges<ExtField>& challenges);

}  // namespace quarry
