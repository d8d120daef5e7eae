#include "quarry/circuits/data/evaluation_table.hpp"

#include <oneapi/tbb/parallel_invoke.h>

#include <algorithm>

#include "quarry/base/parallel.hpp"
#include "quarry/circuits/gadgets.hpp"
#include "quarry/circuits/timeline.hpp"
#include "quarry/circuits/word_table.hpp"

namespace quarry::circuits {

namespace {

using rollup::BlsScalar;
using rollup::kWordBytes;

/// The factor from one pair's t to the next one's, if the next number sets bit k and clears those below it.
const FieldNumber& next_factor(std::size_t k) {
    static const auto factors = [] {
        std::array<FieldNumber, kPairBits> r;
        const auto& roots = rollup::blob_roots();
        for (std::size_t bit = 0; bit < kPairBits; ++bit) {
            const std::size_t pair = (std::size_t{1} << bit) - 1;
            r[bit] = (roots[2 * pair] * roots[2 * (pair + 1)].inverse()).limbs();
        }
        return r;
    }();
    return factors[k];
}

LimbsOf<Expr> limbs_of(const WordCells<Expr>& word) {
    LimbsOf<Expr> r;
    for (std::size_t i = 0; i < 15; ++i) r[i] = word.limb[14 - i];
    r[15] = word.byte;
    return r;
}
std::array<DigestOf<Expr>, 2> blocks_of(const WordCells<Expr>& word) {
    std::array<DigestOf<Expr>, 2> r;
    r[0][0] = word.byte;
    std::copy_n(word.limb.begin(), 7, r[0].begin() + 1);
    std::copy_n(word.limb.begin() + 7, 8, r[1].begin());
    return r;
}

struct Flags {
    Expr real, on, on_horner;  ///< on: a row of the same run follows; on_horner: and it is of this form
};
Flags flags_of(const EvaluationRow<Expr>& row) {
    const Expr real = row.blob + row.horner;
    const Expr on = real - row.is_last;
    return {real, on, on - row.step[0]};
}

void constrain_runs(AirBuilder& b, const EvaluationRow<Expr>& row, const EvaluationRow<Expr>& next) {
    const auto [real, on, on_horner] = flags_of(row);
    b.boolean("blob", row.blob);
    b.boolean("horner", row.horner);
    b.boolean("one_form", real);
    b.boolean("is_last", row.is_last);
    b.zero("is_last.where", row.is_last * (Expr(1) - real));
    b.boolean("is_first", row.is_first);
    b.equal("next.is_first", next.is_first, next.blob + next.horner - on);
    b.zero("next.blob", on * (next.blob - row.blob));

    // The number of the pair counts in binary.
    b.equal("step[0]", row.step[0], row.blob * (Expr(1) - row.is_last));
    for (std::size_t k = 0; k < kPairBits; ++k) {
        const bool top = k + 1 == kPairBits;
        const Expr carry = top ? Expr(0) : row.step[k + 1];
        b.equal(top ? "too_many" : indexed("step", k + 1), carry, row.step[k] * row.bit[k]);
        b.zero(indexed("first.bit", k), row.is_first * row.bit[k]);
        b.zero(indexed("next.bit", k), on * (next.bit[k] - row.bit[k] - row.step[k] + carry * 2));
    }
}

void constrain_words(AirBuilder& b, const EvaluationRow<Expr>& row, const EvaluationRow<Expr>& next) {
    const auto [real, on, on_horner] = flags_of(row);
    DigestOf<Expr> before = row.before;
    for (std::size_t i = 0; i < 2; ++i) {
        const auto& w = row.word[i];
        const std::string name = "word" + std::to_string(i);
        const Expr missing = real - w.present;  // on padding -present, which missing.where makes 0
        b.boolean(name + ".present", w.present);
        b.zero(name + ".missing.form", missing * (i == 0 ? row.blob : row.horner));
        b.zero(name + ".missing.where", missing * (Expr(1) - (i == 0 ? row.is_first : row.is_last)));
        const auto limb = limbs_of(w.word);
        for (std::size_t k = 0; k < kFieldLimbs; ++k) b.zero(indexed(name + ".missing", k), missing * limb[k]);
        require_byte(b, name + ".byte", real, w.word.byte);
        for (std::size_t k = 0; k < w.high.size(); ++k) {
            b.receive(indexed(name + ".limb", k), kSplitBus, real, {w.word.limb[k], w.high[k]});
        }
        const auto blocks = blocks_of(w.word);
        require_hash(b, name + ".hash.first", w.present, before, blocks[0], w.mid);
        require_hash(b, name + ".hash.second", w.present, w.mid, blocks[1], w.after);
        for (std::size_t k = 0; k < kDigestSize; ++k) {
            b.zero(indexed(name + ".skipped", k), missing * (w.after[k] - before[k]));
        }
        before = w.after;
    }
    for (std::size_t k = 0; k < kDigestSize; ++k) {
        b.zero(indexed("next.before", k), on * (next.before[k] - row.word[1].after[k]));
    }
    b.zero("first.count", row.is_first * (row.count - row.word[0].present - row.word[1].present));
    b.zero("next.count", on * (next.count - row.count - next.word[0].present - next.word[1].present));
}

void constrain_products(AirBuilder& b, const EvaluationRow<Expr>& row, const EvaluationRow<Expr>& next) {
    const auto [real, on, on_horner] = flags_of(row);
    const auto t = bytes_of(row.t);
    const auto g = bytes_of(row.g);
    const auto acc = bytes_of(row.acc);
    const auto w0 = limbs_of(row.word[0].word);
    const auto w1 = limbs_of(row.word[1].word);
    const auto next_w0 = limbs_of(next.word[0].word);

    // The last row of the horner form has no first product: its value is complete.
    const Expr multiplies = row.blob + on_horner;
    BytesOf<Expr> t_or_zero, factor;
    LimbsOf<Expr> first, second, to_next;
    for (std::size_t k = 0; k < kFieldBytes; ++k) t_or_zero[k] = (multiplies * t[k]).named();
    for (std::size_t k = 0; k < kFieldLimbs; ++k) {
        const Expr order = constant(order_limbs()[k]);
        first[k] = row.blob * (w1[k] - w0[k] + order - row.g.limb[k]);
        first[k] += on_horner * (next_w0[k] - next.g.limb[k]);
        second[k] = row.blob * (order - w0[k] - w1[k]);
        second[k] += row.horner * w1[k] - row.acc.limb[k];
        to_next[k] = -(on * next.t.limb[k]);
        b.zero(indexed("first.g", k), row.is_first * row.horner * (row.g.limb[k] - w0[k]));
        b.zero(indexed("first.sum", k), row.is_first * row.sum[k]);
        const Expr grows = on * (next.sum[k] - row.sum[k]);
        b.zero(indexed("next.sum", k), grows - row.step[0] * row.acc.limb[k]);
    }
    for (std::size_t k = 0; k < kPairBits; ++k) {
        const FieldNumber& constants = next_factor(k);
        const Expr chosen = k + 1 < kPairBits ? row.step[k] - row.step[k + 1] : row.step[k];
        for (std::size_t i = 0; i < kFieldBytes; ++i) {
            factor[i] += chosen * constant(static_cast<std::uint8_t>(constants[i / 8] >> (8 * (i % 8))));
        }
    }
    factor[0] += on_horner;  // horner: times 1
    for (Expr& byte : factor) byte = byte.named();
    require_gate(b, "first", t_or_zero, acc, first, row.first_gate);
    require_gate(b, "second", t, g, second, row.second_gate);
    require_gate(b, "next", t, factor, to_next, row.next_gate);

    require_field_cells(b, "t", real, row.t);
    require_field_cells(b, "g", real, row.g);
    require_field_cells(b, "acc", real, row.acc);
    require_gate_ranges(b, "first", real, row.first_gate);
    require_gate_ranges(b, "second", real, row.second_gate);
    require_gate_ranges(b, "next", real, row.next_gate);
}

}  // namespace

void EvaluationTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
    constrain_runs(b, row, next);
    constrain_words(b, row, next);
    constrain_products(b, row, next);
    b.receive("start", kDataStartBus, row.is_first, data_start_tuple(row.blob, row.before, row.t.limb));
    LimbsOf<Expr> sum;
    for (std::size_t k = 0; k < kFieldLimbs; ++k) sum[k] = row.sum[k] + row.acc.limb[k];
    b.send("end", kDataEndBus, row.is_last, data_end_tuple(row.count, row.word[1].after, sum));
}

namespace {

using Row = EvaluationRow<KoalaBear>;
using Limbs = LimbsOf<std::int64_t>;

/// The numbers of one row, mod r.
struct Pair {
    BlsScalar w0, w1, t, g, acc;
};

/// Words, accumulator and count: in sequence.
void fill_words(std::vector<Row>& rows, Digest accumulator, std::span<const std::uint8_t> words, bool skip_first) {
    std::size_t count = 0;
    std::size_t at = 0;
    for (Row& row : rows) {
        row.before = accumulator;
        for (std::size_t i = 0; i < 2; ++i) {
            auto& w = row.word[i];
            const bool present = !(skip_first && at == 0 && i == 0 && &row == &rows.front()) && at < words.size();
            if (present) {
                const std::span<const std::uint8_t, kWordBytes> bytes(words.data() + at, kWordBytes);
                AbsorbCells<KoalaBear> absorb;
                absorb.acc = accumulator;
                accumulator = absorb_word(absorb, bytes);
                w.present = KoalaBear(1);
                w.word = absorb.word;
                w.mid = absorb.mid;
                for (std::size_t k = 0; k < w.high.size(); ++k) w.high[k] = KoalaBear(bytes[2 * k + 1]);
                at += kWordBytes;
                ++count;
            }
            w.after = accumulator;
        }
        row.count = KoalaBear(count);
    }
}

void fill_flags(std::vector<Row>& rows, bool blob) {
    rows.front().is_first = rows.back().is_last = KoalaBear(1);
    for (std::size_t j = 0; j < rows.size(); ++j) {
        Row& row = rows[j];
        (blob ? row.blob : row.horner) = KoalaBear(1);
        bool step = blob && j + 1 < rows.size();
        for (std::size_t k = 0; k < kPairBits; ++k) {
            const bool bit = blob && ((j >> k) & 1) != 0;
            row.bit[k] = KoalaBear(bit ? 1 : 0);
            row.step[k] = KoalaBear(step ? 1 : 0);
            step = step && bit;
        }
    }
}

/// acc = (t B + A) / (t^2 - 1). Where t^2 = 1, both are 0, and so is acc.
void solve_blob(std::vector<Pair>& pairs, const BlsScalar& z) {
    const auto& roots = rollup::blob_roots();
    std::vector<BlsScalar> inverses;
    for (std::size_t j = 0; j < pairs.size(); ++j) inverses.push_back(roots[2 * j]);
    rollup::invert_all(inverses);
    for (std::size_t j = 0; j < pairs.size(); ++j) {
        pairs[j].t = z * inverses[j];
        inverses[j] = pairs[j].t * pairs[j].t - BlsScalar(1);
    }
    rollup::invert_all(inverses);
    for (std::size_t j = 0; j < pairs.size(); ++j) {
        Pair& p = pairs[j];
        p.acc = (p.t * (p.w0 - p.w1) + p.w0 + p.w1) * inverses[j];
        p.g = p.t * p.acc - (p.w0 - p.w1);
    }
}

void solve_horner(std::vector<Pair>& pairs, const BlsScalar& z) {
    BlsScalar acc;
    for (Pair& p : pairs) {
        p.t = z;
        p.g = z * acc + p.w0;
        p.acc = acc = z * p.g + p.w1;
    }
}

void fill_products(Row& row, const Pair& pair, const Pair* next, std::size_t j, bool blob) {
    const FieldNumber t = pair.t.limbs();
    const FieldNumber acc = pair.acc.limbs();
    const FieldNumber g = pair.g.limbs();
    row.t = field_cells(t);
    row.g = field_cells(g);
    row.acc = field_cells(acc);
    Limbs first{};
    Limbs second{};
    Limbs to_next{};
    const auto add = [](Limbs& sum, const BlsScalar& x, std::int64_t factor) { add_limbs_of(sum, x.limbs(), factor); };
    if (blob) {
        for (Limbs* sum : {&first, &second}) add_limbs_of(*sum, rollup::Bls12381::kOrder, 1);
        add(first, pair.w1, 1), add(first, pair.w0, -1), add(first, pair.g, -1);
        add(second, pair.w0, -1), add(second, pair.w1, -1);
    } else {
        if (next != nullptr) add(first, next->w0, 1), add(first, next->g, -1);
        add(second, pair.w1, 1);
    }
    add(second, pair.acc, -1);
    FieldNumber factor{};
    if (next != nullptr) {
        add(to_next, next->t, -1);
        std::size_t k = 0;
        while (((j >> k) & 1) != 0) ++k;
        factor = blob ? next_factor(k) : FieldNumber{1};
    }
    row.first_gate = gate_cells(blob || next != nullptr ? t : FieldNumber{}, acc, first);
    row.second_gate = gate_cells(t, g, second);
    row.next_gate = gate_cells(t, factor, to_next);
}

void fill_numbers(std::vector<Row>& rows, const rollup::DataStatement& statement, std::span<const std::uint8_t> words,
                  bool skip_first) {
    const bool blob = statement.form == rollup::DataForm::blob;
    const auto word = [&](std::size_t i) {
        const std::size_t at = (i - (skip_first ? 1 : 0)) * kWordBytes;  // huge for word -1
        if (at >= words.size()) return BlsScalar();
        return rollup::word_scalar(std::span<const std::uint8_t, kWordBytes>(words.data() + at, kWordBytes));
    };
    std::vector<Pair> pairs(rows.size());
    for (std::size_t j = 0; j < pairs.size(); ++j) {
        pairs[j].w0 = word(2 * j);
        pairs[j].w1 = word(2 * j + 1);
    }
    const BlsScalar z = rollup::point_scalar(statement.point);
    blob ? solve_blob(pairs, z) : solve_horner(pairs, z);
    parallel_for(rows.size(), 32, [&](std::size_t begin, std::size_t end) {
        for (std::size_t j = begin; j < end; ++j) {
            fill_products(rows[j], pairs[j], j + 1 < pairs.size() ? &pairs[j + 1] : nullptr, j, blob);
        }
    });
}

}  // namespace

std::vector<Row> evaluation_rows(const rollup::DataStatement& statement, std::span<const std::uint8_t> words) {
    const bool blob = statement.form == rollup::DataForm::blob;
    const std::size_t num_words = words.size() / kWordBytes;
    QUARRY_CHECK(words.size() == statement.words * kWordBytes && num_words <= rollup::kMaxDataWords);
    std::vector<Row> rows((num_words + 1) / 2);
    if (rows.empty()) return rows;
    const bool skip_first = !blob && num_words % 2 == 1;
    fill_flags(rows, blob);
    // The accumulator is a chain of hashes; the numbers do not wait for it.
    tbb::parallel_invoke([&] { fill_words(rows, statement.before, words, skip_first); },
                         [&] { fill_numbers(rows, statement, words, skip_first); });
    for (std::size_t j = 0; j + 1 < rows.size(); ++j) {
        for (std::size_t k = 0; k < kFieldLimbs; ++k) {
            rows[j + 1].sum[k] = rows[j].sum[k] + (blob ? rows[j].acc.limb[k] : KoalaBear());
        }
    }
    return rows;
}

}  // namespace quarry::circuits
