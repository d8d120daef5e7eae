#pragma once
#include <map>
#include <span>
#include <vector>

#include "quarry/recursion/expression.hpp"
#include "quarry/recursion/tables/arithmetic_rows.hpp"
#include "quarry/recursion/tables/poseidon_rows.hpp"
#include "quarry/recursion/tables/public_rows.hpp"
#include "quarry/recursion/tables/wire_rows.hpp"

namespace quarry::recursion {

/// The rows of one kind of table, in the order in which they were asked for.
template <class Definition>
struct Rows {
    using Row = typename Definition::template Row<KoalaBear>;
    using Fixed = typename Definition::template Fixed<KoalaBear>;
    std::vector<Row> rows;
    std::vector<Fixed> fixed;
    std::vector<std::uint8_t> first;  ///< a row that does not go on with the one before
    std::vector<Address> writes;      ///< the wire that the row makes, whose readers are counted at the end

    std::size_t push(const Row& row, const Fixed& f, bool goes_on = false, Address write = kNoWire) {
        rows.push_back(row);
        fixed.push_back(f);
        first.push_back(goes_on ? 0 : 1);
        writes.push_back(write);
        return rows.size() - 1;
    }
};

/// Which kinds of rows a circuit has.
enum class RowKinds {
    all,
    /// What the terminal circuit verifies, where a constraint is rows. Convolutions, the dearest kind by far, are sums,
    /// and every Merkle path goes to the root; a kind has one table.
    some,
    /// What a contract verifies: it pays for columns and constraints, and not for rows. Folds of opened rows,
    /// polynomials and powers are sums too.
    few,
};

/// Everything that a recursion circuit says, and its witness.
struct CircuitRows {
    RowKinds kinds = RowKinds::all;
    Rows<SpongeTable> sponge;
    Rows<TreeTable> tree;
    Rows<UpperTable> upper;
    Rows<CapTable> cap;
    Rows<SumTable> sum;
    Rows<FormTable> form;
    Rows<ConvolutionTable> convolution;
    Rows<BaseFoldTable> base_fold;
    Rows<ExtensionFoldTable> extension_fold;
    Rows<PolynomialTable> polynomial;
    Rows<PowerTable> power;
    Rows<PackTable> pack;
    Rows<DigestTable> digest;
    Rows<ConstantTable> constant;
    Rows<IndexTable> index;
    Rows<PublicTable> public_input;
};

/// Consecutive base wires.
struct BaseRun {
    Address address = kNoWire;
    std::span<const KoalaBear> values;
    [[nodiscard]] std::size_t size() const noexcept { return values.size(); }
};

/// The bits of a base wire, and the point of the domain that the low ones name: each to be read, once or twice.
struct IndexWires {
    Address bits = kNoWire;
    unsigned num_bits = 0;
    std::uint32_t value = 0;
    BaseExpr point{KoalaBear()};
};

/// A row of the public input on wires. Each value must be read exactly once (checked at the end).
struct PublicRow {
    std::vector<BaseExpr> values;
    BaseExpr sum;  ///< of all of them
};

struct SumStep;
struct CapEnd;
struct UpperLevel;

/// Writes a circuit and its witness at once: the calls fix the circuit, the values in them the witness. What is called
/// must not depend on values. Requirements that the values do not meet make a witness that no proof accepts.
class CircuitBuilder {
  public:
    explicit CircuitBuilder(RowKinds kinds = RowKinds::all);
    CircuitBuilder(const CircuitBuilder&) = delete;
    CircuitBuilder& operator=(const CircuitBuilder&) = delete;

    // Extension elements.
    [[nodiscard]] ExtensionExpr witness(const ExtField& value);
    [[nodiscard]] BaseExpr base_witness(KoalaBear value);
    /// The same value on a wire of its own, which may be read any number of times.
    [[nodiscard]] BaseExpr copy(const BaseExpr& x);
    /// 1/x; makes x = 0 unprovable.
    [[nodiscard]] ExtensionExpr inverse(const ExtensionExpr& x);
    void require_equal(const ExtensionExpr& a, const ExtensionExpr& b);
    /// sum_(i+j=k) x[i] y[j] for k < 21. Precondition: 1 to kConvolution elements each.
    [[nodiscard]] std::vector<ExtensionExpr> convolve(std::span<const ExtensionExpr> x,
                                                      std::span<const ExtensionExpr> y);
    /// x as one wire.
    Address wire(const ExtensionExpr& x);

    // Digests.
    [[nodiscard]] DigestWire constant(const Digest& value);
    [[nodiscard]] DigestWire witness(const Digest& value);
    [[nodiscard]] DigestWire compress(const DigestWire& left, const DigestWire& right);
    void require_equal(const DigestWire& a, const DigestWire& b);
    /// H(.. H(start, first block) .., last block), the last block padded with zeros. Precondition: an element.
    [[nodiscard]] DigestWire chain(const DigestWire& start, std::span<const BaseExpr> elements);
    /// The chain's digest is a leaf of the tree with that root: which one is the prover's choice.
    void require_member(const DigestWire& root, const DigestWire& start, std::span<const BaseExpr> elements,
                        std::size_t position, std::span<const Digest> path);
    [[nodiscard]] std::array<BaseExpr, kBlock> elements(const DigestWire& digest);
    /// The same, each to be read exactly once: saves the copies.
    [[nodiscard]] std::array<BaseExpr, kBlock> elements_once(const DigestWire& digest);
    /// The digest of these eight elements.
    [[nodiscard]] DigestWire gather(std::span<const BaseExpr> elements);
    /// They are wires one after the other: gathering them needs no copies.
    [[nodiscard]] static bool are_in_a_row(std::span<const BaseExpr> elements);
    /// Makes the digest the circuit's statement. Precondition: called once, in a circuit without public rows.
    void expose(const DigestWire& digest);
    /// The next row of the public input, which the statement of the circuit is then made of. Precondition: 1 to
    /// kPublicValues values; the row's other values are zero.
    [[nodiscard]] PublicRow public_row(std::span<const KoalaBear> values);

    // Base wires: each may be read once.
    [[nodiscard]] ExtensionExpr pack(Address base, const std::array<KoalaBear, kDegree>& values);
    [[nodiscard]] BaseExpr lift(Address base, KoalaBear value);
    void require_equal(Address base, const BaseExpr& x);
    void require_equal(Address base, const DigestWire& x);
    [[nodiscard]] DigestWire pack_digest(Address base, const Digest& value);
    [[nodiscard]] IndexWires index(Address base, KoalaBear value, unsigned num_bits);
    /// x < 2^num_bits, num_bits <= 24, as an integer below p.
    void require_below(const BaseExpr& x, unsigned num_bits);
    void require_zero_bits(Address base, KoalaBear value, unsigned num_bits);

    // Opened rows of committed matrices.
    /// Addresses for a row that open() will fill.
    [[nodiscard]] BaseRun leaf(std::span<const KoalaBear> values);
    /// The leaf is row `index` of the tree with that root (quarry/hash/merkle.hpp, PoseidonHasher).
    void open(const DigestWire& root, const IndexWires& index, const BaseRun& leaf, std::span<const Digest> path);
    /// The same of many leaves of one tree, whose upper levels are opened once for all of them.
    void open(const DigestWire& root, std::span<const IndexWires> indices, std::span<const BaseRun> leaves,
              std::span<const std::span<const Digest>> paths);
    /// sum_i weights[i] row[i], an element or five a weight; for all rows.
    [[nodiscard]] std::vector<ExtensionExpr> fold(std::span<const ExtensionExpr> weights,
                                                  std::span<const BaseRun> rows);
    /// sum_i coefficients[i] x^i for all points.
    [[nodiscard]] std::vector<ExtensionExpr> evaluate(std::span<const ExtensionExpr> coefficients,
                                                      std::span<const BaseExpr> points);
    /// product_v (1 + r_v (x^(2^v) - 1)). Precondition: a factor.
    [[nodiscard]] ExtensionExpr power(const BaseExpr& x, std::span<const ExtensionExpr> r);

    /// What has been asked for so far.
    [[nodiscard]] const CircuitRows& rows() const noexcept { return rows_; }
    /// The circuit. Nothing can be added afterwards.
    [[nodiscard]] CircuitRows finish() &&;

  private:
    friend class SpongeWires;
    ExtensionExpr new_wire(const ExtField& value);
    ExtensionExpr at(Address wire) const;
    Address constant_wire(const ExtField& value);
    /// `count` wires in a row from which the values of `xs`, padded with zeros, can be read.
    Address run(std::span<const ExtensionExpr> xs, std::size_t count);
    static bool are_in_a_row(std::span<const ExtensionExpr> xs);
    [[nodiscard]] std::vector<ExtensionExpr> convolve_by_sums(std::span<const ExtensionExpr> x,
                                                              std::span<const ExtensionExpr> y);
    ExtField read(Address wire);
    template <class Table>
    ExtField sum_row(Rows<Table>& rows, const SumStep& step, KoalaBear constant, Address result, bool compare);
    /// Rows that add up x; the last one writes to, or is compared with, `result`.
    void sum(const ExtensionExpr& x, Address result, bool compare);
    void add_reader(Address base);
    void add_sink(Address base);
    /// Rows that fold up to kFolds opened rows to the wires from `first_result` on.
    void base_fold_rows(Address weights, std::size_t groups, std::span<const BaseRun> rows, Address first_result);
    void extension_fold_rows(Address weights, std::size_t groups, const BaseRun& run, Address result);
    void fold_by_sums(Address weights, std::size_t num_weights, const BaseRun& run, Address result);
    [[nodiscard]] ExtensionExpr evaluate_by_sums(std::span<const ExtensionExpr> coefficients, const BaseExpr& point);
    [[nodiscard]] ExtensionExpr power_by_sums(const BaseExpr& x, std::span<const ExtensionExpr> r);
    /// Rows for up to kPoints points; the results are the next wires.
    std::vector<ExtField> polynomial_rows(Address coefficients, std::size_t groups, std::span<const Address> points);
    Address new_digest();
    /// The rows of a chain; returns its value, the last row's result is open.
    Digest chain_rows(const DigestWire& start, std::span<const BaseExpr> elements);
    /// The rows of a path; the last row's result is open. `nodes`: from the leaf's digest on, the node at each level.
    void path_rows(std::span<const Digest> nodes, std::size_t position, Address bits, std::span<const Digest> path);
    /// The rows that hash an opened leaf; the last row's result is open. `digests`: of its blocks so far, from the
    /// start's on.
    void leaf_rows(const BaseRun& leaf, std::span<const Digest> digests);
    /// The padding of its last block.
    void require_zero_rest(const BaseRun& leaf);
    void end_at_root(const DigestWire& root);
    /// The upper `log_cap` levels of a tree, as far as paths go through them. `ends`: of each path, its node of the
    /// cap.
    void upper_rows(const DigestWire& root, unsigned log_cap, std::span<const CapEnd> ends);
    UpperLevel parent_rows(const UpperLevel& level, unsigned log_cap);
    void finish_sponges();
    void finish_leaves();
    void check_public_readers() const;

    CircuitRows rows_;
    std::vector<ExtField> values_;        ///< of extension wires
    std::vector<std::uint32_t> readers_;  ///< of extension wires
    std::vector<std::uint32_t> digest_readers_;
    std::map<std::array<std::uint32_t, kDegree>, Address> constants_;
    std::map<std::array<std::uint32_t, kBlock>, Address> digest_constants_;
    std::vector<std::uint8_t> sponge_in_readers_, sponge_out_readers_;  ///< by 8 row + element
    std::vector<std::uint8_t> sponge_block_size_;                       ///< absorbed elements, by row
    std::vector<std::uint8_t> leaf_readers_, bit_readers_;
    std::vector<std::uint32_t> leaf_row_;  ///< by block: the row of the tree that writes it
    Address next_level_ = 0;               ///< of the upper parts of trees
    bool exposed_ = false;
};

/// The transcript's sponge on wires: see quarry/iop/transcript.hpp.
class SpongeWires {
  public:
    explicit SpongeWires(CircuitBuilder& builder) : builder_(&builder) {}
    /// The base wire that x is on, not read yet.
    Address absorb(KoalaBear x);
    /// What is known already. Elements of a digest must come in order, all eight.
    void absorb(const BaseExpr& x);
    /// The base wire of the next element, and its value.
    std::pair<Address, KoalaBear> squeeze();
    void flush();

  private:
    void permute(bool absorbs, std::size_t count);

    CircuitBuilder* builder_;
    PoseidonState state_{};
    Digest buffer_{};
    std::size_t buffered_ = 0;
    std::size_t available_ = 0;
    static constexpr std::size_t kNone = ~std::size_t{0};
    std::size_t num_of_digest_ = 0;
    std::size_t row_ = 0;              ///< of the block in the buffer, or of what is handed out
    std::size_t row_of_last_ = kNone;  ///< the sponge's last row
};

}  // namespace quarry::recursion
