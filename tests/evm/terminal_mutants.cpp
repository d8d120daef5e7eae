#include "tests/evm/terminal_mutants.hpp"

#include <algorithm>
#include <stdexcept>

namespace quarry::evm {
namespace {

void put(ByteString& out, std::uint64_t x, std::size_t bytes) {
    for (; bytes > 0; --bytes) out.push_back(static_cast<std::uint8_t>(x >> (8 * (bytes - 1))));
}

/// Big-endian numbers.
class Reader {
  public:
    explicit Reader(const ByteString& bytes) : bytes_(bytes) {}
    std::uint64_t take(std::size_t count) {
        if (bytes_.size() - at_ < count) throw std::runtime_error("mutants: truncated");
        std::uint64_t x = 0;
        for (; count > 0; --count) x = x << 8 | bytes_[at_++];
        return x;
    }
    [[nodiscard]] bool is_at_end() const { return at_ == bytes_.size(); }

  private:
    const ByteString& bytes_;
    std::size_t at_ = 0;
};

}  // namespace

std::uint32_t selector_of(const std::string& error) {
    const std::string signature = error + "()";
    const ByteString bytes(signature.begin(), signature.end());
    const Bytes32 hash = keccak256(bytes);
    const ByteString digest(hash.begin(), hash.end());
    return static_cast<std::uint32_t>(Reader(digest).take(4));
}

Errc native_code(std::uint32_t selector) {
    const auto reason =
        std::ranges::find_if(kReasons, [&](const Reason& r) { return selector_of(r.error) == selector; });
    if (reason == kReasons.end()) throw std::runtime_error("mutants: an error that no verifier has");
    return reason->code;
}

Fixture apply(const Fixture& base, const Mutant& mutant) {
    Fixture r = base;
    r.limbs.resize(mutant.limbs_size);
    r.proof.resize(mutant.proof_size);
    for (const Edit& edit : mutant.edits) {
        ByteString& target = edit.in_proof ? r.proof : r.limbs;
        if (edit.place > target.size() || target.size() - edit.place < edit.bytes.size())
            throw std::runtime_error("mutants: an edit beyond the end");
        std::copy(edit.bytes.begin(), edit.bytes.end(), target.begin() + static_cast<std::ptrdiff_t>(edit.place));
    }
    return r;
}

Mutant difference(unsigned profile, const std::string& error, const Fixture& base, const Fixture& changed) {
    constexpr std::size_t kGap = 8;  // an edit's head costs as much
    Mutant m{profile, selector_of(error), changed.limbs.size(), changed.proof.size(), {}};
    for (const bool in_proof : {false, true}) {
        const ByteString& to = in_proof ? changed.proof : changed.limbs;
        ByteString from = in_proof ? base.proof : base.limbs;
        from.resize(to.size());
        for (std::size_t i = 0; i < to.size();) {
            if (from[i] == to[i]) {
                ++i;
                continue;
            }
            std::size_t end = i + 1;
            for (std::size_t k = end; k < to.size() && k < end + kGap && k - i < 0xffff; ++k) {
                if (from[k] != to[k]) end = k + 1;
            }
            m.edits.push_back({in_proof, i,
                               ByteString(to.begin() + static_cast<std::ptrdiff_t>(i),
                                          to.begin() + static_cast<std::ptrdiff_t>(end))});
            i = end;
        }
    }
    return m;
}

std::string mutants_path(const std::string& source_folder) {
    return source_folder + "/contracts/test/vectors/terminal-mutants.bin";
}

ByteString encode(const std::vector<Mutant>& mutants) {
    ByteString out;
    put(out, mutants.size(), 4);
    for (const Mutant& m : mutants) {
        put(out, m.profile, 1), put(out, m.selector, 4), put(out, m.limbs_size, 4), put(out, m.proof_size, 4);
        put(out, m.edits.size(), 2);
        for (const Edit& e : m.edits) {
            put(out, e.in_proof ? 1 : 0, 1), put(out, e.place, 4), put(out, e.bytes.size(), 2);
            out.insert(out.end(), e.bytes.begin(), e.bytes.end());
        }
    }
    return out;
}

std::vector<Mutant> decode(const ByteString& bytes) {
    Reader in(bytes);
    std::vector<Mutant> mutants(in.take(4));
    for (Mutant& m : mutants) {
        m.profile = static_cast<unsigned>(in.take(1));
        m.selector = static_cast<std::uint32_t>(in.take(4));
        m.limbs_size = in.take(4);
        m.proof_size = in.take(4);
        m.edits.resize(in.take(2));
        for (Edit& e : m.edits) {
            e.in_proof = in.take(1) != 0;
            e.place = in.take(4);
            e.bytes.resize(in.take(2));
            for (std::uint8_t& b : e.bytes) b = static_cast<std::uint8_t>(in.take(1));
        }
    }
    if (!in.is_at_end()) throw std::runtime_error("mutants: something behind the last one");
    return mutants;
}

}  // namespace quarry::evm
