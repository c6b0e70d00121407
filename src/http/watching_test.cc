// The stream of changes, over a whole domain in this process.
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "net/sse.h"
#include "net/wire_peer.h"
#include "runtime/codec.h"
#include "testing/served_domain.h"
#include "wire/json.h"

namespace suan::http {
namespace {

struct Told {
  std::string id;
  std::string data;

  friend bool operator==(const Told&, const Told&) = default;
};

// Reads the stream until `enough`, or until it breaks.
template <class Enough>
std::vector<Told> read_stream(ServedDomain& domain, std::string target, const std::string& last_id,
                              Enough enough, std::string key = runtime::small_operator_key) {
  auto request = domain.request(net::Method::get, std::move(target), "", std::move(key));
  if (!last_id.empty()) request.headers.add("Last-Event-ID", last_id);
  std::vector<Told> told;
  bool is_enough = false;
  net::SseParser parser;
  Callback<bool(const net::SseEvent&)> on_event = [&](const net::SseEvent& event) {
    told.push_back({event.id, event.data});
    is_enough = enough(told);
    return !is_enough;
  };
  auto client = domain.client();
  const auto answer =
      client.stream(request, {.on_bytes =
                                  [&](std::string_view bytes) {
                                    return parser.feed(bytes, on_event).has_value() && !is_enough;
                                  },
                              .on_pause = {}});
  EXPECT_TRUE(answer) << answer.error().text;
  EXPECT_TRUE(is_enough);
  return told;
}

auto up_to(std::string last) {
  return [last = std::move(last)](const auto& told) { return told.back().id == last; };
}

auto this_many(std::size_t count) {
  return [count](const auto& told) { return told.size() == count; };
}

// The last event that there is now; more may be on their way.
std::string last_place(ServedDomain& domain) {
  const std::uint64_t last = domain.journal.head().sequence;
  const auto records = domain.journal.follow(last, 1);
  EXPECT_TRUE(records && !records->empty());
  const auto events = runtime::decode_events(records->front().bytes);
  return print_place({last, static_cast<std::uint32_t>(events->size() - 1)});
}

TEST(Watching, AReaderResumesAtAnyEvent) {
  ServedDomain domain;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(domain.carry_out(runtime::small_job()));
  const std::string last = last_place(domain);
  // What is told of a job is how it stands when it is told: the read side must have come to the
  // end.
  std::promise<void> is_there;
  ASSERT_TRUE(domain.follower->ask([&](const runtime::View&) { is_there.set_value(); },
                                   domain.journal.head().sequence));
  is_there.get_future().wait();
  const auto whole = read_stream(domain, "/v1/events?after=0", "", up_to(last));
  ASSERT_GT(whole.size(), 30U);
  EventPlace expected;
  for (const Told& each : whole) {  // An operator is told of everything, so no place is left out.
    if (each.id != print_place(expected)) expected = {expected.sequence + 1, 0};
    EXPECT_EQ(each.id, print_place(expected));
    ++expected.index;
  }
  for (std::size_t i = 0; i + 1 < whole.size(); i += 3) {
    const std::vector<Told> rest(whole.begin() + static_cast<std::ptrdiff_t>(i) + 1, whole.end());
    EXPECT_EQ(read_stream(domain, "/v1/events", whole[i].id, up_to(last)), rest) << whole[i].id;
    EXPECT_EQ(read_stream(domain, "/v1/events?after=" + whole[i].id, "", up_to(last)), rest);
  }
}

TEST(Watching, WhatIsToldLiveIsToldLaterToo) {
  ServedDomain domain;
  const std::string body = R"({"user":"ann","projects":["lab"]})";
  const auto made = domain.post("/v1/keys", body);
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string key = wire::from_json<api::Accepted>(made.body)->secret;
  const std::string start = std::to_string(domain.journal.head().sequence);
  std::vector<Told> live;
  std::atomic<bool> is_listening = false;
  std::thread reader([&] {
    live = read_stream(
        domain, "/v1/events?after=" + start, "",
        [&](const auto& told) {
          is_listening = true;
          return told.back().data.find("project_created") != std::string::npos;
        },
        key);
  });
  ASSERT_TRUE(domain.carry_out(runtime::small_job()));
  while (!is_listening) std::this_thread::yield();
  const JobId job{1};
  EXPECT_TRUE(domain.report(job, 1, AttemptState::running));
  EXPECT_TRUE(domain.report(job, 1, AttemptState::ended, AttemptEnd::exited));
  domain.clock.pass(hours(2));  // The job leaves hot state.
  ASSERT_TRUE(domain.carry_out(domain::CreateProject{"other", ""}));
  ASSERT_TRUE(domain.carry_out(domain::CreateProject{"another", ""}));
  reader.join();
  const auto later =
      read_stream(domain, "/v1/events?after=" + start, "", up_to(live.back().id), key);
  const auto ids = [](const std::vector<Told>& told) {
    std::vector<std::string> all;
    for (const Told& each : told) all.push_back(each.id);
    return all;
  };
  EXPECT_EQ(ids(later), ids(live));
  EXPECT_NE(domain.core.state().jobs().find(job) == nullptr, false);
  const auto of_job = read_stream(domain, "/v1/events?job=job-1&after=0", "", [](const auto& told) {
    return told.back().data.find("job_evicted") != std::string::npos;
  });
  EXPECT_NE(of_job.front().data.find("\"state\":\"finished\""), std::string::npos);
  EXPECT_NE(of_job[of_job.size() - 2].data.find("job_ended"), std::string::npos);
}

TEST(Watching, AReaderFarBehindGetsEverythingAtItsPaceAndDelaysNobody) {
  constexpr std::size_t deposits = 30'000;
  ServedDomain domain({.stream_buffer_bytes_max = 32U << 10U});
  std::vector<runtime::Request> requests;
  for (std::size_t i = 0; i < deposits; ++i) {
    runtime::Request request;
    request.command = domain::Deposit{runtime::small_project, yuan(1), ""};
    request.caller = {runtime::small_operator(), domain.new_id(), {}};
    ASSERT_TRUE(domain.thread->put(request));
  }
  ASSERT_TRUE(domain.carry_out(domain::CreateProject{"last", ""}));
  const std::string last = last_place(domain);
  std::size_t pauses = 0;
  std::size_t count = 0;
  EventPlace expected;
  const auto whole = read_stream(domain, "/v1/events?after=0", "", [&](const auto& told) {
    if (told.back().id != print_place(expected)) expected = {expected.sequence + 1, 0};
    EXPECT_EQ(told.back().id, print_place(expected));
    ++expected.index;
    if (++count % 20'000 == 1) {  // It reads on only after a while; others are served meanwhile.
      ++pauses;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      const auto asked = std::chrono::steady_clock::now();
      EXPECT_EQ(domain.get("/v1/me").status, 200);
      EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(2));
    }
    return told.back().id == last;
  });
  EXPECT_GT(whole.size(), 2 * deposits);
  EXPECT_GE(pauses, 3U);
}

TEST(Watching, ALiveReaderIsToldAtOnceBesideOneThatDoesNotRead) {
  ServedDomain domain({.stream_buffer_bytes_max = 32U << 10U});
  for (int i = 0; i < 2000; ++i) {
    runtime::Request request;
    request.command = domain::Deposit{runtime::small_project, yuan(1), ""};
    request.caller = {runtime::small_operator(), domain.new_id(), {}};
    ASSERT_TRUE(domain.thread->put(request));
  }
  std::atomic<bool> is_over = false;
  std::thread sleeper([&] {
    read_stream(domain, "/v1/events?after=0", "", [&](const auto&) {
      while (!is_over) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return true;
    });
  });
  std::thread maker([&] {
    for (int i = 0; !is_over; ++i) {
      EXPECT_TRUE(domain.carry_out(domain::CreateProject{"p" + std::to_string(i), ""}));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  const auto begun = std::chrono::steady_clock::now();
  const auto live = read_stream(domain, "/v1/events", "", this_many(20));
  is_over = true;
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  EXPECT_EQ(live.size(), 20U);
  sleeper.join();
  maker.join();
}

TEST(Watching, ARevokedKeyHearsNoMore) {
  ServedDomain domain;
  const auto made = domain.post("/v1/keys", R"({"user":"ann","projects":["lab"]})");
  const auto key = *wire::from_json<api::Accepted>(made.body);
  std::string heard;
  std::atomic<bool> is_listening = false;
  std::thread reader([&] {
    const auto request = domain.request(net::Method::get, "/v1/events?after=0", "", key.secret);
    auto client = domain.client();
    const auto ended = client.stream(request, {.on_bytes =
                                                   [&](std::string_view bytes) {
                                                     heard += bytes;
                                                     is_listening = true;
                                                     return true;
                                                   },
                                               .on_pause = {}});
    EXPECT_TRUE(ended);  // In good order.
  });
  while (!is_listening) std::this_thread::yield();
  const auto revoke = domain.request(net::Method::delete_, "/v1/keys/" + key.id);
  EXPECT_EQ(domain.client().send(revoke)->status, 200);
  ASSERT_TRUE(domain.carry_out(domain::CreateProject{"later", ""}));
  reader.join();
  EXPECT_EQ(heard.find("key_revoked"), std::string::npos);
}

TEST(Watching, ALogEndsWithTheKeyThatReadsIt) {
  ServedDomain domain;
  const auto made = domain.post("/v1/keys", R"({"user":"ann","projects":["lab"]})");
  const auto key = *wire::from_json<api::Accepted>(made.body);
  const auto job = domain.post(
      "/v1/jobs", R"({"project":"lab","run":"true","start":{"not_before":"2099-01-01T00:00:00Z"},)"
                  R"("max_duration":"1m"})");
  ASSERT_EQ(job.status, 201) << job.body;
  net::WirePeer reader(domain.server->port());
  reader.say("GET /v1/jobs/" + wire::from_json<api::Accepted>(job.body)->id +
             "/logs?follow=true HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + key.secret +
             "\r\n\r\n");
  ASSERT_TRUE(reader.hear_some().starts_with("HTTP/1.1 200"));
  EXPECT_EQ(reader.hear_some(500), "");
  const auto revoke = domain.request(net::Method::delete_, "/v1/keys/" + key.id);
  EXPECT_EQ(domain.client().send(revoke)->status, 200);
  EXPECT_TRUE(reader.is_closed());
}

TEST(Watching, AnIdIsARecordOrOneEventOfIt) {
  EXPECT_EQ(place_after("17"), (EventPlace{18, 0}));
  EXPECT_EQ(place_after("17.0"), (EventPlace{17, 1}));
  EXPECT_EQ(place_after("17.12"), (EventPlace{17, 13}));
  EXPECT_EQ(place_after(print_place({17, 12})), (EventPlace{17, 13}));
  for (const char* text :
       {"", ".", "17.", ".1", "x", "-1", "17.-1", "17.1.1", "17.4294967295", "9223372036854775807"})
    EXPECT_FALSE(place_after(text)) << text;
  ServedDomain domain;
  EXPECT_EQ(domain.get("/v1/events?after=17.x").status, 400);
}

}  // namespace
}  // namespace suan::http
