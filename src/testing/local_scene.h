#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <time.h>

#include "engine/local_engine.h"
#include "testing/progress_recorder.h"
#include "testing/temporary_directory.h"

namespace suan::engine {

inline void pause(Span span) {
  const timespec time{.tv_sec = span.us / 1'000'000, .tv_nsec = span.us % 1'000'000 * 1000};
  ::nanosleep(&time, nullptr);
}

/// Waits until `holds()`, at most 20 s; returns whether it does.
template <class Condition>
bool wait_until(Condition holds) {
  for (int i = 0; i < 4000; ++i) {
    if (holds()) return true;
    pause(milliseconds(5));
  }
  return holds();
}

/// A local engine in a directory of its own, for tests of what only it promises. Test code only.
class LocalScene : public testing::Test {
 protected:
  using Key = AttemptKey;

  LocalScene() {
    options_.state_directory = directory_.path() + "/state";
    options_.report_every = milliseconds(100);
  }
  ~LocalScene() override {
    close();
    EXPECT_TRUE(recorder_.objections().empty()) << recorder_.objections().front();
  }

  void open() {
    close();
    auto opened = LocalEngine::open(options_);
    ASSERT_TRUE(opened) << opened.error().text << " " << opened.error().place;
    engine_ = *std::move(opened);
    engine_->attach(recorder_);
  }
  void close() {
    if (engine_) engine_->detach();
    engine_.reset();
  }

  void launch(const std::string& run, const Launch& launch = member::plain_launch()) {
    Payload payload;
    payload.run = run;
    engine_->launch(launch, payload);
  }
  void stop(AttemptEnd why, Span grace, const Key& key = member::first_key) {
    engine_->stop({.key = key, .why = why, .grace = grace});
  }
  Progress wait_for(AttemptState state, const Key& key = member::first_key) {
    EXPECT_TRUE(wait_until([&] { return recorder_.latest(key).state >= state; }));
    return recorder_.latest(key);
  }
  Progress wait_for_end(const Key& key = member::first_key) {
    return wait_for(AttemptState::ended, key);
  }
  Progress run(const std::string& script, const Launch& with = member::plain_launch()) {
    launch(script, with);
    return wait_for_end(with.key);
  }

  std::string log(const Key& key = member::first_key,
                  member::LogStream stream = member::LogStream::output) {
    std::string text;
    while (true) {
      const auto piece = engine_->read_log(key, stream, text.size(), 1 << 20U);
      if (!piece) return "no log: " + piece.error().text;
      text += piece->bytes;
      if (piece->is_end || piece->bytes.empty()) return text;
    }
  }
  /// Waits until the log holds `text`.
  bool wait_for_log(const std::string& text) {
    return wait_until([&] { return log().find(text) != std::string::npos; });
  }

  TemporaryDirectory directory_;
  LocalEngineOptions options_;
  std::unique_ptr<LocalEngine> engine_;
  member::ProgressRecorder recorder_;
};

}  // namespace suan::engine
