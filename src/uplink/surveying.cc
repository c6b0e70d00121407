// The part of Uplinks that asks how much there is to bring, and answers.
#include <utility>

#include "uplink/uplinks.h"

namespace suan::uplink {

namespace {

DataAnswer no(std::string problem) {
  return {.problem = std::move(problem), .sources = {}};
}

}  // namespace

void Uplinks::survey(MemberId member, PoolId pool, DataQuestion question,
                     Callback<void(DataAnswer)> done) {
  std::shared_ptr<Below> below;
  {
    const std::lock_guard lock(mutex_);
    const auto at = live_.find(member);
    if (at != live_.end()) below = at->second;
  }
  if (!below) return done(no("its member cannot be reached now"));
  auto held = std::make_shared<Callback<void(DataAnswer)>>(std::move(done));
  worker_.post([this, below, pool, question = std::move(question), held] {
    const std::uint64_t number = data_questions_.expect(
        below.get(), below->name(), [held](DataAnswer answer) { (*held)(std::move(answer)); });
    if (number == 0) return (*held)(no("too much is asked there; try again"));
    if (!below->ask(AskData{number, pool, question}))
      data_questions_.hear(below.get(), number,
                           no("the domain " + below->name() + " cannot say that yet"));
  });
}

// The parent asks for a pool by the number that it was offered under.
void Uplinks::on_question(const std::shared_ptr<Above>& above, const AskData& asked) {
  DataQuestion question = asked.question;
  if (!question.owner.empty()) question.owner += "@" + above->name();
  const auto tell = [above, number = asked.number](DataAnswer answer) {
    above->answer(AnswerData{number, std::move(answer)});
  };
  const bool is_asked = ground_.look(
      [this, pool_id = asked.pool, question, tell](const runtime::View& view) -> Ground::Then {
        const Pool* pool = view.state.catalogue().pools().find(pool_id);
        if (pool == nullptr) return [tell] { tell(no("there is no such pool")); };
        return [this, member = pool->member, remote = pool->remote, question, tell] {
          // What answers may be on another thread.
          reach_->survey(member, remote, question, [this, tell](DataAnswer answer) {
            worker_.post([tell, answer = std::move(answer)] { tell(answer); });
          });
        };
      });
  if (!is_asked) tell(no("too many queries wait there; try again"));
}

void Uplinks::on_answer(const void* from, const AnswerData& answer) {
  data_questions_.hear(from, answer.number, answer.answer);
}

}  // namespace suan::uplink
