#pragma once
#include <string>

#include "quarry/base/expected.hpp"

namespace quarry::node {

/// Every cause for which durable storage refuses or fails, one enumerator per cause: X(name, cause, remedy).
#define QUARRY_STORAGE_CODES(X)                                                                                       \
    X(exists_already, "the directory is not empty", "choose a new directory, or delete this one")                     \
    X(no_such_directory, "the directory does not exist", "check the path, or create a state there first")             \
    X(not_a_state_directory, "the directory holds no rollup state", "check the path, or create a state there first")  \
    X(incomplete, "the creation of this state was interrupted",                                                       \
      "delete the directory and create the state again, or restore a backup")                                         \
    X(wrong_version, "the state was written in another version's format",                                             \
      "export a snapshot with the program that wrote it, and import that")                                            \
    X(locked_by_another_process, "another process works on this directory", "stop it, or wait until it ends")         \
    X(corrupt, "the stored bytes are damaged", "restore the directory from a backup, or import a snapshot")           \
    X(root_mismatch, "the leaves do not have the stored state root",                                                  \
      "restore the directory from a backup, or import a snapshot")                                                    \
    X(missing_key, "a slot's key is marked as published but is not there", "add the key, or import another snapshot") \
    X(disk_full, "no space is left on the device", "free space, then try again: what was stored before is intact")    \
    X(permission_denied, "the operating system denies access", "check owner and permissions of the directory")        \
    X(read_only, "the state was opened for reading only", "open it for writing")                                      \
    X(failed_before, "an earlier write failed, so that what is on disk is uncertain", "open the state again")         \
    X(io_error, "the device or file system reported an error", "check the device, then open the state again")

enum class StorageCode {
#define QUARRY_X(name, cause, remedy) name,
    QUARRY_STORAGE_CODES(QUARRY_X)
#undef QUARRY_X
};

/// The enumerator's name, stable: scripts may match on it.
const char* storage_code_name(StorageCode code) noexcept;

/// A cause, and one line for people: the path, cause and remedy, and what the engine said.
struct StorageError {
    StorageCode code = StorageCode::io_error;
    std::string message;
};

/// "PATH: cause (detail); remedy". An empty detail is left out.
StorageError storage_error(StorageCode code, const std::string& path, const std::string& detail = {});

template <class T>
using Stored = Expected<T, StorageError>;

}  // namespace quarry::node
