#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/field/isa.hpp"
#include "quarry/node/doctor/check.hpp"

/// Checks of the machine. What is measured elsewhere is a parameter; files, folders and ports are looked at.
namespace quarry::node::doctor {

/// What a node needs to run well.
struct Needs {
    unsigned cores = 1;
    std::uint64_t memory_bytes = 0;
    std::uint64_t disk_bytes = 0;
    std::uint64_t open_files = 0;
};
/// Of a sequencer that serves so many connections.
Needs sequencer_needs(std::size_t max_connections);
/// Of a prover: the last proof of a batch decides (docs/operators.md, section 4).
Needs prover_needs();

/// `best`: of what this machine supports; `chosen`: what kernels run on.
Finding check_kernels(std::string_view cpu, Isa chosen, Isa best);
Finding check_cores(unsigned cores, unsigned needed);
/// `free`: what can be allocated without swapping; no value: unknown.
Finding check_memory(std::optional<std::uint64_t> free_bytes, std::uint64_t needed_bytes);
Finding check_open_files(std::uint64_t limit, std::uint64_t needed);
/// Of the file system on which `folder` is, or will be.
Finding check_disk(const std::string& folder, std::uint64_t needed_bytes);
/// Writes a small file there and syncs it, a few times. `now_seconds`: a monotonic clock.
Finding check_sync(const std::string& folder, const std::function<double()>& now_seconds);
/// Whether a server could listen there. Port 0: any.
Finding check_port(const std::string& host, std::uint16_t port);
/// A key that can be read, by its owner alone.
Finding check_key_file(const std::string& path);

}  // namespace quarry::node::doctor
