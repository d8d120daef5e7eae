#include "quarry/iop/gkr.hpp"

#include <algorithm>
#include <mutex>

#include "quarry/base/parallel.hpp"
#include "quarry/iop/kernels/gkr.hpp"

namespace quarry {
namespace {

/// Layers below this one (at most 64 children) are worked out element by element.
constexpr unsigned kFirstBlockLayer = 6;
/// A run of pairs shares the high part of its eq weight and is the unit of parallel work.
constexpr unsigned kMaxLogRun = 7;
/// Blocks of layer m - 1 that are combined, with everything above them, in one go: 160 KiB.
constexpr unsigned kLogTile = 8;
/// A round is split among threads from this many pairs on.
constexpr unsigned kMinLogParallel = 6;

/// eq(point, b) for all b, variable 0 of `point` = bit 0 of b. [VSBW13]
std::vector<ExtField> eq_table(std::span<const ExtField> point) {
    std::vector<ExtField> t(std::size_t{1} << point.size());
    t[0] = ExtField(1);
    for (std::size_t v = 0; v < point.size(); ++v) {
        const std::size_t half = std::size_t{1} << v;
        for (std::size_t b = 0; b < half; ++b) {
            t[half + b] = t[b] * point[v];
            t[b] -= t[half + b];
        }
    }
    return t;
}

std::vector<GkrFactor> factor_table(std::span<const ExtField> point) {
    const std::vector<ExtField> eq = eq_table(point);
    std::vector<GkrFactor> f(eq.size());
    std::transform(eq.begin(), eq.end(), f.begin(), prepare_factor);
    return f;
}

/// The prover of one run of the protocol: `point`, `claim` as the verifier has them.
class GkrProver {
  public:
    GkrProver(ProverChannel& channel, const FractionLeaves& leaves, GkrWorkspace& workspace)
        : channel_(channel), leaves_(leaves), workspace_(workspace) {
        const std::size_t size = leaves_.denominators.size();
        while ((std::size_t{1} << log_size_) < size) ++log_size_;
        QUARRY_CHECK(log_size_ >= kGkrMinLogSize && size == std::size_t{1} << log_size_);
        QUARRY_CHECK(leaves_.numerators.size() == size);
        point_.resize(log_size_);
        if (workspace_.layers.size() < size / kLanes) workspace_.layers = Buffer<GkrFraction>(size / kLanes);
    }

    GkrClaim<> run() {
        build();
        const ScalarLayer root = pairs_of_layer(0);
        const std::array message{root.p0[0], root.s1[0], root.q0[0], root.q1[0]};
        channel_.send("gkr/root", message);
        next_layer(0, message);
        for (unsigned j = 1; j < log_size_; ++j) {
            lambda_ = channel_.challenge();
            claim_ = numerator_ + lambda_ * denominator_;
            ScalarLayer bound = j < kFirstBlockLayer ? pairs_of_layer(j) : bind_blocks(j);
            if (j < kFirstBlockLayer) {
                for (std::size_t x = 0; x < bound.s1.size(); ++x) bound.s1[x] += lambda_ * bound.q1[x];
            }
            bind_scalars(bound);
            const std::array values{bound.p0[0], bound.s1[0] - lambda_ * bound.q1[0], bound.q0[0], bound.q1[0]};
            channel_.send("gkr/layer", values);
            next_layer(j, values);
        }
        return {std::move(point_), numerator_, denominator_};
    }

  private:
    /// Pairs (p0, q0), (p1, q1) over the variables of a layer that are not bound yet; bit 0 of an index is bound first.
    /// s1 = p1 while the layer is read, then p1 + lambda q1: p0 q1 + p1 q0 + lambda q0 q1 = p0 q1 + s1 q0.
    struct ScalarLayer {
        std::vector<ExtField> p0, s1, q0, q1;
    };

    /// The 2^(j-4) blocks of layer j, 5 <= j < m.
    GkrFraction* layer(unsigned j) const { return workspace_.layers.data() + (std::size_t{1} << (j - kLogLanes)); }
    unsigned variable(unsigned i) const { return gkr_variable(log_size_, i); }
    GkrSource children_of(unsigned j) const {
        if (j + 1 < log_size_) return {layer(j + 1), nullptr, nullptr};
        return {nullptr, reinterpret_cast<const std::uint32_t*>(leaves_.numerators.data()),
                leaves_.denominators.blocks()};
    }

    /// All layers: blocks for j >= 5, elements below.
    void build() {
        // A piece takes its leaves down log_tile + 1 layers while they are in the cache.
        const unsigned log_tile = std::min(kLogTile, log_size_ - kLogLanes - 2);
        const std::size_t num_tiles = std::size_t{1} << (log_size_ - 1 - kLogLanes - log_tile);
        parallel_for(num_tiles, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t tile = begin; tile < end; ++tile) {
                for (unsigned d = 0; d <= log_tile; ++d) {
                    const unsigned j = log_size_ - 1 - d;
                    gkr_combine(children_of(j), layer(j), tile << (log_tile - d), (tile + 1) << (log_tile - d));
                }
            }
        });
        for (unsigned j = log_size_ - 2 - log_tile; j > kLogLanes; --j) {
            gkr_combine(children_of(j), layer(j), 0, std::size_t{1} << (j - kLogLanes));
        }
        for (unsigned j = kLogLanes; j > 0; --j) {
            const ScalarLayer pairs = pairs_of_layer(j);
            for (std::size_t x = 0; x < pairs.p0.size(); ++x) {
                small_p_[j].push_back(pairs.p0[x] * pairs.q1[x] + pairs.s1[x] * pairs.q0[x]);
                small_q_[j].push_back(pairs.q0[x] * pairs.q1[x]);
            }
        }
    }

    /// Layer j < kFirstBlockLayer as pairs of its children, s1 = p1.
    ScalarLayer pairs_of_layer(unsigned j) const {
        ScalarLayer r;
        for (std::size_t x = 0; x < std::size_t{1} << j; ++x) {
            for (std::size_t h = 0; h < 2; ++h) {
                ExtField p;
                ExtField q;
                if (j < kLogLanes) {
                    p = small_p_[j + 1][2 * x + h];
                    q = small_q_[j + 1][2 * x + h];
                } else {
                    // Bits of x: the j - 4 block variables, then the lanes.
                    const unsigned log_blocks = j - kLogLanes;
                    const std::size_t block = 2 * (x & ((std::size_t{1} << log_blocks) - 1)) + h;
                    p = lane(layer(j + 1)[block].p, x >> log_blocks);
                    q = lane(layer(j + 1)[block].q, x >> log_blocks);
                }
                (h == 0 ? r.p0 : r.s1).push_back(p);
                (h == 0 ? r.q0 : r.q1).push_back(q);
            }
        }
        return r;
    }
    static ExtField lane(const ExtBlock& b, std::size_t i) {
        ExtField x;
        for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = KoalaBear::from_montgomery(b.c[k][i]);
        return x;
    }

    /// One round, from G(0) and the quadratic coefficient. Binds variable i of the order.
    ExtField round(unsigned i, const ExtField& at_zero, const ExtField& quadratic) {
        ExtField& rho = point_[variable(i)];
        // claim = G(0) + rho (a_1 + a_2). A challenge is zero with probability 1/|F|.
        QUARRY_CHECK(!rho.is_zero());
        const ExtField linear = (claim_ - at_zero) * rho.inverse() - quadratic;
        channel_.send("gkr/round", std::array{linear, quadratic});
        rho = channel_.challenge();
        claim_ = at_zero + rho * (linear + rho * quadratic);
        return rho;
    }

    /// The rounds of the block variables of layer j >= kFirstBlockLayer. Layer j and then layer j - 1, not needed any
    /// more, take the folded pairs: 2^(j-4) blocks after the first binding, half of it after each further one.
    ScalarLayer bind_blocks(unsigned j) {
        const unsigned num_rounds = j - kLogLanes;
        const unsigned first = log_size_ - j;  // order of the first variable
        const std::vector<ExtField> lane_eq = eq_table(std::span(point_).first(kLogLanes));
        ExtBlock lanes;
        for (std::size_t l = 0; l < kLanes; ++l) {
            for (std::size_t k = 0; k < ExtField::kDegree; ++k) lanes.c[k][l] = lane_eq[l][k].montgomery();
        }
        GkrFraction* out = layer(j);
        GkrFraction* spare = layer(j - 1);
        GkrSource in = children_of(j);
        ExtField r;
        for (unsigned t = 0; t < num_rounds; ++t) {
            const unsigned log_pairs = num_rounds - t - 1;
            const unsigned log_run = log_pairs < kMinLogParallel ? log_pairs : std::min(log_pairs - 2, kMaxLogRun);
            // Variables after the one of this round.
            const auto rest = std::span<const ExtField>(point_).subspan(variable(first + t) + 1, log_pairs);
            const std::vector<GkrFactor> low = factor_table(rest.first(log_run));
            const std::vector<GkrFactor> high = factor_table(rest.subspan(log_run));
            const GkrWeights weights{low, high, &lanes};
            if (t == 0) {
                const auto sums =
                    sum_over_runs<3>(high.size(), [&](std::size_t begin, std::size_t end, std::span<ExtField, 3> s) {
                        gkr_first_message(in, layer(j), lambda_, weights, begin, end, s);
                    });
                r = round(first, sums[0] + lambda_ * sums[1], sums[2]);
            } else {
                const ExtField* lambda = t == 1 ? &lambda_ : nullptr;
                const auto sums =
                    sum_over_runs<2>(high.size(), [&](std::size_t begin, std::size_t end, std::span<ExtField, 2> s) {
                        gkr_fold_message(in, out, r, lambda, weights, begin, end, s);
                    });
                in = {out, nullptr, nullptr};
                std::swap(out, spare);
                r = round(first + t, sums[0], sums[1]);
            }
        }
        GkrFraction last[2];
        gkr_fold_last(in.fractions, last, r);
        ScalarLayer bound;
        for (std::size_t l = 0; l < kLanes; ++l) {
            bound.p0.push_back(lane(last[0].p, l));
            bound.q0.push_back(lane(last[0].q, l));
            bound.s1.push_back(lane(last[1].p, l));
            bound.q1.push_back(lane(last[1].q, l));
        }
        return bound;
    }

    /// f(begin, end, sums) over [0, num_runs) in parallel; the sums of all pieces.
    template <std::size_t N, class F>
    static std::array<ExtField, N> sum_over_runs(std::size_t num_runs, F&& f) {
        std::array<ExtField, N> total{};
        std::mutex mutex;
        parallel_for(num_runs, 1, [&](std::size_t begin, std::size_t end) {
            std::array<ExtField, N> sums{};
            f(begin, end, std::span<ExtField, N>(sums));
            const std::lock_guard lock(mutex);
            for (std::size_t k = 0; k < N; ++k) total[k] += sums[k];
        });
        return total;
    }

    /// The rounds of the last variables of the order, as many as `a` has; one element of each vector is left.
    void bind_scalars(ScalarLayer& a) {
        for (std::size_t half = a.p0.size() / 2; half > 0; half /= 2) {
            unsigned log_half = 0;
            while ((std::size_t{1} << log_half) < half) ++log_half;
            const unsigned i = log_size_ - log_half - 1;
            std::vector<ExtField> rest;
            for (unsigned k = i + 1; k < log_size_; ++k) rest.push_back(point_[variable(k)]);
            const std::vector<ExtField> eq = eq_table(rest);
            ExtField at_zero;
            ExtField quadratic;
            for (std::size_t x = 0; x < half; ++x) {
                const std::size_t y = 2 * x;
                at_zero += eq[x] * (a.p0[y] * a.q1[y] + a.s1[y] * a.q0[y]);
                quadratic += eq[x] * ((a.p0[y + 1] - a.p0[y]) * (a.q1[y + 1] - a.q1[y]) +
                                      (a.s1[y + 1] - a.s1[y]) * (a.q0[y + 1] - a.q0[y]));
            }
            const ExtField r = round(i, at_zero, quadratic);
            for (std::vector<ExtField>* f : {&a.p0, &a.s1, &a.q0, &a.q1}) {
                for (std::size_t x = 0; x < half; ++x) (*f)[x] = (*f)[2 * x] + r * ((*f)[2 * x + 1] - (*f)[2 * x]);
                f->resize(half);
            }
        }
    }

    /// values = p0, p1, q0, q1 of layer j at the bound point: binds the variable that pairs layer j + 1.
    void next_layer(unsigned j, const std::array<ExtField, 4>& values) {
        const ExtField c = channel_.challenge();
        numerator_ = values[0] + c * (values[1] - values[0]);
        denominator_ = values[2] + c * (values[3] - values[2]);
        point_[variable(log_size_ - j - 1)] = c;
    }

    ProverChannel& channel_;
    const FractionLeaves& leaves_;
    GkrWorkspace& workspace_;
    unsigned log_size_ = 0;
    std::array<std::vector<ExtField>, kLogLanes + 1> small_p_, small_q_;  ///< j = 1 .. 4
    std::vector<ExtField> point_;
    ExtField lambda_, claim_, numerator_, denominator_;
};

}  // namespace

GkrClaim<> prove_gkr(ProverChannel& channel, const FractionLeaves& leaves, GkrWorkspace& workspace) {
    return GkrProver(channel, leaves, workspace).run();
}

GkrClaim<> prove_gkr(ProverChannel& channel, const FractionLeaves& leaves) {
    GkrWorkspace workspace;
    return prove_gkr(channel, leaves, workspace);
}

}  // namespace quarry
