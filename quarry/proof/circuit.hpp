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
/// (checked): fingerprints of (x) and (x, 0) are equal. Immovable: traces and proofs point into it.
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
    /// Binds the name and every table: the part of a verifying key that does not depend on sizes.
    [[nodiscard]] const Digest& digest() const noexcept { return digest_; }
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

/// How the columns of all tables lie in one vector of 2^log_size: end to end, tables by falling height (ties by
/// number).
struct StackLayout {
    std::vector<std::size_t> order;   ///< table numbers by falling height
    std::vector<std::size_t> offset;  ///< by table number: where its column 0 starts
    std::size_t used_cells = 0;
    unsigned log_size = 0;
    std::size_t used_lanes = 0;  ///< of 2^(log_size - 7) cells each; the last one padded with zeros
    [[nodiscard]] unsigned log_lane() const noexcept { return log_size - kLogStackLanes; }
};

/// bad_shape: a wrong number of heights, one outside of [kMinLogHeight, kMaxLogHeight], or another one than the table
/// fixes; limit_exceeded: too many cells.
Result<StackLayout> make_stack_layout(const Circuit& circuit, const Heights& heights);

/// The committed cells of a witness, laid out as the stack.
class Trace {
  public:
    /// Precondition: make_stack_layout succeeds. Cells are uninitialised, padding is zero.
    Trace(const Circuit& circuit, Heights heights);

    [[nodiscard]] const Heights& heights() const noexcept { return heights_; }
    [[nodiscard]] const StackLayout& layout() const noexcept { return layout_; }
    /// Column c of table t, 2^heights()[t] cells. Columns of a table follow each other.
    [[nodiscard]] std::span<KoalaBear> column(std::size_t t, std::size_t c);
    [[nodiscard]] std::span<const KoalaBear> column(std::size_t t, std::size_t c) const;
    [[nodiscard]] std::span<const KoalaBear> stack() const noexcept { return cells_.span(); }
    [[nodiscard]] TableInstance instance(std::size_t t) const;

  private:
    const Circuit* circuit_;
    Heights heights_;
    StackLayout layout_;
    Buffer<KoalaBear> cells_;
};

}  // namespace quarry
