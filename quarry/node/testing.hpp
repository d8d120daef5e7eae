#pragma once
/// Shared by this module's tests: a history of batches with rollbacks and finalisations, its expected states, and a
/// durable store that follows it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "quarry/node/durable_store.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::node::testing {

using StorePointer = std::unique_ptr<DurableStore>;

inline std::vector<std::uint8_t> snapshot_bytes(const rollup::StateReader& store, std::uint64_t batch_number) {
    std::vector<std::uint8_t> bytes;
    const auto append = [&](std::span<const std::uint8_t> part) {
        bytes.insert(bytes.end(), part.begin(), part.end());
    };
    QUARRY_CHECK(rollup::export_snapshot(store, batch_number, append).ok());
    return bytes;
}

/// The next batch on a world's store: n random operations, refused ones among them.
inline rollup::ExecutedBatch random_batch(rollup::testing::World& world, std::uint64_t seed, std::size_t n) {
    rollup::BatchBuilder builder(world.parameters, world.plan(), world.store, world.queues);
    rollup::testing::RandomTraffic(world, seed).run(builder, n);
    auto batch = builder.seal();
    QUARRY_CHECK(batch.ok());
    return std::move(batch).value();
}

/// What can be seen of a store from outside.
struct Point {
    rollup::State state;
    std::uint64_t batch_number = 0;
    std::uint64_t finalised_number = 0;
    std::vector<std::uint8_t> note;
    friend bool operator==(const Point&, const Point&) = default;
};
inline Point point_of(const DurableStore& store) {
    return {store.state(), store.batch_number(), store.finalised_number(), store.note()};
}

/// Writes made one after the other, and where each leads to: points()[i] is after i steps.
class History {
  public:
    History() { points_.push_back({world_.store.state(), 0, 0, {}}); }

    void commit(std::uint64_t seed, std::size_t num_operations, std::vector<std::uint8_t> note) {
        Step step{Kind::commit, 0, random_batch(world_, seed, num_operations), note};
        QUARRY_CHECK(world_.store.commit(step.batch.commit, step.batch.update).ok());
        if (note.empty()) note = points_.back().note;
        notes_.resize(world_.store.batch_number());
        notes_.push_back(note);
        add(std::move(step));
    }
    void rollback(std::uint64_t number) {
        QUARRY_CHECK(world_.store.rollback(number).ok());
        add({Kind::rollback, number, {}, {}});
    }
    void finalise(std::uint64_t number) {
        QUARRY_CHECK(world_.store.finalise(number).ok());
        add({Kind::finalise, number, {}, {}});
    }
    void reopen() { add({Kind::reopen, 0, {}, {}}); }

    [[nodiscard]] const rollup::testing::World& world() const { return world_; }
    [[nodiscard]] std::size_t size() const { return steps_.size(); }
    [[nodiscard]] const std::vector<Point>& points() const { return points_; }

    [[nodiscard]] Stored<StorePointer> create(const std::string& directory, const StoreOptions& options) const {
        const auto keys = rollup::testing::World::keys();
        return DurableStore::create(directory, world_.parameters, rollup::testing::World::leaves(), keys, options);
    }
    /// Makes steps from `first` on until one fails; returns the number of steps after the last that was acknowledged.
    std::size_t run(StorePointer& store, std::size_t first, const std::string& directory,
                    const StoreOptions& options) const {
        for (std::size_t i = first; i < steps_.size(); ++i) {
            if (!make(steps_[i], store, directory, options)) return i;
        }
        return steps_.size();
    }

  private:
    enum class Kind { commit, rollback, finalise, reopen };
    struct Step {
        Kind kind;
        std::uint64_t number;
        rollup::ExecutedBatch batch;
        std::vector<std::uint8_t> note;
    };

    void add(Step step) {
        steps_.push_back(std::move(step));
        const auto number = world_.store.batch_number();
        points_.push_back({world_.store.state(), number, world_.store.finalised_number(), notes_[number]});
    }
    static bool make(const Step& step, StorePointer& store, const std::string& directory, const StoreOptions& options) {
        switch (step.kind) {
            case Kind::commit:
                if (!step.note.empty()) store->set_note(step.note);
                return store->commit(step.batch.commit, step.batch.update).ok();
            case Kind::rollback:
                return store->rollback(step.number).ok();
            case Kind::finalise:
                return store->finalise(step.number).ok();
            case Kind::reopen:
                break;
        }
        store.reset();
        auto opened = DurableStore::open(directory, options);
        if (opened) store = std::move(opened).value();
        return store != nullptr;
    }

    rollup::testing::World world_;
    std::vector<Step> steps_;
    std::vector<Point> points_;
    std::vector<std::vector<std::uint8_t>> notes_ = {{}};  ///< after each batch
};

}  // namespace quarry::node::testing
