#include "quarry/recursion/builder_detail.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/hash/poseidon_batch.hpp"

namespace quarry::recursion {

using namespace detail;

BaseRun CircuitBuilder::leaf(std::span<const KoalaBear> values) {
    const auto first = static_cast<Address>(leaf_row_.size());
    const std::size_t blocks = (values.size() + kBlock - 1) / kBlock;
    leaf_row_.resize(leaf_row_.size() + blocks, ~0U);
    leaf_readers_.resize(leaf_readers_.size() + blocks * kBlock, 0);
    return {kLeafBlocks + static_cast<Address>(kBlock) * first, values};
}

void CircuitBuilder::leaf_rows(const BaseRun& leaf, std::span<const Digest> digests) {
    const DigestWire start = constant(poseidon_leaf_iv(leaf.size()));
    const std::size_t first_block = (leaf.address - kLeafBlocks) / kBlock;
    const std::size_t blocks = (leaf.size() + kBlock - 1) / kBlock;
    for (std::size_t block = 0; block < blocks; ++block) {
        Digest values{};
        for (std::size_t k = 0; k < kBlock && block * kBlock + k < leaf.size(); ++k) {
            values[k] = leaf.values[block * kBlock + k];
        }
        TreeTable::Row<KoalaBear> row{};
        std::copy_n(digests[block].begin(), kBlock, row.in.begin());
        std::copy_n(values.begin(), kBlock, row.in.begin() + kBlock);
        TreeTable::Fixed<KoalaBear> fixed{.operand = element(leaf.address + static_cast<Address>(kBlock * block))};
        if (block == 0) {
            fixed.left = element(start.address);
            fixed.reads_left = kFlag;
            ++digest_readers_[start.address];
        } else {
            rows_.tree.fixed.back().leaf = kFlag;
        }
        leaf_row_[first_block + block] = static_cast<std::uint32_t>(rows_.tree.push(row, fixed, block > 0));
    }
}

void CircuitBuilder::require_zero_rest(const BaseRun& leaf) {
    for (std::size_t k = leaf.size(); k % kBlock != 0; ++k) {
        require_equal(leaf.address + static_cast<Address>(k), BaseExpr(KoalaBear()));
    }
}

void CircuitBuilder::open(const DigestWire& root, const IndexWires& index, const BaseRun& leaf,
                          std::span<const Digest> path) {
    open(root, {&index, 1}, {&leaf, 1}, {&path, 1});
}

std::vector<ExtensionExpr> CircuitBuilder::fold(std::span<const ExtensionExpr> weights, std::span<const BaseRun> rows) {
    const std::size_t groups = (weights.size() + kBlock - 1) / kBlock;
    const Address run_start = run(weights, groups * kBlock);
    std::vector<ExtensionExpr> results;
    for (const BaseRun& row : rows) {
        ExtField value;
        const bool in_base = row.size() == weights.size();
        QUARRY_CHECK(in_base || row.size() == kDegree * weights.size());
        for (std::size_t i = 0; i < weights.size(); ++i) {
            ExtField x;
            for (std::size_t k = 0; k < (in_base ? 1 : kDegree); ++k)
                x[k] = row.values[(in_base ? 1 : kDegree) * i + k];
            value += weights[i].value() * x;
        }
        results.push_back(new_wire(value));
    }
    const auto first = [&](std::size_t q) { return results[q].node_->terms[0].a; };
    if (rows_.kinds == RowKinds::few) {
        for (std::size_t q = 0; q < rows.size(); ++q) fold_by_sums(run_start, weights.size(), rows[q], first(q));
        return results;
    }
    if (rows.empty() || rows[0].size() != weights.size()) {
        for (std::size_t q = 0; q < rows.size(); ++q) extension_fold_rows(run_start, groups, rows[q], first(q));
        return results;
    }
    for (std::size_t q = 0; q < rows.size(); q += kFolds) {
        base_fold_rows(run_start, groups, rows.subspan(q, std::min(kFolds, rows.size() - q)), first(q));
    }
    return results;
}

void CircuitBuilder::base_fold_rows(Address weights, std::size_t groups, std::span<const BaseRun> rows,
                                    Address first_result) {
    std::array<ExtField, kFolds> sums{};
    for (std::size_t g = 0; g < groups; ++g) {
        const Address first_weight = weights + static_cast<Address>(kBlock * g);
        const bool last = g + 1 == groups;
        BaseFoldRow<KoalaBear> row{};
        BaseFoldFixed<KoalaBear> fixed{.weights = element(first_weight), .goes_on = last ? KoalaBear() : kFlag};
        std::array<ExtField, kBlock> w;
        for (std::size_t i = 0; i < kBlock; ++i) {
            w[i] = read(first_weight + static_cast<Address>(i));
            row.weights[i] = cells(w[i]);
        }
        for (std::size_t q = 0; q < rows.size(); ++q) {
            const Address x = rows[q].address + static_cast<Address>(kBlock * g);
            fixed.x[q] = element(x);
            fixed.reads[q] = kFlag;
            for (std::size_t i = 0; i < kBlock; ++i) {
                add_reader(x + static_cast<Address>(i));
                if (kBlock * g + i < rows[q].size()) row.x[q][i] = rows[q].values[kBlock * g + i];
                sums[q] += w[i] * row.x[q][i];
            }
            row.sum[q] = cells(sums[q]);
            if (last) fixed.result[q] = element(first_result + static_cast<Address>(q));
        }
        rows_.base_fold.push(row, fixed, g > 0, last ? first_result : kNoWire);
    }
}

void CircuitBuilder::extension_fold_rows(Address weights, std::size_t groups, const BaseRun& run, Address result) {
    ExtField sum;
    for (std::size_t g = 0; g < groups; ++g) {
        const Address first_weight = weights + static_cast<Address>(kBlock * g);
        const Address first_x = run.address + static_cast<Address>(kDegree * kBlock * g);
        ExtensionFoldRow<KoalaBear> row{};
        FoldFixed<KoalaBear> fixed{.weights = element(first_weight), .x = element(first_x), .reads = kFlag};
        for (std::size_t i = 0; i < kBlock; ++i) {
            const ExtField w = read(first_weight + static_cast<Address>(i));
            row.weights[i] = cells(w);
            for (std::size_t k = 0; k < kDegree; ++k) {
                const std::size_t at = kDegree * i + k;
                add_reader(first_x + static_cast<Address>(at));
                if (kDegree * kBlock * g + at < run.size()) row.x[i][k] = run.values[kDegree * kBlock * g + at];
            }
            sum += w * ExtField(row.x[i]);
        }
        row.sum = cells(sum);
        const bool last = g + 1 == groups;
        if (last) fixed.result = element(result);
        if (!last) fixed.goes_on = kFlag;
        rows_.extension_fold.push(row, fixed, g > 0, last ? result : kNoWire);
    }
}

void CircuitBuilder::fold_by_sums(Address weights, std::size_t num_weights, const BaseRun& run, Address result) {
    ExtensionExpr total;
    for (std::size_t i = 0; i < num_weights; ++i) {
        const auto weight = at(weights + static_cast<Address>(i));
        if (run.size() == num_weights) {
            total = total + weight * lift(run.address + static_cast<Address>(i), run.values[i]);
            continue;
        }
        std::array<KoalaBear, kDegree> x;
        std::copy_n(run.values.begin() + static_cast<std::ptrdiff_t>(kDegree * i), kDegree, x.begin());
        total = total + weight * pack(run.address + static_cast<Address>(kDegree * i), x);
    }
    sum(total, result, false);
}

std::vector<ExtensionExpr> CircuitBuilder::evaluate(std::span<const ExtensionExpr> coefficients,
                                                    std::span<const BaseExpr> points) {
    if (rows_.kinds == RowKinds::few) {
        std::vector<ExtensionExpr> values;
        for (const BaseExpr& point : points) values.push_back(evaluate_by_sums(coefficients, point));
        return values;
    }
    const std::size_t groups = (coefficients.size() + kBlock - 1) / kBlock;
    const Address run_start = run(coefficients, groups * kBlock);
    std::vector<Address> xs;
    for (const BaseExpr& point : points) xs.push_back(wire(point.lifted()));
    std::vector<ExtensionExpr> results;
    for (std::size_t q = 0; q < xs.size(); q += kPoints) {
        const auto sums = polynomial_rows(run_start, groups,
                                          std::span<const Address>(xs).subspan(q, std::min(kPoints, xs.size() - q)));
        for (const ExtField& sum : sums) results.push_back(new_wire(sum));
    }
    return results;
}

ExtensionExpr CircuitBuilder::evaluate_by_sums(std::span<const ExtensionExpr> coefficients, const BaseExpr& point) {
    ExtensionExpr value;
    for (std::size_t i = coefficients.size(); i-- > 0;) {
        value = value * point + coefficients[i];
        (void)wire(value);
    }
    return value;
}

std::vector<ExtField> CircuitBuilder::polynomial_rows(Address coefficients, std::size_t groups,
                                                      std::span<const Address> points) {
    const auto first_result = static_cast<Address>(values_.size());
    std::array<ExtField, kPoints> sums{};
    for (std::size_t g = groups; g-- > 0;) {
        const Address first = coefficients + static_cast<Address>(kBlock * g);
        PolynomialRow<KoalaBear> row{};
        PolynomialFixed<KoalaBear> fixed{.coefficients = element(first), .reads = kFlag};
        if (g > 0) fixed.goes_on = kFlag;
        std::array<ExtField, kBlock> c;
        for (std::size_t i = 0; i < kBlock; ++i) {
            c[i] = read(first + static_cast<Address>(i));
            row.coefficients[i] = cells(c[i]);
        }
        for (std::size_t q = 0; q < kPoints; ++q) {
            const Address point = q < points.size() ? points[q] : kZero;
            row.x[q] = read(point)[0];
            row.square[q] = row.x[q] * row.x[q];
            for (std::size_t i = kBlock; i-- > 0;) sums[q] = sums[q] * row.x[q] + c[i];
            row.sum[q] = cells(sums[q]);
            fixed.x[q] = element(point);
            if (g == 0 && q < points.size()) fixed.result[q] = element(first_result + static_cast<Address>(q));
        }
        rows_.polynomial.push(row, fixed, g + 1 < groups, g == 0 ? first_result : kNoWire);
    }
    return {sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(points.size())};
}

ExtensionExpr CircuitBuilder::power_by_sums(const BaseExpr& x, std::span<const ExtensionExpr> r) {
    ExtensionExpr square = x.lifted();
    ExtensionExpr product{ExtField(1)};
    for (std::size_t v = 0; v < r.size(); ++v) {
        if (v > 0) square = square * square;
        (void)wire(square);
        product = product + product * (r[v] * square - r[v]);
        (void)wire(product);
    }
    return product;
}

ExtensionExpr CircuitBuilder::power(const BaseExpr& x, std::span<const ExtensionExpr> r) {
    QUARRY_CHECK(!r.empty());
    if (rows_.kinds == RowKinds::few) return power_by_sums(x, r);
    const Address start = wire(x.lifted());
    PowerRow<KoalaBear> row{read(start)[0], {}, cells(ExtField(1))};
    ExtField product(1);
    for (std::size_t v = 0; v <= r.size(); ++v) {
        PowerFixed<KoalaBear> fixed{};
        if (v == 0) {
            fixed.start = kFlag;
            fixed.wire = element(start);
        }
        if (v == r.size()) break;
        const Address wire_of_r = wire(r[v]);
        row.r = cells(read(wire_of_r));
        fixed.step = kFlag;
        fixed.r = element(wire_of_r);
        rows_.power.push(row, fixed, v > 0);
        product = product * (ExtField(1) + ExtField(row.r) * (row.x - KoalaBear(1)));
        row.x *= row.x;
        row.product = cells(product);
    }
    ExtensionExpr result = new_wire(product);
    const Address address = result.node_->terms[0].a;
    row.r = {};
    rows_.power.push(row, {.wire = element(address)}, true, address);
    return result;
}

}  // namespace quarry::recursion
