# Made from `kinglet help` by the tests of Kinglet (tests/told.rs); do not edit.

_kinglet() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words= command= verb= word
    COMPREPLY=()
    case $previous in
    --music) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")); return ;;
    --data) compopt -o filenames; COMPREPLY=($(compgen -d -- "$current")); return ;;
    --listen) :; return ;;
    --public-url) :; return ;;
    --config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$current")); return ;;
    --log-level) COMPREPLY=($(compgen -W 'error warn info debug trace' -- "$current")); return ;;
    --log-format) COMPREPLY=($(compgen -W 'text json' -- "$current")); return ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        -*) ;;
        *) if [ -z "$command" ]; then command=$word; elif [ -z "$verb" ]; then verb=$word; fi ;;
        esac
    done
    case "$command $verb" in
    ' ') words='serve demo scan user share backup restore check help' ;;
    'user ') words='add list passwd remove key share-defaults' ;;
    'share ') words='list show revoke' ;;
    'restore ') words='newest' ;;
    'help ') words='serve demo scan user share backup restore check' ;;
    'user add') words='--admin' ;;
    'user key') words='--label' ;;
    esac
    [[ $current == -* ]] && words+=' --music --data --listen --public-url --config --log-level --log-format --help --version'
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _kinglet kinglet
