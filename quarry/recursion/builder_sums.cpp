#include "quarry/recursion/builder_detail.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"

namespace quarry::recursion {

using namespace detail;

/// Terms that one row of a sum has room for.
struct SumStep {
    std::vector<Address> operands;
    std::vector<KoalaBear> linear;   ///< by operand
    std::vector<KoalaBear> product;  ///< of the operands that the table multiplies
};
namespace {

/// Moves terms from the ends of the lists while there is room in a row of the table.
template <class Table>
SumStep take_terms(std::vector<Monomial>& products, std::vector<Monomial>& linear) {
    SumStep step;
    const auto take = [&](Address first, Address second) {
        if (first != kNoWire) step.operands.push_back(first);
        step.operands.push_back(second);
        step.product.push_back(products.back().coefficient);
        products.pop_back();
    };
    if (Table::kSharesFactor && !products.empty()) {
        const Monomial m = products.back();
        const auto has = [&](Address wire) {
            return products.size() > 1 && (products.end()[-2].a == wire || products.end()[-2].b == wire);
        };
        const Address factor = has(m.a) || !has(m.b) ? m.a : m.b;
        take(factor, factor == m.a ? m.b : m.a);
        while (!products.empty() && step.product.size() < Table::kProducts) {
            const Monomial other = products.back();
            if (other.a != factor && other.b != factor) break;
            take(kNoWire, other.a == factor ? other.b : other.a);
        }
    }
    while (!Table::kSharesFactor && !products.empty() && step.product.size() < Table::kProducts) {
        const Monomial m = products.back();
        take(m.a, m.b);
    }
    step.linear.resize(step.operands.size());
    std::erase_if(linear, [&](const Monomial& m) {
        const auto found = std::find(step.operands.begin(), step.operands.end(), m.a);
        if (found == step.operands.end()) return false;
        step.linear[static_cast<std::size_t>(found - step.operands.begin())] += m.coefficient;
        return true;
    });
    while (!linear.empty() && step.operands.size() < Table::kOperands) {
        step.operands.push_back(linear.back().a);
        step.linear.push_back(linear.back().coefficient);
        linear.pop_back();
    }
    return step;
}

}  // namespace

template <class Table>
ExtField CircuitBuilder::sum_row(Rows<Table>& rows, const SumStep& step, KoalaBear constant, Address result,
                                 bool compare) {
    typename Table::template Row<KoalaBear> row{};
    typename Table::template Fixed<KoalaBear> fixed{};
    ExtField total(constant);
    fixed.constant = constant;
    std::array<ExtField, Table::kOperands> x;
    for (std::size_t i = 0; i < Table::kOperands; ++i) {
        const bool used = i < step.operands.size();
        const Address address = used ? step.operands[i] : kZero;
        x[i] = read(address);
        row.x[i] = cells(x[i]);
        fixed.address[i] = element(address);
        if (used) fixed.linear[i] = step.linear[i];
        total += x[i] * fixed.linear[i];
    }
    for (std::size_t i = 0; i < step.product.size(); ++i) {
        fixed.product[i] = step.product[i];
        total += x[Table::left(i)] * x[Table::right(i)] * step.product[i];
    }
    row.sum = cells(total);
    fixed.result = element(result);
    if (compare) {
        fixed.results = kCompared;
        ++readers_[result];
    }
    rows.push(row, fixed, false, compare ? kNoWire : result);
    return total;
}

void CircuitBuilder::sum(const ExtensionExpr& x, Address result, bool compare) {
    std::vector<Monomial> products;
    std::vector<Monomial> linear;
    for (const Monomial& m : x.node_->terms) (m.b == kNoWire ? linear : products).push_back(m);
    KoalaBear constant;
    if (x.node_->constant == ExtField(x.node_->constant[0])) {
        constant = x.node_->constant[0];
    } else {
        linear.push_back({constant_wire(x.node_->constant), kNoWire, KoalaBear(1)});
    }
    while (true) {
        std::vector<Monomial> other_products = products;
        std::vector<Monomial> other_linear = linear;
        const SumStep small = take_terms<SumTable>(other_products, other_linear);
        if (other_products.empty() && other_linear.empty()) {
            (void)sum_row(rows_.sum, small, constant, result, compare);
            return;
        }
        if (compare) {
            // Comparisons stay in one table, in the order in which they were asked for.
            (void)wire(x);
            sum(x, result, true);
            return;
        }
        const SumStep step = take_terms<FormTable>(products, linear);
        const bool last = products.empty() && linear.empty();
        if (last) {
            (void)sum_row(rows_.form, step, constant, result, false);
            return;
        }
        // What is summed up so far is a term of the next row.
        const auto partial = static_cast<Address>(values_.size());
        (void)new_wire(ExtField());
        values_[partial] = sum_row(rows_.form, step, KoalaBear(), partial, false);
        linear.push_back({partial, kNoWire, KoalaBear(1)});
    }
}

std::vector<ExtensionExpr> CircuitBuilder::convolve(std::span<const ExtensionExpr> x,
                                                    std::span<const ExtensionExpr> y) {
    QUARRY_CHECK(!x.empty() && x.size() <= kConvolution && !y.empty() && y.size() <= kConvolution);
    if (rows_.kinds != RowKinds::all) return convolve_by_sums(x, y);
    ConvolutionTable::Row<KoalaBear> row{};
    ConvolutionTable::Fixed<KoalaBear> fixed{.reads = kFlag};
    const auto read_factor = [&](std::span<const ExtensionExpr> factor, auto& values, auto& addresses) {
        for (std::size_t i = 0; i < kConvolution; ++i) {
            const Address address = i < factor.size() ? wire(factor[i]) : kZero;
            values[i] = cells(read(address));
            addresses[i] = element(address);
        }
    };
    read_factor(x, row.x, fixed.x);
    read_factor(y, row.y, fixed.y);
    std::array<ExtField, kConvolved> z{};
    for (std::size_t i = 0; i < x.size(); ++i) {
        for (std::size_t j = 0; j < y.size(); ++j) z[i + j] += x[i].value() * y[j].value();
    }
    const auto first = static_cast<Address>(values_.size());
    fixed.result = element(first);
    std::vector<ExtensionExpr> results;
    for (std::size_t k = 0; k < kConvolved; ++k) {
        row.z[k] = cells(z[k]);
        results.push_back(new_wire(z[k]));
    }
    rows_.convolution.push(row, fixed, false, first);
    return results;
}

std::vector<ExtensionExpr> CircuitBuilder::convolve_by_sums(std::span<const ExtensionExpr> x,
                                                            std::span<const ExtensionExpr> y) {
    for (const ExtensionExpr& f : x) (void)wire(f);
    for (const ExtensionExpr& f : y) (void)wire(f);
    std::vector<ExtensionExpr> z(kConvolved);
    for (std::size_t i = 0; i < x.size(); ++i) {
        for (std::size_t j = 0; j < y.size(); ++j) z[i + j] = z[i + j] + x[i] * y[j];
    }
    for (const ExtensionExpr& f : z) (void)wire(f);
    return z;
}

}  // namespace quarry::recursion
