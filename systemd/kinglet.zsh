#compdef kinglet
# Made from `kinglet help` by the tests of Kinglet (tests/told.rs); do not edit.

local -a flags offers
flags=(
    '*--music[a folder with music; give it again for further ones]:folder:_directories'
    '--data[where Kinglet keeps its database and pictures]:folder:_directories'
    '--listen[where to listen (else 0.0.0.0:4040)]:address and port: '
    '--public-url[the address people outside open, for share links]:url: '
    '--config[settings file (else kinglet.toml in the data folder,]:file:_files'
    '--log-level[error, warn, info, debug or trace]:level:(error warn info debug trace)'
    '--log-format[text or json]:format:(text json)'
    '--help[help on a command]'
    '--version[the version]'
)
_kinglet_words() {
    local -a before=(${${words[2,CURRENT-1]}:#-*})
    case "${before[1]} ${before[2]}" in
    'user add') offers=('--admin:--admin may change everything') ;;
    'user key') offers=('--label:TEXT says what it is for') ;;
    'user '*) offers=(
        'add:make a user'
        'list:list all users'
        'passwd:give a user another password'
        'remove:remove a user, with playlists and shares'
        'key:make an API key'
        'share-defaults:show or change what the user'\''s shares are') ;;
    'share '*) offers=(
        'list:list all share links, or those of a user'
        'show:show one, with what of it was played how often'
        'revoke:end one at once: page, music, covers and feeds') ;;
    'restore '*) offers=(
        'newest:restore the newest of them') ;;
    'help '*) offers=(
        'serve:serve until stopped (Ctrl-C)'
        'demo:serve a small album that comes with the program'
        'scan:look for new and changed music once'
        'user:add, list and remove users, passwords and API keys'
        'share:list and end share links, and tell how they are used'
        'backup:copy what users made into one file, beside a running server'
        'restore:put such a copy in the place of the database'
        'check:find what is wrong with the set-up, and how to mend it') ;;
    *) offers=() ;;
    esac
    _describe word offers
}
_kinglet_commands() {
    offers=(
        'serve:serve until stopped (Ctrl-C)'
        'demo:serve a small album that comes with the program'
        'scan:look for new and changed music once'
        'user:add, list and remove users, passwords and API keys'
        'share:list and end share links, and tell how they are used'
        'backup:copy what users made into one file, beside a running server'
        'restore:put such a copy in the place of the database'
        'check:find what is wrong with the set-up, and how to mend it'
        'help:this text')
    _describe command offers
}
_arguments -s $flags '1:command:_kinglet_commands' '*:word:_kinglet_words'
