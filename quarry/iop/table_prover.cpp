#include "quarry/iop/table_prover.hpp"

#include <oneapi/tbb/enumerable_thread_specific.h>

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/base/parallel.hpp"
#include "quarry/iop/chunk_sources.hpp"

namespace quarry {
namespace {

NativeBackend native;

constexpr std::size_t kGroup = 8;  // vectors that a tape runs over at a time: its slots stay in the L1 cache
constexpr std::size_t kPairs = 4;  // blocks of pairs that a tape runs over at a time

// The shift of coset s; s = 0 is D itself. 3 generates the multiplicative group, so the 32nd powers are distinct.
KoalaBear coset_shift(std::size_t s) { return KoalaBear(KoalaBear::kGenerator).pow(s); }

// The polynomial of degree < 32 e whose values on coset s, at shift * g^i, are values[s][i], s < e.
// Modulo X^32 - shift^32 it has the coefficients sum_k shift^(32 k) c_(32 k + j): interpolate those in shift^32.
Coefficients interpolate_cosets(const std::vector<std::vector<ExtField>>& values) {
    const std::size_t e = values.size();
    const KoalaBear g_inverse = KoalaBear::two_adic_root(kLogSkip).inverse();
    std::vector<KoalaBear> points;
    std::vector<std::vector<ExtField>> residues(kSkipSize);
    for (std::size_t s = 0; s < e; ++s) {
        const KoalaBear shift = coset_shift(s);
        points.push_back(shift.pow(kSkipSize));
        for (std::size_t j = 0; j < kSkipSize; ++j) {
            ExtField sum;
            const KoalaBear step = g_inverse.pow(j);
            KoalaBear power = (shift.pow(j) * KoalaBear(kSkipSize)).inverse();
            for (std::size_t i = 0; i < kSkipSize; ++i, power *= step) sum += values[s][i] * power;
            residues[j].push_back(sum);
        }
    }
    Coefficients c(kSkipSize * e);
    for (std::size_t j = 0; j < kSkipSize; ++j) {
        const Coefficients q = interpolate(points, residues[j]);
        for (std::size_t k = 0; k < e; ++k) c[kSkipSize * k + j] = q[k];
    }
    return c;
}

}  // namespace

struct TableProver::SkipScratch {
    explicit SkipScratch(const TableProver& p)
        : sources(p.instance_),
          coefficients(p.program_.inputs.size() * kChunkRows),
          values(p.program_.inputs.size() * kChunkRows),
          sums(p.top_degree(), std::vector<std::vector<ExtBlock>>(p.degrees_.size(), std::vector<ExtBlock>(kSkipSize))),
          linear(kSkipSize),
          bus(kSkipSize) {
        std::size_t slots = 0;
        for (const Tape& tape : p.program_.at_least) slots = std::max<std::size_t>(slots, tape.num_slots);
        temporaries = Buffer<std::uint32_t>((slots - p.program_.inputs.size()) * kGroup * kLanes);
        pointers.resize(slots);
        for (std::size_t s = 0; s < p.top_degree(); ++s) twiddles.emplace_back(coset_shift(s));
    }
    ChunkSources sources;
    Buffer<std::uint32_t> coefficients, values, temporaries;
    std::vector<std::uint32_t*> pointers;
    std::vector<CosetTwiddles> twiddles;
    ClassSums sums;  // [coset][class][i]
    std::vector<ExtBlock> linear, bus;
    std::vector<const std::uint32_t*> from;
    std::vector<ExtField> from_weights;
};

void TableProver::skip_chunk(std::size_t chunk, const ExtField& weight, SkipScratch& s) const {
    s.sources.aim(chunk);
    const std::size_t num_inputs = program_.inputs.size();
    for (std::size_t x = 0; x < num_inputs; ++x) {
        const LinearForm& form = program_.inputs[x];
        linear_form_base(form.terms, form.constant, s.sources.atoms(), s.coefficients.data() + x * kChunkRows,
                         kSkipSize);
    }
    auto run = [&](std::size_t coset, const Tape& tape, const std::vector<RootClass>& classes, std::uint32_t* inputs) {
        for (std::size_t g = 0; g < kSkipSize; g += kGroup) {
            for (std::size_t x = 0; x < num_inputs; ++x) s.pointers[x] = inputs + x * kChunkRows + g * kLanes;
            for (std::size_t x = num_inputs; x < tape.num_slots; ++x) {
                s.pointers[x] = s.temporaries.data() + (x - num_inputs) * kGroup * kLanes;
            }
            run_tape_base(tape, s.pointers.data(), kGroup);
            for (const RootClass& c : classes) {
                s.from.clear();
                for (const std::uint32_t slot : c.slots) s.from.push_back(s.pointers[slot]);
                accumulate_base(c.weights, s.from.data(), weight, s.sums[coset][c.index].data() + g, kGroup);
            }
        }
    };
    if (!below_max_.empty()) run(0, program_.below_max, below_max_, s.coefficients.data());
    if (!degrees_.empty()) {
        for (std::size_t x = 0; x < num_inputs; ++x) skip_interpolate(s.coefficients.data() + x * kChunkRows);
    }
    for (std::size_t coset = 1; coset < top_degree(); ++coset) {
        const Tape& tape = program_.at_least[coset + 1];
        for (const std::uint32_t x : tape.used_inputs) {
            skip_evaluate(s.coefficients.data() + x * kChunkRows, s.values.data() + x * kChunkRows, s.twiddles[coset]);
        }
        run(coset, tape, at_least_[coset + 1], s.values.data());
    }
    auto linear = [&](const std::vector<ExtField>& column, const std::vector<ExtField>& next,
                      std::vector<ExtBlock>& sums) {
        s.from.clear();
        s.from_weights.clear();
        auto take = [&](const ExtField& w, const std::uint32_t* p) {
            if (w.is_zero()) return;
            s.from.push_back(p);
            s.from_weights.push_back(w);
        };
        for (std::uint32_t c = 0; c < table_.num_columns(); ++c) take(column[c], s.sources.column(c));
        for (const std::uint32_t c : next_columns_) take(next[c], s.sources.next_column(c));
        if (!s.from.empty()) accumulate_base(s.from_weights, s.from.data(), weight, sums.data(), kSkipSize);
    };
    linear(weights_.column, weights_.next_column, s.linear);
    linear(bus_.column, bus_.next_column, s.bus);
}

Coefficients TableProver::skip_polynomial() {
    const auto eq_chunks = eq_all(native, rho_.subspan(kLogChunkRows));
    const auto eq_lanes = eq_all(native, rho_.first(kLogLanes));
    tbb::enumerable_thread_specific<std::unique_ptr<SkipScratch>> scratch(
        [&] { return std::make_unique<SkipScratch>(*this); });
    parallel_for(num_chunks_, 2, [&](std::size_t begin, std::size_t end) {
        SkipScratch& s = *scratch.local();
        for (std::size_t chunk = begin; chunk < end; ++chunk) skip_chunk(chunk, eq_chunks[chunk], s);
    });

    auto total = [&](auto select) {
        std::vector<ExtField> r(kSkipSize);
        for (const auto& s : scratch) {
            const std::vector<ExtBlock>& sums = select(*s);
            for (std::size_t i = 0; i < kSkipSize; ++i) {
                for (std::size_t lane = 0; lane < kLanes; ++lane) {
                    ExtField x;
                    for (std::size_t k = 0; k < ExtField::kDegree; ++k)
                        x[k] = KoalaBear::from_montgomery(sums[i].c[k][lane]);
                    r[i] += x * eq_lanes[lane];
                }
            }
        }
        return r;
    };
    // Everything but the top degree, each from as many cosets as its degree.
    std::vector<ExtField> constraint_values = total([](const SkipScratch& s) -> const auto& { return s.linear; });
    for (ExtField& x : constraint_values) x += weights_.constant;
    Coefficients v = interpolate_cosets({constraint_values});
    for (std::size_t c = 1; c < degrees_.size(); ++c) {
        std::vector<std::vector<ExtField>> values;
        for (std::size_t s = 0; s < degrees_[c]; ++s) {
            values.push_back(total([&](const SkipScratch& x) -> const auto& { return x.sums[s][c]; }));
        }
        for (std::size_t i = 0; i < kSkipSize; ++i) constraint_values[i] += values[0][i];
        add_to(v, interpolate_cosets(values));
    }
    if (!degrees_.empty()) {
        // On D all constraints together are zero.
        std::vector<std::vector<ExtField>> values(1, std::vector<ExtField>(kSkipSize));
        for (std::size_t i = 0; i < kSkipSize; ++i) values[0][i] = -constraint_values[i];
        for (std::size_t s = 1; s < top_degree(); ++s) {
            values.push_back(total([&](const SkipScratch& x) -> const auto& { return x.sums[s][0]; }));
        }
        add_to(v, interpolate_cosets(values));
    }
    std::vector<ExtField> bus_values = total([](const SkipScratch& s) -> const auto& { return s.bus; });
    for (ExtField& x : bus_values) x += bus_.constant;
    add_to(v, interpolate_cosets({bus_values}));
    v.resize(std::max<std::size_t>(v.size(), (kSkipSize - 1) * top_degree() + 1));
    return v;
}

void TableProver::bind_skip(std::span<const ExtField> lagrange) {
    for (std::size_t i = 0; i < table_.num_columns() + next_columns_.size(); ++i) folded_.emplace_back(num_chunks_);
    const std::span<const ExtField, kSkipSize> w(lagrange.data(), kSkipSize);
    parallel_for(num_chunks_, 4, [&](std::size_t begin, std::size_t end) {
        ChunkSources sources(instance_);
        for (std::size_t chunk = begin; chunk < end; ++chunk) {
            sources.aim(chunk);
            for (std::uint32_t c = 0; c < table_.num_columns(); ++c)
                fold_skip(w, sources.column(c), &folded_[c][chunk]);
            for (std::size_t i = 0; i < next_columns_.size(); ++i) {
                fold_skip(w, sources.next_column(next_columns_[i]), &folded_[table_.num_columns() + i][chunk]);
            }
        }
    });
    make_inputs();
}

void TableProver::lift_columns() {
    first_variable_ = kLogLanes;
    const std::size_t num_blocks = num_chunks_ * kSkipSize;
    for (std::size_t i = 0; i < table_.num_columns() + next_columns_.size(); ++i) folded_.emplace_back(num_blocks);
    parallel_for(num_chunks_, 4, [&](std::size_t begin, std::size_t end) {
        ChunkSources sources(instance_);
        for (std::size_t chunk = begin; chunk < end; ++chunk) {
            sources.aim(chunk);
            const auto lift = [&](const std::uint32_t* from, ExtBlock* to) {
                for (std::size_t i = 0; i < kSkipSize; ++i) {
                    to[i] = ExtBlock{};
                    std::copy_n(from + kLanes * i, kLanes, to[i].c[0]);
                }
            };
            for (std::uint32_t c = 0; c < table_.num_columns(); ++c) {
                lift(sources.column(c), &folded_[c][chunk * kSkipSize]);
            }
            for (std::size_t i = 0; i < next_columns_.size(); ++i) {
                lift(sources.next_column(next_columns_[i]), &folded_[table_.num_columns() + i][chunk * kSkipSize]);
            }
        }
    });
    make_inputs();
    // Constraints are zero on every row: what is claimed is the buses' part.
    const ColumnValues<ExtField> at_rho = values_at(rho_);
    claim_ = bus_.constant;
    for (std::size_t c = 0; c < at_rho.row.size(); ++c) claim_ += bus_.column[c] * at_rho.row[c];
    for (std::size_t i = 0; i < next_columns_.size(); ++i)
        claim_ += bus_.next_column[next_columns_[i]] * at_rho.next[i];
}

// The tapes' inputs and the linear column, from folded_.
void TableProver::make_inputs() {
    const std::size_t num_inputs = program_.inputs.size();
    num_blocks_ = folded_.front().size();
    // Blocks are used four at a time.
    const std::size_t padded = (num_blocks_ + kPairs - 1) / kPairs * kPairs;
    for (std::size_t i = 0; i <= num_inputs; ++i) inputs_.emplace_back(std::max<std::size_t>(padded, 2));

    std::vector<ExtField> column = weights_.column;
    std::vector<ExtField> next = weights_.next_column;
    for (std::size_t c = 0; c < column.size(); ++c) {
        column[c] += bus_.column[c];
        next[c] += bus_.next_column[c];
    }
    const ExtField constant = weights_.constant + bus_.constant;

    parallel_for(num_blocks_, 4, [&](std::size_t begin, std::size_t end) {
        std::vector<const std::uint32_t*> atoms(table_.graph.atoms().size());
        std::vector<const std::uint32_t*> terms;
        std::vector<ExtField> term_weights;
        for (std::size_t block = begin; block < end; ++block) {
            auto folded = [&](std::size_t i) { return reinterpret_cast<const std::uint32_t*>(&folded_[i][block]); };
            for (std::size_t a = 0; a < atoms.size(); ++a) {
                const Atom& atom = table_.graph.atoms()[a];
                if (atom.kind == Atom::Kind::column) atoms[a] = folded(atom.column);
                if (atom.kind == Atom::Kind::next_column) {
                    const auto it = std::find(next_columns_.begin(), next_columns_.end(), atom.column);
                    if (it != next_columns_.end()) {
                        atoms[a] = folded(table_.num_columns() + static_cast<std::size_t>(it - next_columns_.begin()));
                    }
                }
            }
            for (std::size_t x = 0; x < num_inputs; ++x) {
                const LinearForm& form = program_.inputs[x];
                linear_form_ext(form.terms, form.constant, atoms.data(),
                                reinterpret_cast<std::uint32_t*>(&inputs_[x][block]), 1);
            }
            terms.clear();
            term_weights.clear();
            for (std::size_t c = 0; c < column.size(); ++c) {
                if (column[c].is_zero()) continue;
                terms.push_back(folded(c));
                term_weights.push_back(column[c]);
            }
            for (std::size_t i = 0; i < next_columns_.size(); ++i) {
                if (next[next_columns_[i]].is_zero()) continue;
                terms.push_back(folded(table_.num_columns() + i));
                term_weights.push_back(next[next_columns_[i]]);
            }
            ExtBlock& linear = inputs_[num_inputs][block];
            for (std::size_t k = 0; k < ExtField::kDegree; ++k)
                std::fill_n(linear.c[k], kLanes, constant[k].montgomery());
            const ExtField one(KoalaBear(1));
            accumulate_ext(term_weights, terms.data(), std::span(&one, 1), &linear, 1);
        }
    });
}

struct TableProver::PairScratch {
    explicit PairScratch(const TableProver& p)
        : sums(p.top_degree() + 1, std::vector<std::vector<ExtBlock>>(p.degrees_.size(), std::vector<ExtBlock>(1))),
          linear(2) {
        std::size_t slots = p.program_.inputs.size();
        for (const Tape& tape : p.program_.at_least) slots = std::max<std::size_t>(slots, tape.num_slots);
        slots += 1;  // the linear column, last
        current = Buffer<ExtBlock>(slots * kPairs);
        difference = Buffer<ExtBlock>(p.inputs_.size() * kPairs);
        for (std::size_t i = 0; i < slots; ++i)
            pointers.push_back(reinterpret_cast<std::uint32_t*>(current.data() + i * kPairs));
    }
    Buffer<ExtBlock> current, difference;
    std::vector<std::uint32_t*> pointers;
    ClassSums sums;  // [point][class][0]
    std::vector<ExtBlock> linear;
    std::vector<const std::uint32_t*> from;
};

void TableProver::run_pairs(std::size_t first, std::size_t count, std::span<const ExtField> weights,
                            PairScratch& s) const {
    const std::size_t num_inputs = program_.inputs.size();
    const std::size_t linear_slot = s.pointers.size() - 1;
    auto slot_of = [&](std::size_t x) { return x < num_inputs ? x : linear_slot; };
    for (std::size_t x = 0; x <= num_inputs; ++x) {
        ExtBlock* lo = s.current.data() + slot_of(x) * kPairs;
        ExtBlock* diff = s.difference.data() + x * kPairs;
        split_pairs(inputs_[x].data() + 2 * first, lo, diff, count);
        // What is past the end has weight zero below but must still be field elements.
        for (std::size_t i = count; i < kPairs; ++i) lo[i] = diff[i] = ExtBlock{};
    }
    const ExtField one(KoalaBear(1));
    const std::uint32_t* linear[1] = {s.pointers[linear_slot]};
    for (std::size_t point = 0; point <= top_degree(); ++point) {
        if (point > 0) {
            for (std::size_t x = 0; x <= num_inputs; ++x) {
                if (point > 1 && x == num_inputs) continue;
                add_blocks(s.current.data() + slot_of(x) * kPairs, s.difference.data() + x * kPairs, kPairs);
            }
        }
        if (point <= 1) accumulate_ext(std::span(&one, 1), linear, weights, &s.linear[point], count);
        if (degrees_.empty()) continue;
        const Tape& program = tape(point, point == 1);
        run_tape_ext(program, s.pointers.data(), kPairs);
        for (const RootClass& c : classes(point, point == 1)) {
            s.from.clear();
            for (const std::uint32_t slot : c.slots) s.from.push_back(s.pointers[slot]);
            accumulate_ext(c.weights, s.from.data(), weights, s.sums[point][c.index].data(), count);
        }
    }
}

Coefficients TableProver::round(unsigned u) {
    if (u >= instance_.log_height) return {claim_};
    const bool lane_round = u < kLogLanes;
    std::vector<ExtField> pair_weights{ExtField(KoalaBear(1))};
    std::vector<ExtField> lane_weights;
    if (lane_round) {
        // Lanes 2 j and 2 j + 1 of the only block become lanes j of two blocks.
        QUARRY_CHECK(num_blocks_ == 1);
        for (auto& input : inputs_) {
            const ExtBlock block = input[0];
            input[0] = input[1] = ExtBlock{};
            for (std::size_t k = 0; k < ExtField::kDegree; ++k) {
                for (std::size_t j = 0; j < live_lanes_ / 2; ++j) {
                    input[0].c[k][j] = block.c[k][2 * j];
                    input[1].c[k][j] = block.c[k][2 * j + 1];
                }
            }
        }
        num_blocks_ = 2;
        live_lanes_ /= 2;
        lane_weights = eq_all(native, rho_.subspan(u + 1, kLogLanes - u - 1));
    } else {
        pair_weights = eq_all(native, rho_.subspan(u + 1));
        lane_weights = eq_all(native, rho_.first(kLogLanes));
    }

    const std::size_t num_pairs = num_blocks_ / 2;
    tbb::enumerable_thread_specific<std::unique_ptr<PairScratch>> scratch(
        [&] { return std::make_unique<PairScratch>(*this); });
    const std::size_t groups = (num_pairs + kPairs - 1) / kPairs;
    parallel_for(groups, 4, [&](std::size_t begin, std::size_t end) {
        PairScratch& s = *scratch.local();
        for (std::size_t g = begin; g < end; ++g) {
            const std::size_t count = std::min(kPairs, num_pairs - g * kPairs);
            run_pairs(g * kPairs, count, std::span(pair_weights).subspan(g * kPairs, count), s);
        }
    });
    auto total = [&](auto select) {
        ExtField r;
        for (const auto& s : scratch) {
            const ExtBlock& sum = select(*s);
            for (std::size_t lane = 0; lane < live_lanes_; ++lane) {
                ExtField x;
                for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = KoalaBear::from_montgomery(sum.c[k][lane]);
                r += x * lane_weights[lane];
            }
        }
        return r;
    };

    std::vector<KoalaBear> points;
    for (std::size_t i = 0; i <= top_degree(); ++i) points.emplace_back(i);
    auto at = [&](std::size_t point, std::size_t c) {
        return total([&](const PairScratch& s) -> const auto& { return s.sums[point][c][0]; });
    };
    ExtField at_zero = total([](const PairScratch& s) -> const auto& { return s.linear[0]; });
    ExtField at_one = total([](const PairScratch& s) -> const auto& { return s.linear[1]; });
    Coefficients g{at_zero, at_one - at_zero};
    for (std::size_t c = 1; c < degrees_.size(); ++c) {
        std::vector<ExtField> values;
        for (std::size_t point = 0; point <= degrees_[c]; ++point) values.push_back(at(point, c));
        at_zero += values[0];
        at_one += values[1];
        add_to(g, interpolate(std::span(points).first(degrees_[c] + 1), values));
    }
    if (!degrees_.empty()) {
        // claim = (1 - rho) G(0) + rho G(1) gives the top degree's value at 1.
        std::vector<ExtField> values{at(0, 0), {}};
        const ExtField zero = at_zero + values[0];
        values[1] = (claim_ - zero) * rho_[u].inverse() + zero - at_one;
        for (std::size_t point = 2; point <= top_degree(); ++point) values.push_back(at(point, 0));
        add_to(g, interpolate(points, values));
    }
    return g;
}

void TableProver::bind(unsigned u, const ExtField& r) {
    if (u >= instance_.log_height) return;
    const std::size_t num_pairs = num_blocks_ / 2;
    parallel_for(inputs_.size(), 4, [&](std::size_t begin, std::size_t end) {
        for (std::size_t x = begin; x < end; ++x) fold_pairs(inputs_[x].data(), inputs_[x].data(), r, num_pairs);
    });
    num_blocks_ = num_pairs;
}

ColumnValues<ExtField> TableProver::values(const RowPoint<ExtField>& point) const {
    return values_at(std::span<const ExtField>(point.r).first(instance_.log_height));
}

// `point` over the row's variables; those of the skip are not read once they are bound.
ColumnValues<ExtField> TableProver::values_at(std::span<const ExtField> point) const {
    std::vector<ExtField> r(point.begin(), point.begin() + kLogLanes);
    r.insert(r.end(), point.begin() + first_variable_, point.end());
    const auto eq_scalars = eq_all(native, std::span<const ExtField>(r));
    ExtVector eq(eq_scalars.size());
    for (std::size_t i = 0; i < eq_scalars.size(); ++i) eq.set(i, eq_scalars[i]);
    ColumnValues<ExtField> values{std::vector<ExtField>(table_.num_columns()),
                                  std::vector<ExtField>(next_columns_.size())};
    parallel_for(folded_.size(), 4, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            ExtBlock sum{};
            inner_product(folded_[i].data(), eq.blocks(), &sum, folded_[i].size());
            ExtField x;
            for (std::size_t k = 0; k < ExtField::kDegree; ++k) {
                for (std::size_t lane = 0; lane < kLanes; ++lane) x[k] += KoalaBear::from_montgomery(sum.c[k][lane]);
            }
            (i < table_.num_columns() ? values.row[i] : values.next[i - table_.num_columns()]) = x;
        }
    });
    return values;
}

}  // namespace quarry
