#include "quarry/codegen/machine.hpp"

#include "quarry/base/check.hpp"

namespace quarry::codegen {
namespace {

constexpr std::size_t kMaxRecords = 0xffff;

std::size_t operands_of(MachineOp op) {
    switch (op) {
        case MachineOp::add:
        case MachineOp::sub:
        case MachineOp::mul:
            return 3;
        case MachineOp::mul_add:
        case MachineOp::line:
            return 4;
        case MachineOp::cube:
            return 2;
        default:
            return 0;
    }
}

std::size_t groups(std::size_t terms, std::size_t size) { return (terms + size - 1) / size; }

}  // namespace

void MachineCode::begin(MachineOp op) {
    if (header_ == 0 || op != op_ || count_ == kMaxRecords) {
        (void)close();
        header_ = bytes_.size() + 1;
        op_ = op;
        count_ = 0;
        byte(static_cast<std::size_t>(op));
        half(0);
    }
    ++count_;
    bytes_[header_] = static_cast<std::uint8_t>(count_ >> 8);
    bytes_[header_ + 1] = static_cast<std::uint8_t>(count_);
}

std::size_t MachineCode::close() {
    header_ = 0;
    return bytes_.size();
}

void MachineCode::put(MachineOp op, std::span<const Slot> operands) {
    QUARRY_CHECK(operands.size() == operands_of(op) && !operands.empty());
    begin(op);
    for (const Slot slot : operands) half(slot);
}

void MachineCode::put_form(MachineOp op, Slot out, Slot plus, Slot minus, std::uint32_t constant, std::uint32_t k,
                           std::span<const MachineTerm> plus_terms, std::span<const MachineTerm> minus_terms) {
    QUARRY_CHECK(op == MachineOp::small || op == MachineOp::raw);
    begin(op);
    const std::size_t n = groups(plus_terms.size(), kSmallGroup);
    const std::size_t m = groups(minus_terms.size(), kSmallGroup);
    QUARRY_CHECK(n <= 0xff && m <= 0xff);
    byte(n), byte(m), half(out), half(plus), half(minus), word(constant), word(k);
    for (const auto& [terms, count] : {std::pair(plus_terms, n), std::pair(minus_terms, m)}) {
        for (std::size_t i = 0; i < count * kSmallGroup; ++i) {
            const MachineTerm term = i < terms.size() ? terms[i] : MachineTerm{kZeroSlot, 0};
            QUARRY_CHECK(term.coefficient <= 0xffff);
            half(term.slot), half(term.coefficient);
        }
    }
}

void MachineCode::put_large(Slot out, Slot plus, std::uint32_t constant, std::span<const MachineTerm> terms) {
    begin(MachineOp::large);
    const std::size_t n = groups(terms.size(), kLargeGroup);
    QUARRY_CHECK(n <= 0xff);
    byte(n), byte(0), half(out), half(plus), half(0), word(constant), word(0);
    for (std::size_t i = 0; i < n * kLargeGroup; ++i) {
        const MachineTerm term = i < terms.size() ? terms[i] : MachineTerm{kZeroSlot, 0};
        half(term.slot), half(term.coefficient & 0xffff), half(term.coefficient >> 16);
    }
}

namespace {

class Reader {
  public:
    explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
    [[nodiscard]] bool is_at_end() const { return at_ == bytes_.size(); }
    std::uint32_t take(std::size_t count) {
        QUARRY_CHECK(bytes_.size() - at_ >= count);
        std::uint32_t x = 0;
        for (std::size_t i = 0; i < count; ++i) x = x << 8 | bytes_[at_++];
        return x;
    }
    Slot slot() { return static_cast<Slot>(take(2)); }

  private:
    std::span<const std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

void run_simple(MachineOp op, Reader& in, MachineMemory& memory) {
    std::array<ExtField, 3> x;
    const std::size_t count = operands_of(op) - 1;
    for (std::size_t i = 0; i < count; ++i) x[i] = memory.get(in.slot());
    ExtField r;
    switch (op) {
        case MachineOp::add:
            r = x[0] + x[1];
            break;
        case MachineOp::sub:
            r = x[0] - x[1];
            break;
        case MachineOp::mul:
            r = x[0] * x[1];
            break;
        case MachineOp::mul_add:
            r = x[0] * x[1] + x[2];
            break;
        case MachineOp::line:
            r = x[1] + x[0] * (x[2] - x[1]);
            break;
        case MachineOp::cube:
            r = x[0] * x[0] * x[0];
            break;
        default:
            QUARRY_CHECK(false);
    }
    memory.set(in.slot(), r);
}

void run_form(MachineOp op, Reader& in, MachineMemory& memory) {
    const std::uint32_t n = in.take(1);
    const std::uint32_t m = in.take(1);
    const Slot out = in.slot();
    const Slot plus = in.slot();
    const Slot minus = in.slot();
    ExtField sum(KoalaBear(in.take(4)));
    (void)in.take(4);  // a multiple of p is zero
    sum = sum + memory.get(plus);
    if (op == MachineOp::large) {
        for (std::uint32_t i = 0; i < n * kLargeGroup; ++i) {
            const ExtField x = memory.get(in.slot());
            const std::uint32_t low = in.take(2);
            sum = sum + x * ExtField(KoalaBear(low | in.take(2) << 16));
        }
    } else {
        sum = sum - memory.get(minus);
        for (std::uint32_t i = 0; i < (n + m) * kSmallGroup; ++i) {
            const ExtField x = memory.get(in.slot());
            const ExtField term = x * ExtField(KoalaBear(in.take(2)));
            sum = i < n * kSmallGroup ? sum + term : sum - term;
        }
    }
    memory.set(out, sum);
}

}  // namespace

void run_machine(std::span<const std::uint8_t> program, MachineMemory& memory) {
    Reader in(program);
    while (!in.is_at_end()) {
        const auto op = static_cast<MachineOp>(in.take(1));
        QUARRY_CHECK(op >= MachineOp::add && op <= MachineOp::large);
        for (std::uint32_t count = in.take(2); count > 0; --count) {
            if (op <= MachineOp::cube) {
                run_simple(op, in, memory);
            } else {
                run_form(op, in, memory);
            }
        }
    }
}

}  // namespace quarry::codegen
