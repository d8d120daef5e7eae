#include "quarry/circuits/poseidon_table.hpp"

#include <string>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/hash/poseidon_constants.hpp"
#include "quarry/iop/kernels/constraint_kernels.hpp"

namespace quarry {
namespace {

using ExprState = std::array<Expr, kPoseidonWidth>;

ExprState multiply_mds(const ExprState& x) {
    ExprState y;
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        for (std::size_t j = 0; j < kPoseidonWidth; ++j) y[i] += x[j] * Expr(KoalaBear(poseidon_mds_entry(i, j)));
    }
    return y;
}

// The same product by the factors of X^16 - 1 = (X^4 - 1)(X^4 + 1)(X^8 + 1): 96 multiplications instead of 256, the
// rest are additions. For a state that feeds another S-box; where it is only compared, plain forms let the weights
// absorb the matrix.
ExprState multiply_mds_factored(const ExprState& x) {
    constexpr KoalaBear kHalf = KoalaBear(2).inverse();
    std::array<KoalaBear, 8> negacyclic;  // modulo X^8 + 1
    std::array<KoalaBear, 8> cyclic;      // modulo X^8 - 1
    for (std::size_t i = 0; i < 8; ++i) {
        const KoalaBear low(kPoseidonMdsColumn[i]);
        const KoalaBear high(kPoseidonMdsColumn[i + 8]);
        cyclic[i] = (low + high) * kHalf;
        negacyclic[i] = (low - high) * kHalf;
    }
    // y = a b modulo X^n - sign, one named form per coefficient.
    auto convolve = [](const auto& a, const auto& b, int sign) {
        auto y = a;
        const std::size_t n = a.size();
        for (std::size_t k = 0; k < n; ++k) {
            Expr sum;
            for (std::size_t i = 0; i < n; ++i) {
                const KoalaBear c = b[(k + n - i) % n];
                sum += a[i] * Expr(i > k && sign < 0 ? -c : c);
            }
            y[k] = sum.named();
        }
        return y;
    };
    std::array<Expr, 8> sum8, difference8;
    for (std::size_t i = 0; i < 8; ++i) {
        sum8[i] = (x[i] + x[i + 8]).named();
        difference8[i] = (x[i] - x[i + 8]).named();
    }
    std::array<Expr, 4> sum4, difference4;
    std::array<KoalaBear, 4> cyclic4, negacyclic4;
    for (std::size_t i = 0; i < 4; ++i) {
        sum4[i] = (sum8[i] + sum8[i + 4]).named();
        difference4[i] = (sum8[i] - sum8[i + 4]).named();
        cyclic4[i] = (cyclic[i] + cyclic[i + 4]) * kHalf;
        negacyclic4[i] = (cyclic[i] - cyclic[i + 4]) * kHalf;
    }
    const auto q = convolve(sum4, cyclic4, 1);
    const auto r = convolve(difference4, negacyclic4, -1);
    std::array<Expr, 8> even;
    for (std::size_t i = 0; i < 4; ++i) {
        even[i] = (q[i] + r[i]).named();
        even[i + 4] = (q[i] - r[i]).named();
    }
    const auto odd = convolve(difference8, negacyclic, -1);
    ExprState y;
    for (std::size_t i = 0; i < 8; ++i) {
        y[i] = even[i] + odd[i];
        y[i + 8] = even[i] - odd[i];
    }
    return y;
}

ExprState cubes(ExprState x, std::size_t round) {
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        const Expr s = x[i] + kPoseidonRoundConstants[round][i];
        x[i] = s * s * s;
    }
    return x;
}

// Full rounds `round` and `round` + 1.
ExprState two_full_rounds(const ExprState& x, std::size_t round) {
    return multiply_mds(cubes(multiply_mds_factored(cubes(x, round)), round + 1));
}

void require_equal(AirBuilder& b, const std::string& name, const ExprState& x, const ExprState& y) {
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) b.equal(indexed(name, i), x[i], y[i]);
}

// The S-box inputs of the partial rounds and the state after them, as linear forms of after_4 (atoms 0..15) and the
// cubes.
struct PartialRounds {
    std::array<Expr, kPoseidonPartialRounds> inputs;
    ExprState after;
};
template <class CubeOf>
PartialRounds partial_rounds(ExprState x, CubeOf cube_of) {
    PartialRounds r;
    for (std::size_t t = 0; t < kPoseidonPartialRounds; ++t) {
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
            x[i] += kPoseidonRoundConstants[kPoseidonHalfFullRounds + t][i];
        }
        r.inputs[t] = x[0];
        x[0] = cube_of(t);
        x = multiply_mds(x);
    }
    r.after = x;
    return r;
}

// The columns up to after_26, which both kinds of table have first.
constexpr std::size_t kInnerColumns = 4 * kPoseidonWidth + kPoseidonPartialRounds;
constexpr std::size_t kPermutationColumns = kInnerColumns + kPoseidonWidth;
constexpr std::size_t kCompressionColumns = kInnerColumns + kDigestSize;

// The witness as a tape whose first slots are the columns: it writes the trace in place. The last columns are pi(in),
// or H(in) for a table of compressions.
Tape make_witness_tape(std::size_t num_columns) {
    Tape tape;
    constexpr std::size_t kAfter2 = kPoseidonWidth;
    constexpr std::size_t kAfter4 = 2 * kPoseidonWidth;
    constexpr std::size_t kCube = 3 * kPoseidonWidth;
    constexpr std::size_t kAfter26 = kCube + kPoseidonPartialRounds;
    constexpr std::size_t kOut = kAfter26 + kPoseidonWidth;
    // Behind the columns: a state, its squares and another state.
    const std::size_t shifted = num_columns;
    const std::size_t square = shifted + kPoseidonWidth;
    const std::size_t cubed = square + kPoseidonWidth;
    const std::size_t between = cubed + kPoseidonWidth;
    tape.num_slots = static_cast<std::uint32_t>(between + kPoseidonWidth);

    auto dot = [&](std::size_t target, KoalaBear constant, const std::vector<Term>& terms) {
        const auto first = static_cast<std::uint32_t>(tape.terms.size());
        tape.terms.insert(tape.terms.end(), terms.begin(), terms.end());
        tape.ops.push_back({TapeOp::Kind::dot, static_cast<std::uint32_t>(target), 0, 0, first,
                            static_cast<std::uint32_t>(terms.size()), constant});
    };
    auto multiply = [&](std::size_t target, std::size_t a, std::size_t b) {
        tape.ops.push_back({TapeOp::Kind::multiply,
                            static_cast<std::uint32_t>(target),
                            static_cast<std::uint32_t>(a),
                            static_cast<std::uint32_t>(b),
                            0,
                            0,
                            {}});
    };
    auto full = [&](std::size_t from, std::size_t to, std::size_t round) {
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
            dot(shifted + i, kPoseidonRoundConstants[round][i], {{static_cast<std::uint32_t>(from + i), KoalaBear(1)}});
            multiply(square + i, shifted + i, shifted + i);
            multiply(cubed + i, square + i, shifted + i);
        }
        for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
            std::vector<Term> terms;
            for (std::size_t j = 0; j < kPoseidonWidth; ++j) {
                terms.push_back({static_cast<std::uint32_t>(cubed + j), KoalaBear(poseidon_mds_entry(i, j))});
            }
            dot(to + i, {}, terms);
        }
    };
    full(0, between, 0);
    full(between, kAfter2, 1);
    full(kAfter2, between, 2);
    full(between, kAfter4, 3);

    // Atom numbers of this graph are slot numbers.
    ExpressionGraph graph;
    std::vector<Expr> atoms;
    for (std::uint32_t c = 0; c < kInnerColumns; ++c) atoms.emplace_back(&graph, graph.column(c, false));
    ExprState state;
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) state[i] = atoms[kAfter4 + i];
    const PartialRounds partial = partial_rounds(state, [&](std::size_t t) { return atoms[kCube + t]; });
    for (std::size_t t = 0; t < kPoseidonPartialRounds; ++t) {
        dot(shifted, partial.inputs[t].form().constant, partial.inputs[t].form().terms);
        multiply(square, shifted, shifted);
        multiply(kCube + t, square, shifted);
    }
    const std::size_t second = kPoseidonHalfFullRounds + kPoseidonPartialRounds;
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        dot(between + i, partial.after[i].form().constant, partial.after[i].form().terms);
    }
    full(between, between, second);  // reads all of a state before it writes the next
    full(between, kAfter26, second + 1);
    full(kAfter26, between, second + 2);
    if (num_columns == kPermutationColumns) {
        full(between, kOut, second + 3);
        return tape;
    }
    full(between, between, second + 3);
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        dot(kOut + i, {},
            {{static_cast<std::uint32_t>(i), KoalaBear(1)}, {static_cast<std::uint32_t>(between + i), KoalaBear(1)}});
    }
    return tape;
}

void fill(Trace& trace, std::size_t table, const Tape& tape, std::size_t num_columns) {
    constexpr std::size_t kVectors = 8;
    const std::size_t height = trace.column(table, 0).size();
    parallel_for(height / (kVectors * kLanes), 16, [&](std::size_t begin, std::size_t end) {
        Buffer<std::uint32_t> scratch((tape.num_slots - num_columns) * kVectors * kLanes);
        std::vector<std::uint32_t*> slots(tape.num_slots);
        for (std::size_t i = num_columns; i < slots.size(); ++i) {
            slots[i] = scratch.data() + (i - num_columns) * kVectors * kLanes;
        }
        for (std::size_t block = begin; block < end; ++block) {
            for (std::size_t c = 0; c < num_columns; ++c) {
                slots[c] = reinterpret_cast<std::uint32_t*>(trace.column(table, c).data()) + block * kVectors * kLanes;
            }
            run_tape_base(tape, slots.data(), kVectors);
        }
    });
}

}  // namespace

std::array<Expr, kPoseidonWidth> constrain_permutation(AirBuilder& b, const std::array<Expr, kPoseidonWidth>& in,
                                                       const std::array<Expr, kPoseidonWidth>& after_2,
                                                       const std::array<Expr, kPoseidonWidth>& after_4,
                                                       const std::array<Expr, 20>& cube,
                                                       const std::array<Expr, kPoseidonWidth>& after_26) {
    constexpr std::size_t kSecond = kPoseidonHalfFullRounds + kPoseidonPartialRounds;
    require_equal(b, "after_2", after_2, two_full_rounds(in, 0));
    require_equal(b, "after_4", after_4, two_full_rounds(after_2, 2));
    const PartialRounds partial = partial_rounds(after_4, [&](std::size_t t) { return cube[t]; });
    for (std::size_t t = 0; t < kPoseidonPartialRounds; ++t) {
        const Expr& x = partial.inputs[t];
        b.equal(indexed("cube", t), cube[t], x * x * x);
    }
    require_equal(b, "after_26", after_26, two_full_rounds(partial.after, kSecond));
    return two_full_rounds(after_26, kSecond + 2);
}

void PoseidonPermutationTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    require_equal(b, "out", row.out,
                  constrain_permutation(b, row.in, row.after_2, row.after_4, row.cube, row.after_26));
}

void fill_permutations(Trace& trace, std::size_t table) {
    static const Tape tape = make_witness_tape(kPermutationColumns);
    fill(trace, table, tape, kPermutationColumns);
}

void fill_compressions(Trace& trace, std::size_t table) {
    static const Tape tape = make_witness_tape(kCompressionColumns);
    fill(trace, table, tape, kCompressionColumns);
}

}  // namespace quarry
