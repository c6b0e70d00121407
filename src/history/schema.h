#pragma once

/// The tables of the history. A change of them is a new version: the file is then made again.
namespace suan::history {

constexpr unsigned long long schema_version = 3;

constexpr const char* schema_sql = R"sql(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS cursor(one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL,
  version INTEGER NOT NULL);
INSERT OR IGNORE INTO cursor VALUES (1, 0, 3);
CREATE TABLE IF NOT EXISTS jobs(id INTEGER PRIMARY KEY, project INTEGER, user INTEGER, name BLOB,
  kind INTEGER, nodes INTEGER, elements INTEGER, chip BLOB, card_milli INTEGER, cpu_milli INTEGER,
  memory_bytes INTEGER, budget INTEGER, max_duration INTEGER, submitted INTEGER, sequence INTEGER,
  started INTEGER DEFAULT 0, ended INTEGER DEFAULT 0, outcome INTEGER DEFAULT 0,
  exit_code INTEGER DEFAULT 0, reason BLOB DEFAULT x'', pool INTEGER DEFAULT 0,
  hourly INTEGER DEFAULT 0, cost INTEGER DEFAULT 0, placement BLOB DEFAULT x'',
  evicted INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS evicted_jobs ON jobs(id) WHERE evicted = 1;
CREATE INDEX IF NOT EXISTS jobs_of_project ON jobs(project, id) WHERE evicted = 1;
CREATE INDEX IF NOT EXISTS jobs_of_user ON jobs(user, id) WHERE evicted = 1;
CREATE INDEX IF NOT EXISTS jobs_of_outcome ON jobs(outcome, id) WHERE evicted = 1;
CREATE TABLE IF NOT EXISTS wishes(job INTEGER, alternative INTEGER, chip BLOB,
  PRIMARY KEY(job, alternative)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS units(job INTEGER, unit INTEGER, attempt INTEGER, pool INTEGER,
  card_milli INTEGER, cpu_milli INTEGER, memory_bytes INTEGER, PRIMARY KEY(job, unit)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts(job INTEGER, task INTEGER, attempt INTEGER, pool INTEGER,
  card_milli INTEGER, cpu_milli INTEGER, memory_bytes INTEGER, lease INTEGER DEFAULT 0,
  started INTEGER DEFAULT 0, ended INTEGER DEFAULT 0, how INTEGER DEFAULT 0,
  exit_code INTEGER DEFAULT 0, wall INTEGER DEFAULT 0, cpu INTEGER DEFAULT 0,
  memory_peak INTEGER DEFAULT 0, cost INTEGER DEFAULT 0, reason BLOB DEFAULT x'',
  PRIMARY KEY(job, task, attempt)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holds(id INTEGER PRIMARY KEY, job INTEGER, project INTEGER);
CREATE TABLE IF NOT EXISTS postings(sequence INTEGER, nth INTEGER, at INTEGER, kind INTEGER,
  from_kind INTEGER, from_owner INTEGER, to_kind INTEGER, to_owner INTEGER, amount INTEGER,
  project INTEGER, job INTEGER, text BLOB, PRIMARY KEY(sequence, nth)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS postings_of_project ON postings(project, sequence);
CREATE TABLE IF NOT EXISTS charges(sequence INTEGER, nth INTEGER, job INTEGER, task INTEGER,
  attempt INTEGER, project INTEGER, pool INTEGER, at INTEGER, wall INTEGER, hourly INTEGER,
  amount INTEGER, loss INTEGER, priced INTEGER, PRIMARY KEY(sequence, nth)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS charges_of_project ON charges(project, sequence);
CREATE INDEX IF NOT EXISTS charges_of_job ON charges(job);
)sql";

}  // namespace suan::history
