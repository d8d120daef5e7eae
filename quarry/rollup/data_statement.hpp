#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/rollup/binding.hpp"
#include "quarry/rollup/bls_scalar.hpp"
#include "quarry/rollup/statement.hpp"

/// What a data proof says, and how it is made: docs/spec/data-proof.md.
namespace quarry::rollup {

/// How words are a polynomial: coefficients, the first word at the highest power, or values at blob_roots().
using DataForm = BindingForm;

/// The most words of one data proof, in either form.
inline constexpr std::size_t kMaxDataWords = kBlobWords;
/// Words of a data proof to one unit of work: proving that many costs about what proving one applied word does.
inline constexpr std::uint32_t kDataWordsPerUnit = 8;

/// `words` words lead the accumulator from `before` to `after`, and the polynomial that they are has the value y at z.
/// L1, which knows the content behind l1_hash, checks that its own polynomial has it too.
struct DataStatement : L1Binding {
    L1Address payee;
    Digest before{};
    Digest after{};
    Work work;
    friend bool operator==(const DataStatement&, const DataStatement&) noexcept = default;
};

/// h, the chain "quarry/data/v1" over before, after, l1_hash (16 limbs) and (form, words, 0, ..): the point at which
/// both polynomials are compared.
Digest data_point(DataForm form, const Digest& before, const Digest& after, std::uint32_t words,
                  const Bytes32& l1_hash);
/// sum of h_i 2^(31 i), below 2^248.
BlsScalar point_scalar(const Digest& point) noexcept;
/// Big-endian, as the point-evaluation precompile takes field elements.
Bytes32 scalar_bytes(const BlsScalar& x) noexcept;

/// Units of a data proof: words / kDataWordsPerUnit, rounded up.
std::uint32_t data_units(std::uint32_t words) noexcept;

/// The statement of these words, whatever the point. Precondition: whole words, at most kMaxDataWords.
DataStatement make_data_statement(DataForm form, const Digest& before, std::span<const std::uint8_t> words,
                                  const Bytes32& l1_hash, const L1Address& payee, std::uint64_t miner_tag);

/// What a join takes from it, beside payee and work.
DataRun data_run(const DataStatement& statement);
/// The statement's elements, in the order in which proofs absorb them.
std::vector<KoalaBear> elements(const DataStatement& statement);

}  // namespace quarry::rollup
