#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/air/program.hpp"
#include "quarry/air/table.hpp"
#include "quarry/base/buffer.hpp"
#include "quarry/base/result.hpp"
#include "quarry/iop/logup.hpp"
#include "quarry/proof/security.hpp"

namespace quarry {

/// What the soundness of every proof is computed for: a circuit beyond it is our own mistake (checked), heights beyond
/// it are refused.
inline constexpr CircuitBounds kCircuitBounds{};

/// The tables that one kind of proof is about. Tuples on one bus must all have the same number of values
/// (checked): fingerprints of (x) and (x, 0) are equal. A table with preprocessed columns has a fixed height and does
/// not read them in the next row (checked); some column is no preprocessed one. Immovable: traces, keys and proofs
/// point into it.
class Circuit {
  public:
    /// `constants`: tuples that every statement of this circuit puts on the buses (the base points of a table of
    /// multiples, say): part of the digest.
    Circuit(std::string name, std::vector<Table> tables, std::vector<PublicTuple> constants = {});
    Circuit(const Circuit&) = delete;
    Circuit& operator=(const Circuit&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::span<const Table> tables() const noexcept { return tables_; }
    [[nodiscard]] std::span<const PublicTuple> constants() const noexcept { return constants_; }
    /// Compiled on first use: a verifier needs none.
    [[nodiscard]] const Program& program(std::size_t table) const;
    /// Binds the name and every table: the part of a verifying key that does not depend on sizes. Not the cells of
    /// preprocessed columns: those are bound by the key's root (quarry/proof/key.hpp).
    [[nodiscard]] const Digest& digest() const noexcept { return digest_; }
    /// Proofs of a circuit with preprocessed columns need a key.
    [[nodiscard]] bool has_preprocessed() const noexcept { return has_preprocessed_; }
    /// The number of values in every tuple of a bus; nullopt for a bus that no table uses.
    [[nodiscard]] std::optional<std::size_t> bus_arity(std::uint32_t bus) const;

  private:
    std::string name_;
    std::vector<Table> tables_;
    std::vector<PublicTuple> constants_;
    struct LazyProgram {
        std::once_flag once;
        Program program;
    };
    mutable std::vector<std::unique_ptr<LazyProgram>> programs_;
    Digest digest_{};
    bool has_preprocessed_ = false;
    std::map<std::uint32_t, std::size_t> arity_;
};

/// log2 of each table's height, by table number.
using Heights = std::vector<unsigned>;

inline constexpr unsigned kMinLogHeight = 9;
inline constexpr unsigned kMaxLogHeight = 21;   ///< 2^28 cells hold 128 lanes of it
inline constexpr std::size_t kMaxTables = 255;  ///< the wire form counts them in one byte
inline constexpr unsigned kLogStackLanes = 7;
inline constexpr unsigned kMinLogStack = 16;
inline constexpr unsigned kMaxLogStack = 28;

/// How the columns of all tables lie in one vector of 2^log_size: first the preprocessed ones, end to end, padded with
/// zeros to whole lanes, then the others; each time tables by falling height (ties by number).
struct StackLayout {
    std::vector<std::size_t> order;                ///< table numbers by falling height
    std::vector<std::size_t> offset;               ///< by table number: where its column 0 starts
    std::vector<std::size_t> preprocessed_offset;  ///< by table number: where its first preprocessed column starts
    std::size_t used_cells = 0;                    ///< of all columns, without padding
    unsigned log_size = 0;
    unsigned log_lanes = kLogStackLanes;
    std::size_t used_lanes = 0;          ///< of 2^(log_size - log_lanes) cells each; the last one padded with zeros
    std::size_t preprocessed_lanes = 0;  ///< the first ones of these; 0 without preprocessed columns
    [[nodiscard]] unsigned log_lane() const noexcept { return log_size - log_lanes; }
    [[nodiscard]] std::size_t witness_lanes() const noexcept { return used_lanes - preprocessed_lanes; }
    /// Lanes of each commitment to the stack, in the order of the stack: preprocessed ones if there are any, witness.
    [[nodiscard]] std::vector<std::size_t> lanes_of_parts() const;
    /// The number of column c of table t among chunks of the table's height. `table` and `log_height` are t's.
    [[nodiscard]] std::size_t chunk(std::size_t t, const Table& table, unsigned log_height, std::size_t c) const;
};

/// bad_shape: a wrong number of heights, one outside of [kMinLogHeight, kMaxLogHeight], or another one than the table
/// fixes; limit_exceeded: too many cells.
Result<StackLayout> make_stack_layout(const Circuit& circuit, const Heights& heights,
                                      unsigned log_lanes = kLogStackLanes);

/// The committed cells of a witness, laid out as the stack: every column but the preprocessed ones.
class Trace {
  public:
    /// Precondition: make_stack_layout succeeds. Cells are uninitialised, padding is zero.
    Trace(const Circuit& circuit, Heights heights, unsigned log_lanes = kLogStackLanes);

    [[nodiscard]] const Heights& heights() const noexcept { return heights_; }
    [[nodiscard]] const StackLayout& layout() const noexcept { return layout_; }
    /// Column c of table t, 2^heights()[t] cells. Columns of a table follow each other. Precondition: not a
    /// preprocessed one.
    [[nodiscard]] std::span<KoalaBear> column(std::size_t t, std::size_t c);
    [[nodiscard]] std::span<const KoalaBear> column(std::size_t t, std::size_t c) const;
    /// The witness lanes, end to end.
    [[nodiscard]] std::span<const KoalaBear> stack() const noexcept { return cells_.span(); }
    /// Without its preprocessed columns, which a key has.
    [[nodiscard]] TableInstance instance(std::size_t t) const;

  private:
    [[nodiscard]] std::size_t first_cell(std::size_t t, std::size_t c) const;

    const Circuit* circuit_;
    Heights heights_;
    StackLayout layout_;
    Buffer<KoalaBear> cells_;
};

}  // namespace quarry
