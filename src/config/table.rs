//! What people are told of each setting: the one source of the sample file, the README's table and the manual.
//!
//! `KINGLET_REGEN=1 cargo test --test told` writes them anew.

/// What people are told of a setting; its variable is `KINGLET_` and the name in capitals.
pub struct Setting {
    /// Its name in the file.
    pub name: &'static str,
    /// Its default as the file would spell it; for `music` and `data` an example.
    pub default: &'static str,
    /// What it means, in a few words with Markdown: for the table of the README.
    pub meaning: &'static str,
    /// The same in whole sentences of plain text, with its range: for the sample file. Empty where
    /// the setting before has told of this one too.
    pub comment: &'static str,
    /// Whether a reload (SIGHUP) changes it in a running server: one of
    /// [`reloaded`](super::Config::reloaded).
    pub reloads: bool,
}

/// Every setting of the file, in the order in which people are told of them.
pub const SETTINGS: [Setting; 34] = [
    Setting {
        name: "music",
        default: r#"["/srv/music"]"#,
        meaning: "folders with music, at most 60, none inside another",
        comment: "The folders with music, at most 60, none inside another. Kinglet only reads \
                  them.",
        reloads: false,
    },
    Setting {
        name: "data",
        default: r#""/var/lib/kinglet""#,
        meaning: "folder for the database, the keys and the scaled covers",
        comment: "The folder for the database, the keys and the scaled covers; on a disk of this \
                  machine, not on a network share. Not inside a music folder. Without this line it \
                  is ~/.local/share/kinglet.",
        reloads: false,
    },
    Setting {
        name: "listen",
        default: r#""0.0.0.0:4040""#,
        meaning: "address and port; `[::]:4040` listens on IPv6 too",
        comment: "Address and port. [::]:4040 listens on IPv6 too, 127.0.0.1:4040 for a reverse \
                  proxy alone.",
        reloads: false,
    },
    Setting {
        name: "public_url",
        default: r#""""#,
        meaning: "address that share links begin with; empty takes it from the request",
        comment: "The address people outside open, like \"https://music.example.org\": share links \
                  begin with it. Empty, a link begins with the address that its maker used.",
        reloads: true,
    },
    Setting {
        name: "base_path",
        default: r#""""#,
        meaning: "path below which the server answers, like `\"/music\"`; empty is the path of \
                  `public_url`, `\"/\"` is none",
        comment: "The path below which the server answers, like \"/music\", whether a proxy takes it \
                  away or not. Empty is the path of public_url; \"/\" is none.",
        reloads: true,
    },
    Setting {
        name: "trusted_proxies",
        default: "[]",
        meaning: "reverse proxies whose `X-Forwarded-*` headers are believed, addresses or ranges",
        comment: "Reverse proxies whose X-Forwarded-For, -Proto and -Host headers are believed: \
                  addresses or ranges, like [\"127.0.0.1\", \"10.0.0.0/8\"].",
        reloads: true,
    },
    Setting {
        name: "tls_certificate",
        default: r#""""#,
        meaning: "file (PEM) with the certificate and those above it: the server speaks https itself",
        comment: "Files (PEM) with a certificate, followed by those above it, and with its key: with \
                  both the server speaks https itself. They are read again when they were renewed.",
        reloads: false,
    },
    Setting {
        name: "tls_key",
        default: r#""""#,
        meaning: "file (PEM) with the key of the certificate",
        comment: "",
        reloads: false,
    },
    Setting {
        name: "mdns",
        default: "true",
        meaning: "whether the server is announced at home as `kinglet.local`, or by which other name",
        comment: "Whether phones at home find the server by itself, as kinglet.local; or another \
                  name, like \"attic\". Never where it listens for this machine alone.",
        reloads: false,
    },
    Setting {
        name: "backup_folder",
        default: r#""/var/lib/kinglet/backups""#,
        meaning: "folder for backups",
        comment: "The folder for backups, not inside a music folder; a disk other than that of the \
                  data is best. Without this line it is `backups` in the data folder.",
        reloads: false,
    },
    Setting {
        name: "backup_every",
        default: r#""24h""#,
        meaning: "how old the newest backup becomes before another is made, or `\"never\"`",
        comment: "How old the newest backup becomes before the server makes another where users \
                  changed something, 1h to 30d, or \"never\" to make none.",
        reloads: false,
    },
    Setting {
        name: "backup_keep",
        default: "14",
        meaning: "for how many days with backups one is kept",
        comment: "For how many days a backup is kept, 1 to 1000; days without one do not count.",
        reloads: false,
    },
    Setting {
        name: "scan_on_start",
        default: "true",
        meaning: "whether a scan starts with the server",
        comment: "Whether a scan starts with the server.",
        reloads: false,
    },
    Setting {
        name: "share_expiry",
        default: r#""365d""#,
        meaning: "how long a share lives whose maker names no end, like `\"30d\"` or `\"never\"`",
        comment: "How long a share lives whose maker names no end: like \"30d\" or \"12h\", or \
                  \"never\" for no end.",
        reloads: true,
    },
    Setting {
        name: "share_downloadable",
        default: "true",
        meaning: "whether the files of a share may be kept whose maker does not say",
        comment: "What a share is whose maker does not say, as most clients cannot; `kinglet user \
                  share-defaults` says it for one user. Whether files may be kept (by shares of \
                  users who may download), whether the share follows its album, artist, folder or \
                  playlist or stays as it was made, and whether other sites may show its player.",
        reloads: true,
    },
    Setting {
        name: "share_live",
        default: "true",
        meaning: "whether such a share follows its album, artist, folder or playlist",
        comment: "",
        reloads: true,
    },
    Setting {
        name: "share_embed",
        default: "false",
        meaning: "whether other sites may show the player of such a share",
        comment: "",
        reloads: true,
    },
    Setting {
        name: "ignored_articles",
        default: r#""The El La Los Las Le Les""#,
        meaning: "words before a name that do not count in the alphabet",
        comment: "Words at the start of an artist's name that do not count in the alphabet.",
        reloads: false,
    },
    Setting {
        name: "cover_workers",
        default: "2",
        meaning: "covers scaled at a time, 1 to 8",
        comment: "How many covers are scaled at a time, 1 to 8. Each takes memory for its picture.",
        reloads: false,
    },
    Setting {
        name: "cover_cache",
        default: r#""256MiB""#,
        meaning: "most space of scaled covers on the disk",
        comment: "Most space that scaled covers take on the disk.",
        reloads: false,
    },
    Setting {
        name: "connections",
        default: "512",
        meaning: "most connections at a time; a further one takes the place of an idle one, or is \
                  refused",
        comment: "Most connections at a time, 8 to 65536. A further one takes the place of one \
                  that waits for a request; where all are busy, it is answered 503. Each may take \
                  two open files: where fewer are allowed than needed (LimitNOFILE), there are \
                  fewer connections and the log tells so.",
        reloads: false,
    },
    Setting {
        name: "streams_per_user",
        default: "16",
        meaning: "most streams of one user at a time",
        comment: "Most streams at a time for one user and for one share, 1 to 4096. Each has at \
                  most 256KiB of a file in memory; together they are bounded by the connections.",
        reloads: true,
    },
    Setting {
        name: "streams_per_share",
        default: "256",
        meaning: "most streams of one share at a time; each has at most 256 KiB of a file in \
                  memory",
        comment: "",
        reloads: true,
    },
    Setting {
        name: "stream_rate",
        default: r#""0""#,
        meaning: "most bytes a second for each stream, like `\"512KiB\"`, after a burst of ten \
                  seconds' worth or 1 MiB; 0 is no cap",
        comment: "Most bytes a second for each stream, and for the songs of all shares together, \
                  where listeners (by their addresses) get equal portions: like \"512KiB\", 8KiB \
                  to 1GiB, or 0 for no cap. After a rest, ten seconds' worth may come at once, at \
                  most 1MiB.",
        reloads: true,
    },
    Setting {
        name: "share_rate",
        default: r#""0""#,
        meaning: "the same for the songs of all shares together, evenly for all who listen",
        comment: "",
        reloads: true,
    },
    Setting {
        name: "header_size",
        default: r#""256KiB""#,
        meaning: "most bytes of the head of a request",
        comment: "Most bytes of the head of a request, 8KiB to 1MiB: old clients send a large \
                  playlist in the address.",
        reloads: false,
    },
    Setting {
        name: "header_timeout",
        default: r#""10s""#,
        meaning: "how long a client may take to send the head of a request",
        comment: "How long a client may take to send the head of a request, 1s to 300s.",
        reloads: false,
    },
    Setting {
        name: "idle_timeout",
        default: r#""3m""#,
        meaning: "how long a connection is kept that brings no request",
        comment: "How long a connection is kept that brings no request, 1s to 1h: longer than a \
                  reverse proxy keeps its connections.",
        reloads: false,
    },
    Setting {
        name: "stall_timeout",
        default: r#""15m""#,
        meaning: "how long a client may take no byte of an answer",
        comment: "How long a client may take no byte of an answer before the connection is closed, \
                  10s to 24h: longer than a pause in listening.",
        reloads: false,
    },
    Setting {
        name: "request_body",
        default: r#""1MiB""#,
        meaning: "most bytes of the body of a request",
        comment: "Most bytes of the body of a request, 64KiB to 64MiB.",
        reloads: false,
    },
    Setting {
        name: "stop_timeout",
        default: r#""10s""#,
        meaning: "how long running answers may take to end when the server stops",
        comment: "How long running answers may take to end when the server stops, 0s to 300s.",
        reloads: false,
    },
    Setting {
        name: "metrics_listen",
        default: r#""""#,
        meaning: "address and port of `/metrics` for Prometheus; empty for none",
        comment: "Address and port on which /metrics tells Prometheus how the server is, like \
                  \"127.0.0.1:9404\". Nobody has to sign in there: name an address that only this \
                  machine or the LAN can reach.",
        reloads: false,
    },
    Setting {
        name: "log_level",
        default: r#""info""#,
        meaning: "`error`, `warn`, `info`, `debug` or `trace`",
        comment: "What is logged: error, warn, info, debug or trace. The form: text or json.",
        reloads: true,
    },
    Setting {
        name: "log_format",
        default: r#""text""#,
        meaning: "`text` or `json`",
        comment: "",
        reloads: false,
    },
];
