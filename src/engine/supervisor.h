#pragma once

/// The processes that outlive the server.
namespace suan::engine {

/// The whole of `suan supervise STATE_DIR`, to be called before anything else is set up and while
/// the process has one thread; returns the exit status. It serves one engine, on a socket that is
/// its standard input: for each name of an attempt received it forks a supervisor
/// (supervise_attempt) and sends back a pidfd of it; it ends when the engine does. Forking
/// supervisors here, instead of from the server, costs no exec and no copy of a large process for
/// each attempt.
int supervise(const char* state_directory);

/// Runs one attempt, in the calling process, from its claim to its `exit` file, and returns the
/// exit status of the supervisor: 0 also when another supervisor has the claim. The current
/// directory is the state directory; SIGCHLD and SIGUSR1 are blocked, and SIGUSR1 means that
/// `control` changed.
int supervise_attempt(const char* name);

}  // namespace suan::engine
