#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/ethereum/http.hpp"
#include "quarry/ethereum/kzg.hpp"

namespace quarry::ethereum {

/// Which blobs: the block that contains their transaction, and their hashes.
struct BlobQuery {
    std::uint64_t block_number = 0;
    std::uint64_t block_timestamp = 0;  ///< seconds
    std::vector<Hash> versioned_hashes;
};

/// Where the blobs of past blocks come from. Thread-safe.
class BlobSource {
  public:
    BlobSource() = default;
    BlobSource(const BlobSource&) = delete;
    BlobSource& operator=(const BlobSource&) = delete;
    virtual ~BlobSource() = default;
    /// One blob a hash, in order, each checked against its hash (54 ms a blob). blob_unavailable, blob_mismatch, errors
    /// of the way.
    virtual Answer<std::vector<Blob>> fetch(const BlobQuery& query) = 0;
};

struct BlobSourceOptions {
    enum class Kind {
        beacon,  ///< a beacon node: GET /eth/v1/beacon/blobs/{slot}
        anvil,   ///< anvil's RPC port: the same path by block number
    };
    Kind kind = Kind::beacon;
    std::vector<std::string> endpoints;  ///< tried in order
    std::uint64_t timeout_ms = 30'000;
    std::uint64_t seconds_per_slot = 12;
};

/// A beacon chain's genesis time is asked for when it is first needed. bad_url.
Answer<std::unique_ptr<BlobSource>> make_blob_source(BlobSourceOptions options,
                                                     std::shared_ptr<HttpTransport> transport, const Kzg& kzg);

/// The blobs in a beacon API answer {"data": ["0x...", ...]}. Total; at most `max_blobs`. bad_json, bad_response.
Answer<std::vector<Blob>> parse_blobs(std::string_view json, std::size_t max_blobs);

}  // namespace quarry::ethereum
