//! How each command is used, for somebody who sees it for the first time.

/// What an error points to when it has nothing better.
pub const SEE_HELP: &str = "`kinglet help` tells what there is";

/// What help can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The program as a whole.
    General,
    /// `kinglet serve`.
    Serve,
    /// `kinglet demo`.
    Demo,
    /// `kinglet scan`.
    Scan,
    /// `kinglet user`.
    User,
    /// `kinglet share`.
    Share,
    /// `kinglet backup` and `kinglet restore`.
    Backup,
    /// `kinglet check`.
    Check,
}

/// The help on a topic.
pub fn text(topic: Topic) -> &'static str {
    match topic {
        Topic::General => GENERAL,
        Topic::Serve => SERVE,
        Topic::Demo => DEMO,
        Topic::Scan => SCAN,
        Topic::User => USER,
        Topic::Share => SHARE,
        Topic::Backup => BACKUP,
        Topic::Check => CHECK,
    }
}

const GENERAL: &str = "\
Kinglet is a small music server: your music, on every phone, and shared by link.

Usage: kinglet COMMAND [FLAGS]

Try it:
  kinglet demo                       a server with a small album of its own

Run it:
  kinglet user add anna --admin      make yourself a user (asks for a password)
  kinglet check --music /srv/music   look whether everything is set up well
  kinglet serve --music /srv/music   serve your music

Commands:
  serve     serve until stopped (Ctrl-C)
  demo      serve a small album that comes with the program
  scan      look for new and changed music once
  user      add, list and remove users, passwords and API keys
  share     list and end share links, and tell how they are used
  backup    copy what users made into one file, beside a running server
  restore   put such a copy in the place of the database
  check     find what is wrong with the set-up, and how to mend it
  help      this text; `kinglet help COMMAND` tells more about a command

Flags for every command:
  --music FOLDER        a folder with music; give it again for further ones
  --data FOLDER         where Kinglet keeps its database and pictures
                        (else ~/.local/share/kinglet)
  --listen ADDRESS:PORT where to listen (else 0.0.0.0:4040)
  --public-url URL      the address people outside open, for share links
  --config FILE         settings file (else kinglet.toml in the data folder,
                        else /etc/kinglet/kinglet.toml)
  --log-level LEVEL     error, warn, info, debug or trace
  --log-format FORMAT   text or json
  -h, --help            help on a command
  -V, --version         the version

Each setting of the file can also be a variable: listen is KINGLET_LISTEN.
A flag beats a variable, a variable beats the file.
";

const SERVE: &str = "\
Usage: kinglet serve [FLAGS]

Scans the music folders and serves them until stopped by Ctrl-C or systemd.
Point any Subsonic client at http://THIS-MACHINE:4040 and log in with a user
made by `kinglet user add`.

  kinglet serve --music /srv/music
  kinglet serve --music /srv/music --public-url https://music.example.org

Where there is no user yet, an administrator named `admin` is made, with the
password of the variable KINGLET_ADMIN_PASSWORD, else with one that is printed.

`kinglet help` lists the flags.
";

const DEMO: &str = "\
Usage: kinglet demo [--listen ADDRESS:PORT] [--public-url URL]

Makes a small album of its own, serves it, and prints how to sign in and a share
link to open in a browser. Your own settings are left alone: everything lies in
a temporary folder, which is removed at the end.
";

const SCAN: &str = "\
Usage: kinglet scan [FLAGS]

Looks once through the music folders for what is new, changed, moved or gone,
and ends. Nothing users made (stars, playlists, shares) is lost by a scan.

`kinglet help` lists the flags.
";

const USER: &str = "\
Usage: kinglet user COMMAND [FLAGS]

  kinglet user add NAME [--admin]   make a user; --admin may change everything
  kinglet user list                 list all users
  kinglet user passwd NAME          give a user another password
  kinglet user remove NAME          remove a user, with playlists and shares
  kinglet user key NAME [--label TEXT]
                                    make an API key; TEXT says what it is for
  kinglet user key list NAME        list a user's API keys: id, day of making,
                                    day of last use, label
  kinglet user key revoke NAME ID   end an API key
  kinglet user share-defaults NAME [downloadable=yes|no|default]
      [live=yes|no|default] [embed=yes|no|default] [expiry=30d|never|default]
                                    show or change what the user's shares are
                                    where the client does not say

A password is asked for, or is the first line of standard input:
  kinglet user add anna < password-file
Where it is left empty, a good one is made and printed.

`kinglet help` lists the flags; --data or --config say which server is meant.
";

const SHARE: &str = "\
Usage: kinglet share COMMAND [FLAGS]

  kinglet share list [NAME]   list all share links, or those of a user
  kinglet share show ID       show one, with what of it was played how often
  kinglet share revoke ID     end one at once: page, music, covers and feeds

ID is like sh7, as the list tells it; the link itself will do, too. A running
server notices within a second. Its counts are written once a minute.

`kinglet help` lists the flags; --data or --config say which server is meant.
";

const BACKUP: &str = "\
Usage: kinglet backup [FILE] [FLAGS]
       kinglet restore FILE|newest [FLAGS]

  kinglet backup            make a backup in the folder backup_folder
  kinglet backup FILE       make it in this file
  kinglet restore           list the backups there are
  kinglet restore newest    restore the newest of them
  kinglet restore FILE      restore this one

A backup is one file with everything users made (users, playlists, stars, play
counts, shares and so on), the library, and the key of the passwords. It is made
beside a running server, which makes one every backup_every by itself.

To restore, stop the server. The database that was there is kept. Ids stay as
they are, so share links go on working.

`kinglet help` lists the flags; --data or --config say which server is meant.
";

const CHECK: &str = "\
Usage: kinglet check [FLAGS]

Looks at the settings, the folders, the disk, the address and the limits that a
server would start with, says what is wrong and how to mend it, and changes
nothing. The exit code is 0 if a server can start, else 1.

`kinglet help` lists the flags.
";

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Topic; 8] = [
        Topic::General,
        Topic::Serve,
        Topic::Demo,
        Topic::Scan,
        Topic::User,
        Topic::Share,
        Topic::Backup,
        Topic::Check,
    ];

    #[test]
    fn help_fits_a_terminal() {
        for topic in ALL {
            for line in text(topic).lines() {
                assert!(line.chars().count() <= 80, "{topic:?}: {line}");
            }
            assert!(text(topic).contains("Usage: kinglet ") && text(topic).ends_with('\n'));
        }
    }
}
