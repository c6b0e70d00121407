#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

#include "base/id.h"

/// The kinds of thing that have an identity. Every id is issued by `decide` from a counter in
/// State.
namespace suan {

using OrganisationId = Id<struct OrganisationTag>;
using UserId = Id<struct UserTag>;
using ProjectId = Id<struct ProjectTag>;
using KeyId = Id<struct KeyTag>;
using MemberId = Id<struct MemberTag>;
using SiteId = Id<struct SiteTag>;
using PoolId = Id<struct PoolTag>;
using AccountId = Id<struct AccountTag>;
using HoldId = Id<struct HoldTag>;
using LeaseId = Id<struct LeaseTag>;
using JobId = Id<struct JobTag>;
using PayloadId = Id<struct PayloadTag>;
using ParentId = Id<struct ParentTag>;
using JoinTokenId = Id<struct JoinTokenTag>;
using JoinerId = Id<struct JoinerTag>;

/// The text form of an id is its prefix, a dash and its number: "job-42".
template <class Kind>
inline constexpr std::string_view id_prefix = "";
template <>
inline constexpr std::string_view id_prefix<OrganisationId> = "org";
template <>
inline constexpr std::string_view id_prefix<UserId> = "user";
template <>
inline constexpr std::string_view id_prefix<ProjectId> = "project";
template <>
inline constexpr std::string_view id_prefix<KeyId> = "key";
template <>
inline constexpr std::string_view id_prefix<MemberId> = "member";
template <>
inline constexpr std::string_view id_prefix<SiteId> = "site";
template <>
inline constexpr std::string_view id_prefix<PoolId> = "pool";
template <>
inline constexpr std::string_view id_prefix<AccountId> = "account";
template <>
inline constexpr std::string_view id_prefix<HoldId> = "hold";
template <>
inline constexpr std::string_view id_prefix<LeaseId> = "lease";
template <>
inline constexpr std::string_view id_prefix<JobId> = "job";
template <>
inline constexpr std::string_view id_prefix<PayloadId> = "payload";
template <>
inline constexpr std::string_view id_prefix<ParentId> = "parent";
template <>
inline constexpr std::string_view id_prefix<JoinTokenId> = "token";
template <>
inline constexpr std::string_view id_prefix<JoinerId> = "joiner";

/// One task of a job: a member of its gang, an element of its array or a replica of its service.
struct TaskKey {
  JobId job;
  std::uint32_t task = 0;  // From 0.

  friend constexpr auto operator<=>(const TaskKey&, const TaskKey&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "task", self.task);
  }
};

/// One numbered run of a task. The job's home domain issues the numbers, from 1.
struct AttemptKey {
  JobId job;
  std::uint32_t task = 0;
  std::uint32_t attempt = 0;

  TaskKey task_key() const { return {job, task}; }
  friend constexpr auto operator<=>(const AttemptKey&, const AttemptKey&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "task", self.task);
    visit(3, "attempt", self.attempt);
  }
};

}  // namespace suan
