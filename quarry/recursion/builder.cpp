#include "quarry/recursion/builder_detail.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/hash/poseidon_batch.hpp"

namespace quarry::recursion {

using namespace detail;
CircuitBuilder::CircuitBuilder(RowKinds kinds) {
    rows_.kinds = kinds;
    QUARRY_CHECK(constant_wire(ExtField()) == kZero);
    QUARRY_CHECK(constant_wire(ExtField(1)) == kOne);
}

// --- extension wires

ExtensionExpr CircuitBuilder::at(Address wire) const {
    ExtensionExpr x(values_[wire]);
    x.node_->builder = const_cast<CircuitBuilder*>(this);
    x.node_->constant = ExtField();
    x.node_->terms.push_back({wire, kNoWire, KoalaBear(1)});
    return x;
}

ExtensionExpr CircuitBuilder::new_wire(const ExtField& value) {
    values_.push_back(value);
    readers_.push_back(0);
    return at(static_cast<Address>(values_.size() - 1));
}

Address CircuitBuilder::constant_wire(const ExtField& value) {
    const auto [it, fresh] =
        constants_.try_emplace(canonical(value.coefficients()), static_cast<Address>(values_.size()));
    if (fresh) {
        (void)new_wire(value);
        ConstantTable::Row<KoalaBear> row{};
        ConstantTable::Fixed<KoalaBear> fixed{};
        for (std::size_t k = 0; k < kDegree; ++k) row.x[k] = fixed.value[k] = value[k];
        fixed.extension = element(it->second);
        rows_.constant.push(row, fixed, false, it->second);
    }
    return it->second;
}

ExtField CircuitBuilder::read(Address wire) {
    ++readers_[wire];
    return values_[wire];
}

ExtensionExpr CircuitBuilder::witness(const ExtField& value) {
    ExtensionExpr x = new_wire(value);
    const Address address = x.node_->terms[0].a;
    rows_.pack.push({cells(value)}, {.result = element(address)}, false, address);
    return x;
}

BaseExpr CircuitBuilder::base_witness(KoalaBear value) {
    ExtensionExpr x = new_wire(ExtField(value));
    const Address address = x.node_->terms[0].a;
    rows_.pack.push({cells(ExtField(value))}, {.lifts = kFlag, .result = element(address)}, false, address);
    return BaseExpr(x);
}

Address CircuitBuilder::wire(const ExtensionExpr& x) {
    auto& node = *x.node_;
    if (node.terms.empty()) return constant_wire(node.constant);
    const bool is_wire = node.terms.size() == 1 && node.terms[0].b == kNoWire && node.constant.is_zero() &&
                         node.terms[0].coefficient == KoalaBear(1);
    if (!is_wire) {
        const Address result = new_wire(node.value).node_->terms[0].a;
        sum(x, result, false);
        node.terms = {{result, kNoWire, KoalaBear(1)}};
        node.constant = ExtField();
    }
    return node.terms[0].a;
}

void CircuitBuilder::require_equal(const ExtensionExpr& a, const ExtensionExpr& b) { sum(a - b, kZero, true); }

ExtensionExpr CircuitBuilder::inverse(const ExtensionExpr& x) {
    ExtensionExpr y = witness(x.value().inverse());
    sum(x * y, kOne, true);
    return y;
}

BaseExpr CircuitBuilder::copy(const BaseExpr& x) {
    ExtensionExpr y = new_wire(x.lifted().value());
    sum(x.lifted(), y.node_->terms[0].a, false);
    return BaseExpr(y);
}

bool CircuitBuilder::are_in_a_row(std::span<const ExtensionExpr> xs) {
    for (std::size_t i = 0; i < xs.size(); ++i) {
        const auto& terms = xs[i].node_->terms;
        const bool is_wire = terms.size() == 1 && terms[0].b == kNoWire && terms[0].coefficient == KoalaBear(1) &&
                             xs[i].node_->constant.is_zero();
        if (!is_wire || terms[0].a != xs[0].node_->terms[0].a + i) return false;
    }
    return true;
}

bool CircuitBuilder::are_in_a_row(std::span<const BaseExpr> elements) {
    std::vector<ExtensionExpr> xs;
    for (const BaseExpr& x : elements) xs.push_back(x.lifted());
    return are_in_a_row(xs);
}

Address CircuitBuilder::run(std::span<const ExtensionExpr> xs, std::size_t count) {
    if (xs.size() == count && are_in_a_row(xs)) return xs[0].node_->terms[0].a;
    const auto start = static_cast<Address>(values_.size());
    for (std::size_t i = 0; i < count; ++i) (void)new_wire(i < xs.size() ? xs[i].value() : ExtField());
    for (std::size_t i = 0; i < count; ++i) {
        sum(i < xs.size() ? xs[i] : ExtensionExpr(ExtField()), start + static_cast<Address>(i), false);
    }
    return start;
}

// --- digests

Address CircuitBuilder::new_digest() {
    digest_readers_.push_back(0);
    return static_cast<Address>(digest_readers_.size() - 1);
}

DigestWire CircuitBuilder::constant(const Digest& value) {
    const auto found = digest_constants_.find(canonical(value));
    if (found != digest_constants_.end()) return {found->second, value};
    const Address address = new_digest();
    digest_constants_.emplace(canonical(value), address);
    ConstantTable::Fixed<KoalaBear> fixed{};
    fixed.value = value;
    fixed.digest = element(address);
    fixed.digests = kFlag;  // a digest's row, not an extension element's: finish() counts its readers
    rows_.constant.push({value}, fixed, false, address);
    return {address, value};
}

DigestWire CircuitBuilder::witness(const Digest& value) {
    const Address address = new_digest();
    rows_.digest.push({value}, {.first = element(address)}, false, address);
    return {address, value};
}

DigestWire CircuitBuilder::compress(const DigestWire& left, const DigestWire& right) {
    const Address address = new_digest();
    ++digest_readers_[left.address];
    ++digest_readers_[right.address];
    const Digest value = poseidon_compress(left.value, right.value);
    TreeTable::Row<KoalaBear> row{};
    std::copy_n(left.value.begin(), kBlock, row.in.begin());
    std::copy_n(right.value.begin(), kBlock, row.in.begin() + kBlock);
    rows_.tree.push(row,
                    {.left = element(left.address),
                     .reads_left = kFlag,
                     .operand = element(right.address),
                     .reads_right = kFlag,
                     .result = element(address)},
                    false, address);
    return {address, value};
}

void CircuitBuilder::require_equal(const DigestWire& a, const DigestWire& b) {
    ++digest_readers_[a.address];
    ++digest_readers_[b.address];
    rows_.digest.push(
        {a.value},
        {.first = element(a.address), .firsts = kCompared, .second = element(b.address), .seconds = kCompared});
}

void CircuitBuilder::expose(const DigestWire& digest) {
    QUARRY_CHECK(!exposed_);
    exposed_ = true;
    ++digest_readers_[digest.address];
    rows_.digest.push({digest.value}, {.first = element(digest.address),
                                       .firsts = kCompared,
                                       .second = element(kPublicDigest),
                                       .seconds = kCompared});
}

Digest CircuitBuilder::chain_rows(const DigestWire& start, std::span<const BaseExpr> elements) {
    QUARRY_CHECK(!elements.empty());
    Digest digest = start.value;
    std::vector<std::pair<Address, const BaseExpr*>> known;
    for (std::size_t i = 0; i < elements.size(); i += kBlock) {
        const auto block = static_cast<std::uint32_t>(leaf_row_.size());
        Digest values{};
        for (std::size_t k = 0; k < kBlock && i + k < elements.size(); ++k) values[k] = elements[i + k].value();
        TreeTable::Row<KoalaBear> row{};
        std::copy_n(digest.begin(), kBlock, row.in.begin());
        std::copy_n(values.begin(), kBlock, row.in.begin() + kBlock);
        const Address operand = kLeafBlocks + static_cast<Address>(kBlock) * block;
        TreeTable::Fixed<KoalaBear> fixed{.operand = element(operand)};
        if (i == 0) {
            ++digest_readers_[start.address];
            fixed.left = element(start.address);
            fixed.reads_left = kFlag;
        } else {
            rows_.tree.fixed.back().leaf = kFlag;
        }
        digest = poseidon_compress(digest, values);
        leaf_row_.push_back(static_cast<std::uint32_t>(rows_.tree.push(row, fixed, i > 0)));
        leaf_readers_.resize(leaf_readers_.size() + kBlock, 0);
        for (std::size_t k = 0; k < kBlock; ++k) {
            known.emplace_back(operand + static_cast<Address>(k), i + k < elements.size() ? &elements[i + k] : nullptr);
        }
    }
    for (const auto& [address, x] : known) require_equal(address, x != nullptr ? *x : BaseExpr(KoalaBear()));
    return digest;
}

DigestWire CircuitBuilder::chain(const DigestWire& start, std::span<const BaseExpr> elements) {
    const Digest value = chain_rows(start, elements);
    const Address address = new_digest();
    rows_.tree.fixed.back().result = element(address);
    rows_.tree.writes.back() = address;
    return {address, value};
}

void CircuitBuilder::path_rows(std::span<const Digest> nodes, std::size_t position, Address bits,
                               std::span<const Digest> path) {
    for (std::size_t level = 0; level < path.size(); ++level) {
        const bool right = (position >> level & 1) != 0;
        TreeTable::Row<KoalaBear> row{};
        std::copy_n(nodes[level].begin(), kBlock, row.in.begin() + (right ? kBlock : 0));
        std::copy_n(path[level].begin(), kBlock, row.in.begin() + (right ? 0 : kBlock));
        row.bit = KoalaBear(right ? 1 : 0);
        TreeTable::Fixed<KoalaBear> fixed{};
        if (bits != kNoWire) {
            const Address bit = bits + static_cast<Address>(level);
            add_reader(bit);
            fixed.operand = element(bit);
            fixed.reads_bit = kFlag;
        }
        rows_.tree.fixed.back().path = kFlag;
        rows_.tree.push(row, fixed, true);
    }
}

void CircuitBuilder::end_at_root(const DigestWire& root) {
    rows_.tree.fixed.back().result = element(root.address);
    rows_.tree.fixed.back().results = kCompared;
    ++digest_readers_[root.address];
}

void CircuitBuilder::require_member(const DigestWire& root, const DigestWire& start, std::span<const BaseExpr> elements,
                                    std::size_t position, std::span<const Digest> path) {
    std::vector<Digest> nodes{chain_rows(start, elements)};
    for (std::size_t level = 0; level + 1 < path.size(); ++level) {
        const bool right = (position >> level & 1) != 0;
        nodes.push_back(right ? poseidon_compress(path[level], nodes.back())
                              : poseidon_compress(nodes.back(), path[level]));
    }
    path_rows(nodes, position, kNoWire, path);
    end_at_root(root);
}

DigestWire CircuitBuilder::gather(std::span<const BaseExpr> elements) {
    QUARRY_CHECK(elements.size() == kBlock);
    std::vector<ExtensionExpr> xs;
    Digest value;
    for (std::size_t i = 0; i < kBlock; ++i) {
        xs.push_back(elements[i].lifted());
        value[i] = elements[i].value();
    }
    const Address first = run(xs, kBlock);
    for (Address i = 0; i < kBlock; ++i) (void)read(first + i);
    const Address address = new_digest();
    rows_.digest.push({value}, {.first = element(address), .elements = element(first), .lifts = kCompared}, false,
                      address);
    return {address, value};
}

std::array<BaseExpr, kBlock> CircuitBuilder::elements_once(const DigestWire& digest) {
    ++digest_readers_[digest.address];
    const auto first = static_cast<Address>(values_.size());
    for (const KoalaBear x : digest.value) (void)new_wire(ExtField(x));
    rows_.digest.push(
        {digest.value},
        {.first = element(digest.address), .firsts = kCompared, .elements = element(first), .lifts = kFlag});
    std::array<BaseExpr, kBlock> once;
    for (Address i = 0; i < kBlock; ++i) once[i] = BaseExpr(at(first + i));
    return once;
}

std::array<BaseExpr, kBlock> CircuitBuilder::elements(const DigestWire& digest) {
    std::array<BaseExpr, kBlock> xs = elements_once(digest);
    for (BaseExpr& x : xs) x = copy(x);
    return xs;
}

// --- the public input

PublicRow CircuitBuilder::public_row(std::span<const KoalaBear> values) {
    QUARRY_CHECK(!values.empty() && values.size() <= kPublicValues);
    QUARRY_CHECK(!exposed_ || !rows_.public_input.rows.empty());
    exposed_ = true;
    const bool all = values.size() > kFirstPublicValues;
    PublicInputRow<KoalaBear> row{};
    std::copy(values.begin(), values.end(), row.x.begin());
    const auto first = static_cast<Address>(values_.size());
    PublicRow wires;
    for (std::size_t i = 0; i < (all ? kPublicValues : kFirstPublicValues); ++i) {
        const ExtensionExpr x = new_wire(ExtField(row.x[i]));
        if (i < values.size()) {
            wires.values.emplace_back(x);
        } else {
            require_equal(x, ExtensionExpr(ExtField()));
        }
    }
    KoalaBear total;
    for (const KoalaBear x : values) total += x;
    const ExtensionExpr sum = new_wire(ExtField(total));
    wires.sum = BaseExpr(sum);
    const Address address = sum.node_->terms[0].a;
    rows_.public_input.push(row,
                            {.number = element(static_cast<Address>(rows_.public_input.rows.size())),
                             .used = kFlag,
                             .more = all ? kFlag : KoalaBear(),
                             .first = element(first),
                             .sum = element(address)},
                            false, address);
    return wires;
}

void CircuitBuilder::check_public_readers() const {
    for (const auto& fixed : rows_.public_input.fixed) {
        const std::size_t size = fixed.more.is_zero() ? kFirstPublicValues : kPublicValues;
        for (std::size_t i = 0; i < size; ++i) QUARRY_CHECK(readers_[fixed.first.canonical() + i] == 1);
    }
}

// --- base wires

void CircuitBuilder::add_reader(Address base) {
    if (base >= kIndexBits) {
        ++bit_readers_[base - kIndexBits];
    } else if (base >= kLeafBlocks) {
        ++leaf_readers_[base - kLeafBlocks];
    } else if (base >= kSpongeOutput) {
        ++sponge_out_readers_[base - kSpongeOutput];
    } else {
        ++sponge_in_readers_[base];
    }
}

void CircuitBuilder::add_sink(Address base) {
    KoalaBear value;
    if (base >= kLeafBlocks) {
        const Address i = base - kLeafBlocks;
        value = rows_.tree.rows[leaf_row_[i / kBlock]].in[kBlock + i % kBlock];
    } else if (base >= kSpongeOutput) {
        const Address i = base - kSpongeOutput;
        value = rows_.sponge.rows[i / kBlock].out[i % kBlock];
    } else {
        value = rows_.sponge.rows[base / kBlock].in[base % kBlock];
    }
    rows_.pack.push({cells(ExtField(value))}, {.base = element(base), .reads_first = kFlag});
}

ExtensionExpr CircuitBuilder::pack(Address base, const std::array<KoalaBear, kDegree>& values) {
    for (std::size_t k = 0; k < kDegree; ++k) add_reader(base + static_cast<Address>(k));
    ExtensionExpr x = new_wire(ExtField(values));
    const Address address = x.node_->terms[0].a;
    rows_.pack.push({values},
                    {.base = element(base), .reads_first = kFlag, .reads_rest = kFlag, .result = element(address)},
                    false, address);
    return x;
}

BaseExpr CircuitBuilder::lift(Address base, KoalaBear value) {
    add_reader(base);
    ExtensionExpr x = new_wire(ExtField(value));
    const Address address = x.node_->terms[0].a;
    rows_.pack.push({cells(ExtField(value))},
                    {.base = element(base), .reads_first = kFlag, .lifts = kFlag, .result = element(address)}, false,
                    address);
    return BaseExpr(x);
}

void CircuitBuilder::require_equal(Address base, const BaseExpr& x) {
    add_reader(base);
    const Address other = wire(x.lifted());
    const ExtField value = read(other);
    rows_.pack.push(
        {cells(value)},
        {.base = element(base), .reads_first = kFlag, .lifts = kFlag, .result = element(other), .results = kCompared});
}

DigestWire CircuitBuilder::pack_digest(Address base, const Digest& value) {
    for (std::size_t k = 0; k < kBlock; ++k) add_reader(base + static_cast<Address>(k));
    const Address address = new_digest();
    rows_.digest.push({value}, {.base = element(base), .reads = kFlag, .first = element(address)}, false, address);
    return {address, value};
}

void CircuitBuilder::require_equal(Address base, const DigestWire& x) {
    for (std::size_t k = 0; k < kBlock; ++k) add_reader(base + static_cast<Address>(k));
    ++digest_readers_[x.address];
    rows_.digest.push({x.value},
                      {.base = element(base), .reads = kFlag, .first = element(x.address), .firsts = kCompared});
}

IndexWires CircuitBuilder::index(Address base, KoalaBear value, unsigned num_bits) {
    QUARRY_CHECK(num_bits <= kIndexBitLimit);
    add_reader(base);
    const auto bits = static_cast<Address>(kIndexBits + bit_readers_.size());
    bit_readers_.resize(bit_readers_.size() + kIndexBitLimit, 0);
    const IndexRow<KoalaBear> row = IndexTable::make_row(value, num_bits);
    ExtensionExpr point = new_wire(ExtField(row.products.back()));
    const Address address = point.node_->terms[0].a;
    rows_.index.push(row, {.base = element(base), .reads = kFlag, .bits = element(bits), .point = element(address)},
                     false, address);
    return {bits, num_bits, value.canonical() & ((1U << num_bits) - 1), BaseExpr(point)};
}

void CircuitBuilder::require_below(const BaseExpr& x, unsigned num_bits) {
    QUARRY_CHECK(num_bits <= kIndexBitLimit);
    const Address address = wire(x.lifted());
    const KoalaBear value = read(address)[0];
    const auto bits = static_cast<Address>(kIndexBits + bit_readers_.size());
    bit_readers_.resize(bit_readers_.size() + kIndexBitLimit, 0);
    // The bits from num_bits up are wires, and zero.
    rows_.index.push(IndexTable::make_row(value, 0),
                     {.base = element(address), .lifted = kFlag, .small = kFlag, .bits = element(bits)});
    for (unsigned i = num_bits; i < kIndexBitLimit; ++i) require_equal(bits + i, BaseExpr(KoalaBear()));
}

void CircuitBuilder::require_zero_bits(Address base, KoalaBear value, unsigned num_bits) {
    const IndexWires wires = index(base, value, num_bits);
    for (unsigned i = 0; i < num_bits; ++i) require_equal(wires.bits + i, BaseExpr(KoalaBear()));
}

// --- the end

void CircuitBuilder::finish_sponges() {
    for (std::size_t r = 0; r < rows_.sponge.rows.size(); ++r) {
        auto& fixed = rows_.sponge.fixed[r];
        const auto finish_group = [&](std::size_t begin, std::size_t end, KoalaBear& flag, bool in) {
            const std::vector<std::uint8_t>& readers = in ? sponge_in_readers_ : sponge_out_readers_;
            const auto address = static_cast<Address>(kBlock * r) + (in ? 0 : kSpongeOutput);
            const std::size_t size = in ? sponge_block_size_[r] : kBlock;
            bool used = in && begin < size;
            for (std::size_t i = begin; i < end; ++i) used = used || readers[kBlock * r + i] > 0;
            if (!used) return;
            flag = kFlag;
            for (std::size_t i = begin; i < end; ++i) {
                QUARRY_CHECK(readers[kBlock * r + i] <= 1);
                if (i >= size) {
                    require_equal(address + static_cast<Address>(i), BaseExpr(KoalaBear()));
                } else if (readers[kBlock * r + i] == 0) {
                    add_sink(address + static_cast<Address>(i));
                }
            }
        };
        if (!fixed.absorbs.is_zero()) {
            finish_group(0, 2, fixed.write_0, true);
            finish_group(2, 5, fixed.write_2, true);
            finish_group(5, 8, fixed.write_5, true);
        }
        finish_group(0, 5, fixed.hand_0, false);
        finish_group(5, 8, fixed.hand_5, false);
    }
}

void CircuitBuilder::finish_leaves() {
    for (std::size_t block = 0; block < leaf_row_.size(); ++block) {
        QUARRY_CHECK(leaf_row_[block] != ~0U);
        const auto readers = std::span(leaf_readers_).subspan(kBlock * block, kBlock);
        const std::uint8_t most = *std::max_element(readers.begin(), readers.end());
        rows_.tree.fixed[leaf_row_[block]].writes_block = KoalaBear(most);
        for (std::size_t k = 0; k < kBlock; ++k) {
            for (std::size_t i = readers[k]; i < most; ++i) {
                add_sink(kLeafBlocks + static_cast<Address>(kBlock * block + k));
            }
        }
    }
    for (std::size_t i = 0; i < bit_readers_.size(); ++i) {
        QUARRY_CHECK(bit_readers_[i] <= 2);
        rows_.index.fixed[i / kIndexBitLimit].used[i % kIndexBitLimit] = KoalaBear(bit_readers_[i]);
    }
}

CircuitRows CircuitBuilder::finish() && {
    QUARRY_CHECK(exposed_);
    finish_sponges();
    finish_leaves();
    const auto count = [](auto& rows, const std::vector<std::uint32_t>& readers, auto field) {
        for (std::size_t r = 0; r < rows.rows.size(); ++r) {
            if (rows.writes[r] != kNoWire) rows.fixed[r].*field = KoalaBear(readers[rows.writes[r]]);
        }
    };
    count(rows_.sum, readers_, &SumTable::Fixed<KoalaBear>::results);
    count(rows_.form, readers_, &FormTable::Fixed<KoalaBear>::results);
    // Rows that make several wires, one after the other.
    const auto count_run = [&](auto& rows, const auto& is_made) {
        for (std::size_t r = 0; r < rows.rows.size(); ++r) {
            auto& fixed = rows.fixed[r];
            for (std::size_t k = 0; rows.writes[r] != kNoWire && k < fixed.results.size(); ++k) {
                if (is_made(fixed, k)) fixed.results[k] = KoalaBear(readers_[rows.writes[r] + k]);
            }
        }
    };
    count_run(rows_.convolution, [](const auto& /*fixed*/, std::size_t /*k*/) { return true; });
    // Address 0 is the constant zero's.
    const auto has_address = [](const auto& fixed, std::size_t k) { return !fixed.result[k].is_zero(); };
    count_run(rows_.base_fold, has_address);
    count_run(rows_.polynomial, has_address);
    count(rows_.extension_fold, readers_, &FoldFixed<KoalaBear>::results);
    count(rows_.power, readers_, &PowerFixed<KoalaBear>::results);
    count(rows_.pack, readers_, &PackFixed<KoalaBear>::results);
    count(rows_.index, readers_, &IndexFixed<KoalaBear>::points);
    count(rows_.public_input, readers_, &PublicInputFixed<KoalaBear>::sums);
    check_public_readers();
    count(rows_.tree, digest_readers_, &TreeFixed<KoalaBear>::results);
    count(rows_.digest, digest_readers_, &DigestFixed<KoalaBear>::firsts);
    for (std::size_t r = 0; r < rows_.constant.rows.size(); ++r) {
        auto& fixed = rows_.constant.fixed[r];
        if (fixed.digests.is_zero()) {
            fixed.extensions = KoalaBear(readers_[rows_.constant.writes[r]]);
        } else {
            fixed.digests = KoalaBear(digest_readers_[rows_.constant.writes[r]]);
        }
    }
    return std::move(rows_);
}

}  // namespace quarry::recursion
