#include "quarry/node/storage_error.hpp"

namespace quarry::node {

const char* storage_code_name(StorageCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, cause, remedy) \
    case StorageCode::name:           \
        return #name;
        QUARRY_STORAGE_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown";
}

StorageError storage_error(StorageCode code, const std::string& path, const std::string& detail) {
    const char* cause = "unknown cause";
    const char* remedy = "";
    switch (code) {
#define QUARRY_X(name, cause_text, remedy_text) \
    case StorageCode::name:                     \
        cause = cause_text;                     \
        remedy = remedy_text;                   \
        break;
        QUARRY_STORAGE_CODES(QUARRY_X)
#undef QUARRY_X
    }
    const std::string why = detail.empty() ? "" : " (" + detail + ")";
    return {code, path + ": " + cause + why + "; " + remedy};
}

}  // namespace quarry::node
