#include "quarry/recursion/builder_detail.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"

namespace quarry::recursion {

using namespace detail;

/// Terms that one row of a sum has room for.
struct SumStep {
    std::vector<Address> operands;
    std::vector<KoalaBear> linear;   ///< by operand
    std::vector<KoalaBear> product;  ///< of operands 2 i and 2 i + 1
};
namespace {

/// Moves terms from the ends of the lists while there is room.
SumStep take_terms(std::vector<Monomial>& products, std::vector<Monomial>& linear, std::size_t max_operands,
                   std::size_t max_products) {
    SumStep step;
    while (!products.empty() && step.product.size() < max_products) {
        const Monomial& m = products.back();
        step.operands.insert(step.operands.end(), {m.a, m.b});
        step.product.push_back(m.coefficient);
        products.pop_back();
    }
    step.linear.resize(step.operands.size());
    std::erase_if(linear, [&](const Monomial& m) {
        const auto found = std::find(step.operands.begin(), step.operands.end(), m.a);
        if (found == step.operands.end()) return false;
        step.linear[static_cast<std::size_t>(found - step.operands.begin())] += m.coefficient;
        return true;
    });
    while (!linear.empty() && step.operands.size() < max_operands) {
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
        total += x[2 * i] * x[2 * i + 1] * step.product[i];
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
        const SumStep small = take_terms(other_products, other_linear, SumTable::kOperands, SumTable::kProducts);
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
        const SumStep step = take_terms(products, linear, FormTable::kOperands, FormTable::kProducts);
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

}  // namespace quarry::recursion
