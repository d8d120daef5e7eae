#pragma once
#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "quarry/base/buffer.hpp"
#include "quarry/iop/logup.hpp"
#include "quarry/iop/zerocheck.hpp"
#include "quarry/poly/interpolation.hpp"

namespace quarry {

/// Roots of one degree in one tape, as accumulate_* wants them.
struct RootClass {
    std::size_t index;  // into Program::degrees()
    std::vector<ExtField> weights;
    std::vector<std::uint32_t> slots;
};

/// Sums by stage (coset or evaluation point) and degree class.
using ClassSums = std::vector<std::vector<std::vector<ExtBlock>>>;

/// The part of one table in the sumcheck of zerocheck.hpp. Holds its own claim: the sum over its rows, weighted by eq,
/// of what is left of it.
class TableProver {
  public:
    TableProver(const TableInstance& instance, ProgramWeights<ExtField> constraints, BusWeights<ExtField> bus,
                std::span<const ExtField> rho)
        : instance_(instance),
          program_(*instance.program),
          table_(*instance.table),
          weights_(std::move(constraints)),
          bus_(std::move(bus)),
          rho_(rho.first(instance.log_height)),
          next_columns_(table_.next_columns()),
          degrees_(program_.degrees()),
          num_chunks_(std::size_t{1} << (instance.log_height - kLogChunkRows)) {
        for (const Tape& tape : program_.at_least) at_least_.push_back(classes_of(tape));
        below_max_ = classes_of(program_.below_max);
    }

    /// This table's part of v, 31 d + 1 coefficients at least.
    Coefficients skip_polynomial();
    /// Binds the skip variables; `lagrange` = skip_weights of the skip point.
    void bind_skip(std::span<const ExtField> lagrange);
    /// Without a skip: every row as it is, in E, and the claim of the whole sum.
    void lift_columns();
    /// The coefficients of G for variable u.
    Coefficients round(unsigned u);
    void bind(unsigned u, const ExtField& r);
    ColumnValues<ExtField> values(const RowPoint<ExtField>& point) const;
    void set_claim(const ExtField& claim) { claim_ = claim; }

  private:
    std::vector<RootClass> classes_of(const Tape& tape) const {
        std::vector<RootClass> classes;
        for (const Tape::Root& root : tape.roots) {
            const unsigned degree = program_.roots[root.root].degree;
            const auto index =
                static_cast<std::size_t>(std::find(degrees_.begin(), degrees_.end(), degree) - degrees_.begin());
            if (classes.empty() || classes.back().index != index) classes.push_back({index, {}, {}});
            classes.back().weights.push_back(weights_.roots[root.root]);
            classes.back().slots.push_back(root.slot);
        }
        return classes;
    }
    [[nodiscard]] unsigned top_degree() const { return degrees_.empty() ? 1 : degrees_.front(); }
    // The tape of stage s, in round 0 the coset s, later the point s: roots that are not yet determined there.
    // Round 0, coset s > 0: degree >= s + 1. Later, point s: degree >= s, but s = 1 leaves out the top degree, which
    // the claim determines; and so does coset 0, where all constraints together vanish.
    [[nodiscard]] const Tape& tape(std::size_t threshold, bool below) const {
        return below ? program_.below_max : program_.at_least[threshold];
    }
    [[nodiscard]] const std::vector<RootClass>& classes(std::size_t threshold, bool below) const {
        return below ? below_max_ : at_least_[threshold];
    }

    void make_inputs();
    [[nodiscard]] ColumnValues<ExtField> values_at(std::span<const ExtField> point) const;

    struct SkipScratch;
    void skip_chunk(std::size_t chunk, const ExtField& weight, SkipScratch& scratch) const;
    struct PairScratch;
    void run_pairs(std::size_t first, std::size_t count, std::span<const ExtField> weights, PairScratch& scratch) const;

    const TableInstance instance_;
    const Program& program_;
    const Table& table_;
    ProgramWeights<ExtField> weights_;
    BusWeights<ExtField> bus_;
    std::span<const ExtField> rho_;
    std::vector<std::uint32_t> next_columns_;
    std::vector<unsigned> degrees_;  // distinct, falling
    std::vector<std::vector<RootClass>> at_least_;
    std::vector<RootClass> below_max_;
    std::size_t num_chunks_;
    ExtField claim_;

    // After the skip: one ExtBlock a chunk, the variables from 9 on being left; without it one for 16 rows.
    unsigned first_variable_ = kLogChunkRows;
    std::vector<Buffer<ExtBlock>> folded_;  // columns, then next-row columns
    std::vector<Buffer<ExtBlock>> inputs_;  // the tapes' inputs, then the one combined linear column
    std::size_t num_blocks_ = 0;            // live blocks of inputs_
    std::size_t live_lanes_ = kLanes;
};

}  // namespace quarry
