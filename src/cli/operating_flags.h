#pragma once

#include <array>

#include "cli/verb.h"

/// The flags and examples of the verbs with which a domain is operated; for the table of verbs.
namespace suan::cli {

inline constexpr std::array<Flag, 2> join_flags{{
    {.name = "label", .value = "TEXT", .text = "What the token is for"},
    {.name = "lasts", .value = "SPAN", .text = "How long it may be used: 1m to 30d (24h)"},
}};
inline constexpr std::array<Example, 3> join_examples{{
    {"suan join token --label wuhan", "shown once, for: suan serve --join URL --join-token TOKEN"},
    {"suan join list", "who has asked, and how the connections are"},
    {"suan join approve wuhan", "what it offers counts from now on"},
}};

inline constexpr std::array<Flag, 18> serve_flags{{
    {.name = "name", .value = "NAME", .text = "The domain's name, at its first start (local)"},
    {.name = "listen", .value = "HOST:PORT", .text = "Where to listen (127.0.0.1:8901)"},
    {.name = "tls-certificate",
     .value = "FILE",
     .text = "Speak https with this certificate (PEM, its issuers after it)",
     .completes = Completes::file},
    {.name = "tls-key",
     .value = "FILE",
     .text = "Its private key (PEM); SIGHUP reads both files again",
     .completes = Completes::file},
    {.name = "state",
     .value = "DIR",
     .text = "The journal and everything else (/var/lib/suan, ~/.local/state/suan)",
     .completes = Completes::file},
    {.name = "heads",
     .value = "FILE",
     .text = "Also keep the signed heads of the journal here, best on another disk",
     .completes = Completes::file},
    {.name = "site-file",
     .value = "FILE",
     .text = "What the site is and what runs its jobs: see suan site",
     .completes = Completes::file},
    {.name = "cores", .value = "N", .text = "Cores of this machine to offer (all)"},
    {.name = "images",
     .value = "DIR",
     .text = "Jobs may run inside the images in this directory (none)",
     .completes = Completes::file},
    {.name = "stores",
     .value = "FILE",
     .text = "Where jobs find inputs and keep outputs: remotes of rclone in its own format (none)",
     .completes = Completes::file},
    {.name = "site", .value = "NAME", .text = "The name of its site (here)"},
    {.name = "city",
     .value = "CITY",
     .text = "Where the site is; of one that is known, also the coordinates"},
    {.name = "region", .value = "REGION", .text = "The same as ISO 3166-2: cn-sh"},
    {.name = "price", .value = "CNY", .text = "Of a core for an hour (0.15)"},
    {.name = "card-price", .value = "CNY", .text = "Of a card for an hour (25)"},
    {.name = "join",
     .value = "URL",
     .text = "Be a member of the domain there, once it agrees; may repeat",
     .repeats = true},
    {.name = "join-token",
     .value = "TOKEN",
     .text = "From its `suan join token`, to ask with; better kept in $SUAN_JOIN_TOKEN"},
    {.name = "join-ca-file",
     .value = "FILE",
     .text = "The CAs to trust there (PEM); else the system's",
     .completes = Completes::file},
}};
inline constexpr std::array<Example, 4> serve_examples{{
    {"suan serve", "a domain of this machine alone"},
    {"suan serve --site-file site.yaml", "a domain whose jobs run in Slurm, if the file says so"},
    {"suan serve --name lab --listen 0.0.0.0:8901 --tls-certificate c.pem --tls-key k.pem", ""},
    {"suan serve --name wuhan --join https://hubei.example.cn", "with a token the first time"},
}};

inline constexpr std::array<Flag, 1> site_flags{{
    {.name = "output",
     .letter = 'o',
     .value = "FILE",
     .text = "For init: write there, if there is no such file yet (standard output)",
     .completes = Completes::file},
}};
inline constexpr std::array<Example, 2> site_examples{{
    {"suan site init -o site.yaml", "a first file, from what this machine has"},
    {"suan site test site.yaml", "does it all hold?"},
}};

inline constexpr std::array<Flag, 1> drain_flags{{
    {.name = "undo", .text = "It takes work again"},
}};
inline constexpr std::array<Example, 2> drain_examples{{
    {"suan site drain here", "before its machines are switched off"},
    {"suan site drain here --undo", ""},
}};

inline constexpr std::array<Flag, 2> journal_flags{{
    {.name = "head",
     .value = "FILE",
     .text = "Signed heads kept elsewhere, so that a cut tail shows",
     .completes = Completes::file},
    {.name = "public-key",
     .value = "HEX",
     .text = "The key that signed them, as known from elsewhere"},
}};
inline constexpr std::array<Example, 1> journal_examples{{
    {"suan journal verify --head heads ~/.local/state/suan", ""},
}};
inline constexpr std::array<Flag, 20> simulate_flags{{
    {.name = "check", .text = "Check the promises of a domain after every event (always done)"},
    {.name = "seeds", .value = "N", .text = "So many runs, from seed 1 on (100)"},
    {.name = "seed", .value = "N", .text = "Only this one: the same seed, the same run"},
    {.name = "events", .value = "N", .text = "How long each run is"},
    {.name = "scenario",
     .value = "FILE",
     .text = "Workload and faults from a file",
     .completes = Completes::file},
    {.name = "network", .text = "Several domains that have joined one another, and cuts"},
    {.name = "planted", .text = "With the bugs that were planted to be found, where built in"},
    {.name = "bug", .value = "NAME", .text = "Only this planted bug"},
    {.name = "once", .text = "Run each seed once instead of comparing two runs of it"},
    {.name = "parallel", .letter = 'j', .value = "N", .text = "So many runs at a time (2)"},
    {.name = "protocol",
     .value = "NAME",
     .text = "Measure how well a policy packs lists of nodes and jobs, as FGD was measured",
     .choices = "fgd"},
    {.name = "nodes",
     .value = "FILE",
     .text = "Nodes as CSV: cpu_milli, memory_mib, gpu, model; for a replay also price, watts",
     .completes = Completes::file},
    {.name = "jobs",
     .value = "FILE",
     .text = "Jobs as CSV: name, cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec; for a replay "
             "also their times",
     .completes = Completes::file},
    {.name = "load",
     .value = "PERCENT",
     .text = "Replay jobs drawn from the list, so that as much of the cards is asked for"},
    {.name = "hours", .value = "N", .text = "So long, with --load (6)"},
    {.name = "speed", .value = "N", .text = "Replay jobs as recorded, so many times as fast (1)"},
    {.name = "report",
     .value = "FILE",
     .text = "Write what became of them there, as a page of HTML",
     .completes = Completes::file},
    {.name = "policy",
     .value = "NAME",
     .text = "Of packing (suan); in a replay all but suan are first come, first served",
     .choices = "suan fgd bestfit packing dotprod random"},
    {.name = "compare", .value = "A,B", .text = "Several policies, side by side"},
    {.name = "output",
     .letter = 'o',
     .value = "FORM",
     .text = "table or json",
     .choices = "table json"},
}};
inline constexpr std::array<Example, 4> simulate_examples{{
    {"suan simulate --check --seeds 500", "five hundred runs with crashes and cuts"},
    {"suan simulate --check --seed 7", "one run, reproduced"},
    {"suan simulate --protocol fgd --nodes nodes.csv --jobs jobs.csv --compare suan,fgd",
     "two ways to pack the same jobs"},
    {"suan simulate --nodes nodes.csv --jobs jobs.csv --load 130 --compare suan,fgd --report "
     "r.html",
     "how long they wait, and what is used"},
}};

}  // namespace suan::cli
