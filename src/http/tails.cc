#include "http/tails.h"

#include <atomic>
#include <chrono>
#include <utility>

#include "http/problem.h"
#include "http/show.h"

namespace suan::http {

namespace {

constexpr std::size_t piece_bytes_max = 64U << 10U;
constexpr std::size_t tails_max = 1024;
constexpr auto poll_every = std::chrono::milliseconds(50);
constexpr int polls_between_looks = 4;  // At an attempt that has not begun.

}  // namespace

/// One reader. `where` changes hands: the follower's thread fills it in, the tails' thread reads.
struct Tails::Tail {
  LogWish wish;
  net::Responder responder;  // Until the stream begins.
  net::StreamWriter writer;

  std::mutex mutex;
  std::unique_ptr<member::LogReader> reader;  // There once the attempt is.
  bool is_over = false;                       // The job has ended: what is not there will not come.
  bool is_asking = false;
  bool is_dead = false;  // Answered otherwise.
  int polls = 0;
};

Tails::Tails(runtime::Follower& follower, member::Reach& reach)
    : follower_(follower), reach_(reach), thread_([this] { run(); }) {}

Tails::~Tails() {
  stop();
}

void Tails::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  has_work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Tails::read(const LogWish& wish, net::Responder responder) {
  auto tail = std::make_shared<Tail>();
  tail->wish = wish;
  tail->responder = std::move(responder);
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || tails_.size() >= tails_max) {
      tail->responder.respond(
          problem(503, "overloaded", "too many logs are being read; try again"));
      return;
    }
    tails_.push_back(tail);
  }
  has_work_.notify_all();
  look(std::move(tail));
}

// Asks the read side which attempt the reader means and who runs it.
void Tails::look(std::shared_ptr<Tail> tail) {
  {
    const std::lock_guard lock(tail->mutex);
    if (tail->is_asking) return;
    tail->is_asking = true;
  }
  follower_.ask([this, tail](const runtime::View& view) {
    const std::lock_guard lock(tail->mutex);
    tail->is_asking = false;
    const LogWish& wish = tail->wish;
    if (!view.state.identity().authenticate(wish.key) && !tail->responder) {
      tail->is_dead = true;
      return;
    }
    const jobs::Job* job = view.state.jobs().find(wish.job);
    const bool is_readable =
        job != nullptr && wish.task < job->spec->tasks() &&
        view.state.identity().may(wish.principal, identity::Action::read_project,
                                  job->spec->project);
    if (!is_readable && tail->responder) {
      tail->responder.respond(problem(404, "log_unknown",
                                      job == nullptr
                                          ? "that job's log is no longer kept, or never was"
                                          : "that job has no such task, or is not yours to see"));
      tail->is_dead = true;
      return;
    }
    if (!is_readable) {
      tail->is_over = true;
      return;
    }
    const jobs::TaskPlace place = jobs::place_of(*job->spec, wish.task);
    const jobs::Unit& unit = job->units[place.unit];
    tail->is_over = job->outcome != jobs::Outcome::none;
    const std::uint32_t attempt = wish.attempt.value_or(unit.attempt);
    const bool is_launched = unit.phase != jobs::Phase::waiting &&
                             unit.phase != jobs::Phase::reserving &&
                             unit.phase != jobs::Phase::confirming;
    if (attempt == 0 || attempt > unit.attempt || (attempt == unit.attempt && !is_launched)) return;
    if (tail->reader) return;
    const MemberId member = view.state.catalogue().pools().at(unit.placement.pool).member;
    tail->reader =
        reach_.read_log({member, {wish.job, wish.task, attempt}, place.unit, place.index},
                        wish.stream, wish.offset);
  });
}

// Begins to answer, once it is known with what. What cannot be reached is said so instead.
void Tails::begin(Tail& tail, const Failure* why_not) {
  const bool is_unreachable = why_not != nullptr && why_not->kind == Failure::Kind::unavailable &&
                              (!tail.wish.follow || tail.is_over);
  if (is_unreachable) {
    tail.is_dead = true;
    return tail.responder.respond(problem(503, "member_unreachable", why_not->text));
  }
  tail.writer = tail.responder.stream(200, "text/plain; charset=utf-8");
}

// Sends what there is. False when the reader needs no more.
bool Tails::advance(Tail& tail) {
  const std::lock_guard lock(tail.mutex);
  if (tail.is_dead) return false;
  if (!tail.reader) {
    const bool is_answered = (tail.is_over || tail.wish.follow) && !tail.is_asking;
    if (tail.responder && is_answered) begin(tail, nullptr);
    return tail.responder || (tail.writer.is_open() && !tail.is_over && tail.wish.follow);
  }
  while (tail.responder || tail.writer.has_room(piece_bytes_max)) {
    const auto piece = tail.reader->next(piece_bytes_max);
    const bool is_known = !piece || piece->is_all || piece->is_end || !piece->bytes.empty();
    if (tail.responder && is_known) begin(tail, piece ? nullptr : &piece.error());
    if (tail.is_dead) return false;
    if (!piece) return tail.wish.follow && !tail.is_over;
    if (!piece->bytes.empty() && !tail.writer.write(piece->bytes)) return false;
    if (piece->is_end) return false;
    if (piece->is_all) return tail.wish.follow;
    if (piece->bytes.empty()) return true;  // It is on its way.
  }
  return tail.writer.is_open();  // More when the reader has taken what it was sent.
}

void Tails::run() {
  while (true) {
    std::list<std::shared_ptr<Tail>> turn;
    {
      std::unique_lock lock(mutex_);
      if (tails_.empty())
        has_work_.wait_for(lock, std::chrono::seconds(1));
      else
        has_work_.wait_for(lock, poll_every);
      if (is_stopping_) {
        for (const auto& tail : tails_) tail->writer.close();
        tails_.clear();
        return;
      }
      turn = tails_;
    }
    for (const std::shared_ptr<Tail>& tail : turn) {
      const bool goes_on = advance(*tail);
      if (!goes_on) {
        tail->writer.close();
        const std::lock_guard lock(mutex_);
        tails_.remove(tail);
      } else if (++tail->polls % polls_between_looks == 0) {
        look(tail);
      }
    }
  }
}

}  // namespace suan::http
