#include "quarry/node/l1/verifier_artifacts.hpp"

#include "quarry/node/l1/artifact.hpp"

namespace quarry::node::l1 {

Outcome<std::array<VerifierCode, 3>> read_verifier_artifacts(const std::string& folder,
                                                             const std::string& data_folder) {
    constexpr std::array<unsigned, 3> kProfiles{1, 4, 16};
    std::array<VerifierCode, 3> out;
    for (std::size_t i = 0; i < kProfiles.size(); ++i) {
        const std::string profile = std::to_string(kProfiles[i]);
        const std::string name = "TerminalVerifier" + profile;
        auto creation = read_artifact(folder + "/" + name + ".sol/" + name + ".json");
        if (!creation) return creation.error();
        out[i].creation = std::move(creation).value();
        if (data_folder.empty()) continue;
        auto parts = read_code_list(data_folder + "/TerminalData" + profile + ".json");
        if (!parts) return parts.error();
        out[i].parts = std::move(parts).value();
    }
    return out;
}

}  // namespace quarry::node::l1
