#pragma once
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/ethereum/http.hpp"
#include "quarry/node/devnet/layout.hpp"

/// How a development network is doing, from its programs' metrics.
namespace quarry::apps {

/// The value of a series in Prometheus text: `name` with its labels as they are written there. Empty: it is not there.
std::optional<double> metric(std::string_view text, std::string_view name);

struct ProverFigures {
    bool answers = false;
    std::uint64_t executed_batch = 0;
    std::uint64_t won = 0;   ///< batches that it was paid for
    std::uint64_t lost = 0;  ///< proofs given up because another was first
    std::uint64_t at_work = 0;
};

struct DevnetFigures {
    bool answers = false;  ///< the sequencer does
    std::uint64_t l1_block = 0;
    std::uint64_t batch = 0;
    std::uint64_t posted = 0;
    std::uint64_t proven = 0;
    std::uint64_t finalised = 0;
    std::uint64_t slots = 0;
    std::uint64_t executed = 0;  ///< operations, since the sequencer's start
    std::uint64_t waiting = 0;
    std::vector<ProverFigures> provers;
};

class DevnetStatus {
  public:
    explicit DevnetStatus(const node::devnet::Layout& layout);
    /// Asks all; who does not answer within a second is shown as not answering.
    DevnetFigures read();

  private:
    std::string scrape(const std::string& url);
    const node::devnet::Layout& layout_;
    std::unique_ptr<ethereum::HttpTransport> transport_;
};

/// `per_second`: operations executed since the last line.
std::string status_line(const DevnetFigures& figures, double per_second);
boost::json::object status_json(const DevnetFigures& figures, double per_second,
                                const std::vector<node::devnet::ServiceState>& services);

}  // namespace quarry::apps
