"""Completion of ./scons for shells, made from the command line's own tables.

The scripts look for the names of packages and boards in the folders of the trees whenever a user
presses Tab, because a start of ./scons would take too long. They know the trees in `trees.paths=`
on the command line and in local.toml, if its list is on one line, and the checkout that
quardroot.toml names.
"""

from __future__ import annotations

from collections.abc import Iterable
from string import Template

from quard.boards import settings
from quard.face import cli

_FIND = r"""# _quardroot_find KIND WORD...: prints the names of packages or boards for a line.
# It leaves out names that are not valid: bash expands what it is offered, and would run the command
# in the name of a folder $(command).
_quardroot_find() {
    local kind=$1 top=. paths tree
    shift
    case $1 in
        */*) top=${1%/*} ;;
    esac
    paths=$({
        printf '%s\n' "$@" | sed -n 's/^trees\.paths=//p'
        sed -n '/^\[trees\]/,/^\[/s/^ *paths *=//p' "$top/local.toml"
        sed -n 's/^checkout *=//p' "$top/quardroot.toml"
    } 2>/dev/null | tr ',' '\n' | sed 's/[]["'\'']//g; s/ #.*//; s/^[ \t]*//; s/[ \t]*$//')
    printf '%s\n' "" "$paths" | while IFS= read -r tree; do
        case $tree in
            /*) ;;
            *) tree=$top/$tree ;;
        esac
        if [ "$kind" = boards ]; then
            find "$tree/configs/" -maxdepth 1 -name '*.toml' | sed 's|.*/||; s|\.toml$||'
        else
            find -L "$tree/packages/" -mindepth 2 -maxdepth 2 -name recipe.py |
                sed 's|/recipe\.py$||; s|.*/||'
        fi
    done 2>/dev/null | LC_ALL=C grep -x '[a-z0-9][a-z0-9+.-]*' | sort -u
}
"""

_BASH = Template(r"""# Completion of ./scons for bash: eval "$$(./scons bash-completion)"

${find}
_quardroot() {
    local word=$${COMP_WORDS[COMP_CWORD]} variable='' known='' name suffix
    local -a line
    read -ra line <<<"$$COMP_LINE"
    # bash takes = for a word of its own.
    if [ "$$word" = = ]; then
        variable=$${COMP_WORDS[COMP_CWORD - 1]}
        word=''
    elif [ "$${COMP_WORDS[COMP_CWORD - 1]}" = = ]; then
        variable=$${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $$variable in
        BOARD) known=$$(_quardroot_find boards "$${line[@]}") ;;
        FORMAT) known='json text' ;;
        '')
            known='${words}'
            for name in $$(_quardroot_find packages "$${line[@]}"); do
                known="$$known $$name"
                case $$word in
                    "$$name"-*)
                        for suffix in ${suffixes}; do
                            known="$$known $$name-$$suffix"
                        done
                        ;;
                esac
            done
            ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$$known" -- "$$word")
    case $${COMPREPLY[0]-} in
        *[=.]) compopt -o nospace ;;
    esac
}

complete -o default -F _quardroot scons ./scons
""")

_ZSH = Template(r"""#compdef scons
# Completion of ./scons for zsh: eval "$$(./scons zsh-completion)"

${find}
_quardroot() {
    local -a targets variables names
    local name
    if compset -P 'BOARD='; then
        names=($${(f)"$$(_quardroot_find boards $$words)"})
        compadd -a names
        return
    elif compset -P 'FORMAT='; then
        compadd json text
        return
    elif compset -P '*='; then
        _files
        return
    fi
    targets=(
${targets}
    )
    variables=(
${variables}
    )
    names=($${(f)"$$(_quardroot_find packages $$words)"})
    for name in $$names; do
        [[ $$PREFIX != $$name-* ]] || names+=($$name-{${suffixes}})
    done
    _describe -t targets target targets
    compadd -J packages -a names
    _describe -t variables variable variables -S ''
}

compdef _quardroot scons ./scons
""")


def bash() -> str:
    """Return the script for bash."""
    words = [*_targets(), *cli.OPTIONS, *_variables()]
    return _BASH.substitute(find=_FIND, words=" ".join(words), suffixes=" ".join(cli.SUFFIXES))


def zsh() -> str:
    """Return the script for zsh."""
    return _ZSH.substitute(
        find=_FIND,
        targets=_items(_targets().items()),
        variables=_items(_variables().items()),
        suffixes=",".join(cli.SUFFIXES),
    )


def _targets() -> dict[str, str]:
    """Return the targets that contain no name, with their descriptions."""
    found = {name.partition(" ")[0]: text for name, text in cli.HELP.items()}
    return {name: found[name] for name in (*cli.BUILDS, *cli.QUESTIONS)}


def _variables() -> dict[str, str]:
    """Return what begins an argument with a value, with its description."""
    variables = {f"{name}=": text for name, text in cli.VARIABLES.items()}
    return variables | {f"{table}.": "settings of local.toml" for table in settings.TABLES}


def _items(items: Iterable[tuple[str, str]]) -> str:
    """Return items of zsh's _describe, NAME:TEXT, as words of the shell, one a line."""
    words = (f"{name}:{text}".replace("'", r"'\''") for name, text in items)
    return "\n".join(f"        '{word}'" for word in words)
