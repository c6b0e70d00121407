#pragma once

#include <string>
#include <vector>

#include "api/views.h"
#include "domain/state.h"
#include "history/history.h"
#include "member/presence.h"
#include "placement/why.h"

/// State and history as the records of the API. Pure; nothing here authorises.
namespace suan::http {

api::JobState job_state(const jobs::Job&);

/// Of all its tasks, at the prices of where they were placed last: of now, or of when it started.
Money hourly_of(const jobs::Job&, Moment now);
api::JobState job_state(jobs::Outcome);

/// `now` is for what running tasks have cost so far.
api::JobView show_job(const domain::State&, const jobs::Job&, Moment now, bool with_tasks);

/// A job that has left hot state.
api::JobView show_job(const domain::State&, const history::JobRow&);
std::vector<api::TaskView> show_attempts(const domain::State&,
                                         const std::vector<history::AttemptRow>&);

/// Puts what the history has of earlier attempts before the latest ones that the state has.
void add_earlier_attempts(const domain::State&, const std::vector<history::AttemptRow>&,
                          std::vector<api::TaskView>& tasks);

/// What one can know now of a waiting job, or what was recorded of a placed one.
api::WhyView show_why(const domain::State&, const jobs::Job&);
api::WhyView show_why(const domain::State&, const history::JobRow&);

/// Where a specification could run. `limit` bounds the candidates.
api::Found show_found(const domain::State&, const JobSpec&, std::size_t limit);

api::PoolView show_pool(const domain::State&, const Pool&);
api::MemberView show_member(const domain::State&, const catalogue::Member&,
                            const member::Presence&);
api::MemberView show_joiner(const identity::Joiner&);  // That has offered nothing yet.
api::ParentView show_parent(const identity::Parent&, const member::Presence&);
api::ProjectView show_project(const domain::State&, const identity::Project&);
api::KeyView show_key(const domain::State&, const identity::Key&);
api::PostingView show_posting(const domain::State&, const history::PostingRow&);
api::ChargeView show_charge(const domain::State&, const history::ChargeRow&);

std::vector<api::Rejection> show_rejections(const std::vector<placement::Rejection>&);
std::vector<api::Change> show_changes(const domain::State&, const std::vector<placement::Change>&);
api::Candidate show_candidate(const domain::State&, const JobSpec&, const placement::Candidate&);

/// "2 nodes of site/pool are kept for it; free by … at the latest".
std::string promise_text(const domain::State&, const jobs::Promise&);

/// What is said of a unit for which spot work leaves its place; "" of others.
std::string cleared_text(const jobs::Unit&);

/// "until … for a cheaper hour; then 60 CNY/h at site/pool; now 100 CNY/h at another; 40 % less".
std::string put_off_text(const domain::State&, const JobSpec&, const jobs::PutOff&);

/// "site/pool", or "" for none.
std::string pool_text(const domain::State&, PoolId);

}  // namespace suan::http
