#include "quarry/iop/channel.hpp"

#include <array>

namespace quarry {

template <class P>
void BasicProverChannel<P>::send(const char* label, std::span<const KoalaBear> xs) {
    std::vector<KoalaBear> changed;
    if (tamper_) {
        changed.assign(xs.begin(), xs.end());
        tamper_(label, changed);
        xs = changed;
    }
    for (const KoalaBear x : xs) {
        P::put(stream_, x);
        transcript_.absorb(x);
    }
}

template <class P>
void BasicProverChannel<P>::send_digest(const char* label, const typename P::Digest& digest) {
    std::vector<KoalaBear> message = P::shown(digest);
    if (tamper_) tamper_(label, message);
    const std::size_t begin = stream_.size();
    P::put_shown(stream_, message);
    transcript_.absorb(std::span(std::as_const(stream_)).subspan(begin));
}

template <class P>
void BasicProverChannel<P>::grind(const char* label, unsigned bits) {
    std::vector<KoalaBear> message = P::shown(transcript_.grind(bits));
    if (tamper_) tamper_(label, message);
    P::put_shown(stream_, message);
}

template <class P>
std::span<const typename P::Symbol> BasicVerifierChannel<P>::next(std::size_t count) {
    static constexpr std::array<typename P::Symbol, P::kUnits.digest> kZeros{};
    const std::size_t begin = at_;
    at_ += count;
    return at_ <= stream_.size() ? stream_.subspan(begin, count) : std::span(kZeros).first(count);
}

template <class P>
KoalaBear BasicVerifierChannel<P>::receive() {
    const std::optional<KoalaBear> x = P::get_element(next(P::kUnits.element));
    canonical_ = canonical_ && x;
    transcript_.absorb(x.value_or(KoalaBear()));
    return x.value_or(KoalaBear());
}

template <class P>
ExtField BasicVerifierChannel<P>::receive_ext() {
    ExtField x;
    for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = receive();
    return x;
}

template <class P>
typename P::Digest BasicVerifierChannel<P>::receive_digest() {
    const auto symbols = next(P::kUnits.digest);
    transcript_.absorb(symbols);
    return P::get_digest(symbols);
}

template <class P>
std::vector<QueryIndex<NativeBackend>> BasicVerifierChannel<P>::challenge_indices(std::size_t count, unsigned bits) {
    std::vector<QueryIndex<NativeBackend>> indices;
    indices.reserve(count);
    for (const std::size_t value : transcript_.squeeze_indices(count, bits)) {
        QueryIndex<NativeBackend>& q = indices.emplace_back();
        q.value = value;
        for (unsigned i = 0; i < bits; ++i) q.bits.emplace_back((value >> i) & 1);
    }
    return indices;
}

template <class P>
Status BasicVerifierChannel<P>::check_grinding(unsigned bits, const char* where) {
    const typename P::Nonce nonce = P::get_nonce(next(P::kUnits.nonce));
    const bool worked = transcript_.check_grinding(bits, nonce);
    if (!worked || (bits == 0 && !P::is_zero(nonce))) return Error{Errc::bad_grinding, where};
    return Ok{};
}

template <class P>
Status BasicVerifierChannel<P>::well_formed() const {
    if (!canonical_) return Error{Errc::non_canonical, "proof stream"};
    return Ok{};
}

template <class P>
Status BasicVerifierChannel<P>::finish() const {
    if (at_ > stream_.size()) return Error{Errc::truncated, "proof stream"};
    if (at_ < stream_.size()) return Error{Errc::trailing_bytes, "proof stream"};
    return well_formed();
}

template class BasicProverChannel<PoseidonPolicy>;
template class BasicProverChannel<KeccakPolicy>;
template class BasicVerifierChannel<PoseidonPolicy>;
template class BasicVerifierChannel<KeccakPolicy>;

}  // namespace quarry
