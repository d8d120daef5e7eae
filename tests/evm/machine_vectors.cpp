#include "tests/evm/machine_vectors.hpp"

#include "quarry/codegen/assembler_nodes.hpp"

namespace quarry::evm {
namespace {

using codegen::MachineOp;
using codegen::MachineTerm;
using codegen::Slot;
using Lanes = MachineVectors::Lanes;

constexpr std::uint32_t kP = KoalaBear::kModulus;
constexpr std::uint64_t kReduced = std::uint64_t{kP} * 10'055 / 10'000;
constexpr std::uint64_t kRaw = std::uint64_t{1} << 48;
constexpr std::size_t kTerms = codegen::detail::kMaxLargeTerms;

class Maker {
  public:
    explicit Maker(const std::function<std::uint64_t()>& next) : next_(next) {}

    MachineVectors make() {
        fill_words();
        products();
        sums();
        small_forms();
        large_forms();
        run();
        return std::move(out_);
    }

  private:
    enum Word : std::size_t { kMost, kZero, kEven, kOdd, kTop, kRandom, kMostRaw = kRandom + 8, kRandomRaw, kNumWords };

    static Slot slot(std::size_t i) { return static_cast<Slot>(codegen::kFirstSlot + i * codegen::kWordBytes); }
    std::uint64_t below(std::uint64_t n) { return (next_() >> 8) % n; }

    void fill_words() {
        constexpr std::uint64_t kMax = kReduced;
        out_.words = {
            {kMax, kMax, kMax, kMax, kMax}, {}, {kMax, 0, kMax, 0, kMax}, {0, kMax, 0, kMax, 0}, {0, 0, 0, 0, kMax}};
        out_.words.resize(kNumWords);
        for (std::size_t i = kRandom; i < kMostRaw; ++i) {
            for (std::uint64_t& lane : out_.words[i]) lane = below(kReduced + 1);
        }
        out_.words[kMostRaw].fill(kRaw - 1);
        for (std::uint64_t& lane : out_.words[kRandomRaw]) lane = below(kRaw);
    }

    /// The slot of the next result.
    Slot result(MachineOp op) {
        out_.results.push_back({op, {}});
        return slot(kNumWords + out_.results.size() - 1);
    }
    void put(MachineOp op, const std::vector<std::size_t>& words) {
        std::vector<Slot> operands;
        for (const std::size_t i : words) operands.push_back(slot(i));
        operands.push_back(result(op));
        code_.put(op, operands);
    }

    void products() {
        for (const std::size_t a : {kMost, kEven, kOdd, kTop}) {
            for (const std::size_t b : {kMost, kEven, kOdd, kTop}) put(MachineOp::mul, {a, b});
            put(MachineOp::mul_add, {a, kMost, kMostRaw});
            put(MachineOp::mul_add, {kMost, a, kRandomRaw});
            put(MachineOp::cube, {a});
            // The difference is least and most where one of the two is zero.
            for (const std::size_t b : {kMost, kZero, kEven, kOdd}) {
                put(MachineOp::line, {a, kZero, b});
                put(MachineOp::line, {a, b, kZero});
            }
        }
        put(MachineOp::mul_add, {kZero, kZero, kMostRaw});
        put(MachineOp::line, {kRandom, kRandom + 1, kRandom + 2});
        put(MachineOp::mul, {kRandom + 3, kRandom + 4});
        put(MachineOp::mul_add, {kRandom + 5, kRandom + 6, kRandomRaw});
        put(MachineOp::cube, {kRandom + 7});
    }

    void sums() {
        for (const MachineOp op : {MachineOp::add, MachineOp::sub}) {
            for (const std::size_t a : {kMost, kZero, kEven}) {
                for (const std::size_t b : {kMost, kZero, kOdd}) put(op, {a, b});
            }
            put(op, {kRandom, kRandom + 1});
        }
    }

    /// Terms whose coefficients add up to `sum`, each of word `word`; kRandom: of all the random ones.
    static std::vector<MachineTerm> terms(std::uint64_t sum, std::size_t word) {
        std::vector<MachineTerm> r;
        for (std::size_t i = 0; i < kTerms; ++i) {
            const std::uint64_t coefficient = sum / (kTerms - i);
            sum -= coefficient;
            const std::size_t of = word == kRandom ? kRandom + i % 8 : word;
            r.push_back({slot(of), static_cast<std::uint32_t>(coefficient)});
        }
        return r;
    }

    /// Forms with small coefficients, as plan_form() covers what they subtract; a term of coefficient 1 or -1 with
    /// them.
    void small_forms() {
        for (const auto& [op, most] : {std::pair(MachineOp::small, codegen::detail::kMaxSmallSum),
                                       std::pair(MachineOp::raw, codegen::detail::kMaxRawSum)}) {
            for (const std::size_t word : {kMost, kZero, kEven, kOdd, kRandom}) {
                const auto added = terms(most - 1, word);
                code_.put_form(op, result(op), slot(word), codegen::kZeroSlot, kP - 1, 0, added, {});
                const auto cover = static_cast<std::uint32_t>(most + most / 180 + 1);
                code_.put_form(op, result(op), codegen::kZeroSlot, slot(word), 0, cover, {}, added);
                const auto half = terms(most / 2 - 1, word);
                const auto half_cover = static_cast<std::uint32_t>(most / 2 + most / 360 + 1);
                code_.put_form(op, result(op), slot(kMost), slot(word), kP - 1, half_cover, terms(most / 2 - 1, kMost),
                               half);
            }
        }
    }

    /// Coefficients whose lower halves add up to most, those whose upper halves are, and random ones.
    void large_forms() {
        const std::vector<MachineTerm> low = terms(codegen::detail::kMaxLowHalves, kMost);
        for (const std::size_t word : {kMost, kEven, kOdd, kRandom}) {
            std::vector<MachineTerm> lowest, highest, random;
            for (std::size_t i = 0; i < kTerms; ++i) {
                const Slot of = slot(word == kRandom ? kRandom + i % 8 : word);
                lowest.push_back({of, ((kP >> 16) - 1) << 16 | low[i].coefficient});
                highest.push_back({of, kP - 1});
                const std::uint64_t upper = below(kP >> 16);
                random.push_back({of, static_cast<std::uint32_t>(upper << 16 | below(low[i].coefficient + 1))});
            }
            for (const auto& of_form : {lowest, highest, random}) {
                code_.put_large(result(MachineOp::large), slot(word), kP - 1, of_form);
            }
        }
    }

    void run() {
        (void)code_.close();
        out_.program = code_.bytes();
        codegen::MachineMemory memory;
        for (std::size_t i = 0; i < out_.words.size(); ++i) {
            ExtField x;
            for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = KoalaBear(out_.words[i][k]);
            memory.set(slot(i), x);
        }
        codegen::run_machine(out_.program, memory);
        for (std::size_t i = 0; i < out_.results.size(); ++i) out_.results[i].value = memory.get(slot(kNumWords + i));
    }

    const std::function<std::uint64_t()>& next_;
    MachineVectors out_;
    codegen::MachineCode code_;
};

}  // namespace

MachineVectors make_machine_vectors(const std::function<std::uint64_t()>& next) { return Maker(next).make(); }

}  // namespace quarry::evm
