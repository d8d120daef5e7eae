#include "quarry/ethereum/blob_source.hpp"

#include <mutex>
#include <optional>

#include "quarry/ethereum/json_fields.hpp"

namespace quarry::ethereum {
namespace {

constexpr std::size_t kMaxBlobsPerBlock = 72;
constexpr std::size_t kMaxAnswerBytes = kMaxBlobsPerBlock * (2 * kBlobBytes + 16) + 4'096;

class HttpBlobSource final : public BlobSource {
  public:
    HttpBlobSource(BlobSourceOptions options, std::vector<Url> urls, std::shared_ptr<HttpTransport> transport,
                   const Kzg& kzg)
        : options_(std::move(options)), urls_(std::move(urls)), transport_(std::move(transport)), kzg_(kzg) {}

    Answer<std::vector<Blob>> fetch(const BlobQuery& query) override {
        EthereumError last{EthereumCode::blob_unavailable, "", {}};
        for (const Url& url : urls_) {
            auto blobs = fetch_from(url, query);
            if (blobs) return blobs;
            last = blobs.error();
        }
        return last;
    }

  private:
    Answer<std::string> get(const Url& url, const std::string& target, std::size_t limit_bytes) {
        const HttpRequest request{.method = "GET", .target = target, .body = "", .headers = {}};
        QUARRY_TRY_ASSIGN(HttpReply reply, transport_->exchange(url, request, options_.timeout_ms, limit_bytes));
        const std::string detail = url.origin() + ": status " + std::to_string(reply.status);
        if (reply.status == 404) return EthereumError{EthereumCode::blob_unavailable, detail, {}};
        if (reply.status == 429) return EthereumError{EthereumCode::rate_limited, detail, {}};
        if (reply.status != 200) return EthereumError{EthereumCode::http_status, detail, {}};
        return std::move(reply.body);
    }

    Answer<std::uint64_t> genesis_time(const Url& url) {
        const std::scoped_lock lock(mutex_);
        if (genesis_time_) return *genesis_time_;
        QUARRY_TRY_ASSIGN(const std::string body, get(url, "/eth/v1/beacon/genesis", 65'536));
        QUARRY_TRY_ASSIGN(const boost::json::value value, parse_json(body));
        const auto* const object = value.if_object();
        const auto* const data = object == nullptr ? nullptr : object->if_contains("data");
        JsonFields fields(data == nullptr ? value : *data, "genesis");
        const auto seconds = U256::from_decimal(fields.text("genesis_time"));
        QUARRY_TRY(fields.finish());
        if (!seconds || !seconds.value().fits_u64())
            return EthereumError{EthereumCode::bad_response, "genesis_time", {}};
        genesis_time_ = seconds.value().low_u64();
        return *genesis_time_;
    }

    /// What the path calls the block.
    Answer<std::uint64_t> block_name(const Url& url, const BlobQuery& query) {
        if (options_.kind == BlobSourceOptions::Kind::anvil) return query.block_number;
        QUARRY_TRY_ASSIGN(const std::uint64_t genesis, genesis_time(url));
        if (query.block_timestamp < genesis) {
            return EthereumError{EthereumCode::blob_unavailable, "the block is older than the beacon chain", {}};
        }
        return (query.block_timestamp - genesis) / options_.seconds_per_slot;
    }

    /// One request a blob: nodes do not agree on how a query names several.
    Answer<std::vector<Blob>> fetch_from(const Url& url, const BlobQuery& query) {
        QUARRY_TRY_ASSIGN(const std::uint64_t name, block_name(url, query));
        const std::string target = "/eth/v1/beacon/blobs/" + std::to_string(name) + "?versioned_hashes=";
        std::vector<Blob> r;
        for (const Hash& hash : query.versioned_hashes) {
            QUARRY_TRY_ASSIGN(const std::string body, get(url, target + to_hex(hash), kMaxAnswerBytes));
            QUARRY_TRY_ASSIGN(std::vector<Blob> served, parse_blobs(body, kMaxBlobsPerBlock));
            QUARRY_TRY_ASSIGN(Blob blob, find(std::move(served), hash, url));
            r.push_back(std::move(blob));
        }
        return r;
    }

    /// Some nodes serve all blobs of the block.
    Answer<Blob> find(std::vector<Blob> served, const Hash& hash, const Url& url) {
        for (Blob& blob : served) {
            const auto commitment = kzg_.commit(blob);
            if (commitment && versioned_hash(commitment.value()) == hash) return std::move(blob);
        }
        const auto code = served.empty() ? EthereumCode::blob_unavailable : EthereumCode::blob_mismatch;
        return EthereumError{code, url.origin() + ": " + to_hex(hash), {}};
    }

    BlobSourceOptions options_;
    std::vector<Url> urls_;
    std::shared_ptr<HttpTransport> transport_;
    const Kzg& kzg_;
    std::mutex mutex_;
    std::optional<std::uint64_t> genesis_time_;
};

}  // namespace

Answer<std::unique_ptr<BlobSource>> make_blob_source(BlobSourceOptions options,
                                                     std::shared_ptr<HttpTransport> transport, const Kzg& kzg) {
    QUARRY_CHECK(options.seconds_per_slot > 0);
    std::vector<Url> urls;
    for (const std::string& text : options.endpoints) {
        QUARRY_TRY_ASSIGN(Url url, parse_url(text));
        urls.push_back(std::move(url));
    }
    if (urls.empty()) return EthereumError{EthereumCode::bad_url, "no endpoint", {}};
    return std::unique_ptr<BlobSource>(
        std::make_unique<HttpBlobSource>(std::move(options), std::move(urls), std::move(transport), kzg));
}

Answer<std::vector<Blob>> parse_blobs(std::string_view json, std::size_t max_blobs) {
    QUARRY_TRY_ASSIGN(const boost::json::value value, parse_json(json));
    JsonFields fields(value, "blobs");
    const auto* const data = fields.array("data");
    QUARRY_TRY(fields.finish());
    if (data->size() > max_blobs) return EthereumError{EthereumCode::bad_response, "too many blobs", {}};
    std::vector<Blob> r;
    for (const auto& element : *data) {
        Blob blob(kBlobBytes);
        const auto* const text = element.if_string();
        if (text == nullptr || !read_hex({text->data(), text->size()}, blob)) {
            return EthereumError{EthereumCode::bad_response, "a blob of another length", {}};
        }
        r.push_back(std::move(blob));
    }
    return r;
}

}  // namespace quarry::ethereum
