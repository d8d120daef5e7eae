#pragma once
#include <vector>

#include "quarry/circuits/operations/fields.hpp"

namespace quarry::circuits {

/// The kinds of signed operations: opcode - 1.
inline constexpr std::size_t kKindTransfer = 0;
inline constexpr std::size_t kKindTransferNew = 1;
inline constexpr std::size_t kKindWithdraw = 2;
inline constexpr std::size_t kKindChangeKey = 3;

/// The slot that pays.
template <class T>
struct SenderCells {
    T previous;                ///< time of the access before
    DigestOf<T> key_hash;      ///< with `address`: preimage of the pair
    std::array<T, 7> address;  ///< pieces
    DigestOf<T> pair;          ///< in the leaf
    std::array<T, 6> balance;  ///< before
    std::array<T, 6> rest;     ///< after: balance - amount - fee
    T token, nonce;            ///< nonce: before
    T nonce_high;              ///< (nonce + 1) >> 16
    template <class V>
    void visit(V&& v) {
        v("previous", previous), v("key_hash", key_hash), v("address", address), v("pair", pair), v("balance", balance),
            v("rest", rest), v("token", token), v("nonce", nonce), v("nonce_high", nonce_high);
    }
};

/// The fees of the sender's token, and the number of tokens with fees.
template <class T>
struct PaymentCells {
    T pays, fee_inverse;             ///< pays = 1 iff fee > 0
    T previous;                      ///< of the fees' sum
    std::array<T, 6> before, after;  ///< the sum
    T opens, sum_inverse;            ///< opens = 1 iff the operation pays and the sum was 0
    T count, count_previous;         ///< register fee_tokens
    template <class V>
    void visit(V&& v) {
        v("pays", pays), v("fee_inverse", fee_inverse), v("previous", previous), v("before", before), v("after", after),
            v("opens", opens), v("sum_inverse", sum_inverse), v("count", count), v("count_previous", count_previous);
    }
};

/// The slot that a transfer credits; its pair is the payload. Other kinds: a balance of 0 that becomes the amount, on
/// no bus.
template <class T>
struct ReceiverCells {
    T previous, published, nonce;
    std::array<T, 6> balance, credited;
    template <class V>
    void visit(V&& v) {
        v("previous", previous), v("published", published), v("nonce", nonce), v("balance", balance),
            v("credited", credited);
    }
};

/// One signed operation a row:
///   sender:  (balance, nonce) -> (balance - amount - fee, nonce + 1)
///   fees of its token += fee;   a transfer's receiver += amount;   the other kinds go on in tables of their own
///   authorised: message = H(H(H(H(domain, key hash), payload), B0), B1)
/// Free are only inverses of zero and cells of what the row does not do: the receiver of other kinds; times, count and
/// sum of the fees without a fee.
template <class T>
struct SignedRow {
    std::array<T, 4> kind;  ///< one of them on used rows, none on padding
    T word;                 ///< index of the operation's first word
    std::array<T, 2> slot, receiver;
    std::array<T, 6> amount;
    std::array<T, 2> expiry;
    std::array<T, 5> fee;  ///< the last one is a byte
    std::array<T, 8> e;
    std::array<T, kScalarLimbs> s;
    std::array<T, 2> timestamp;
    T borrow;          ///< of expiry - timestamp
    T amount_inverse;  ///< of the sum of its limbs
    SenderCells<T> sender;
    PaymentCells<T> payment;
    ReceiverCells<T> to;
    DigestOf<T> payload;
    DigestOf<T> domain;
    std::array<DigestOf<T>, 4> chain;  ///< the message's four compressions
    template <class V>
    void visit(V&& v) {
        v("kind", kind), v("word", word), v("slot", slot), v("receiver", receiver), v("amount", amount),
            v("expiry", expiry), v("fee", fee), v("e", e), v("s", s), v("timestamp", timestamp), v("borrow", borrow),
            v("amount_inverse", amount_inverse), v("sender", sender), v("payment", payment), v("to", to),
            v("payload", payload), v("domain", domain), v("chain", chain);
    }
};

struct SignedTable {
    static constexpr const char* kName = "signed";
    template <class T>
    using Row = SignedRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// The rows of all signed operations, in order. Parallel.
std::vector<SignedRow<KoalaBear>> signed_rows(const Timeline& timeline);

}  // namespace quarry::circuits
