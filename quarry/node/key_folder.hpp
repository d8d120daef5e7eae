#pragma once
#include <string>

#include "quarry/circuits/segment_key.hpp"

namespace quarry::node {

/// Keys as files of one folder, made when the first is written. Whatever fails is as if nothing were there. Processes
/// may share it.
class KeyFolder : public circuits::KeyStore {
  public:
    explicit KeyFolder(std::string path) : path_(std::move(path)) {}
    std::optional<std::vector<std::uint8_t>> read(const std::string& name) override;
    void write(const std::string& name, std::span<const std::uint8_t> bytes) override;

  private:
    std::string path_;
};

}  // namespace quarry::node
