#include "quarry/circuits/signature/signature_witness.hpp"

#include <algorithm>
#include <array>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/circuits/rows.hpp"
#include "quarry/hash/poseidon_batch.hpp"

namespace quarry::circuits {
namespace {

using Curve = SignatureCurve;
using Field = Curve::Field;
using T = Tower<Curve::Modulus>;
using Point = AffinePoint<Curve>;

constexpr std::size_t kRowsPerSignature = kWindows / kWindowsPerRow;

// Signatures that go through the schedule in lock-step, so that each step needs one inversion for all. As many as leave
// their rows in the second-level cache.
constexpr std::size_t kChunk = 48;

struct Lane {
    std::array<Point, kOddMultiples> odd;
    Point twice, acc;
    std::array<std::uint8_t, kWindows> e;
    std::array<std::uint16_t, kWindows> digit;
};

std::array<std::uint8_t, kWindows> challenge_digits(const Challenge& e) {
    std::array<std::uint8_t, kWindows> r;
    for (std::size_t i = 0; i < kWindows; ++i) {
        const std::uint8_t byte = e[(kWindows - 1 - i) / 2];
        r[i] = i % 2 == 0 ? byte >> 4 : byte & 15;
    }
    return r;
}
std::array<std::uint16_t, kWindows> comb_digits(const std::array<std::uint8_t, Curve::kScalarBytes>& s) {
    const auto limbs = limbs_from_bytes<Scalar<Curve>::kLimbs>(s);
    std::array<std::uint16_t, kWindows> r;
    for (std::size_t i = 0; i < kWindows; ++i) r[i] = static_cast<std::uint16_t>(scalar_digit(limbs, i));
    return r;
}
Point odd_multiple(const Lane& lane, std::size_t d) {
    return d >= kOddMultiples ? lane.odd[d - kOddMultiples] : lane.odd[kOddMultiples - 1 - d].negated();
}

class Chunk {
  public:
    Chunk(std::span<const SignatureInput> inputs, SignatureRow<KoalaBear>* signature, ScheduleRow<KoalaBear>* schedule)
        : inputs_(inputs),
          signature_(signature),
          schedule_(schedule),
          lanes_(inputs.size()),
          denominators_(inputs.size()) {}

    void run() {
        for (std::size_t l = 0; l < lanes_.size(); ++l) start(l);
        fill_odd_multiples();
        for (std::size_t window = 0; window < kWindows; ++window) {
            for (std::size_t i = 0; i < kDoublings; ++i) {
                double_all([&](Lane& lane) -> Point& { return lane.acc; },
                           [&](std::size_t l) -> auto& { return cells(l, window).double_slope[i]; });
            }
            add_operand([&](std::size_t l) -> const auto& { return cells(l, window).odd; },
                        [&](std::size_t l) -> auto& { return cells(l, window).odd_slope; },
                        [&](std::size_t l) -> auto& { return cells(l, window).odd_check; });
            add_operand([&](std::size_t l) -> const auto& { return cells(l, window).comb; },
                        [&](std::size_t l) -> auto& { return cells(l, window).comb_slope; },
                        [&](std::size_t l) -> auto& { return cells(l, window).comb_check; });
            if (window % kWindowsPerRow == 1) finish_row(window / kWindowsPerRow);
        }
        hash_all();
    }

  private:
    ScheduleRow<KoalaBear>& row(std::size_t l, std::size_t r) { return schedule_[l * kRowsPerSignature + r]; }
    WindowCells<KoalaBear>& cells(std::size_t l, std::size_t window) {
        return row(l, window / kWindowsPerRow).step[window % kWindowsPerRow];
    }

    // Everything that needs no arithmetic but the points.
    void start(std::size_t l) {
        const SignatureInput& input = inputs_[l];
        Lane& lane = lanes_[l];
        lane.odd[0] = lane.twice = input.key;
        lane.acc = Point::offset();
        lane.e = challenge_digits(input.signature.e);
        lane.digit = comb_digits(input.signature.s);

        SignatureRow<KoalaBear>& s = signature_[l];
        s.is_real = KoalaBear(input.id != 0 ? 1 : 0);
        s.id = KoalaBear(input.id);
        s.key = point_cells(input.key);
        std::size_t cut = 0;
        KoalaBear less;
        for (std::size_t i = 0; i < kWindows; ++i) {
            const std::uint64_t digit = lane.digit[i];
            const std::uint64_t order = scalar_digit(Curve::kOrder, i);
            s.e[i] = KoalaBear(std::uint64_t{lane.e[i]});
            s.digit[i] = KoalaBear(digit);
            s.uses[lane.e[i]] += KoalaBear(1);
            if (is_cut(i)) s.high[cut++] = KoalaBear(digit >> cut_bits(i));

            if (i % kWindowsPerRow == 0) {
                auto& r = row(l, i / kWindowsPerRow);
                r = {};
                r.id = s.id;
                r.window = KoalaBear(i);
                r.is_first = KoalaBear(i == 0 ? 1 : 0);
                r.is_last = KoalaBear(i + kWindowsPerRow == kWindows ? 1 : 0);
                r.less = less;
            }
            auto& c = cells(l, i);
            c.e = s.e[i];
            c.digit = s.digit[i];
            c.high = KoalaBear(digit >> cut_bits(i));
            c.less = KoalaBear(digit < order ? 1 : 0);
            c.eq = KoalaBear(digit == order ? 1 : 0);
            c.comb = point_cells(comb_table<Curve>().entry(i, digit));
            less = c.less + c.eq * less;
        }
        s.message = input.message;
    }

    void fill_odd_multiples() {
        double_all([](Lane& lane) -> Point& { return lane.twice; },
                   [&](std::size_t l) -> auto& { return signature_[l].double_slope; });
        for (std::size_t j = 0; j + 1 < kOddMultiples; ++j) {
            for (std::size_t l = 0; l < lanes_.size(); ++l) {
                denominators_[l] = T::subtract(lanes_[l].odd[j].x, lanes_[l].twice.x);
            }
            invert_all<Curve>(denominators_);
            for (std::size_t l = 0; l < lanes_.size(); ++l) {
                Lane& lane = lanes_[l];
                const Field slope = T::multiply(T::subtract(lane.odd[j].y, lane.twice.y), denominators_[l]);
                lane.odd[j + 1] = lane.odd[j];
                advance(lane.odd[j + 1], lane.twice.x, slope);
                signature_[l].multiple[j] = {slope.coefficients(), point_cells(lane.odd[j + 1])};
            }
        }
        for (std::size_t l = 0; l < lanes_.size(); ++l) {
            for (std::size_t i = 0; i < kWindows; ++i) {
                cells(l, i).odd = point_cells(odd_multiple(lanes_[l], lanes_[l].e[i]));
            }
        }
    }

    static void advance(Point& p, const Field& other_x, const Field& slope) {
        const Field x = T::subtract(T::subtract(T::square(slope), p.x), other_x);
        p.y = T::subtract(T::multiply(slope, T::subtract(p.x, x)), p.y);
        p.x = x;
    }
    template <class PointOf, class SlopeOf>
    void double_all(PointOf point_of, SlopeOf slope_of) {
        for (std::size_t l = 0; l < lanes_.size(); ++l) {
            const Point& p = point_of(lanes_[l]);
            denominators_[l] = T::add(p.y, p.y);
        }
        invert_all<Curve>(denominators_);
        for (std::size_t l = 0; l < lanes_.size(); ++l) {
            Point& p = point_of(lanes_[l]);
            Field numerator = T::small_multiple(3, T::square(p.x));
            numerator[0] += KoalaBear::from_signed(Curve::kA);
            const Field slope = T::multiply(numerator, denominators_[l]);
            advance(p, p.x, slope);
            slope_of(l) = slope.coefficients();
        }
    }
    // acc += operand, with the cells that show x_acc - x_operand not to be 0.
    template <class OperandOf, class SlopeOf, class CheckOf>
    void add_operand(OperandOf operand_of, SlopeOf slope_of, CheckOf check_of) {
        const std::size_t n = lanes_.size();
        std::array<KoalaBear, kChunk> shown;
        std::array<KoalaBear, kChunk> prefix;
        KoalaBear running(1);
        for (std::size_t l = 0; l < n; ++l) {
            denominators_[l] = T::subtract(lanes_[l].acc.x, Field(operand_of(l).x));
            shown[l] = denominators_[l][denominators_[l][0].is_zero() ? 1 : 0];
            QUARRY_CHECK(!shown[l].is_zero());  // else the native verifier refuses the signature
            prefix[l] = running;
            running *= shown[l];
        }
        running = running.inverse();
        for (std::size_t l = n; l-- > 0;) {
            check_of(l)[denominators_[l][0].is_zero() ? 1 : 0] = running * prefix[l];
            running *= shown[l];
        }
        invert_all<Curve>(denominators_);
        for (std::size_t l = 0; l < n; ++l) {
            Lane& lane = lanes_[l];
            const auto& operand = operand_of(l);
            const Field slope = T::multiply(T::subtract(lane.acc.y, Field(operand.y)), denominators_[l]);
            advance(lane.acc, Field(operand.x), slope);
            slope_of(l) = slope.coefficients();
        }
    }
    void finish_row(std::size_t r) {
        for (std::size_t l = 0; l < lanes_.size(); ++l) {
            const auto acc = point_cells(lanes_[l].acc);
            if (r + 1 < kRowsPerSignature) {
                row(l, r + 1).acc = acc;
            } else {
                signature_[l].r = commitment_coordinates(acc);
                result(l) = acc;
            }
        }
    }
    // R is kept in the signature's own first row until link_runs() moves it to the next one's.
    PointCells<KoalaBear>& result(std::size_t l) { return row(l, 0).acc; }

    void hash_all() {
        const std::size_t n = lanes_.size();
        std::vector<Digest> blocks(2 * n);
        std::vector<Digest> out(n);
        const auto compress = [&](auto left, auto right) {
            for (std::size_t l = 0; l < n; ++l) {
                blocks[2 * l] = left(signature_[l]);
                blocks[2 * l + 1] = right(signature_[l]);
            }
            poseidon_compress_pairs(blocks, out);
        };
        using Row = SignatureRow<KoalaBear>;
        static const Digest start = challenge_start();
        compress([](const Row& s) { return key_blocks(s.key)[0]; }, [](const Row& s) { return key_blocks(s.key)[1]; });
        for (std::size_t l = 0; l < n; ++l) signature_[l].key_hash = out[l];
        compress([](const Row&) { return start; }, [](const Row& s) { return commitment_block(s.r, 0); });
        for (std::size_t l = 0; l < n; ++l) signature_[l].c1 = out[l];
        compress([](const Row& s) { return s.c1; }, [](const Row& s) { return commitment_block(s.r, 1); });
        for (std::size_t l = 0; l < n; ++l) signature_[l].c2 = out[l];
        compress([](const Row& s) { return s.c2; }, [](const Row& s) { return s.message; });
        for (std::size_t l = 0; l < n; ++l) {
            for (std::size_t j = 0; j < kDigestSize; ++j) {
                const std::uint32_t high = out[l][j].canonical() >> 16;
                signature_[l].challenge_high[j] = KoalaBear(high);
                signature_[l].challenge_top[j] = KoalaBear(high == 0x7f00 ? 1 : 0);
            }
        }
    }

    std::span<const SignatureInput> inputs_;
    SignatureRow<KoalaBear>* signature_;
    ScheduleRow<KoalaBear>* schedule_;
    std::vector<Lane> lanes_;
    std::vector<Field> denominators_;
};

// The spare rows' signature: E = 0 and S = 0 under the generator. Its R fits no challenge, and nobody asks.
SignatureInput dummy_input() {
    SignatureInput dummy;
    dummy.key = Point::generator();
    return dummy;
}
void clear_hashes(SignatureRow<KoalaBear>& row) {
    row.c1 = row.c2 = row.challenge_high = row.challenge_top = row.key_hash = Digest{};
}

void fill_dummies(SignatureWitness& w, std::size_t first) {
    const std::size_t count = w.signature.size() - first;
    if (count == 0) return;
    const SignatureInput dummy = dummy_input();
    Chunk({&dummy, 1}, &w.signature[first], &w.schedule[first * kRowsPerSignature]).run();
    clear_hashes(w.signature[first]);
    parallel_for(count - 1, 64, [&](std::size_t begin, std::size_t end) {
        ScheduleRow<KoalaBear>* run = &w.schedule[first * kRowsPerSignature];
        for (std::size_t i = begin + 1; i < end + 1; ++i) {
            w.signature[first + i] = w.signature[first];
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
        for (std::size_t i = 0; i < kWindows; ++i) comb_entry(w.comb, i, s.digit[i].canonical()).uses += KoalaBear(1);
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
    w.comb = comb_rows();
    const std::size_t num_chunks = (inputs.size() + kChunk - 1) / kChunk;
    parallel_for(num_chunks, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t c = begin; c < end; ++c) {
            const std::size_t first = c * kChunk;
            const auto chunk = inputs.subspan(first, std::min(kChunk, inputs.size() - first));
            Chunk(chunk, &w.signature[first], &w.schedule[first * kRowsPerSignature]).run();
        }
    });
    fill_dummies(w, inputs.size());
    link_runs(w.schedule.span());
    count_comb_uses(w);
    return w;
}

}  // namespace quarry::circuits
