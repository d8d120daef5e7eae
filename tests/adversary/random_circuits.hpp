#pragma once
// Random circuits whose honest trace is known by construction, and the plain checker's verdict on any trace of them.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "quarry/air/check.hpp"
#include "quarry/proof/proof.hpp"

namespace quarry::adversary {

/// A table under construction: columns are added one by one, each with its values on all rows.
struct Draft {
    Table table;
    unsigned log_height = 0;
    Columns values;

    Expr add_column(std::vector<KoalaBear> cells) {
        const auto c = static_cast<std::uint32_t>(values.size());
        table.columns.push_back("c" + std::to_string(c));
        values.push_back(std::move(cells));
        return {&table.graph, table.graph.column(c, false)};
    }
    Expr next(std::uint32_t c) { return {&table.graph, table.graph.column(c, true)}; }
    Expr here(std::uint32_t c) { return {&table.graph, table.graph.column(c, false)}; }
    [[nodiscard]] std::size_t height() const { return std::size_t{1} << log_height; }
    /// The values of an expression on all rows.
    [[nodiscard]] std::vector<KoalaBear> evaluate(const Expr& e) const {
        std::vector<KoalaBear> r;
        const auto lift = [](KoalaBear x) { return x; };
        for (std::size_t row = 0; row < height(); ++row) {
            std::vector<KoalaBear> here_values;
            std::vector<KoalaBear> next_values;
            for (const auto& column : values) {
                here_values.push_back(column[row]);
                next_values.push_back(column[(row + 1) % height()]);
            }
            // Columns of atoms that are not there yet are not read.
            here_values.resize(64);
            next_values.resize(64);
            r.push_back(evaluate_form(e.form(), evaluate_atoms(table.graph, here_values, next_values, lift), lift));
        }
        return r;
    }
};

struct RandomSystem {
    std::unique_ptr<Circuit> circuit;
    Heights heights;
    std::vector<Columns> values;
    Statement statement;
    std::string description;

    [[nodiscard]] Trace trace() const {
        Trace t(*circuit, heights);
        for (std::size_t i = 0; i < values.size(); ++i) {
            for (std::size_t c = 0; c < values[i].size(); ++c) std::ranges::copy(values[i][c], t.column(i, c).begin());
        }
        return t;
    }
    /// The reference: every constraint on every row, buses as exact multisets, the statement's tuples among them.
    [[nodiscard]] bool is_satisfied() const {
        std::vector<const Table*> tables;
        std::vector<Columns> traces = values;
        for (std::size_t t = 0; t < values.size(); ++t) {
            if (find_violation(circuit->tables()[t], values[t])) return false;
            tables.push_back(&circuit->tables()[t]);
        }
        Table world;
        for (const PublicTuple& p : statement.tuples) {
            Interaction i{"public", p.bus, {p.multiplicity, {}}, {}};
            for (const KoalaBear x : p.tuple) i.tuple.push_back({x, {}});
            world.interactions.push_back(std::move(i));
        }
        tables.push_back(&world);
        traces.push_back({{KoalaBear()}});
        return buses_balance(tables, traces);
    }
};

/// What a random circuit may contain.
struct Menu {
    std::size_t max_tables = 4;
    unsigned max_degree = 6;
    std::size_t max_free = 4, max_defined = 4, max_buses = 3;
    std::vector<unsigned> log_heights{9, 10, 11};
};

class SystemMaker {
  public:
    SystemMaker(std::uint64_t seed, Menu menu) : rng_(seed), menu_(std::move(menu)) {}

    RandomSystem make() {
        std::vector<Draft> drafts(1 + below(menu_.max_tables));
        for (std::size_t t = 0; t < drafts.size(); ++t) {
            drafts[t].table.name = "t" + std::to_string(t);
            drafts[t].log_height = menu_.log_heights[below(menu_.log_heights.size())];
            fill(drafts[t]);
        }
        RandomSystem s;
        const std::size_t num_buses = below(menu_.max_buses + 1);
        for (std::size_t bus = 0; bus < num_buses; ++bus) add_bus(drafts, static_cast<std::uint32_t>(bus * 3), s);
        std::vector<Table> tables;
        for (Draft& d : drafts) {
            s.description += d.table.name + ": 2^" + std::to_string(d.log_height) + " x " +
                             std::to_string(d.values.size()) + ", " + std::to_string(d.table.constraints.size()) +
                             " constraints of degree <= " + std::to_string(d.table.max_degree()) + ", " +
                             std::to_string(d.table.interactions.size()) + " interactions; ";
            s.heights.push_back(d.log_height);
            s.values.push_back(std::move(d.values));
            tables.push_back(std::move(d.table));
        }
        s.circuit = std::make_unique<Circuit>("random", std::move(tables));
        return s;
    }

  private:
    std::size_t below(std::size_t n) { return rng_() % n; }
    KoalaBear element() { return below(3) == 0 ? KoalaBear(below(3)) : KoalaBear(rng_()); }
    std::vector<KoalaBear> random_cells(std::size_t n) {
        std::vector<KoalaBear> r(n);
        const bool sparse = below(4) == 0;
        for (KoalaBear& x : r) x = sparse && below(8) != 0 ? KoalaBear() : element();
        return r;
    }

    /// A linear form of the columns that are there.
    Expr linear(Draft& d) {
        Expr e(element());
        for (std::size_t k = 1 + below(3); k > 0; --k) {
            const auto c = static_cast<std::uint32_t>(below(d.values.size()));
            e += Expr(element()) * (below(3) == 0 ? d.next(c) : d.here(c));
        }
        return e;
    }
    Expr polynomial(Draft& d, unsigned degree) {
        if (degree <= 1) return linear(d);
        const unsigned left = 1 + static_cast<unsigned>(below(degree - 1));
        Expr e = polynomial(d, left) * polynomial(d, degree - left);
        if (below(2) == 0) e = (e + polynomial(d, 1 + static_cast<unsigned>(below(degree)))).named();
        if (below(3) == 0) e += linear(d);
        if (below(3) == 0) e = Expr(element()) * e + Expr(element());
        return e;
    }

    /// Free columns; then columns that constraints define from those before them, on this row or the next.
    void fill(Draft& d) {
        const std::size_t num_free = 1 + below(menu_.max_free);
        for (std::size_t c = 0; c < num_free; ++c) (void)d.add_column(random_cells(d.height()));
        const std::size_t num_defined = below(menu_.max_defined + 1);
        for (std::size_t c = 0; c < num_defined; ++c) {
            const unsigned degree = 1 + static_cast<unsigned>(below(menu_.max_degree));
            const Expr e = polynomial(d, degree);
            std::vector<KoalaBear> cells = d.evaluate(e);
            const bool one_later = below(3) == 0;
            if (one_later) std::rotate(cells.begin(), cells.end() - 1, cells.end());
            const Expr column = d.add_column(std::move(cells));
            const Expr defined = one_later ? d.next(static_cast<std::uint32_t>(d.values.size() - 1)) : column;
            AirBuilder b(d.table);
            const std::string name = "k" + std::to_string(c);
            if (d.table.graph.degree((defined - e).form()) == 0) continue;
            if (below(4) == 0) {
                b.zero(name, ((defined - e) * Expr(element() + KoalaBear(1))).named());
            } else {
                b.equal(name, defined, e);
            }
        }
    }

    /// One table looks up another (or itself): tuples and multiplicities are free columns on both sides. Now and then
    /// both sides use the same affine map of them, next rows, or a public tuple takes a part.
    void add_bus(std::vector<Draft>& drafts, std::uint32_t bus, RandomSystem& s) {
        const std::size_t from = below(drafts.size());
        const std::size_t to = below(drafts.size());
        const std::size_t arity = below(4);
        Draft& b = drafts[to];
        Draft& a = drafts[from];
        if (a.values.size() > 30 || b.values.size() > 30) return;
        const std::size_t first_b = b.values.size();
        for (std::size_t k = 0; k < arity; ++k) (void)b.add_column(random_cells(b.height()));
        (void)b.add_column(std::vector<KoalaBear>(b.height()));
        const std::size_t first_a = a.values.size();
        const bool unit = below(2) == 0;
        const std::size_t gap = below(3) == 0 ? a.height() / 2 : 0;  // rows without an access
        std::vector<std::vector<KoalaBear>> cells(arity + 1, std::vector<KoalaBear>(a.height()));
        for (std::size_t row = 0; row < a.height(); ++row) {
            const std::size_t match = below(b.height());
            for (std::size_t k = 0; k < arity; ++k) cells[k][row] = b.values[first_b + k][match];
            const KoalaBear m = row < gap ? KoalaBear() : unit ? KoalaBear(1) : element();
            cells[arity][row] = m;
            b.values[first_b + arity][match] += m;
        }
        for (auto& column : cells) (void)a.add_column(std::move(column));
        if (below(2) == 0) {
            const std::size_t match = below(b.height());
            PublicTuple tuple{bus, element(), {}};
            for (std::size_t k = 0; k < arity; ++k) tuple.tuple.push_back(b.values[first_b + k][match]);
            b.values[first_b + arity][match] += tuple.multiplicity;
            s.statement.tuples.push_back(std::move(tuple));
        }
        const bool shift_a = below(3) == 0;
        const bool shift_b = below(3) == 0;
        auto cell = [](Draft& d, std::size_t c, bool shift) {
            const auto column = static_cast<std::uint32_t>(c);
            return shift ? d.next(column) : d.here(column);
        };
        std::vector<Expr> tuple_a;
        std::vector<Expr> tuple_b;
        for (std::size_t k = 0; k < arity; ++k) {
            tuple_a.push_back(cell(a, first_a + k, shift_a));
            tuple_b.push_back(cell(b, first_b + k, shift_b));
        }
        AirBuilder(a.table).send("send", bus, cell(a, first_a + arity, shift_a), tuple_a);
        AirBuilder(b.table).receive("receive", bus, cell(b, first_b + arity, shift_b), tuple_b);
    }

    std::mt19937_64 rng_;
    Menu menu_;
};

}  // namespace quarry::adversary
