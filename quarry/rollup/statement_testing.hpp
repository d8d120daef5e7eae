#pragma once
/// Shared by tests: the leaves of a made-up batch's proof, so that statements can be tested without executing or
/// proving anything.

#include <algorithm>
#include <random>
#include <vector>

#include "quarry/rollup/bundle.hpp"
#include "quarry/rollup/effects.hpp"

namespace quarry::rollup::testing {

/// A batch whose states and accumulators are drawn at random; its leaves meet, in whatever order the three runs
/// (operations, data, effects) advance.
class MadeUpBatch {
  public:
    MadeUpBatch(std::uint64_t seed, std::uint32_t num_words, std::uint16_t num_effects, std::size_t num_segments,
                BindingForm form = BindingForm::blob)
        : rng_(seed) {
        domain = digest();
        payee.bytes.fill(static_cast<std::uint8_t>(1 + rng_() % 255));
        State before{digest(), below(1000), rng_() >> 8, rng_() >> 8};
        header = {.version = kProtocolVersion,
                  .rollup_id = below(1u << 30),
                  .number = rng_(),
                  .parent_hash = bytes(),
                  .byte_length = num_words * static_cast<std::uint32_t>(kWordBytes),
                  .timestamp = below(1u << 31),
                  .fee_receiver = digest(),
                  .num_effects = num_effects,
                  .deposit_cursor = before.deposit_cursor + below(5),
                  .deposit_hash = bytes(),
                  .forced_cursor = before.forced_cursor + below(5),
                  .forced_hash = bytes(),
                  .post_root = digest(),
                  .post_slot_count = before.slot_count + below(100)};
        make_segments(before, num_segments);
        make_data(form);
        if (num_effects > 0) {
            effects = run(BindingForm::horner, effects_start().digest, end_.effects.digest, 2u * num_effects);
        }
    }

    /// All leaves as parts, each once, every run in its order; which run comes next is drawn.
    std::vector<JoinStatement> parts() {
        std::vector<JoinStatement> r;
        JoinPoint at{segments.front().before, binding_start(segments.front().header),
                     binding_start(effects_start().digest)};
        std::vector<int> order(segments.size(), 0);
        order.insert(order.end(), data.size(), 1);
        if (effects) order.push_back(2);
        std::shuffle(order.begin(), order.end(), rng_);
        std::size_t segment = 0;
        std::size_t blob = 0;
        for (const int which : order) {
            if (which == 0) {
                r.push_back(lift(segments[segment++], at.data, at.effects).value());
            } else {
                const bool is_data = which == 1;
                const DataRun& next = is_data ? data[blob++] : *effects;
                r.push_back(lift(next, is_data ? DataRole::data : DataRole::effects, payee,
                                 leaf_work(rng_(), next.binding.words), domain, segments.front().header, at)
                                .value());
            }
            at = r.back().after;
        }
        return r;
    }
    /// Merged in a tree of random shape.
    JoinStatement merge_all(std::vector<JoinStatement> parts) {
        while (parts.size() > 1) {
            const std::size_t i = below(static_cast<std::uint32_t>(parts.size() - 1));
            parts[i] = merge(parts[i], parts[i + 1]).value();
            parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
        return parts.front();
    }
    JoinStatement whole() { return merge_all(parts()); }
    TerminalItem item() {
        TerminalItem r{.batch = close(whole(), header).value(), .header = header, .data = {}, .effects = {}};
        for (const DataRun& blob : data) r.data.push_back(blob.binding);
        if (effects) r.effects = effects->binding;
        return r;
    }

    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(rng_() % n); }
    Digest digest() {
        Digest d;
        for (KoalaBear& x : d) x = KoalaBear(rng_());
        return d;
    }
    Bytes32 bytes() {
        Bytes32 r;
        for (std::uint8_t& b : r) b = static_cast<std::uint8_t>(rng_());
        return r;
    }

    Digest domain{};
    L1Address payee;
    Header header;
    std::vector<SegmentStatement> segments;
    std::vector<DataRun> data;
    std::optional<DataRun> effects;

  private:
    DataRun run(BindingForm form, const Digest& before, const Digest& after, std::uint32_t num_words) {
        return {
            before, after, {.form = form, .words = num_words, .l1_hash = bytes(), .point = digest(), .value = bytes()}};
    }
    void make_segments(const State& before, std::size_t num_segments) {
        const Digest hash = header_hash(header);
        BatchPoint at = batch_start(before, hash);
        for (std::size_t i = 0; i < num_segments; ++i) {
            const bool last = i + 1 == num_segments;
            BatchPoint next = at;
            next.state = last ? header.post_state() : before;
            next.state.root = last ? header.post_root : digest();
            next.fees = last ? batch_start(before, hash).fees : digest();
            const auto num_words = static_cast<std::uint32_t>(header.byte_length / kWordBytes);
            next.data = {digest(), last ? num_words : at.data.count + below(num_words - at.data.count + 1)};
            if (header.num_effects > 0) next.effects = {digest(), last ? header.num_effects : at.effects.count};
            segments.push_back({.domain = domain,
                                .header = hash,
                                .payee = payee,
                                .before = at,
                                .after = next,
                                .work = leaf_work(rng_(), next.data.count - at.data.count)});
            at = next;
        }
        end_ = at;
    }
    void make_data(BindingForm form) {
        Digest at = header_hash(header);
        std::uint32_t left = end_.data.count;
        do {
            const std::uint32_t n = form == BindingForm::blob ? std::min<std::uint32_t>(left, kBlobWords) : left;
            left -= n;
            const Digest next = left == 0 ? end_.data.digest : digest();
            data.push_back(run(form, at, next, n));
            at = next;
        } while (left > 0);
    }

    std::mt19937_64 rng_;
    BatchPoint end_;
};

/// Every field of a part, changed: name and change.
struct Change {
    const char* name;
    void (*make)(JoinStatement&);
};
inline const std::vector<Change>& join_changes() {
    static const std::vector<Change> changes = {
        {"domain", [](JoinStatement& s) { s.domain[3] += KoalaBear(1); }},
        {"header", [](JoinStatement& s) { s.header[0] += KoalaBear(1); }},
        {"payee", [](JoinStatement& s) { s.payee.bytes[19] ^= 1; }},
        {"before root", [](JoinStatement& s) { s.before.operations.state.root[7] += KoalaBear(1); }},
        {"before slot count", [](JoinStatement& s) { s.before.operations.state.slot_count ^= 1; }},
        {"before deposits", [](JoinStatement& s) { s.before.operations.state.deposit_cursor ^= 1; }},
        {"before forced", [](JoinStatement& s) { s.before.operations.state.forced_cursor ^= 1ull << 63; }},
        {"before fees", [](JoinStatement& s) { s.before.operations.fees[0] += KoalaBear(1); }},
        {"before data", [](JoinStatement& s) { s.before.operations.data.digest[1] += KoalaBear(1); }},
        {"before words", [](JoinStatement& s) { s.before.operations.data.count += 1; }},
        {"before effects", [](JoinStatement& s) { s.before.operations.effects.digest[1] += KoalaBear(1); }},
        {"before effect count", [](JoinStatement& s) { s.before.operations.effects.count += 1; }},
        {"before bound data", [](JoinStatement& s) { s.before.data.words.digest[0] += KoalaBear(1); }},
        {"before bound words", [](JoinStatement& s) { s.before.data.words.count += 1; }},
        {"before data list", [](JoinStatement& s) { s.before.data.bindings.digest[0] += KoalaBear(1); }},
        {"before data bindings", [](JoinStatement& s) { s.before.data.bindings.count += 1; }},
        {"before bound effects", [](JoinStatement& s) { s.before.effects.words.digest[0] += KoalaBear(1); }},
        {"before bound effect words", [](JoinStatement& s) { s.before.effects.words.count += 1; }},
        {"before effects list", [](JoinStatement& s) { s.before.effects.bindings.digest[0] += KoalaBear(1); }},
        {"before effects bindings", [](JoinStatement& s) { s.before.effects.bindings.count += 1; }},
        {"after root", [](JoinStatement& s) { s.after.operations.state.root[7] += KoalaBear(1); }},
        {"after slot count", [](JoinStatement& s) { s.after.operations.state.slot_count += 1; }},
        {"after deposits", [](JoinStatement& s) { s.after.operations.state.deposit_cursor += 1; }},
        {"after forced", [](JoinStatement& s) { s.after.operations.state.forced_cursor += 1; }},
        {"after fees", [](JoinStatement& s) { s.after.operations.fees[0] += KoalaBear(1); }},
        {"after data", [](JoinStatement& s) { s.after.operations.data.digest[1] += KoalaBear(1); }},
        {"after words", [](JoinStatement& s) { s.after.operations.data.count += 1; }},
        {"after effects", [](JoinStatement& s) { s.after.operations.effects.digest[1] += KoalaBear(1); }},
        {"after effect count", [](JoinStatement& s) { s.after.operations.effects.count += 1; }},
        {"after bound data", [](JoinStatement& s) { s.after.data.words.digest[0] += KoalaBear(1); }},
        {"after bound words", [](JoinStatement& s) { s.after.data.words.count += 1; }},
        {"after data list", [](JoinStatement& s) { s.after.data.bindings.digest[0] += KoalaBear(1); }},
        {"after data bindings", [](JoinStatement& s) { s.after.data.bindings.count += 1; }},
        {"after bound effects", [](JoinStatement& s) { s.after.effects.words.digest[0] += KoalaBear(1); }},
        {"after bound effect words", [](JoinStatement& s) { s.after.effects.words.count += 1; }},
        {"after effects list", [](JoinStatement& s) { s.after.effects.bindings.digest[0] += KoalaBear(1); }},
        {"after effects bindings", [](JoinStatement& s) { s.after.effects.bindings.count += 1; }},
        {"units", [](JoinStatement& s) { s.work.units += 65536; }},
        {"work root", [](JoinStatement& s) { s.work.root[0] += KoalaBear(1); }},
    };
    return changes;
}

}  // namespace quarry::rollup::testing
