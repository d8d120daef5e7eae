#pragma once
#include <array>
#include <memory>
#include <vector>

#include "quarry/proof/key.hpp"
#include "quarry/proof/proof.hpp"
#include "quarry/recursion/builder.hpp"

namespace quarry::recursion {

/// The kinds of tables, in the order of CircuitRows.
enum class TableKind : std::size_t {
    sponge,
    tree,
    upper,
    cap,
    sum,
    form,
    convolution,
    base_fold,
    extension_fold,
    polynomial,
    power,
    pack,
    digest,
    constant,
    index,
    public_input,
    count,
};
inline constexpr auto kTableKinds = static_cast<std::size_t>(TableKind::count);

/// log2 of the heights of the tables of each kind: one or more of a kind, or none: of the public input in a circuit
/// that exposes a digest, of what RowKinds::few does without. What a circuit's shape is, beside the preprocessed cells.
using ShapeHeights = std::array<std::vector<unsigned>, kTableKinds>;

/// The rows that were asked for, by kind.
std::array<std::size_t, kTableKinds> count_rows(const CircuitRows& rows);
/// Heights that the rows fit in: one table of a kind, or, with rows of all kinds, two where that saves a quarter.
ShapeHeights fit(const CircuitRows& rows);
/// The tables of a shape, all of one kind next to each other.
std::unique_ptr<Circuit> make_circuit(const ShapeHeights& heights);
/// log2 heights by table of make_circuit.
Heights heights_of(const ShapeHeights& shape);

/// Does not fit: nullopt. `log_lanes`: of the stack (Protocol::log_stack_lanes).
std::optional<PreprocessedTrace> lay_out_preprocessed(const Circuit& circuit, const ShapeHeights& shape,
                                                      const CircuitRows& rows, unsigned log_lanes = kLogStackLanes);
/// Precondition: fits.
Trace lay_out_witness(const Circuit& circuit, const ShapeHeights& shape, const CircuitRows& rows,
                      unsigned log_lanes = kLogStackLanes);

/// The statement of a recursion circuit: one digest.
Statement digest_statement(const Digest& digest);
/// Or the rows of a public input, each padded with zeros to kPublicValues. Precondition: none is longer.
Statement public_statement(std::span<const std::vector<KoalaBear>> rows);

}  // namespace quarry::recursion
