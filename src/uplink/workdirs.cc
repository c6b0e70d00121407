// The part of Uplinks that brings working directories: from parents, and to sub-domains.
#include <utility>

#include "domain/shown.h"
#include "uplink/uplinks.h"

namespace suan::uplink {

namespace {

Failure gone() {
  return {Failure::Kind::not_found, "its working directory is no longer kept", ""};
}

// The unit that a member asks about, if it is with that member and has such a working directory.
const jobs::Job* find_asked(const domain::State& state, MemberId member, const AskWorkdir& wish) {
  const jobs::Job* job = state.jobs().find(wish.unit.job);
  if (job == nullptr || wish.unit.unit >= job->units.size()) return nullptr;
  const jobs::Unit& unit = job->units[wish.unit.unit];
  if (unit.attempt != wish.unit.attempt || !unit.placement.pool) return nullptr;
  const Pool* pool = state.catalogue().pools().find(unit.placement.pool);
  const bool is_with = pool != nullptr && pool->member == member;
  return is_with && job->spec->workdir.is_given() && job->spec->workdir.sha256 == wish.sha256
             ? job
             : nullptr;
}

}  // namespace

void Uplinks::fetch(JobId id, Callback<void(Result<void>)> done) {
  auto held = std::make_shared<Callback<void(Result<void>)>>(std::move(done));
  const bool is_asked = ground_.look([this, id, held](const runtime::View& view) -> Ground::Then {
    const jobs::Job* job = view.state.jobs().find(id);
    if (job == nullptr || !job->spec->workdir.is_given())
      return [held] { (*held)(std::unexpected(gone())); };
    Fetches::Wish wish{upload_name(job->user, job->spec->workdir), job->spec->workdir, {}, {}};
    if (job->guest) wish.parent = job->guest->parent;
    if (job->guest) wish.unit = job->guest->home;
    return [this, held, wish = std::move(wish)] {
      if (fetches_.is_whole(wish.name, wish.workdir)) return (*held)({});
      if (!wish.parent) return (*held)(std::unexpected(gone()));
      fetches_.add(wish, [held](Result<void> outcome) { (*held)(std::move(outcome)); });
      ask_for_workdirs();
    };
  });
  if (is_asked) return;
  dialler_->after(seconds(1), [this, id, held] {
    fetch(id, [held](Result<void> outcome) { (*held)(std::move(outcome)); });
  });
}

void Uplinks::ask_for_workdirs() {
  for (const Fetches::Wish& wish : fetches_.due()) {
    const AskWorkdir ask{wish.unit, wish.workdir.sha256, fetches_.offset_of(wish)};
    for (const auto& each : above_)
      if (each->ask(wish.parent, ask)) break;
  }
}

void Uplinks::on_asked(MemberId member, const AskWorkdir& wish) {
  ground_.look([this, member, wish](const runtime::View& view) -> Ground::Then {
    const jobs::Job* job = find_asked(view.state, member, wish);
    if (job == nullptr)
      return [this, member, wish] { give(member, wish, "", std::unexpected(gone())); };
    return [this, member, wish, id = job->id, name = upload_name(job->user, job->spec->workdir)] {
      fetch(id, [this, member, wish, name](const Result<void>& fetched) {
        give(member, wish, name, fetched);
      });
    };
  });
}

// Opens the stream, for the bytes or for why there are none.
void Uplinks::give(MemberId member, const AskWorkdir& wish, const std::string& name,
                   const Result<void>& fetched) {
  OpenStream open;
  open.kind = StreamKind::workdir;
  open.unit = wish.unit;
  open.offset = wish.offset;
  open.id = awaited_.expect(
      [this, name, offset = wish.offset, fetched](const net::Request& request,
                                                  net::Responder responder) {
        if (!fetched)
          return decline_stream(request, std::move(responder), fetched.error().text,
                                fetched.error().kind == Failure::Kind::not_found ? 1 : -1);
        pump_.serve(read_upload(uploads_, name, offset), request, std::move(responder));
      },
      [] {});
  if (!ask(member, open)) awaited_.forget(open.id);
}

// What no job needs any more is removed, and nobody fetches it.
void Uplinks::look_at_uploads() {
  ground_.look([this](const runtime::View& view) -> Ground::Then {
    return [this, wanted = domain::uploads_wanted(view.state)] {
      for (const std::string& name : fetches_.names())
        if (!wanted.contains(name)) fetches_.give_up(name, gone());
      uploads_.sweep(wanted);
    };
  });
}

}  // namespace suan::uplink
