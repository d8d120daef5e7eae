#include "quarry/node/l1/batch_data.hpp"

#include <algorithm>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/l1/hub_abi.hpp"
#include "quarry/rollup/data_statement.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::node::l1 {
namespace {

using rollup::kBlobWords;
using rollup::kWordBytes;

constexpr std::size_t kElementBytes = 32;
/// Of submitBatchCalldata's fourth argument: behind the selector and three offsets, wherever these point.
constexpr std::size_t kPointOffset = 4 + 3 * 32;

Problem bad_data(const char* name, const char* cause) {
    return {Problem::Kind::refused, name, cause, "the batch cannot be proven: it will be replaced"};
}

Problem unavailable(const ethereum::EthereumError& error) {
    return {Problem::Kind::environment, "data_unavailable",
            std::string(ethereum_code_text(error.code)) + (error.detail.empty() ? "" : ": " + error.detail),
            "try again, with another endpoint, or with a node that keeps old blobs"};
}

bool is_zero(ByteView bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

Outcome<Bytes> fetch_calldata(ethereum::Chain& chain, const Submission& submission) {
    const auto transaction = chain.transaction(submission.submitted.transaction);
    if (!transaction) return unavailable(transaction.error());
    return words_of_calldata(transaction.value().data, submission.header, submission.l1_hashes.front());
}

/// Where the transaction says that the proof will compare the data. Empty: it is no submission but a replacement, whose
/// proof came with it and has shown the point.
std::optional<Bytes32> submitted_point(ByteView input) {
    Bytes32 point;
    if (input.size() < kPointOffset + point.size() || !abi(HubFunction::submit_batch_calldata).matches(input)) {
        return std::nullopt;
    }
    std::ranges::copy(input.subspan(kPointOffset, point.size()), point.begin());
    return point;
}

}  // namespace

std::vector<ethereum::Blob> blobs_of_words(ByteView words) {
    QUARRY_CHECK(!words.empty() && words.size() % kWordBytes == 0);
    std::vector<ethereum::Blob> blobs;
    for (std::size_t at = 0; at < words.size(); at += kBlobWords * kWordBytes) {
        const ByteView part = words.subspan(at, std::min(words.size() - at, kBlobWords * kWordBytes));
        ethereum::Blob& blob = blobs.emplace_back(ethereum::kBlobBytes);
        for (std::size_t i = 0; i < part.size() / kWordBytes; ++i) {
            std::copy_n(part.begin() + static_cast<std::ptrdiff_t>(i * kWordBytes), kWordBytes,
                        blob.begin() + static_cast<std::ptrdiff_t>(i * kElementBytes + 1));
        }
    }
    QUARRY_CHECK(blobs.size() <= rollup::kMaxBlobs);
    return blobs;
}

Outcome<Bytes> words_of_blobs(std::span<const ethereum::Blob> blobs, std::size_t byte_length) {
    const std::size_t num_words = byte_length / kWordBytes;
    if (byte_length % kWordBytes != 0 || num_words == 0 || blobs.size() != (num_words + kBlobWords - 1) / kBlobWords) {
        return bad_data("bad_length", "the batch has another number of blobs than its length needs");
    }
    Bytes words;
    words.reserve(byte_length);
    for (const ethereum::Blob& blob : blobs) {
        if (blob.size() != ethereum::kBlobBytes) return bad_data("bad_length", "a blob has another length");
        for (std::size_t i = 0; i < kBlobWords; ++i) {
            const ByteView element = ByteView(blob).subspan(i * kElementBytes, kElementBytes);
            if (words.size() == byte_length) {
                if (!is_zero(element))
                    return bad_data("nonzero_padding", "a blob has content behind the batch's words");
                continue;
            }
            if (element[0] != 0) return bad_data("bad_word", "an element of a blob is no word of 31 bytes");
            words.insert(words.end(), element.begin() + 1, element.end());
        }
    }
    return words;
}

std::optional<Bytes> find_calldata(ByteView input, std::size_t byte_length, const Bytes32& hash) {
    if (byte_length == 0) return std::nullopt;
    const Bytes32 wanted = U256(byte_length).to_bytes();
    for (auto at = input.begin();;) {
        at = std::search(at, input.end(), wanted.begin(), wanted.end());
        if (static_cast<std::size_t>(input.end() - at) < wanted.size() + byte_length) return std::nullopt;
        const ByteView content(at + wanted.size(), byte_length);
        if (keccak256(content) == hash) return Bytes(content.begin(), content.end());
        ++at;
    }
}

Outcome<Bytes> words_of_calldata(ByteView input, const rollup::Header& header, const Bytes32& hash) {
    auto data = find_calldata(input, header.byte_length, hash);
    if (!data) {
        return unavailable(
            {ethereum::EthereumCode::bad_response, "the transaction does not contain the batch's data", {}});
    }
    const std::size_t num_words = data->size() / kWordBytes;
    if (data->size() % kWordBytes != 0 || num_words > kBlobWords) {
        return bad_data("bad_length", "the calldata is not whole words of one batch");
    }
    const auto point = submitted_point(input);
    const rollup::DataStatement statement = rollup::make_data_statement(
        rollup::DataForm::horner, rollup::header_hash(header), *data, hash, rollup::L1Address{}, 0);
    if (point && *point != digest_bytes(statement.point)) {
        return bad_data("bad_point", "the batch was submitted with another point than that of its data");
    }
    return *std::move(data);
}

Outcome<Bytes> fetch_batch_data(ethereum::Chain& chain, ethereum::BlobSource& blobs, const Submission& submission) {
    if (submission.form == 0) return fetch_calldata(chain, submission);
    const auto content =
        blobs.fetch({submission.submitted.block, submission.submitted.timestamp, submission.l1_hashes});
    if (!content) return unavailable(content.error());
    return words_of_blobs(content.value(), submission.header.byte_length);
}

}  // namespace quarry::node::l1
