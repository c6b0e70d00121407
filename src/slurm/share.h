#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/attempt_files.h"
#include "engine/file.h"
#include "model/attempt.h"
#include "slurm/wrapper.h"

/// The directory that the server and the nodes of a cluster share (NFS, Lustre, …), of one engine:
///
///     identity             a random name: jobs of Slurm carry it, so that two engines of one
///                          cluster never take each other's
///     nodes                which node has which index in which pool; see offer.h
///     lock                 held by the engine while it lives
///     wrapper-<hash>.sh    the program that runs attempts
///     news/<key>.started   put there by wrappers, taken away by the engine
///     news/<key>.ended
///     forgotten  logs/     see engine/log_store.h
///     attempts/<key>/
///       record             the launch and the end, by the engine; see engine/attempt_files.h
///       seat               where in the cluster it runs, by the engine
///       limits env run setup control   by the engine, see wrapper.h; the scripts are emptied at
///       the end brought            its inputs are there, by the engine
///       job                the engine asked Slurm to run it ("asked"), and as which job
///       ("12") claim/             made by whoever may say whether it runs: one wrapper, or the
///       engine started usage exit stdout stderr work/    by the wrapper slurm.out          what
///       Slurm has to say
///
/// All of it belongs to the one user as whom the server and its jobs run.
namespace suan::slurm {

/// What one attempt's directory says of its way through Slurm.
struct JobFile {
  bool was_asked = false;
  std::uint64_t id = 0;  // 0 = not known.
};

/// Where in the cluster an attempt runs.
struct Seat {
  std::string partition;
  std::string node;
  std::string gres;  // "gpu:fake910b"; "" = no cards.
};

class Share {
 public:
  /// Takes the directory, which must exist and whose path must be absolute, of letters, digits and
  /// ._-/ only. Failures: `conflict` if another engine has it, `io`, `invalid`.
  static Result<std::unique_ptr<Share>> open(const std::string& path);

  const std::string& path() const { return path_; }
  const std::string& identity() const { return identity_; }
  int fd() const { return directory_.get(); }

  /// Makes the directory of an attempt with all that a wrapper needs. A whole one appears, or none.
  Result<void> make_attempt(const Launch&, const Payload&, const Seat&, const Control&);

  /// A directory that only keeps the key from ever starting, with its end.
  Result<void> make_ended(const Progress&);

  /// The right to say how an unstarted attempt ended; false if a wrapper has it.
  bool claim(const AttemptKey&);
  bool is_claimed(const AttemptKey&) const;

  Result<void> write_control(const AttemptKey&, const Control&);
  std::optional<Control> read_control(const AttemptKey&) const;

  /// How long ago control was written, by the clock of the file system.
  Span control_age(const AttemptKey&) const;

  /// That the inputs of an attempt are there; durable as far as the end of this process.
  Result<void> write_brought(const AttemptKey&);
  bool is_brought(const AttemptKey&) const;

  Result<void> write_job(const AttemptKey&, const JobFile&);
  JobFile read_job(const AttemptKey&) const;

  /// What the record and the seat say; absent where they are not whole.
  engine::AttemptRecord read_record(const AttemptKey&) const;
  std::optional<Seat> read_seat(const AttemptKey&) const;

  std::optional<StartedWord> read_started(const AttemptKey&) const;
  std::optional<Usage> read_usage(const AttemptKey&) const;
  std::optional<ExitWord> read_exit(const AttemptKey&) const;

  /// The last line of what Slurm has to say about the job, for people.
  std::string read_slurm_words(const AttemptKey&) const;

  /// Makes the end durable and empties the scripts.
  Result<void> write_end(const Progress&);

  /// Deletes the attempt's directory; its logs have been taken out of it.
  void remove_attempt(const AttemptKey&);

  /// What the news say: keys and whether they have ended. They stay until `take_news`.
  struct News {
    AttemptKey key;
    bool has_ended = false;
  };
  std::vector<News> read_news() const;
  void take_news(const News&);

  /// What a batch script for this attempt is.
  std::string batch_script(const AttemptKey&) const;

  /// "suan-<identity>-<key>": the name of its job in Slurm.
  std::string job_name(const AttemptKey&) const;
  bool is_ours(std::string_view job_name) const;

  /// The keys of all directories there are.
  std::vector<AttemptKey> attempts() const;

 private:
  Share() = default;

  Result<void> prepare();
  std::string read_line(const AttemptKey&, std::string_view name) const;

  std::string path_;
  std::string identity_;
  std::string wrapper_;
  engine::Fd directory_, lock_;
};

}  // namespace suan::slurm
