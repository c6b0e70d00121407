#include "cli/verb.h"

#include <array>

#include "cli/operating_flags.h"

namespace suan::cli {

namespace {

constexpr std::string_view states =
    "queued reserving staging running stopping unreachable lost finished failed cancelled";

constexpr std::array<Flag, 20> spec{{
    {.name = "file",
     .letter = 'f',
     .value = "RUN.YAML",
     .text = "Read the job from a file; flags override it (- = stdin)",
     .completes = Completes::file},
    {.name = "gpus",
     .value = "CHIP:N",
     .text = "Accelerators per node: H800:8, H800:0.25; more than one = any of them",
     .alias = "accelerators",
     .repeats = true,
     .completes = Completes::chip},
    {.name = "nodes", .value = "N", .text = "Nodes; all start or none", .alias = "num-nodes"},
    {.name = "cpus", .value = "N", .text = "Cores per node: 8, 8+, 4..8"},
    {.name = "memory", .value = "SIZE", .text = "Memory per node: 64GB, 64GB+"},
    {.name = "array", .value = "N", .text = "So many independent tasks (SUAN_TASK = 0, 1, …)"},
    {.name = "max-duration",
     .letter = 't',
     .value = "SPAN",
     .text = "Stop it after so long: 90s, 15m, 6h"},
    {.name = "max-price",
     .value = "CNY",
     .text = "At most so much an hour, the whole job",
     .alias = "max-hourly-cost"},
    {.name = "budget", .value = "CNY", .text = "At most so much in all"},
    {.name = "region",
     .value = "REGION",
     .text = "Only in this region: cn-sh; may repeat",
     .repeats = true,
     .completes = Completes::region},
    {.name = "site",
     .value = "SITE",
     .text = "Only in this site; may repeat",
     .repeats = true,
     .completes = Completes::site},
    {.name = "near", .value = "PLACE", .text = "Near this city, site or latitude,longitude"},
    {.name = "max-rtt", .value = "SPAN", .text = "At most so long a round trip to there: 10ms"},
    {.name = "env",
     .letter = 'e',
     .value = "K=V",
     .text = "Set a variable; K alone takes its value from here; may repeat",
     .repeats = true},
    {.name = "image",
     .value = "NAME",
     .text = "Run it inside this image: a name in the domain's directory of images"},
    {.name = "workdir",
     .value = "DIR",
     .text = "Start in a copy of this directory, as it is now",
     .completes = Completes::file},
    {.name = "name", .value = "NAME", .text = "A name for people"},
    {.name = "project",
     .letter = 'p',
     .value = "NAME",
     .text = "Who pays",
     .completes = Completes::project},
    {.name = "priority",
     .value = "LEVEL",
     .text = "low, normal or high",
     .choices = "low normal high"},
    {.name = "objective",
     .value = "WHAT",
     .text = "What is best: cost, finish, carbon or balanced",
     .choices = "cost finish carbon balanced"},
}};

constexpr std::array<Flag, 5> server{{
    {.name = "output",
     .letter = 'o',
     .value = "FORM",
     .text = "table, wide, json or yaml",
     .choices = "table wide json yaml"},
    {.name = "curl", .text = "Print the curl command that does the same, and do nothing"},
    {.name = "url",
     .value = "URL",
     .text = "The server; else $SUAN_URL, `suan login`, http://127.0.0.1:8901"},
    {.name = "key",
     .value = "KEY",
     .text = "Your key; better kept in $SUAN_KEY or by `suan login`"},
    {.name = "ca-file",
     .value = "FILE",
     .text = "The CAs to trust for https (PEM); else $SUAN_CA_FILE, `suan login`, the system's",
     .completes = Completes::file},
}};

constexpr std::array<Flag, 4> run_flags{{
    {.name = "detach", .letter = 'd', .text = "Print the job's id and leave it running"},
    {.name = "yes", .letter = 'y', .text = "Do not ask"},
    {.name = "dry-run", .letter = 'n', .text = "Show the plan and submit nothing"},
    {.name = "resume",
     .value = "ID",
     .text = "Send a stored request again that was never answered"},
}};
constexpr std::array<Example, 5> run_examples{{
    {"suan run -- nvidia-smi", "one command, watched to its end"},
    {"suan run --gpus H800:8 -t 6h -f run.yaml", "a file, with two changes"},
    {"suan run -d -y --cpus 4 -- python prep.py", "submit and print the job's id"},
    {"suan run -d -y --array 100 -- 'work --part $SUAN_TASK'", "a hundred independent tasks"},
    {"suan run -n -f run.yaml", "only show the plan"},
}};

constexpr std::array<Flag, 1> find_flags{{
    {.name = "limit", .value = "N", .text = "Show at most so many (20)"},
}};
constexpr std::array<Example, 2> find_examples{{
    {"suan find --gpus H800:8 --nodes 4", "where four such nodes are free"},
    {"suan find -f run.yaml -o wide", "with the terms of the score"},
}};
constexpr std::array<Example, 2> plan_examples{{
    {"suan plan -f run.yaml", "where it would go, its price and start"},
    {"suan plan --gpus Ascend910B3:16 --max-price 200 -o json", "the same for a program"},
}};

constexpr std::array<Flag, 5> ps_flags{{
    {.name = "all", .letter = 'a', .text = "Also jobs that have ended"},
    {.name = "state", .value = "STATE", .text = "Only jobs in this state", .choices = states},
    {.name = "project",
     .letter = 'p',
     .value = "NAME",
     .text = "Only jobs of this project",
     .completes = Completes::project},
    {.name = "limit", .value = "N", .text = "Show at most so many (50)"},
    {.name = "watch", .letter = 'w', .text = "Keep showing changes until Ctrl-C"},
}};
constexpr std::array<Example, 3> ps_examples{{
    {"suan ps", "what waits and runs now"},
    {"suan ps -a --state failed", "what failed"},
    {"suan ps job-42", "all about one job"},
}};
constexpr std::array<Example, 1> why_examples{{
    {"suan why job-42", "each reason with its count, and the smallest change that helps"},
}};

constexpr std::array<Flag, 4> logs_flags{{
    {.name = "follow", .letter = 'f', .text = "Keep printing until the attempt ends"},
    {.name = "stderr", .text = "The error stream instead of the output"},
    {.name = "task", .value = "N", .text = "Of this task (0)"},
    {.name = "attempt", .value = "N", .text = "Of this attempt (the latest)"},
}};
constexpr std::array<Example, 2> logs_examples{{
    {"suan logs -f job-42", "its output, live"},
    {"suan logs --stderr --task 3 job-42", "the errors of one task"},
}};
constexpr std::array<Flag, 1> exec_flags{{
    {.name = "task", .value = "N", .text = "Beside this task (0)"},
}};
constexpr std::array<Example, 3> exec_examples{{
    {"suan exec job-42 -- bash", "a shell where the job runs"},
    {"suan exec job-42 --task 3 -- nvidia-smi", "how the cards of one task are doing"},
    {"suan exec job-42 -- 'tail -n 3 *.log'", "one word is a bash script"},
}};
constexpr std::array<Flag, 2> copy_flags{{
    {.name = "recursive", .letter = 'r', .text = "A directory with all it holds"},
    {.name = "task", .value = "N", .text = "To or from this task (0)"},
}};
constexpr std::array<Example, 3> copy_examples{{
    {"suan cp data.csv job-42:", "into its working directory"},
    {"suan cp job-42:out/model.pt .", "and out of it"},
    {"suan cp -r job-42:out results", "a whole directory"},
}};
constexpr std::array<Example, 1> stop_examples{{
    {"suan stop job-42 job-43", "checkpoint signal, SIGTERM, grace, SIGKILL"},
}};

constexpr std::array<Flag, 2> cost_flags{{
    {.name = "project",
     .letter = 'p',
     .value = "NAME",
     .text = "Only charges to this project",
     .completes = Completes::project},
    {.name = "limit", .value = "N", .text = "Show at most so many charges (50)"},
}};
constexpr std::array<Example, 2> cost_examples{{
    {"suan cost job-42", "what one job has cost"},
    {"suan cost --project lab-a -o json", "charge lines with FOCUS columns"},
}};

constexpr std::array<Flag, 1> login_flags{{
    {.name = "key-file",
     .value = "FILE",
     .text = "Read the key from a file (- = stdin) instead of asking",
     .completes = Completes::file},
}};
constexpr std::array<Example, 2> login_examples{{
    {"suan login https://suan.example.cn", "asks for the key without showing it"},
    {"suan login --key-file ~/operator.key", "the server on this machine"},
}};

constexpr std::array<Flag, 4> key_flags{{
    {.name = "role",
     .value = "ROLE",
     .text = "operator, provider, consumer or auditor (consumer)",
     .choices = "operator provider consumer auditor"},
    {.name = "project",
     .letter = 'p',
     .value = "NAME",
     .text = "A project it may use; may repeat",
     .repeats = true,
     .completes = Completes::project},
    {.name = "organisation", .value = "NAME", .text = "Where a new user belongs"},
    {.name = "label", .value = "TEXT", .text = "What the key is for"},
}};
constexpr std::array<Example, 3> key_examples{{
    {"suan key create alice --project lab-a", "the secret is shown once"},
    {"suan key list", "whose keys there are"},
    {"suan key revoke key-3", "it stops working at once"},
}};

constexpr std::array<Flag, 2> project_flags{{
    {.name = "organisation", .value = "NAME", .text = "Whose project it is"},
    {.name = "text", .value = "TEXT", .text = "What a deposit is for"},
}};
constexpr std::array<Example, 3> project_examples{{
    {"suan project create lab-a", ""},
    {"suan project fund lab-a 1000 --text 'grant 2026-11'", "put 1000 CNY on its account"},
    {"suan project list", "what each has, holds and has spent"},
}};

constexpr std::array<Example, 2> resolve_examples{{
    {"suan resolve suan:cn:hubei", "a domain, its key and who vouches for it"},
    {"suan resolve hubei.wuhan.lab/h800", "the identifier of a pool that find shows"},
}};

constexpr std::array<Example, 1> help_examples{{
    {"suan help run", "flags, examples and exit codes of run"},
}};

constexpr std::string_view work = "Work";
constexpr std::string_view access = "Access and money";
constexpr std::string_view operate = "Operate a domain";

constexpr std::array<Verb, 21> table{{
    {.name = "find",
     .group = work,
     .usage = "find [flags]",
     .summary = "Show where a job could run now, best first",
     .details = "Says for every other pool why not, and what single change would help.",
     .flags = find_flags,
     .takes_spec = true,
     .examples = find_examples},
    {.name = "plan",
     .group = work,
     .usage = "plan [flags] [-- COMMAND…]",
     .summary = "Show what running a job would do: place, price, start, and why",
     .details = "",
     .takes_spec = true,
     .takes_command = true,
     .words_max = SIZE_MAX,
     .examples = plan_examples},
    {.name = "run",
     .group = work,
     .usage = "run [flags] [-f RUN.YAML] [-- COMMAND…]",
     .summary = "Run a command or a run.yaml",
     .details =
         "Shows the plan and asks, submits, then prints the job's output until it ends. Without a\n"
         "terminal to ask on it needs -y. One COMMAND word is a bash script; several words are\n"
         "passed on as they are. Ctrl-C leaves the job running.\n"
         "\n"
         "The request's id is stored before it is sent and a lost connection is retried under the\n"
         "same id, so a job is never submitted twice. (The store guards against a crash of this\n"
         "program; it is not synced to disk.)\n"
         "\n"
         "Exit code: the job's (128 + signal when a signal ended it); 3 when the job was "
         "cancelled\n"
         "or never started; 130 after Ctrl-C; with -d or -n 0 once submitted or planned. Errors "
         "of\n"
         "suan itself are 1 to 4, as for every verb.",
     .flags = run_flags,
     .takes_spec = true,
     .takes_command = true,
     .words_max = SIZE_MAX,
     .examples = run_examples},
    {.name = "ps",
     .group = work,
     .usage = "ps [flags] [JOB]",
     .summary = "List jobs, or show one",
     .details = "",
     .flags = ps_flags,
     .words_max = 1,
     .completes = Completes::job,
     .examples = ps_examples},
    {.name = "why",
     .group = work,
     .usage = "why JOB",
     .summary = "Say why a job waits, or why it runs where it runs",
     .details = "",
     .words_min = 1,
     .words_max = 1,
     .completes = Completes::job,
     .examples = why_examples},
    {.name = "logs",
     .group = work,
     .usage = "logs [flags] JOB",
     .summary = "Print the output of a job",
     .details = "",
     .flags = logs_flags,
     .words_min = 1,
     .words_max = 1,
     .completes = Completes::job,
     .examples = logs_examples},
    {.name = "exec",
     .group = work,
     .usage = "exec JOB [--task N] -- COMMAND…",
     .summary = "Run a command beside a running job",
     .details =
         "In the job's working directory and environment, within its limits, and for those who "
         "may\n"
         "stop it. One COMMAND word is a bash script; several words are passed on as they are. On "
         "a\n"
         "terminal the command gets one too; elsewhere its streams are pipes, and Ctrl-C reaches "
         "it\n"
         "first and ends it the second time. It ends with the job, and when the connection does.\n"
         "\n"
         "Exit code: the command's (128 + signal when a signal ended it). Errors of suan itself "
         "are\n"
         "1 to 4, as for every verb.",
     .flags = exec_flags,
     .words_min = 2,
     .words_max = SIZE_MAX,
     .completes = Completes::job,
     .examples = exec_examples},
    {.name = "cp",
     .group = work,
     .usage = "cp [-r] [--task N] FILE JOB:PATH | JOB:PATH FILE",
     .summary = "Copy files to or from a running job",
     .details =
         "PATH is below the job's working directory unless it begins with a slash. A copy appears\n"
         "whole or not at all; a file that is there is replaced, a directory is not.",
     .flags = copy_flags,
     .words_min = 2,
     .words_max = 2,
     .completes = Completes::file,
     .examples = copy_examples},
    {.name = "stop",
     .group = work,
     .usage = "stop JOB…",
     .summary = "Stop jobs",
     .details = "",
     .words_min = 1,
     .words_max = 1000,
     .completes = Completes::job,
     .examples = stop_examples},
    {.name = "cost",
     .group = work,
     .usage = "cost [flags] [JOB]",
     .summary = "Show what jobs have cost",
     .details = "",
     .flags = cost_flags,
     .words_max = 1,
     .completes = Completes::job,
     .examples = cost_examples},
    {.name = "login",
     .group = access,
     .usage = "login [URL] [--key-file FILE]",
     .summary = "Check a key and remember it with its server",
     .details =
         "Writes ~/.config/suan/config.json, readable by you alone. Where there is no key, a\n"
         "server on this machine is used with the operator.key of its state directory, if\n"
         "you may read that.",
     .flags = login_flags,
     .words_max = 1,
     .examples = login_examples},
    {.name = "key",
     .group = access,
     .usage = "key create USER | list | revoke KEY",
     .summary = "Create, list and revoke keys",
     .details = "Creating a key creates its user if there is none of that name.",
     .flags = key_flags,
     .words_min = 1,
     .words_max = 2,
     .first_words = "create list revoke",
     .completes = Completes::key,
     .examples = key_examples},
    {.name = "project",
     .group = access,
     .usage = "project create NAME | list | fund NAME AMOUNT",
     .summary = "Create, list and fund projects",
     .details = "",
     .flags = project_flags,
     .words_min = 1,
     .words_max = 3,
     .first_words = "create list fund",
     .completes = Completes::project,
     .examples = project_examples},
    {.name = "join",
     .group = operate,
     .usage = "join token | list | approve NAME | refuse NAME",
     .summary = "Let other domains become members of this one",
     .details =
         "A domain asks once, with a token that you gave it, and is a member when you approve it:\n"
         "then its pools are sold here. One that is refused, also later, sells nothing new here;\n"
         "what runs there finishes. list also shows the domains that this one has joined.",
     .flags = join_flags,
     .words_min = 1,
     .words_max = 2,
     .first_words = "token list approve refuse",
     .completes = Completes::joiner,
     .examples = join_examples},
    {.name = "resolve",
     .group = operate,
     .usage = "resolve ID | SITE/POOL",
     .summary = "Say what an identifier names, wherever in the network it is",
     .details =
         "An identifier names a domain, a site or a pool: suan:cn:hubei:wuhan/lab/h800. Each "
         "domain\n"
         "answers for itself and signs it, and each one above signs which key the next one has. "
         "Of\n"
         "a pool as find shows it, this says its identifier. An answer may be kept for a minute.",
     .words_min = 1,
     .words_max = 1,
     .examples = resolve_examples},
    {.name = "serve",
     .group = operate,
     .usage = "serve [flags]",
     .summary = "Run a domain: this machine's compute, its API and its console",
     .details = "Writes the first key to operator.key in its state directory.",
     .flags = serve_flags,
     .talks = false,
     .examples = serve_examples},
    {.name = "site",
     .group = operate,
     .usage = "site init [-o FILE] | site test FILE | site drain NAME [--undo]",
     .summary = "Write or test a site file, or let a site finish its work",
     .details =
         "init looks at this machine and its Slurm and writes a file with comments. test holds a\n"
         "file against the real thing, with a small job where there is a Slurm; exit code 0 only\n"
         "if everything holds, 1 if something does not, 2 if the file itself is wrong.\n"
         "drain is said to a domain that runs: see suan site drain --help.",
     .flags = site_flags,
     .talks = false,
     .words_min = 1,
     .words_max = 2,
     .first_words = "init test drain",
     .completes = Completes::file,
     .examples = site_examples},
    {.name = "site drain",
     .group = operate,
     .usage = "site drain NAME [--undo]",
     .summary = "Let a site of this domain finish what it has and take nothing new",
     .details =
         "What runs there goes on to its end. A site stays drained when its server starts anew,\n"
         "until --undo. One of a domain that has joined this one is drained there.",
     .flags = drain_flags,
     .words_min = 1,
     .words_max = 1,
     .completes = Completes::site,
     .examples = drain_examples},
    {.name = "journal",
     .group = operate,
     .usage = "journal verify [--head FILE] DIR",
     .summary = "Check that a journal is whole: nothing changed, missing or cut off",
     .details =
         "Reads it all; may run beside the server. Exit code 0 when it is whole, 1 when not.",
     .flags = journal_flags,
     .talks = false,
     .words_min = 2,
     .words_max = 2,
     .first_words = "verify",
     .completes = Completes::file,
     .examples = journal_examples},
    {.name = "simulate",
     .group = operate,
     .usage = "simulate [flags]",
     .summary = "Run the same scheduler under virtual time, from a seed",
     .details =
         "A failing seed is printed with the command that repeats it. Exit code 0 when every\n"
         "promise held, 1 when one was broken.",
     .flags = simulate_flags,
     .talks = false,
     .examples = simulate_examples},
    {.name = "help",
     .group = operate,
     .usage = "help [VERB]",
     .summary = "Show this, or the help of one verb",
     .details = "",
     .talks = false,
     .words_max = 1,
     .examples = help_examples},
}};

}  // namespace

std::span<const Verb> verbs() {
  return table;
}

std::span<const Flag> spec_flags() {
  return spec;
}

std::span<const Flag> server_flags() {
  return server;
}

const Verb* find_verb(std::string_view name) {
  for (const Verb& verb : table) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

}  // namespace suan::cli
