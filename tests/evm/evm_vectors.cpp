// Vectors for the Solidity libraries, computed by the native code: JSON on standard output. With --check FILE, exit 1
// unless FILE holds exactly that. contracts/test reads contracts/test/vectors/foundation.json.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "quarry/hash/merkle.hpp"
#include "quarry/iop/keccak_transcript.hpp"
#include "tests/evm/machine_vectors.hpp"

namespace {

using namespace quarry;

/// xorshift64*: a fixed sequence, the same everywhere.
class Numbers {
  public:
    std::uint64_t next() {
        x_ ^= x_ >> 12;
        x_ ^= x_ << 25;
        x_ ^= x_ >> 27;
        return x_ * 0x2545f4914f6cdd1dULL;
    }
    KoalaBear base() { return KoalaBear(next() >> 16); }
    ExtField ext() {
        ExtField r;
        for (std::size_t i = 0; i < ExtField::kDegree; ++i) r[i] = base();
        return r;
    }
    std::vector<ExtField> exts(std::size_t n) {
        std::vector<ExtField> r(n);
        for (auto& x : r) x = ext();
        return r;
    }

  private:
    std::uint64_t x_ = 0x517561727279ULL;
};

/// Elements and digests as the bytes of a proof.
class Bytes {
  public:
    Bytes& operator<<(KoalaBear x) { return word(x.canonical()); }
    Bytes& operator<<(const ExtField& x) {
        for (const KoalaBear c : x.coefficients()) *this << c;
        return *this;
    }
    Bytes& operator<<(const Bytes32& digest) {
        for (const std::uint8_t b : digest) hex_ += fmt::format("{:02x}", b);
        return *this;
    }
    Bytes& operator<<(const std::vector<ExtField>& xs) {
        for (const ExtField& x : xs) *this << x;
        return *this;
    }
    Bytes& word(std::uint32_t x) {
        hex_ += fmt::format("{:08x}", x);
        return *this;
    }
    Bytes& byte(std::uint8_t x) {
        hex_ += fmt::format("{:02x}", x);
        return *this;
    }
    [[nodiscard]] const std::string& hex() const { return hex_; }

  private:
    std::string hex_;
};

class Vectors {
  public:
    Bytes& operator[](const std::string& name) { return fields_.emplace_back(name, Bytes()).second; }
    [[nodiscard]] std::string json() const {
        std::string r = "{\n";
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            r += fmt::format("  \"{}\": \"0x{}\"{}\n", fields_[i].first, fields_[i].second.hex(),
                             i + 1 < fields_.size() ? "," : "");
        }
        return r + "}\n";
    }

  private:
    std::vector<std::pair<std::string, Bytes>> fields_;
};

/// a, b, s, then a b, a s, a X: random ones, and those at the ends of the range.
void add_arithmetic(Vectors& out, Numbers& numbers) {
    std::vector<ExtField> edge{ExtField(), ExtField(1)};
    ExtField all;
    ExtField top;
    for (std::size_t i = 0; i < ExtField::kDegree; ++i) all[i] = KoalaBear(KoalaBear::kModulus - 1);
    top[4] = KoalaBear(KoalaBear::kModulus - 1);
    edge.insert(edge.end(), {all, top});
    ExtField x;
    x[1] = KoalaBear(1);
    Bytes bytes;
    const auto add = [&](const ExtField& a, const ExtField& b, KoalaBear s) {
        bytes << a << b << s << a * b << a * s << a * x;
    };
    for (const ExtField& a : edge) {
        for (const ExtField& b : edge) add(a, b, KoalaBear(KoalaBear::kModulus - 1));
    }
    for (int i = 0; i < 48; ++i) {
        const ExtField a = numbers.ext();
        const ExtField b = numbers.ext();
        add(a, b, numbers.base());
    }
    out["arithmetic"] = bytes;
}

/// One message, then: challenge, ten positions and more, nonce, challenge.
void add_transcript(Vectors& out, Numbers& numbers) {
    KeccakTranscript t;
    Bytes message;
    for (int i = 0; i < 7; ++i) {
        const ExtField x = numbers.ext();
        t.absorb(x);
        message << x;
    }
    Bytes expected;
    expected << t.squeeze_ext();
    for (const std::size_t i : t.squeeze_indices(13, 24)) expected.word(static_cast<std::uint32_t>(i));
    const std::uint64_t nonce = t.grind(12);
    expected.word(static_cast<std::uint32_t>(nonce >> 32)).word(static_cast<std::uint32_t>(nonce));
    expected << t.squeeze_ext();
    out["transcript_message"] = message;
    out["transcript_expected"] = expected;
}

/// A tree of height 8 over rows of `width` elements: root, all nodes at level 3 from the root, five positions, the rows
/// there, the full paths, the pruned opening.
void add_merkle(Vectors& out, Numbers& numbers) {
    constexpr std::size_t kWidth = 32;
    constexpr unsigned kHeight = 8;
    constexpr unsigned kCap = 3;
    std::vector<KoalaBear> rows(kWidth << kHeight);
    for (auto& x : rows) x = numbers.base();
    const auto tree = MerkleTree<KeccakHasher>::build(rows, std::size_t{1} << kHeight, kWidth, kWidth);
    out["merkle_root"] << tree.root();
    // The sibling at level kHeight - kCap of the path of leaf i is the node beside that leaf's ancestor.
    Bytes cap;
    for (std::size_t i = 0; i < std::size_t{1} << kCap; ++i) {
        cap << tree.path((i ^ 1) << (kHeight - kCap))[kHeight - kCap];
    }
    out["merkle_cap"] = cap;
    const std::vector<std::size_t> positions{3, 100, 101, 102, 255};
    Bytes leaves;
    Bytes paths;
    Bytes indices;
    for (const std::size_t p : positions) {
        indices.word(static_cast<std::uint32_t>(p));
        for (std::size_t j = 0; j < kWidth; ++j) leaves << rows[p * kWidth + j];
        for (const Bytes32& digest : tree.path(p)) paths << digest;
    }
    Bytes pruned;
    for (const Bytes32& digest : tree.open(positions).siblings) pruned << digest;
    out["merkle_positions"] = indices;
    out["merkle_rows"] = leaves;
    out["merkle_paths"] = paths;
    out["merkle_pruned"] = pruned;
}

/// n variables r, weights eq(r, .), a base row and an E row of 2^n elements and their sums with these weights.
void add_rows(Vectors& out, Numbers& numbers) {
    constexpr unsigned kLog = 5;
    const std::vector<ExtField> r = numbers.exts(kLog);
    std::vector<ExtField> weights{ExtField(1)};
    for (unsigned v = kLog; v-- > 0;) {
        std::vector<ExtField> next;
        for (const ExtField& w : weights) next.insert(next.end(), {w - w * r[v], w * r[v]});
        weights = next;
    }
    Bytes row;
    Bytes row_in_e;
    ExtField sum;
    ExtField sum_in_e;
    for (const ExtField& w : weights) {
        const KoalaBear x = numbers.base();
        const ExtField y = numbers.ext();
        row << x;
        row_in_e << y;
        sum += w * x;
        sum_in_e += w * y;
    }
    out["rows_point"] << r;
    out["rows_weights"] << weights;
    out["rows_base"] = row;
    out["rows_ext"] = row_in_e;
    out["rows_sums"] << sum << sum_in_e;
}

/// r of 16 variables; a position among 2^24 and its point x; pow(x, r). f of 32 elements; f(x) by powers; f at r_0 ..
/// r_4.
void add_evaluations(Vectors& out, Numbers& numbers) {
    constexpr unsigned kBits = 24;
    const std::vector<ExtField> r = numbers.exts(16);
    const std::size_t position = numbers.next() >> (64 - kBits);
    KoalaBear x(1);
    Bytes roots;
    for (unsigned i = 0; i < kBits; ++i) {
        const KoalaBear root = KoalaBear::two_adic_root(i + 1);
        roots << root - KoalaBear(1);
        if (((position >> i) & 1) != 0) x *= root;
    }
    ExtField pow(1);
    KoalaBear power = x;
    for (const ExtField& v : r) {
        pow *= ExtField(1) - v + v * power;
        power *= power;
    }
    std::vector<ExtField> f = numbers.exts(32);
    out["evaluation_roots"] = roots;
    out["evaluation_point"] << r;
    out["evaluation_position"].word(static_cast<std::uint32_t>(position));
    out["evaluation_f"] << f;
    ExtField value;
    for (std::size_t b = f.size(); b-- > 0;) value = value * x + f[b];
    for (std::size_t v = 0, size = f.size() / 2; size > 0; ++v, size /= 2) {
        for (std::size_t b = 0; b < size; ++b) f[b] = f[2 * b] + r[v] * (f[2 * b + 1] - f[2 * b]);
    }
    out["evaluation_expected"] << x << pow << value << f[0];
}

/// Three rounds of each kind of sumcheck: the messages, the claims before and after. Any message is as good as a true
/// one.
void add_sumcheck(Vectors& out, Numbers& numbers) {
    KeccakTranscript t;
    ExtField claim = numbers.ext();
    const std::vector<ExtField> rho = numbers.exts(3);
    constexpr std::size_t kDegree = 7;
    Bytes message;
    Bytes claims;
    claims << claim;
    for (int i = 0; i < 3; ++i) {
        const std::vector<ExtField> a = numbers.exts(2);
        message << a;
        for (const ExtField& x : a) t.absorb(x);
        const ExtField r = t.squeeze_ext();
        claim = a[0] + r * (claim - a[0] - a[0] - a[1] + r * a[1]);
        claims << claim;
    }
    for (std::size_t round = 0; round < 3; ++round) {
        const std::vector<ExtField> a = numbers.exts(round == 2 ? kDegree : 2);
        message << a;
        ExtField sum;
        for (const ExtField& x : a) {
            t.absorb(x);
            sum += x;
        }
        const ExtField r = t.squeeze_ext();
        ExtField value;
        for (std::size_t i = a.size(); i-- > 0;) value = (value + a[i]) * r;
        claim = claim - rho[round] * sum + value;
        claims << claim;
    }
    out["sumcheck_rho"] << rho;
    out["sumcheck_message"] = message;
    out["sumcheck_claims"] = claims;
}

/// A layer of LogUp-GKR whose last message fits its claims: q0, q1, p0 are drawn, p1 is what the check demands.
void add_gkr(Vectors& out, Numbers& numbers) {
    constexpr std::size_t kRounds = 4;
    KeccakTranscript t;
    const ExtField p = numbers.ext();
    const ExtField q = numbers.ext();
    const std::vector<ExtField> rho = numbers.exts(kRounds);
    const ExtField lambda = t.squeeze_ext();
    ExtField claim = p + lambda * q;
    Bytes message;
    Bytes point;
    for (std::size_t i = 0; i < kRounds; ++i) {
        const std::vector<ExtField> a = numbers.exts(2);
        message << a;
        for (const ExtField& x : a) t.absorb(x);
        const ExtField r = t.squeeze_ext();
        claim = claim - rho[i] * (a[0] + a[1]) + r * (a[0] + r * a[1]);
        point << r;
    }
    const ExtField p0 = numbers.ext();
    const ExtField q0 = numbers.ext();
    const ExtField q1 = numbers.ext();
    const ExtField p1 = (claim - p0 * q1 - lambda * q0 * q1) * q0.inverse();
    for (const ExtField& x : {p0, p1, q0, q1}) {
        message << x;
        t.absorb(x);
    }
    const ExtField c = t.squeeze_ext();
    point << c;
    out["gkr_claims"] << p << q;
    out["gkr_rho"] << rho;
    out["gkr_message"] = message;
    out["gkr_expected"] << p0 + c * (p1 - p0) << q0 + c * (q1 - q0);
    out["gkr_point"] = point;
}

/// A word of the contract's memory: lane i at bit 51 i.
Bytes32 packed(const evm::MachineVectors::Lanes& lanes) {
    Bytes32 word{};
    for (std::size_t bit = 0; bit < 51 * lanes.size(); ++bit) {
        const std::uint64_t set = lanes[bit / 51] >> bit % 51 & 1;
        word[31 - bit / 8] |= static_cast<std::uint8_t>(set << bit % 8);
    }
    return word;
}

/// A program, the words that it starts from, and of each result its operation and its value.
void add_machine(Vectors& out, Numbers& numbers) {
    const evm::MachineVectors v = evm::make_machine_vectors([&] { return numbers.next(); });
    Bytes program;
    for (const std::uint8_t x : v.program) program.byte(x);
    Bytes words;
    for (const auto& lanes : v.words) words << packed(lanes);
    Bytes results;
    for (const auto& [op, value] : v.results) results.word(static_cast<std::uint32_t>(op)) << value;
    out["machine_program"] = program;
    out["machine_words"] = words;
    out["machine_results"] = results;
}

std::string make_vectors() {
    Vectors out;
    Numbers numbers;
    add_arithmetic(out, numbers);
    add_transcript(out, numbers);
    add_merkle(out, numbers);
    add_rows(out, numbers);
    add_evaluations(out, numbers);
    add_sumcheck(out, numbers);
    add_gkr(out, numbers);
    add_machine(out, numbers);
    return out.json();
}

}  // namespace

int main(int argc, char** argv) {
    const std::string vectors = make_vectors();
    if (argc == 1) {
        std::fputs(vectors.c_str(), stdout);
        return 0;
    }
    if (argc != 3 || std::string(argv[1]) != "--check") {
        std::fputs("usage: evm_vectors [--check FILE]\n", stderr);
        return 2;
    }
    std::ifstream file(argv[2], std::ios::binary);
    const std::string kept{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (kept == vectors) return 0;
    std::fputs("the kept vectors are not what the code computes: evm_vectors > FILE renews them\n", stderr);
    return 1;
}
