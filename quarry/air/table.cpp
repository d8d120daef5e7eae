#include "quarry/air/table.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"

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

// A chain of compressions over 32-bit words, split so that every element is below p.
class WordHash {
  public:
    void word(std::uint32_t w) {
        put(KoalaBear(w & 0xffff));
        put(KoalaBear(w >> 16));
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
    Digest finish() {
        const auto length = static_cast<std::uint32_t>(count_);
        word(length);
        while (at_ != 0) put(KoalaBear());
        return chain_;
    }

  private:
    void put(KoalaBear x) {
        block_[at_++] = x;
        ++count_;
        if (at_ == kDigestSize) {
            chain_ = poseidon_compress(chain_, block_);
            at_ = 0;
        }
    }
    Digest chain_{};
    Digest block_{};
    std::size_t at_ = 0;
    std::size_t count_ = 0;
};

}  // namespace

std::vector<std::uint32_t> Table::next_columns() const {
    std::vector<bool> seen(graph.atoms().size());
    std::vector<bool> next_column(columns.size());
    for (const Constraint& c : constraints) mark_next(graph, c.form, seen, next_column);
    for (const Interaction& i : interactions) {
        mark_next(graph, i.multiplicity, seen, next_column);
        for (const LinearForm& f : i.tuple) mark_next(graph, f, seen, next_column);
    }
    std::vector<std::uint32_t> r;
    for (std::uint32_t c = 0; c < next_column.size(); ++c) {
        if (next_column[c]) r.push_back(c);
    }
    return r;
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
    return h.finish();
}

}  // namespace quarry
