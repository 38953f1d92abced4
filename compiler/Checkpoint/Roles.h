//===- Roles.h - the weights of a Llama, by what they are for ---*- C++ -*-===//
//
// Every weight that a graph can have: its role, its name in modules and
// messages, its shape as a function of the configuration. A file of its own
// because containers, import and image agree on weights by nothing else; how a
// container calls them stands with its reader (WeightNames).
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_ROLES_H
#define CORELLAMA_COMPILER_CHECKPOINT_ROLES_H

#include "compiler/Checkpoint/ModelConfig.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace corellama::checkpoint {

/// Weights of the model, then those that each layer has, in the order of their
/// declarations and of their use.
enum class Role : uint8_t {
  Embedding,
  OutputNorm,
  Output, ///< the LM head, where it is not tied to the embedding
  AttnNorm,
  AttnQ,
  AttnQBias,
  AttnK,
  AttnKBias,
  AttnV,
  AttnVBias,
  AttnQNorm, ///< of each head
  AttnKNorm,
  AttnOutput,
  AttnOutputBias,
  FfnNorm,
  FfnGate,
  FfnGateBias,
  FfnUp,
  FfnUpBias,
  FfnDown,
  FfnDownBias,
};
inline constexpr unsigned kRoleCount = unsigned(Role::FfnDownBias) + 1;
static_assert(kRoleCount <= 32, "ModelConfig::optionalRoles has 32 bits");

/// An extent of a weight.
enum class Side : uint8_t { One, Dim, Queries, Keys, Hidden, Vocab, Head };
inline constexpr unsigned kSideCount = unsigned(Side::Head) + 1;

struct RoleInfo {
  /// Its symbol in a module; the names are GGUF's: "attn_q".
  llvm::StringLiteral name;
  Side columns;
  Side rows; ///< One: a vector, which the graph reads as f32
  bool isLayered;
  bool isOptional = false; ///< see ModelConfig::optionalRoles

  bool isVector() const { return rows == Side::One; }
};

/// The facts of every role, in the order of the enumeration.
llvm::ArrayRef<RoleInfo> allRoles();
const RoleInfo &getInfo(Role role);
/// The role of a symbol, or nothing.
std::optional<Role> findRole(llvm::StringRef name);

/// Whether a model of that configuration has such weights.
bool hasRole(const ModelConfig &config, Role role);
void addRole(ModelConfig &config, Role role);

/// The value of an extent.
uint64_t sizeOf(Side side, const ModelConfig &config);

/// The weights of a model of that configuration, and those that each of its
/// layers has, in their order.
std::vector<Role> modelRoles(const ModelConfig &config);
std::vector<Role> layerRoles(const ModelConfig &config);

/// One weight: a role and, where each layer has one, the layer; otherwise 0.
struct WeightId {
  uint32_t layer = 0;
  Role role;

  friend auto operator<=>(const WeightId &, const WeightId &) = default;
};

/// For messages, manifests and locations, the same for every container:
/// "blk.3.attn_q.weight", "output.weight".
std::string weightName(Role role, const llvm::Twine &layer);
std::string weightName(WeightId id);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_ROLES_H
