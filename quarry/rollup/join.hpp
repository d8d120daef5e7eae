#pragma once
#include <vector>

#include "quarry/rollup/binding.hpp"
#include "quarry/rollup/statement.hpp"

/// What proofs that verify leaf proofs say: a part of a batch, and a whole batch. The order of the field elements is
/// normative: docs/spec/operations.md, section 6.
namespace quarry::rollup {

/// A position in the proof of a batch: how far operations are applied, and how far their words and their effects are
/// bound to L1. Three runs side by side, none of which waits for another.
struct JoinPoint {
    BatchPoint operations;
    BindingPoint data;
    BindingPoint effects;
    friend bool operator==(const JoinPoint&, const JoinPoint&) noexcept = default;
};

/// A part of a batch: segments and data proofs lead from `before` to `after`. A segment moves operations only, a data
/// proof data only or effects only. Every part is an arrow between two points, so that any tree of joins over the same
/// leaves says the same, its work root apart.
struct JoinStatement {
    Digest domain{};
    Digest header{};
    L1Address payee;
    JoinPoint before;
    JoinPoint after;
    Work work;
    friend bool operator==(const JoinStatement&, const JoinStatement&) noexcept = default;
};

/// A segment as a part: the bindings stay where they are.
Checked<JoinStatement> lift(const SegmentStatement& segment, const BindingPoint& data, const BindingPoint& effects);

/// What the words of a data proof are.
enum class DataRole : std::uint32_t { data = 0, effects = 1 };
/// A data proof as a part of the batch `domain`, `header`: it binds the next run of data or effects at `point`. (A data
/// proof says neither domain nor header: the accumulator that it continues starts at the header's hash.) Refuses what
/// bind_data or bind_effects refuse.
Checked<JoinStatement> lift(const DataRun& run, DataRole role, const L1Address& payee, const Work& work,
                            const Digest& domain, const Digest& header, const JoinPoint& point);

/// `left` followed by `right`. Total; refuses, a code for each cause: another rollup, batch or payee, no payee, points
/// that do not meet, counts that fall or exceed their limits, units of work beyond 2^32 - 1.
Checked<JoinStatement> merge(const JoinStatement& left, const JoinStatement& right);

/// A whole batch, bound to L1. Of its header, `header` is the digest and `after` what it claims.
struct BatchStatement {
    Digest domain{};
    Digest header{};
    L1Address payee;
    State before;
    State after;
    Accumulator data;     ///< list of the bindings of the data: 1 to 6
    Accumulator effects;  ///< list of the bindings of the effects: 1, or 0 if there are none
    Work work;
    friend bool operator==(const BatchStatement&, const BatchStatement&) noexcept = default;
};

/// The statement of the whole batch, if the part is one under this header: operations run from batch_start to what the
/// header claims, the bindings of data from the header's hash to the final data accumulator, and the effects are bound
/// if there are some.
Checked<BatchStatement> close(const JoinStatement& part, const Header& header);

/// The statement's elements, in the order in which proofs absorb them: 196 and 90.
std::vector<KoalaBear> elements(const JoinStatement& statement);
std::vector<KoalaBear> elements(const BatchStatement& statement);
/// The chains "quarry/join/v1" and "quarry/batch/v1" over them.
Digest digest(const JoinStatement& statement);
Digest digest(const BatchStatement& statement);

}  // namespace quarry::rollup
