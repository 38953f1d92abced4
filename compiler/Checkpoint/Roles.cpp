//===- Roles.cpp - the table of a Llama's weights -------------------------===//
//
// See Roles.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Roles.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/ErrorHandling.h"

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {

static constexpr RoleInfo kRoles[] = {
    {"token_embd", Side::Dim, Side::Vocab, false},
    {"output_norm", Side::Dim, Side::One, false},
    {"output", Side::Dim, Side::Vocab, false},
    {"attn_norm", Side::Dim, Side::One, true},
    {"attn_q", Side::Dim, Side::Queries, true},
    {"attn_q_bias", Side::Queries, Side::One, true, true},
    {"attn_k", Side::Dim, Side::Keys, true},
    {"attn_k_bias", Side::Keys, Side::One, true, true},
    {"attn_v", Side::Dim, Side::Keys, true},
    {"attn_v_bias", Side::Keys, Side::One, true, true},
    {"attn_q_norm", Side::Head, Side::One, true, true},
    {"attn_k_norm", Side::Head, Side::One, true, true},
    {"attn_output", Side::Queries, Side::Dim, true},
    {"attn_output_bias", Side::Dim, Side::One, true, true},
    {"ffn_norm", Side::Dim, Side::One, true},
    {"ffn_gate", Side::Dim, Side::Hidden, true},
    {"ffn_gate_bias", Side::Hidden, Side::One, true, true},
    {"ffn_up", Side::Dim, Side::Hidden, true},
    {"ffn_up_bias", Side::Hidden, Side::One, true, true},
    {"ffn_down", Side::Hidden, Side::Dim, true},
    {"ffn_down_bias", Side::Dim, Side::One, true, true},
};
static_assert(std::size(kRoles) == kRoleCount);

ArrayRef<RoleInfo> allRoles() { return kRoles; }

const RoleInfo &getInfo(Role role) { return kRoles[unsigned(role)]; }

std::optional<Role> findRole(StringRef name) {
  const auto *row = llvm::find_if(
      kRoles, [&](const RoleInfo &info) { return info.name == name; });
  if (row == std::end(kRoles))
    return std::nullopt;
  return Role(row - std::begin(kRoles));
}

uint64_t sizeOf(Side side, const ModelConfig &config) {
  switch (side) {
  case Side::One:
    return 1;
  case Side::Dim:
    return config.dim;
  case Side::Queries: // within kMaxDimension, and so Keys
    return config.heads * config.headSize;
  case Side::Keys:
    return config.kvHeads * config.headSize;
  case Side::Hidden:
    return config.hidden;
  case Side::Vocab:
    return config.vocab;
  case Side::Head:
    return config.headSize;
  }
  llvm_unreachable("the switch lists every side");
}

bool hasRole(const ModelConfig &config, Role role) {
  if (role == Role::Output)
    return !config.tiedLMHead;
  return !getInfo(role).isOptional ||
         (config.optionalRoles >> unsigned(role) & 1);
}

void addRole(ModelConfig &config, Role role) {
  config.optionalRoles |= uint32_t(1) << unsigned(role);
}

static std::vector<Role> listRoles(const ModelConfig &config, bool isLayered) {
  std::vector<Role> roles;
  for (unsigned i = 0; i < kRoleCount; ++i)
    if (kRoles[i].isLayered == isLayered && hasRole(config, Role(i)))
      roles.push_back(Role(i));
  return roles;
}

std::vector<Role> modelRoles(const ModelConfig &config) {
  return listRoles(config, /*isLayered=*/false);
}

std::vector<Role> layerRoles(const ModelConfig &config) {
  return listRoles(config, /*isLayered=*/true);
}

std::string weightName(Role role, const Twine &layer) {
  const RoleInfo &info = getInfo(role);
  StringRef name = info.name;
  StringRef what = name.consume_back("_bias") ? ".bias" : ".weight";
  if (info.isLayered)
    return ("blk." + layer + "." + name + what).str();
  return (name + what).str();
}

std::string weightName(WeightId id) {
  return weightName(id.role, Twine(id.layer));
}

} // namespace corellama::checkpoint
