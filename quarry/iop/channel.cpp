#include "quarry/iop/channel.hpp"

namespace quarry {

void ProverChannel::send(const char* label, std::span<const KoalaBear> xs) {
    const std::size_t begin = stream_.size();
    stream_.insert(stream_.end(), xs.begin(), xs.end());
    const std::span<KoalaBear> message = std::span(stream_).subspan(begin);
    if (tamper_) tamper_(label, message);
    transcript_.absorb(message);
}

void ProverChannel::grind(const char* label, unsigned bits) {
    KoalaBear nonce = transcript_.grind(bits);
    stream_.push_back(nonce);
    if (tamper_) tamper_(label, std::span(stream_).last(1));
}

KoalaBear NativeVerifierChannel::receive() {
    const KoalaBear x = at_ < stream_.size() ? stream_[at_] : KoalaBear();
    ++at_;
    transcript_.absorb(x);
    return x;
}

ExtField NativeVerifierChannel::receive_ext() {
    ExtField x;
    for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = receive();
    return x;
}

Digest NativeVerifierChannel::receive_digest() {
    Digest d;
    for (KoalaBear& x : d) x = receive();
    return d;
}

QueryIndex<NativeBackend> NativeVerifierChannel::challenge_index(unsigned bits) {
    QueryIndex<NativeBackend> q;
    q.value = transcript_.squeeze_index(bits);
    for (unsigned i = 0; i < bits; ++i) q.bits.emplace_back((q.value >> i) & 1);
    return q;
}

Status NativeVerifierChannel::check_grinding(unsigned bits, const char* where) {
    const KoalaBear nonce = at_ < stream_.size() ? stream_[at_] : KoalaBear();
    ++at_;
    if (bits == 0 ? !nonce.is_zero() : !transcript_.check_grinding(bits, nonce))
        return Error{Errc::bad_grinding, where};
    return Ok{};
}

Status NativeVerifierChannel::finish() const {
    if (at_ > stream_.size()) return Error{Errc::truncated, "proof stream"};
    if (at_ < stream_.size()) return Error{Errc::trailing_bytes, "proof stream"};
    return Ok{};
}

}  // namespace quarry
