#pragma once
#include "quarry/node/devnet/layout.hpp"

namespace quarry::node::devnet {

/// The folder of a development network, held by one process.
class DevnetFolder {
  public:
    /// Makes it with all it needs; with `reset` first removes what is in it. bad_input: not_a_devnet (it holds
    /// something else), devnet_runs (another process holds it), port_taken; environment: it cannot be written.
    static Outcome<DevnetFolder> open(const Layout& layout, bool reset);
    DevnetFolder(DevnetFolder&& other) noexcept;
    DevnetFolder(const DevnetFolder&) = delete;
    DevnetFolder& operator=(const DevnetFolder&) = delete;
    DevnetFolder& operator=(DevnetFolder&&) = delete;
    ~DevnetFolder();

  private:
    explicit DevnetFolder(int lock_fd) : lock_fd_(lock_fd) {}
    int lock_fd_ = -1;
};

}  // namespace quarry::node::devnet
