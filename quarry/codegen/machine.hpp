#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "quarry/field/extension.hpp"

/// The machine of contracts/src/Machine.sol: straight-line programs over elements of E, which lie in words of the
/// contract's memory. What depends on a circuit in its verifier are programs in this form, so that they are data.
///
/// A program is blocks: one byte of operation, two of the number of its records, the records. A slot is an address, two
/// bytes; numbers are big-endian.
///
///   add, sub       a, b, out                  a + b, a - b
///   mul            a, b, out                  a b
///   mul_add        a, b, c, out               a b + c
///   line           r, a, b, out               a + r (b - a)
///   cube           a, out                     a a a
///   small, raw     n, m, out, plus, minus, constant (4 bytes), k (4 bytes); then n + m groups of four (slot,
///   coefficient)
///                  constant + plus - minus + the terms of n groups - those of m groups; k p covers what is subtracted
///   large          n, 0, out, plus, 0 (2 bytes), constant (4 bytes), 0 (4 bytes); then n groups of five (slot,
///                  coefficient's low half, its high half)
///
/// n, m: one byte each. Every result is reduced (contracts/src/Ext.sol), but that of raw, of lanes below 2^48. Groups
/// are filled up with coefficients 0 of the slot kZeroSlot.
namespace quarry::codegen {

using Slot = std::uint16_t;
/// Solidity keeps zero here.
inline constexpr Slot kZeroSlot = 0x60;
/// The compiler has what lies below for itself.
inline constexpr Slot kFirstSlot = 0x400;
inline constexpr std::size_t kWordBytes = 32;
inline constexpr std::size_t kMaxSlots = (0x10000 - kFirstSlot) / kWordBytes;

enum class MachineOp : std::uint8_t { add = 1, sub, mul, mul_add, line, cube, small, raw, large };
inline constexpr std::size_t kMachineOps = 10;

inline constexpr std::size_t kSmallGroup = 4;  ///< terms
inline constexpr std::size_t kLargeGroup = 5;

/// A term of a form.
struct MachineTerm {
    Slot slot;
    std::uint32_t coefficient;
};

/// Writes blocks; records of one operation in a row share a block.
class MachineCode {
  public:
    /// Of add .. cube: the operands, the result last.
    void put(MachineOp op, std::span<const Slot> operands);
    /// small and raw: coefficients of `plus_terms` and `minus_terms` below 2^16.
    void put_form(MachineOp op, Slot out, Slot plus, Slot minus, std::uint32_t constant, std::uint32_t k,
                  std::span<const MachineTerm> plus_terms, std::span<const MachineTerm> minus_terms);
    void put_large(Slot out, Slot plus, std::uint32_t constant, std::span<const MachineTerm> terms);
    /// Ends the block, so that the code so far is a program of its own.
    [[nodiscard]] std::size_t close();
    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const noexcept { return bytes_; }

  private:
    void begin(MachineOp op);
    void byte(std::size_t x) { bytes_.push_back(static_cast<std::uint8_t>(x)); }
    void half(std::size_t x) { byte(x >> 8 & 0xff), byte(x & 0xff); }
    void word(std::size_t x) { half(x >> 16 & 0xffff), half(x & 0xffff); }

    std::vector<std::uint8_t> bytes_;
    std::size_t header_ = 0;  ///< of the open block; 0: none
    MachineOp op_{};
    std::size_t count_ = 0;
};

/// What the contract's memory is, in canonical elements.
class MachineMemory {
  public:
    [[nodiscard]] ExtField get(Slot slot) const { return words_[slot / kWordBytes]; }
    void set(Slot slot, const ExtField& x) { words_[slot / kWordBytes] = x; }

  private:
    std::vector<ExtField> words_ = std::vector<ExtField>(0x10000 / kWordBytes);
};
/// Runs a program. Precondition (checked): one that MachineCode made.
void run_machine(std::span<const std::uint8_t> program, MachineMemory& memory);

}  // namespace quarry::codegen
