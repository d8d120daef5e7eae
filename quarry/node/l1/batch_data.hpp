#pragma once
#include <optional>
#include <span>
#include <vector>

#include "quarry/ethereum/blob_source.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/node/l1/hub_state.hpp"

/// The words of a batch as they lie on L1: elements of blobs, or calldata of the transaction that submitted it.
namespace quarry::node::l1 {

/// Whole words to full blobs: a word is an element with a leading zero byte, elements behind the words are zero.
/// Precondition: 1 to kMaxBatchWords whole words.
std::vector<ethereum::Blob> blobs_of_words(ByteView words);
/// The reverse, of a batch of so many bytes. refused: blobs that are no words of a batch (bad_word: an element of
/// 2^248 or more; nonzero_padding: something behind the words; bad_length: another number of blobs, or their length).
Outcome<Bytes> words_of_blobs(std::span<const ethereum::Blob> blobs, std::size_t byte_length);

/// The `bytes` argument of this length and Keccak-256 in a transaction's input, whoever called the hub on the way: a
/// word that says the length, followed by the content. Empty: there is none. Cost: a hash for every such word.
std::optional<Bytes> find_calldata(ByteView input, std::size_t byte_length, const Bytes32& hash);
/// The words of a batch in the input of the transaction that submitted it, which is the call of the hub itself; the hub
/// knows their Keccak-256. environment (data_unavailable): they are not there; refused: bad_length, or bad_point: the
/// hub took a point at which no proof compares these words.
Outcome<Bytes> words_of_calldata(ByteView input, const rollup::Header& header, const Bytes32& hash);

/// The batch's words, header.byte_length bytes, checked against the hashes that the hub has of them. environment
/// (data_unavailable): not to be had now, or not any more; refused: L1 has other content than words of a batch, as
/// words_of_blobs and words_of_calldata say: the batch cannot be proven.
Outcome<Bytes> fetch_batch_data(ethereum::Chain& chain, ethereum::BlobSource& blobs, const Submission& submission);

}  // namespace quarry::node::l1
