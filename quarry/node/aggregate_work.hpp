#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "quarry/node/batch_files.hpp"
#include "quarry/node/batch_prover.hpp"
#include "quarry/node/data_proof.hpp"
#include "quarry/node/node_proof.hpp"
#include "quarry/node/work_folder.hpp"

/// The work of making one bundle of batches and bundles: segments and data proofs, nodes over them, nodes over nodes.
/// What each task is to say is known when the work is planned, so that every output can be checked, whoever made it.
/// docs/spec/work-tree.md, section 5.
namespace quarry::node {

/// A batch cut into segments that nodes can verify.
struct CutBatch {
    std::vector<SegmentInput> segments;
    std::vector<std::size_t> profiles;  ///< by segment: place in recursion::segment_profiles()
};
/// At least `least_segments` (fewer if it has fewer operations), more if they are too large for a profile. refused: the
/// batch is invalid, or one operation alone is too large.
Outcome<CutBatch> cut_for_nodes(const rollup::RollupParameters& parameters, const rollup::StateStore& store,
                                const BatchFiles& batch, std::size_t least_segments);

/// Who proves.
struct Aggregator {
    rollup::L1Address payee;
    std::uint64_t miner_tag = 0;
};

class AggregatePlan {
  public:
    /// `folder`, `catalog`: must outlive the plan.
    AggregatePlan(const WorkFolder& folder, const recursion::Catalog& catalog, const Aggregator& who)
        : folder_(folder), catalog_(catalog), who_(who) {}

    /// Everything that is to be done for one batch, to its bundle of one. `l1_hashes`: as for data_inputs. refused
    /// (too_large): its calldata is more than one data proof holds, or there is another number of hashes.
    Outcome<Done> add_batch(const BatchFiles& batch, const CutBatch& cut, DataPlacement placement,
                            std::span<const rollup::Bytes32> l1_hashes = {});
    /// A bundle that is proven already. Precondition: the file was verified.
    Outcome<Done> add_bundle(std::span<const std::uint8_t> file);
    /// The tree, whose last task is the one that makes the bundle of all, in the order in which they were added. `work`
    /// becomes a parameter of it. refused: too many batches (limit_exceeded), bundles that cannot follow one another
    /// (bundle_shape), or nothing to do (nothing_to_do: one bundle and no batch).
    Outcome<WorkTree> finish(const std::string& work) &&;
    /// The same with one more task on top: the bundle's terminal proof, in the smallest profile with room for it.
    Outcome<WorkTree> finish_terminal(const std::string& work) &&;

  private:
    /// What a task makes, or an object has.
    struct Branch {
        TaskInput proof;
        NodeStatement statement;
    };
    [[nodiscard]] std::map<std::string, std::string> common(const rollup::Header& header) const;
    Outcome<TaskInput> put(std::span<const std::uint8_t> bytes) const;
    Outcome<Branch> node(const std::string& kind, NodeStatement statement, std::vector<TaskInput> children);
    Outcome<std::vector<TaskInput>> segments(const CutBatch& cut, std::vector<rollup::SegmentStatement>& statements);
    Outcome<TaskInput> data(const rollup::Header& header, const DataInput& input, const char* role, std::size_t index,
                            rollup::DataStatement& statement);
    /// A data proof that is to be made, of data or of effects.
    struct Bound {
        TaskInput proof;
        rollup::DataStatement statement;
        rollup::DataRole role;
    };
    /// Data in order, effects last.
    Outcome<std::vector<Bound>> bind(const BatchFiles& batch, std::span<const DataInput> inputs);
    static rollup::JoinStatement as_one(const Branch& left, const Branch& right);
    /// From two parts or more to the batch, whose own statement `item` need not have.
    Outcome<Done> close_parts(std::vector<Branch> parts, const rollup::TerminalItem& item);
    Outcome<Branch> merge_bundles(const Branch& left, const Branch& right);
    /// A batch of one segment and one data proof, which a node is yet to verify.
    struct Leaves {
        std::size_t profile = 0;  ///< of the segment
        std::vector<TaskInput> proofs;
        rollup::TerminalItem item;
    };
    using Whole = std::variant<Branch, Leaves>;
    /// The batch's node of its own.
    Outcome<Branch> close_leaves(Leaves batch);
    /// Whether two wide nodes can verify these, the first half and the other.
    static bool fill_wide_nodes(std::span<const Whole> batches);
    Outcome<Branch> in_wide_nodes(std::span<const Whole> batches);
    /// The tasks that make the bundle of all.
    Outcome<Branch> bundle_all();
    /// The tree, whose last task is known by the work that it ends.
    [[nodiscard]] WorkTree named(const std::string& work) const;

    const WorkFolder& folder_;
    const recursion::Catalog& catalog_;
    Aggregator who_;
    WorkTree tree_;
    std::vector<Whole> bundles_;
};

/// The last task, which makes the bundle or its terminal proof, if the folder is of the work with this name; no value:
/// it is of another one.
std::optional<ContentId> find_bundle_task(const WorkFolder& folder, const std::string& work);

}  // namespace quarry::node
