#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "quarry/ethereum/kzg.hpp"
#include "quarry/ethereum/secp256k1.hpp"
#include "quarry/ethereum/types.hpp"
#include "quarry/ethereum/u256.hpp"

/// Transactions of type 2 [EIP-1559] and 3 [EIP-4844], the only ones that Quarry sends or reads.
namespace quarry::ethereum {

inline constexpr std::uint64_t kTransactionGasCap = 16'777'216;  ///< [EIP-7825]
inline constexpr std::size_t kMaxTransactionBytes = 128 * 1024;  ///< what nodes relay, blobs aside
inline constexpr std::size_t kMaxBlobsPerTransaction = 6;        ///< [EIP-7594]
inline constexpr std::size_t kMaxBlobHashes = 64;                ///< that are read: others may send more than we do
inline constexpr std::size_t kMaxInitCodeBytes = 49'152;         ///< [EIP-3860]
inline constexpr std::uint64_t kGasPerBlob = 131'072;

struct AccessEntry {
    Address address;
    std::vector<Hash> keys;
    friend bool operator==(const AccessEntry&, const AccessEntry&) = default;
};

/// What is signed. With blob hashes it is of type 3, without of type 2.
struct Transaction {
    std::uint64_t chain_id = 0;
    std::uint64_t nonce = 0;
    U256 max_priority_fee_per_gas;  ///< wei
    U256 max_fee_per_gas;           ///< wei
    std::uint64_t gas_limit = 0;
    std::optional<Address> to;  ///< empty: makes a contract (never with blobs)
    U256 value;                 ///< wei
    Bytes data;
    std::vector<AccessEntry> access_list;
    U256 max_fee_per_blob_gas;  ///< wei; zero in type 2
    std::vector<Hash> blob_hashes;

    [[nodiscard]] bool is_blob() const noexcept { return !blob_hashes.empty(); }
    friend bool operator==(const Transaction&, const Transaction&) = default;
};

struct SignedTransaction {
    Transaction body;
    EcdsaSignature signature;
    Address sender;
    Hash hash{};  ///< of the encoding without sidecar
};

/// The digest that is signed.
Hash signing_digest(const Transaction& transaction);
SignedTransaction sign_transaction(const Transaction& transaction, const PrivateKey& key);

/// As a block contains it: type byte and RLP.
Bytes encode_transaction(const SignedTransaction& transaction);
/// As a node takes a blob transaction, with cell proofs:
///     0x03 || rlp([body, 0x01, blobs, commitments, cell_proofs])
Bytes encode_with_sidecar(const SignedTransaction& transaction, const BlobSidecar& sidecar);
/// Reads what encode_transaction writes and recovers the sender. Total; kMaxTransactionBytes at most.
Decoded<SignedTransaction> decode_transaction(ByteView bytes);

/// Gas that a transaction costs before it runs, at least: the larger of intrinsic cost and calldata floor. A limit
/// below it makes the transaction invalid.   [EIP-2028] [EIP-2930] [EIP-3860] [EIP-7623]
///     21000 + 16 nonzero + 4 zero (+ 32000 + 2 per word of code) (+ 2400 an address + 1900 a key)
///     21000 + 10 (4 nonzero + zero)
std::uint64_t minimum_gas(const Transaction& transaction);

/// Rules that mainnet has and development nodes may not enforce: size, gas cap, floor, number of blobs.
/// transaction_too_large, gas_above_cap, gas_below_floor, too_many_blobs.
Answer<Done> check_rules(const SignedTransaction& transaction);

/// A contract's address: the end of Keccak-256 of rlp([sender, nonce]).
Address contract_address(const Address& sender, std::uint64_t nonce);

}  // namespace quarry::ethereum
