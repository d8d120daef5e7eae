#include "quarry/air/table.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/hash/keccak.hpp"

namespace quarry {

void AirBuilder::zero(std::string name, const Expr& e) {
    const unsigned degree = table_->graph.degree(e.form());
    QUARRY_CHECK(degree >= 1);  // a constant constraint holds always or never: a mistake in the table
    table_->constraints.push_back({std::move(name), e.form(), degree});
}

void AirBuilder::send(std::string name, std::uint32_t bus, const Expr& multiplicity, const std::vector<Expr>& tuple) {
    Interaction interaction{std::move(name), bus, multiplicity.form(), {}};
    QUARRY_CHECK(table_->graph.degree(interaction.multiplicity) <= 1);
    for (const Expr& e : tuple) {
        QUARRY_CHECK(table_->graph.degree(e.form()) <= 1);
        interaction.tuple.push_back(e.form());
    }
    table_->interactions.push_back(std::move(interaction));
}

unsigned Table::max_degree() const {
    unsigned d = 1;
    for (const Constraint& c : constraints) d = std::max(d, c.degree);
    return d;
}

namespace {

// Marks the next-row columns below a form.
void mark_next(const ExpressionGraph& graph, const LinearForm& form, std::vector<bool>& seen,
               std::vector<bool>& next_column) {
    for (const Term& t : form.terms) {
        if (seen[t.atom]) continue;
        seen[t.atom] = true;
        const Atom& atom = graph.atoms()[t.atom];
        if (atom.kind == Atom::Kind::next_column) next_column[atom.column] = true;
        mark_next(graph, atom.left, seen, next_column);
        mark_next(graph, atom.right, seen, next_column);
    }
}

// Keccak-256 of a description in 32-bit words. The digest is a constant to everyone who uses it, so it need not be
// cheap in a circuit; tables have tens of thousands of words.
class WordHash {
  public:
    void word(std::uint32_t w) {
        for (unsigned shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<std::uint8_t>(w >> shift));
    }
    void text(const std::string& s) {
        word(static_cast<std::uint32_t>(s.size()));
        for (const char c : s) word(static_cast<unsigned char>(c));
    }
    void form(const LinearForm& f) {
        word(static_cast<std::uint32_t>(f.terms.size()));
        word(f.constant.canonical());
        for (const Term& t : f.terms) {
            word(t.atom);
            word(t.coefficient.canonical());
        }
    }
    // 30 bits an element: 240 of the 256.
    Digest finish() const {
        const Bytes32 hash = keccak256(bytes_);
        Digest r;
        for (std::size_t i = 0; i < r.size(); ++i) {
            std::uint32_t w = 0;
            for (std::size_t k = 0; k < 4; ++k) w = w << 8 | hash[4 * i + k];
            r[i] = KoalaBear(w & 0x3fffffff);
        }
        return r;
    }

  private:
    std::vector<std::uint8_t> bytes_;
};

}  // namespace

const std::vector<std::uint32_t>& Table::next_columns() const {
    const std::array<std::size_t, 3> extent{graph.atoms().size(), constraints.size(), interactions.size()};
    if (next_columns_of_ == extent) return next_columns_;
    std::vector<bool> seen(graph.atoms().size());
    std::vector<bool> next_column(columns.size());
    for (const Constraint& c : constraints) mark_next(graph, c.form, seen, next_column);
    for (const Interaction& i : interactions) {
        mark_next(graph, i.multiplicity, seen, next_column);
        for (const LinearForm& f : i.tuple) mark_next(graph, f, seen, next_column);
    }
    next_columns_.clear();
    for (std::uint32_t c = 0; c < next_column.size(); ++c) {
        if (next_column[c]) next_columns_.push_back(c);
    }
    next_columns_of_ = extent;
    return next_columns_;
}

Digest Table::digest() const {
    WordHash h;
    h.text(name);
    h.word(fixed_log_height ? *fixed_log_height + 1 : 0);
    h.word(static_cast<std::uint32_t>(columns.size()));
    for (const std::string& c : columns) h.text(c);
    h.word(static_cast<std::uint32_t>(graph.atoms().size()));
    for (const Atom& a : graph.atoms()) {
        h.word(static_cast<std::uint32_t>(a.kind));
        h.word(a.column);
        h.form(a.left);
        h.form(a.right);
    }
    h.word(static_cast<std::uint32_t>(constraints.size()));
    for (const Constraint& c : constraints) {
        h.text(c.name);
        h.form(c.form);
    }
    h.word(static_cast<std::uint32_t>(interactions.size()));
    for (const Interaction& i : interactions) {
        h.text(i.name);
        h.word(i.bus);
        h.form(i.multiplicity);
        h.word(static_cast<std::uint32_t>(i.tuple.size()));
        for (const LinearForm& f : i.tuple) h.form(f);
    }
    // A word more than a table without has: what stands before it says where it ends.
    if (num_preprocessed > 0) h.word(static_cast<std::uint32_t>(num_preprocessed));
    return h.finish();
}

}  // namespace quarry
