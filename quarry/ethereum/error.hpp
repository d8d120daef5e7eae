#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/ethereum/types.hpp"

namespace quarry::ethereum {

/// Every cause for which talking to Ethereum fails: X(name, sentence a user can act on).
#define QUARRY_ETHEREUM_CODES(X)                                                                      \
    /* the way there */                                                                               \
    X(bad_url, "the endpoint is not http:// or https:// and a host")                                  \
    X(resolve_failed, "the endpoint's host name cannot be resolved")                                  \
    X(connect_failed, "no connection to the endpoint")                                                \
    X(tls_failed, "the endpoint's certificate or its TLS is not accepted")                            \
    X(timed_out, "the endpoint did not answer in time")                                               \
    X(connection_lost, "the connection ended before the answer")                                      \
    X(response_too_large, "the answer is longer than the documented limit")                           \
    X(http_status, "the endpoint answered with an HTTP error")                                        \
    X(rate_limited, "the endpoint asks for fewer requests")                                           \
    X(wrong_chain, "the endpoint is on another chain")                                                \
    /* the answer */                                                                                  \
    X(bad_json, "the answer is not JSON")                                                             \
    X(bad_response, "the answer is not what the method returns")                                      \
    X(node_behind, "the endpoint's head is below one that was shown before")                          \
    X(not_found, "the node does not have it")                                                         \
    X(unknown_method, "the node does not know the method")                                            \
    X(too_many_results, "the node refuses so large a range")                                          \
    X(rpc_error, "the node refuses the request")                                                      \
    X(execution_reverted, "the call reverts")                                                         \
    /* transactions */                                                                                \
    X(nonce_too_low, "the nonce is already used")                                                     \
    X(already_known, "the node already has the transaction")                                          \
    X(underpriced, "the fees are below what the node takes, or below the rule for replacements")      \
    X(insufficient_funds, "the account cannot pay for the transaction")                               \
    X(pool_full, "the node's pool takes no more transactions of this account now")                    \
    X(transaction_too_large, "the transaction is above the size limit")                               \
    X(gas_above_cap, "the gas limit is above the cap of one transaction")                             \
    X(gas_below_floor, "the gas limit is below what a transaction with this calldata costs at least") \
    X(fee_above_cap, "fees are above the configured cap: waiting for them to fall")                   \
    X(intent_conflict, "another transaction has been submitted under this id")                        \
    X(unknown_intent, "nothing has been submitted under this id")                                     \
    X(not_cancellable, "the transaction is final, or carries blobs and is already sent")              \
    X(journal_failed, "the journal cannot be written")                                                \
    X(journal_damaged, "the journal is damaged")                                                      \
    /* following */                                                                                   \
    X(bad_cursor, "the stored position is damaged")                                                   \
    X(inconsistent_logs, "the node's logs do not belong to the chain that it shows")                  \
    X(reorg_too_deep, "a reorganisation goes back further than the stored position")                  \
    X(stopped, "the program is stopping")                                                             \
    /* blobs */                                                                                       \
    X(setup_missing, "the trusted setup file cannot be read: set QUARRY_TRUSTED_SETUP to its path")   \
    X(setup_wrong, "the trusted setup file is not the one of the ceremony")                           \
    X(bad_blob, "a blob has another length, or an element that is not canonical")                     \
    X(too_many_blobs, "the transaction carries no blob, or more than one transaction may")            \
    X(blob_unavailable, "the node does not serve the blob (any more)")                                \
    X(blob_mismatch, "the node served another blob than the one asked for")

enum class EthereumCode {
#define QUARRY_X(name, text) name,
    QUARRY_ETHEREUM_CODES(QUARRY_X)
#undef QUARRY_X
};
/// The enumerator's name, stable: scripts may match on it.
const char* ethereum_code_name(EthereumCode code) noexcept;
/// The enumerator of that name.
std::optional<EthereumCode> find_ethereum_code(std::string_view name) noexcept;
/// One sentence for people.
const char* ethereum_code_text(EthereumCode code) noexcept;

/// A cause, what exactly happened (half a sentence; host names but no credentials), and the data of a revert.
struct EthereumError {
    EthereumCode code = EthereumCode::rpc_error;
    std::string detail;
    Bytes revert_data;
    friend bool operator==(const EthereumError& a, const EthereumError& b) noexcept { return a.code == b.code; }
};
template <class T>
using Answer = Expected<T, EthereumError>;
struct Done {};

/// Whether the same request may succeed at another endpoint or later: everything about the way there, and answers
/// that are no answers.
bool is_transient(EthereumCode code) noexcept;

}  // namespace quarry::ethereum
