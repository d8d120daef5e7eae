#include "quarry/ethereum/kzg.hpp"

#include <ckzg.h>
#include <cryptopp/sha.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <mutex>

namespace quarry::ethereum {

struct Kzg::Settings {
    KZGSettings kzg{};
    ~Settings() { free_trusted_setup(&kzg); }
};

namespace {

static_assert(sizeof(::Blob) == kBlobBytes);

constexpr std::size_t kSetupBytes = 807'177;
/// SHA-256 of the ceremony's file.
constexpr const char* kSetupSha256 = "0xd39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7";

Bytes32 sha256(ByteView data) {
    Bytes32 r{};
    CryptoPP::SHA256().CalculateDigest(r.data(), data.data(), data.size());
    return r;
}

std::string setup_path(const std::string& path) {
    if (!path.empty()) return path;
    const char* const named = std::getenv("QUARRY_TRUSTED_SETUP");
    return named != nullptr && *named != 0 ? named : QUARRY_TRUSTED_SETUP;
}

Answer<Bytes> read_setup(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return EthereumError{EthereumCode::setup_missing, path + ": " + std::strerror(errno), {}};
    Bytes r(kSetupBytes + 1);
    file.read(reinterpret_cast<char*>(r.data()), static_cast<std::streamsize>(r.size()));
    r.resize(static_cast<std::size_t>(file.gcount()));
    if (r.size() != kSetupBytes || to_hex(sha256(r)) != kSetupSha256) {
        return EthereumError{EthereumCode::setup_wrong, path, {}};
    }
    return r;
}

/// The library takes 128 KiB blocks by pointer; alignment is that of bytes.
const ::Blob* as_blob(ByteView bytes) { return reinterpret_cast<const ::Blob*>(bytes.data()); }

template <class To, class From>
To convert(const From& from) {
    static_assert(sizeof(To) == sizeof(From));
    To r;
    std::memcpy(&r, &from, sizeof r);
    return r;
}

EthereumError bad_blob(ByteView blob) {
    return {EthereumCode::bad_blob, "a blob of " + std::to_string(blob.size()) + " bytes", {}};
}

}  // namespace

Hash versioned_hash(const Bytes48& commitment) {
    Hash r = sha256(commitment);
    r[0] = 0x01;
    return r;
}

std::vector<Hash> BlobSidecar::versioned_hashes() const {
    std::vector<Hash> r;
    r.reserve(commitments.size());
    for (const Bytes48& commitment : commitments) r.push_back(versioned_hash(commitment));
    return r;
}

Kzg::Kzg(std::unique_ptr<Settings> settings) : settings_(std::move(settings)) {}
Kzg::~Kzg() = default;

Answer<const Kzg*> Kzg::shared(const std::string& path) {
    static std::mutex mutex;
    static std::unique_ptr<const Kzg> loaded;
    const std::scoped_lock lock(mutex);
    if (loaded) return loaded.get();
    const std::string file_path = setup_path(path);
    QUARRY_TRY_ASSIGN(Bytes text, read_setup(file_path));
    // What was hashed is what is parsed: the file is not opened a second time.
    const std::unique_ptr<FILE, int (*)(FILE*)> stream(::fmemopen(text.data(), text.size(), "r"), std::fclose);
    auto settings = std::make_unique<Settings>();
    if (!stream || load_trusted_setup_file(&settings->kzg, stream.get(), 0) != C_KZG_OK) {
        return EthereumError{EthereumCode::setup_wrong, file_path, {}};
    }
    loaded.reset(new Kzg(std::move(settings)));
    return loaded.get();
}

Answer<Bytes48> Kzg::commit(ByteView blob) const {
    KZGCommitment commitment;
    if (blob.size() != kBlobBytes || blob_to_kzg_commitment(&commitment, as_blob(blob), &settings_->kzg) != C_KZG_OK) {
        return bad_blob(blob);
    }
    return convert<Bytes48>(commitment);
}

Answer<KzgOpening> Kzg::open(ByteView blob, const Bytes32& z) const {
    KZGProof proof;
    ::Bytes32 y;
    const auto point = convert<::Bytes32>(z);
    if (blob.size() != kBlobBytes ||
        compute_kzg_proof(&proof, &y, as_blob(blob), &point, &settings_->kzg) != C_KZG_OK) {
        return bad_blob(blob);
    }
    return KzgOpening{convert<Bytes48>(proof), convert<Bytes32>(y)};
}

bool Kzg::verify(const Bytes48& commitment, const Bytes32& z, const KzgOpening& opening) const {
    const auto c = convert<::Bytes48>(commitment);
    const auto point = convert<::Bytes32>(z);
    const auto y = convert<::Bytes32>(opening.y);
    const auto proof = convert<::Bytes48>(opening.proof);
    bool is_valid = false;
    return verify_kzg_proof(&is_valid, &c, &point, &y, &proof, &settings_->kzg) == C_KZG_OK && is_valid;
}

Answer<BlobSidecar> Kzg::make_sidecar(std::vector<Blob> blobs) const {
    BlobSidecar r;
    for (const Blob& blob : blobs) {
        QUARRY_TRY_ASSIGN(const Bytes48 commitment, commit(blob));
        r.commitments.push_back(commitment);
        std::array<KZGProof, kCellsPerBlob> proofs;
        if (compute_cells_and_kzg_proofs(nullptr, proofs.data(), as_blob(blob), &settings_->kzg) != C_KZG_OK) {
            return bad_blob(blob);
        }
        for (const KZGProof& proof : proofs) r.cell_proofs.push_back(convert<Bytes48>(proof));
    }
    r.blobs = std::move(blobs);
    return r;
}

bool Kzg::matches(ByteView blob, const Hash& hash) const {
    const auto commitment = commit(blob);
    return commitment && versioned_hash(commitment.value()) == hash;
}

}  // namespace quarry::ethereum
