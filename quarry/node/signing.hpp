#pragma once
#include <span>
#include <vector>

#include "quarry/base/result.hpp"
#include "quarry/curve/schnorr.hpp"
#include "quarry/rollup/batch.hpp"
#include "quarry/rollup/execution.hpp"

/// Between the curve, where keys are points, and the rollup, where they are what a batch publishes of them.
namespace quarry::node {

/// x and the first coordinates of y.
rollup::AccountKey to_account_key(const PublicKey<KB11>& key);
/// off_curve: no point has these coordinates. Cost: one square root in F_(p^11), half as much as a verification.
Result<PublicKey<KB11>> to_public_key(const rollup::AccountKey& key);

/// A transaction with the whole point of its key, which its sender sends along: finding it again costs a square root.
struct SignedTransaction {
    rollup::Transaction tx;  ///< tx.key = to_account_key(key)
    PublicKey<KB11> key;
};

/// Sets tx.key, then tx's signature. Precondition: tx.op is a signed operation.
void sign(SignedTransaction& signed_tx, const Digest& domain, const SecretKey<KB11>& secret);
/// result[i]: the signature of txs[i] verifies, under what txs[i] claims. On the caller's TBB arena.
std::vector<bool> verify_signatures(const Digest& domain, std::span<const SignedTransaction> txs);
/// Whether all checks that a replay left behind pass; a key without a point fails. On the caller's TBB arena.
bool all_verify(std::span<const rollup::SignatureCheck> checks);

}  // namespace quarry::node
