#include "quarry/codegen/assembler.hpp"

#include <gtest/gtest.h>

#include <set>

#include "quarry/codegen/terminal_contracts.hpp"
#include "quarry/codegen/tracer.hpp"

namespace quarry::codegen::assembler_test {
namespace {

constexpr std::size_t kNumInputs = 70;

ExtField number(std::uint64_t seed) {
    ExtField x;
    for (std::size_t i = 0; i < ExtField::kDegree; ++i) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        x[i] = KoalaBear(seed >> 20);
    }
    return x;
}

/// The same text over numbers and over expressions: what the machine computes of the latter is the former.
class Compared {
  public:
    Compared() {
        for (std::uint32_t i = 0; i < kNumInputs; ++i) {
            traced.push_back(tracer.input(i));
            numbers.push_back(number(i + 1));
            slots.push_back(static_cast<Slot>(kFirstSlot + i * kWordBytes));
        }
    }
    template <class Text>
    void expect_equal(Text text) {
        const LinearForm form =
            text(traced, [](std::uint64_t c) { return TracedValue(Expr(KoalaBear(c))); }).expression().form();
        const std::vector<std::vector<LinearForm>> stages{{form}};
        const Assembled program = assemble(tracer.graph(), slots, stages);
        MachineMemory memory;
        for (std::size_t i = 0; i < kNumInputs; ++i) memory.set(slots[i], numbers[i]);
        run_machine(program.code, memory);
        EXPECT_EQ(memory.get(program.outputs[0][0]),
                  text(numbers, [](std::uint64_t c) { return ExtField(KoalaBear(c)); }));
        operations.insert(static_cast<MachineOp>(program.code.at(0)));
        size = program.code.size();
    }

    Tracer tracer;
    std::vector<TracedValue> traced;
    std::vector<ExtField> numbers;
    std::vector<Slot> slots;
    std::set<MachineOp> operations;  ///< that a program began with
    std::size_t size = 0;
};

TEST(Assembler, OneOperationEach) {
    Compared c;
    c.expect_equal([](const auto& x, auto) { return x[0] * x[1]; });
    c.expect_equal([](const auto& x, auto) { return x[0] + x[1]; });
    c.expect_equal([](const auto& x, auto) { return x[0] - x[1]; });
    c.expect_equal([](const auto& x, auto) { return x[0] * x[1] + x[2]; });
    c.expect_equal([](const auto& x, auto) { return x[1] + x[0] * (x[2] - x[1]); });
    c.expect_equal([](const auto& x, auto) { return x[3] * x[3] * x[3]; });
    c.expect_equal(
        [](const auto& x, auto number_of) { return x[0] * number_of(7) - x[1] * number_of(9) + number_of(5); });
    c.expect_equal([](const auto& x, auto number_of) { return x[0] * number_of(1U << 20) + x[1] * number_of(3); });
    for (const MachineOp op : {MachineOp::mul, MachineOp::add, MachineOp::sub, MachineOp::mul_add, MachineOp::line,
                               MachineOp::cube, MachineOp::small, MachineOp::large}) {
        EXPECT_TRUE(c.operations.contains(op)) << static_cast<int>(op);
    }
}

TEST(Assembler, FormsOfManyTerms) {
    Compared c;
    const auto sum = [](std::uint64_t scale) {
        return [scale](const auto& x, auto number_of) {
            auto s = number_of(scale);
            for (std::size_t i = 0; i < kNumInputs; ++i) {
                const auto term = x[i] * number_of(scale * (i + 1) + 3);
                if (i % 3 == 1) {
                    s = s - term;
                } else {
                    s = s + term;
                }
            }
            return s;
        };
    };
    c.expect_equal(sum(11));
    c.expect_equal(sum(1'600));
    c.expect_equal(sum(40'000'000));
    // Split once, it is no large form: what it subtracts is not lost.
    c.expect_equal([](const auto& x, auto number_of) {
        auto s = number_of(0);
        for (std::size_t i = 0; i < 35; ++i) s = s + x[i] * number_of(5);
        for (std::size_t i = 35; i < 40; ++i) s = s - x[i] * number_of(7);
        for (std::size_t i = 40; i < 70; ++i) s = s + x[i] * number_of(1U << 20);
        return s;
    });
}

TEST(Assembler, SumsOfProductsAndPowers) {
    Compared c;
    c.expect_equal([](const auto& x, auto number_of) {
        auto s = x[0] * x[1] - x[2] * x[3] - x[4] * x[5] + number_of(17) * x[6];
        for (std::size_t i = 0; i < 12; ++i) s = s * x[7] + x[i] - x[i + 1] * x[i + 2];
        const auto square = s * s;
        return square * s + square;  // the square has two readers
    });
    // A program is as large as what it does: no operation twice.
    const std::size_t before = c.size;
    c.expect_equal([](const auto& x, auto number_of) {
        auto s = x[0] * x[1] - x[2] * x[3] - x[4] * x[5] + number_of(17) * x[6];
        for (std::size_t i = 0; i < 12; ++i) s = s * x[7] + x[i] - x[i + 1] * x[i + 2];
        const auto square = s * s;
        return square * s + square;
    });
    EXPECT_EQ(c.size, before);
}

TEST(TerminalContracts, ACapIsReadFromItsFileOnly) {
    EXPECT_FALSE(cap_of("", {}));
    EXPECT_FALSE(cap_of("\"0x", {}));
    EXPECT_FALSE(cap_of("\"0x61400180600a3d393df300\"", {}));
    const std::string digits(2 * (11 + 512 * 32), '0');
    EXPECT_FALSE(cap_of("\"0x" + digits + "\"", {}));  // not under this root
    EXPECT_FALSE(cap_of("\"0x" + digits.substr(1) + "g\"", {}));
}

}  // namespace
}  // namespace quarry::codegen::assembler_test
