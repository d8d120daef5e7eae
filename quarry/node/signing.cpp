#include "quarry/node/signing.hpp"

#include <algorithm>
#include <optional>

#include "quarry/base/parallel.hpp"

namespace quarry::node {
namespace {

std::optional<Signature<KB11>> decode_signature(const rollup::SignatureBytes& bytes) {
    const auto signature = Signature<KB11>::decode(bytes);
    if (!signature) return std::nullopt;
    return signature.value();
}

}  // namespace

static_assert(rollup::kSignatureBytes == Signature<KB11>::kBytes);
static_assert(rollup::AccountKey::kX == KB11::Field::kDegree);
static_assert(rollup::AccountKey::kY == PublicKey<KB11>::kPublishedY);

rollup::AccountKey to_account_key(const PublicKey<KB11>& key) {
    const auto published = key.published();
    rollup::AccountKey r;
    std::copy_n(published.begin(), r.x.size(), r.x.begin());
    std::copy_n(published.begin() + r.x.size(), r.y.size(), r.y.begin());
    return r;
}

Result<PublicKey<KB11>> to_public_key(const rollup::AccountKey& key) {
    PublicKey<KB11>::Published published;
    std::copy(key.x.begin(), key.x.end(), published.begin());
    std::copy(key.y.begin(), key.y.end(), published.begin() + key.x.size());
    return PublicKey<KB11>::from_published(published);
}

void sign(SignedTransaction& signed_tx, const Digest& domain, const SecretKey<KB11>& secret) {
    signed_tx.key = secret.public_key();
    signed_tx.tx.key = to_account_key(signed_tx.key);
    const Digest id = rollup::transaction_id(domain, signed_tx.tx);
    rollup::authorisation(signed_tx.tx.op)->signature = secret.sign(id, {}).encode();
}

std::vector<bool> verify_signatures(const Digest& domain, std::span<const SignedTransaction> txs) {
    constexpr std::size_t kPiece = 256;
    std::vector<Digest> ids(txs.size());
    parallel_for(txs.size(), kPiece, [&](std::size_t begin, std::size_t end) {
        std::vector<rollup::Transaction> piece;
        piece.reserve(end - begin);
        for (std::size_t i = begin; i < end; ++i) piece.push_back(txs[i].tx);
        std::ranges::copy(rollup::transaction_ids(domain, piece), ids.begin() + static_cast<std::ptrdiff_t>(begin));
    });
    std::vector<SignatureCheck<KB11>> checks;
    std::vector<std::size_t> positions;
    checks.reserve(txs.size());
    positions.reserve(txs.size());
    for (std::size_t i = 0; i < txs.size(); ++i) {
        const auto signature = decode_signature(rollup::authorisation(txs[i].tx.op)->signature);
        if (!signature) continue;
        checks.push_back({txs[i].key, ids[i], *signature});
        positions.push_back(i);
    }
    const std::vector<bool> verdicts = verify_batch<KB11>(checks);
    std::vector<bool> ok(txs.size());
    for (std::size_t k = 0; k < positions.size(); ++k) ok[positions[k]] = verdicts[k];
    return ok;
}

bool all_verify(std::span<const rollup::SignatureCheck> checks) {
    std::vector<std::optional<SignatureCheck<KB11>>> found(checks.size());
    parallel_for(checks.size(), 64, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const auto key = to_public_key(checks[i].key);
            const auto signature = decode_signature(checks[i].signature);
            if (key && signature) found[i] = SignatureCheck<KB11>{key.value(), checks[i].message, *signature};
        }
    });
    std::vector<SignatureCheck<KB11>> points;
    points.reserve(checks.size());
    for (const auto& check : found) {
        if (!check) return false;
        points.push_back(*check);
    }
    const std::vector<bool> verdicts = verify_batch<KB11>(points);
    return std::ranges::all_of(verdicts, [](bool ok) { return ok; });
}

}  // namespace quarry::node
