#pragma once

#include <string>

#include "api/views.h"
#include "cli/text_table.h"

/// What the server answers, as text for people. Every function is pure: `layout` says how wide,
/// whether in colour and what time it is. Texts end in a line end unless empty.
namespace suan::cli {

std::string print_found(const api::Found&, const Layout&);
std::string print_plan(const api::PlanView&, const Layout&);
std::string print_jobs(const api::JobList&, const Layout&);
std::string print_job(const api::JobView&, const Layout&);
std::string print_why(const api::WhyView&, const Layout&);
std::string print_costs(const api::CostView&, const Layout&);
std::string print_projects(const api::ProjectList&, const Layout&);
std::string print_keys(const api::KeyList&, const Layout&);

/// The domains among the members and those that asked to become one, then the parents.
std::string print_members(const api::MemberList&, const Layout&);

/// One line: "job-42 running".
std::string print_notice(const api::Notice&, const Layout&);

/// The state's name in its colour.
Cell state_cell(api::JobState);

/// True of the states that a job never leaves.
bool has_ended(api::JobState);

}  // namespace suan::cli
