#include "quarry/circuits/signature/signature_witness.hpp"

#include <algorithm>
#include <array>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/circuits/rows.hpp"
#include "quarry/curve/kernels/schedule.hpp"
#include "quarry/hash/poseidon_batch.hpp"

namespace quarry::circuits {
namespace {

using Curve = SignatureCurve;

constexpr std::size_t kRowsPerSignature = kWindows / kWindowsPerRow;

// Groups that go through the schedule in lock-step and share each step's inversion; few, for their rows are written
// column by column and should stay in the cache.
constexpr std::size_t kChunkGroups = 8;
constexpr std::size_t kChunk = kChunkGroups * kLanes;

std::array<std::uint8_t, kWindows> challenge_digits(const Challenge& e) {
    std::array<std::uint8_t, kWindows> r;
    for (std::size_t i = 0; i < kWindows; ++i) {
        const std::uint8_t byte = e[(kWindows - 1 - i) / 2];
        r[i] = i % 2 == 0 ? byte >> 4 : byte & 15;
    }
    return r;
}

/// Fills the rows of a few signatures: digits and selectors first, then what the schedule reports, then the hashes.
/// `signature` rows are zero before, `schedule` rows anything.
class ChunkFiller final : public ScheduleObserver {
  public:
    ChunkFiller(std::span<const SignatureInput> inputs, SignatureRow<KoalaBear>* signature,
                ScheduleRow<KoalaBear>* schedule)
        : inputs_(inputs), signature_(signature), schedule_(schedule), groups_((inputs.size() + kLanes - 1) / kLanes) {}

    void run() {
        for (std::size_t i = 0; i < groups_.size() * kLanes; ++i) {
            load_lane(i);
            if (i < inputs_.size()) fill_digits(i);
        }
        observe_schedule(groups_.span(), *this);
        hash_all();
    }

    // What the schedule reports.
    void tangent(std::size_t group, const Element& slope) override {
        for_each_lane(group, [&](std::size_t l, std::size_t i) { put(signature_[i].double_slope, slope, l); });
    }
    void odd_multiple(std::size_t group, std::size_t j, const Element& slope, const Element& x,
                      const Element& y) override {
        for_each_lane(group, [&](std::size_t l, std::size_t i) {
            auto& cells = signature_[i].multiple[j - 1];
            put(cells.slope, slope, l);
            put(cells.point.x, x, l);
            put(cells.point.y, y, l);
        });
    }
    void doubling(std::size_t group, std::size_t window, std::size_t step, const Element& slope) override {
        for_each_lane(group, [&](std::size_t l, std::size_t i) { put(cells(i, window).double_slope[step], slope, l); });
    }
    void addition(std::size_t group, std::size_t window, bool of_comb, const Element& slope,
                  const Element& difference) override {
        const auto checks = show_differences(group, difference);
        for_each_lane(group, [&](std::size_t l, std::size_t i) {
            auto& step = cells(i, window);
            if (of_comb) {
                step.comb = point_cells(comb_table<Curve>().entry(window, step.digit.canonical()));
            } else {
                step.odd = odd_multiple_of(signature_[i], step.e.canonical());
            }
            put(of_comb ? step.comb_slope : step.odd_slope, slope, l);
            (of_comb ? step.comb_check : step.odd_check) = checks[l];
        });
    }
    void accumulator(std::size_t group, std::size_t window, const Element& x, const Element& y) override {
        if (window % kWindowsPerRow == 0) return;
        const std::size_t next = window / kWindowsPerRow + 1;
        for_each_lane(group, [&](std::size_t l, std::size_t i) {
            // R goes into the signature's own first row until link_runs() moves it to the next one's.
            auto& acc = row(i, next % kRowsPerSignature).acc;
            put(acc.x, x, l);
            put(acc.y, y, l);
            if (next == kRowsPerSignature) signature_[i].r = commitment_coordinates(acc);
        });
    }

  private:
    ScheduleRow<KoalaBear>& row(std::size_t i, std::size_t r) { return schedule_[i * kRowsPerSignature + r]; }
    WindowCells<KoalaBear>& cells(std::size_t i, std::size_t window) {
        return row(i, window / kWindowsPerRow).step[window % kWindowsPerRow];
    }
    /// f(lane, input) for the group's lanes that are not spare.
    template <class F>
    void for_each_lane(std::size_t group, F f) {
        const std::size_t count = std::min<std::size_t>(kLanes, inputs_.size() - group * kLanes);
        for (std::size_t l = 0; l < count; ++l) f(l, group * kLanes + l);
    }
    static void put(ElementOf<KoalaBear>& cells, const Element& element, std::size_t lane) {
        for (std::size_t k = 0; k < kDegree; ++k) cells[k] = KoalaBear::from_montgomery(element[k][lane]);
    }
    static PointCells<KoalaBear> odd_multiple_of(const SignatureRow<KoalaBear>& s, std::size_t e) {
        const bool negative = e < kOddMultiples;
        const std::size_t j = negative ? kOddMultiples - 1 - e : e - kOddMultiples;
        PointCells<KoalaBear> point = j == 0 ? s.key : s.multiple[j - 1].point;
        if (negative) {
            for (KoalaBear& y : point.y) y = -y;
        }
        return point;
    }

    // Spare lanes repeat the last input.
    void load_lane(std::size_t i) {
        const SignatureInput& input = inputs_[std::min(i, inputs_.size() - 1)];
        ScheduleGroup<Curve>& g = groups_[i / kLanes];
        const std::size_t lane = i % kLanes;
        for (std::size_t k = 0; k < kDegree; ++k) {
            g.key_x[k][lane] = input.key.x[k].montgomery();
            g.key_y[k][lane] = input.key.y[k].montgomery();
        }
        const auto e = challenge_digits(input.signature.e);
        const auto s = limbs_from_bytes<Scalar<Curve>::kLimbs>(input.signature.s);
        for (std::size_t j = 0; j < kWindows; ++j) {
            g.e_digits[j][lane] = e[j];
            g.s_digits[j][lane] = static_cast<std::uint16_t>(scalar_digit(s, j));
        }
    }
    void fill_digits(std::size_t i) {
        const SignatureInput& input = inputs_[i];
        const ScheduleGroup<Curve>& g = groups_[i / kLanes];
        SignatureRow<KoalaBear>& s = signature_[i];
        s.is_real = KoalaBear(input.id != 0 ? 1 : 0);
        s.id = KoalaBear(input.id);
        s.key = point_cells(input.key);
        s.message = input.message;
        std::size_t cut = 0;
        KoalaBear less;
        for (std::size_t w = 0; w < kWindows; ++w) {
            const std::uint64_t digit = g.s_digits[w][i % kLanes];
            const std::uint64_t order = scalar_digit(Curve::kOrder, w);
            const std::size_t e = g.e_digits[w][i % kLanes];
            const KoalaBear high(digit >> cut_bits(w));
            s.e[w] = KoalaBear(e);
            s.digit[w] = KoalaBear(digit);
            s.uses[e] += KoalaBear(1);
            if (is_cut(w)) s.high[cut++] = high;

            if (w % kWindowsPerRow == 0) {
                auto& r = row(i, w / kWindowsPerRow);
                r = {};
                r.id = s.id;
                r.window = KoalaBear(w);
                r.is_first = KoalaBear(w == 0 ? 1 : 0);
                r.is_last = KoalaBear(w + kWindowsPerRow == kWindows ? 1 : 0);
                r.less = less;
            }
            auto& c = cells(i, w);
            c.e = s.e[w];
            c.digit = s.digit[w];
            c.high = high;
            c.less = KoalaBear(digit < order ? 1 : 0);
            c.eq = KoalaBear(digit == order ? 1 : 0);
            less = c.less + c.eq * less;
        }
    }

    // For each lane (u_0, u_1) with d_0 u_0 + d_1 u_1 = 1, by one inversion.
    std::array<std::array<KoalaBear, 2>, kLanes> show_differences(std::size_t group, const Element& d) {
        std::array<std::size_t, kLanes> coordinate{};
        std::array<KoalaBear, kLanes> shown, prefix;
        KoalaBear running(1);
        for_each_lane(group, [&](std::size_t l, std::size_t) {
            coordinate[l] = d[0][l] == 0 ? 1 : 0;
            shown[l] = KoalaBear::from_montgomery(d[coordinate[l]][l]);
            QUARRY_CHECK(!shown[l].is_zero());  // else the native verifier refuses the signature
            prefix[l] = running;
            running *= shown[l];
        });
        std::array<std::array<KoalaBear, 2>, kLanes> checks{};
        running = running.inverse();
        for (std::size_t l = std::min<std::size_t>(kLanes, inputs_.size() - group * kLanes); l-- > 0;) {
            checks[l][coordinate[l]] = running * prefix[l];
            running *= shown[l];
        }
        return checks;
    }

    void hash_all() {
        using Row = SignatureRow<KoalaBear>;
        const std::size_t n = inputs_.size();
        std::vector<Digest> blocks(2 * n);
        std::vector<Digest> out(n);
        const auto compress = [&](auto left, auto right) {
            for (std::size_t i = 0; i < n; ++i) {
                blocks[2 * i] = left(signature_[i]);
                blocks[2 * i + 1] = right(signature_[i]);
            }
            poseidon_compress_pairs(blocks, out);
        };
        static const Digest start = challenge_start();
        compress([](const Row& s) { return key_blocks(s.key)[0]; }, [](const Row& s) { return key_blocks(s.key)[1]; });
        for (std::size_t i = 0; i < n; ++i) signature_[i].key_hash = out[i];
        compress([](const Row&) { return start; }, [](const Row& s) { return commitment_block(s.r, 0); });
        for (std::size_t i = 0; i < n; ++i) signature_[i].c1 = out[i];
        compress([](const Row& s) { return s.c1; }, [](const Row& s) { return commitment_block(s.r, 1); });
        for (std::size_t i = 0; i < n; ++i) signature_[i].c2 = out[i];
        compress([](const Row& s) { return s.c2; }, [](const Row& s) { return s.message; });
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < kDigestSize; ++j) {
                const std::uint32_t high = out[i][j].canonical() >> 16;
                signature_[i].challenge_high[j] = KoalaBear(high);
                signature_[i].challenge_top[j] = KoalaBear(high == 0x7f00 ? 1 : 0);
            }
        }
    }

    std::span<const SignatureInput> inputs_;
    SignatureRow<KoalaBear>* signature_;
    ScheduleRow<KoalaBear>* schedule_;
    Buffer<ScheduleGroup<Curve>> groups_;
};

// The spare rows' signature: E = 0 and S = 0 under the generator. Its R fits no challenge, and nobody asks.
SignatureInput dummy_input() {
    SignatureInput dummy;
    dummy.key = AffinePoint<Curve>::generator();
    return dummy;
}
void fill_dummies(SignatureWitness& w, std::size_t first) {
    const std::size_t count = w.signature.size() - first;
    if (count == 0) return;
    const SignatureInput dummy = dummy_input();
    SignatureRow<KoalaBear>& row = w.signature[first];
    ScheduleRow<KoalaBear>* run = &w.schedule[first * kRowsPerSignature];
    ChunkFiller({&dummy, 1}, &row, run).run();
    row.c1 = row.c2 = row.challenge_high = row.challenge_top = row.key_hash = Digest{};
    parallel_for(count - 1, 64, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin + 1; i < end + 1; ++i) {
            w.signature[first + i] = row;
            std::copy_n(run, kRowsPerSignature, run + i * kRowsPerSignature);
        }
    });
}

// A run's first row holds the R of the run before it, the first run's that of the last.
void link_runs(std::span<ScheduleRow<KoalaBear>> rows) {
    PointCells<KoalaBear> before = rows[rows.size() - kRowsPerSignature].acc;
    for (std::size_t r = 0; r < rows.size(); r += kRowsPerSignature) std::swap(before, rows[r].acc);
}

void count_comb_uses(SignatureWitness& w) {
    for (const auto& s : w.signature) {
        for (std::size_t i = 0; i < kWindows; ++i) comb_uses(w.comb, i, s.digit[i].canonical()) += KoalaBear(1);
    }
}

}  // namespace

SignatureWitness make_signature_witness(std::span<const SignatureInput> inputs, unsigned log_height) {
    const std::size_t height = std::size_t{1} << log_height;
    QUARRY_CHECK(inputs.size() <= height);
    SignatureWitness w;
    w.log_height = log_height;
    w.signature.resize(height);
    w.schedule = Buffer<ScheduleRow<KoalaBear>>(height * kRowsPerSignature);
    w.comb.resize(std::size_t{1} << CombTable::kLogHeight);
    const std::size_t num_chunks = (inputs.size() + kChunk - 1) / kChunk;
    parallel_for(num_chunks, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t c = begin; c < end; ++c) {
            const std::size_t first = c * kChunk;
            const auto chunk = inputs.subspan(first, std::min(kChunk, inputs.size() - first));
            ChunkFiller(chunk, &w.signature[first], &w.schedule[first * kRowsPerSignature]).run();
        }
    });
    fill_dummies(w, inputs.size());
    link_runs(w.schedule.span());
    count_comb_uses(w);
    return w;
}

}  // namespace quarry::circuits
