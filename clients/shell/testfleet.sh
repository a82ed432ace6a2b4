# shellcheck shell=sh
# Real test servers for tests in POSIX sh; docs/bats.md explains the functions.

# testfleet_share [OPTION…] [SERVER…]: starts the fleet of this script, or joins it, and sets its variables. Options are
# those of `testfleet share`. When a function fails, testfleet_failure has the code.
testfleet_share() {
  testfleet_failure=
  _testfleet_set_bin || return 1
  _testfleet_inherited=${TESTFLEET_SESSION-}
  # bats may run in another folder than that of its tests.
  _testfleet_at=${BATS_TEST_DIRNAME:-.}
  case " $* " in
    *' -f'* | *' --file'*) _testfleet_at=. ;;
  esac
  case " $* " in
    *' --pid '* | *' --pid='*) ;;
    *) set -- --pid "$(_testfleet_runner)" "$@" ;;
  esac
  _testfleet_answer=$(cd "$_testfleet_at" >/dev/null && "$TESTFLEET_BIN" share "$@" --json </dev/null 3>&-) || {
    _testfleet_note_failure "$_testfleet_answer"
    return 1
  }
  _testfleet_session=$(_testfleet_field session "$_testfleet_answer")
  [ -n "$_testfleet_inherited" ] || _testfleet_own=$_testfleet_session
  _testfleet_variables=$("$TESTFLEET_BIN" endpoints --session "$_testfleet_session" --format shell </dev/null) || {
    testfleet_failure=NO_SESSION
    return 1
  }
  eval "$_testfleet_variables"
  for _testfleet_name in TESTFLEET_KEEPER TESTFLEET_LENDER; do
    _testfleet_value=$(_testfleet_field "$_testfleet_name" "$_testfleet_answer")
    # A session of `up` has no keeper.
    [ -z "$_testfleet_value" ] || export "$_testfleet_name=$_testfleet_value"
  done
}

# testfleet_lease SERVER…: sets the variables of these servers to those of pristine copies that nobody else has, until
# testfleet_release or the end of this script.
testfleet_lease() {
  testfleet_failure=
  [ $# -gt 0 ] || {
    testfleet_failure=USAGE
    _testfleet_tell 'testfleet_lease needs the name of a server' 'Write it after the function, such as `testfleet_lease db`.'
    return 1
  }
  _testfleet_set_bin || return 1
  _testfleet_folder=$(mktemp -d "${TMPDIR:-/tmp}/testfleet-lease-XXXXXX") && mkfifo "$_testfleet_folder/variables" &&
    : >"$_testfleet_folder/messages" || {
    testfleet_failure=UNKNOWN
    rm -rf "$_testfleet_folder"
    return 1
  }
  # A value cannot have this line.
  _testfleet_end="# end ${_testfleet_folder##*/}"
  {
    # Removes the folder as soon as both sides have its files open, so that nothing is left when this script is killed. The
    # lease has no open file of its caller: `$(…)`, and `run` of bats, wait until all of them are closed.
    {
      rm -r "$_testfleet_folder"
      exec "$TESTFLEET_BIN" lease "$@" --names none --quiet --json -- \
        sh -c "$(_testfleet_hold_script)" hold-lease "$_testfleet_end" "$$" "$(_testfleet_runner)"
    } </dev/null >"$_testfleet_folder/variables" 2>"$_testfleet_folder/messages" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
    _testfleet_holder=$!
    _testfleet_variables=$(sed "/^$_testfleet_end\$/q" <"$_testfleet_folder/variables")
    case $_testfleet_variables in
      *"$_testfleet_end") ;;
      *)
        wait "$_testfleet_holder" || :
        _testfleet_holder=
        _testfleet_note_failure "$_testfleet_variables"
        ;;
    esac
    case $testfleet_failure:${TESTFLEET_SESSION-} in
      NO_SESSION:) sed 's/^hint: .*/hint: Call `testfleet_share` first: with bats, in `setup_suite` or `setup_file`./' ;;
      *) cat ;;
    esac <&8 >&2
  } 8<"$_testfleet_folder/messages"
  [ -n "$_testfleet_holder" ] || return 1
  # The copies of an earlier call stay leased.
  _testfleet_earlier=${_testfleet_holders:+${TESTFLEET_LEASES-}}
  _testfleet_holders="${_testfleet_holders-} $_testfleet_holder:${_testfleet_folder##*/}"
  eval "$_testfleet_variables"
  export TESTFLEET_LEASES="${_testfleet_earlier:+$_testfleet_earlier }$TESTFLEET_LEASES"
}

# testfleet_release: gives back all that this script has leased. The variables stay as they are.
testfleet_release() {
  for _testfleet_holder in ${_testfleet_holders-}; do
    if _testfleet_is_holder "${_testfleet_holder%%:*}" "${_testfleet_holder#*:}"; then
      kill "${_testfleet_holder%%:*}" 2>/dev/null || :
    fi
  done
  _testfleet_holders=
}

# _testfleet_is_holder NUMBER NAME: whether this process still holds the lease of that name. After its end, another process
# can have its number.
_testfleet_is_holder() {
  _testfleet_words=$({
    if [ -r "/proc/$1/cmdline" ]; then
      tr '\0' ' ' <"/proc/$1/cmdline"
    else
      ps -ww -o args= -p "$1"
    fi
  } 2>/dev/null) || :
  case $_testfleet_words in
    *"$2"*) return 0 ;;
  esac
  return 1
}

# testfleet_down: removes the fleet at once, if testfleet_share has started it. Without it, the fleet is removed some seconds
# after the end of the script.
testfleet_down() {
  testfleet_release
  [ -n "${_testfleet_own-}" ] || return 0
  _testfleet_session=$_testfleet_own
  _testfleet_own=
  unset TESTFLEET_SESSION
  testfleet_failure=
  _testfleet_answer=$("$TESTFLEET_BIN" down --session "$_testfleet_session" --force --quiet --json </dev/null) || {
    _testfleet_note_failure "$_testfleet_answer"
    return 1
  }
}

# testfleet_now: prints the time, for testfleet_story.
testfleet_now() {
  _testfleet_time=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
  case $_testfleet_time in
    *N*) date -u +%Y-%m-%dT%H:%M:%SZ ;; # not the date of GNU
    *) printf '%s\n' "$_testfleet_time" ;;
  esac
}

# testfleet_story TIME: prints what was wrong with the servers, and what each has logged since then, with leased copies.
testfleet_story() {
  [ -n "${TESTFLEET_SESSION-}" ] || return 0
  _testfleet_set_bin || return 0
  _testfleet_text=$(_testfleet_tell_story "$1")
  printf '%s\n' "${_testfleet_text:-servers logged nothing during this test (session $TESTFLEET_SESSION)}"
}

# _testfleet_tell_story TIME
_testfleet_tell_story() {
  _testfleet_cause=$("$TESTFLEET_BIN" why --session "$TESTFLEET_SESSION" --quiet </dev/null) ||
    printf '%s\n' "$_testfleet_cause"
  _testfleet_logs "$1" "$TESTFLEET_SESSION"
  for _testfleet_copy in ${TESTFLEET_LEASES-}; do
    # A leased database is in the server of the session.
    [ "${_testfleet_copy%/*}" = "$TESTFLEET_SESSION" ] ||
      _testfleet_logs "$1" "${_testfleet_copy%/*}" "${_testfleet_copy#*/}"
  done
}

# _testfleet_logs TIME SESSION [COPY]: of a long log, the last 64 KiB.
_testfleet_logs() {
  _testfleet_since=$1
  _testfleet_of=$2
  shift 2
  set -- --since "${_testfleet_since%%[.Z]*}Z" --tail 1000 --timestamps --quiet --no-color "$@"
  { "$TESTFLEET_BIN" logs --session "$_testfleet_of" "$@" </dev/null || echo '? | the logs could not be read to their end'; } 2>&1 |
    awk -v since="${_testfleet_since%Z}" -v most=65536 '
      # As text, "…00.5" is later than "…00", but "…00.5Z" is earlier than "…00Z".
      { time = $3; sub(/Z$/, "", time) }
      $2 != "|" || ($3 ~ /^[0-9][0-9][0-9][0-9]-/ ? time < since : $1 != "?") { next }
      !($1 in log_of) { names[++count] = $1 }
      { log_of[$1] = log_of[$1] substr($0, index($0, "|") + 2) "\n" }
      length(log_of[$1]) > 2 * most { log_of[$1] = substr(log_of[$1], length(log_of[$1]) - most); is_cut[$1] = 1 }
      END {
        for (i = 1; i <= count; i++) {
          text = log_of[names[i]]
          if (length(text) > most) { text = substr(text, length(text) - most); is_cut[names[i]] = 1 }
          if (is_cut[names[i]]) text = "…" substr(text, index(text, "\n"))
          printf "---- log of %s ----\n%s", names[i], text
        }
      }'
}

# The process that holds the fleet: that of all files of bats, or this script.
_testfleet_runner() {
  printf '%s' "${BATS_ROOT_PID:-$$}"
}

_testfleet_set_bin() {
  TESTFLEET_BIN=$(_testfleet_find) || {
    unset TESTFLEET_BIN
    testfleet_failure=COMMAND_MISSING
    return 1
  }
  export TESTFLEET_BIN
}

# Prints the path of the command, as docs/wire.md says.
# A bare `return` would have the status of before in a trap, where bats calls teardown.
_testfleet_find() {
  if [ -n "${TESTFLEET_BIN-}" ]; then
    _testfleet_find_program "$TESTFLEET_BIN" && return 0
    _testfleet_tell "TESTFLEET_BIN is not a program: $TESTFLEET_BIN" 'Set TESTFLEET_BIN to the path of the command, or unset it.'
    return 1
  fi
  _testfleet_find_program testfleet && return 0
  _testfleet_above=$PWD
  while [ -n "$_testfleet_above" ]; do
    if [ -x "$_testfleet_above/node_modules/.bin/testfleet" ]; then
      printf '%s\n' "$_testfleet_above/node_modules/.bin/testfleet"
      return 0
    fi
    _testfleet_above=${_testfleet_above%/*}
  done
  _testfleet_tell "testfleet is not installed: it is not on the PATH, and not in node_modules of $PWD or above" \
    'Install it, or set TESTFLEET_BIN to the path of the command.'
  return 1
}

# _testfleet_find_program NAME: prints the absolute path of a program. Folders of the PATH can be relative.
_testfleet_find_program() {
  _testfleet_program=$(command -v "$1") || return 1
  case $_testfleet_program in
    /*) printf '%s\n' "$_testfleet_program" ;;
    */*) printf '%s\n' "$PWD/$_testfleet_program" ;;
    *) return 1 ;;
  esac
}

_testfleet_tell() {
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
}

# _testfleet_note_failure ANSWER
_testfleet_note_failure() {
  testfleet_failure=$(_testfleet_field code "$1")
  [ -n "$testfleet_failure" ] || testfleet_failure=UNKNOWN
}

# _testfleet_field NAME DOCUMENT: the command prints a field to a line. None of these fields needs an escape.
_testfleet_field() {
  printf '%s\n' "$2" | sed -n "s/^ *\"$1\": \"\\([^\"\\\\]*\\)\",\{0,1\}\$/\\1/p" | head -n 1
}

# The program that has a lease: prints its variables, and ends with the script or its test runner.
_testfleet_hold_script() {
  cat <<'END'
for name in $TESTFLEET_LEASED TESTFLEET_LEASES; do
  eval "rest=\$$name"
  text=
  while :; do
    case $rest in
      *\'*) text="$text${rest%%\'*}'\\''" rest=${rest#*\'} ;;
      *) break ;;
    esac
  done
  printf "export %s='%s'\n" "$name" "$text$rest"
done
printf '%s\n' "$1"
exec >/dev/null
while kill -0 "$2" && kill -0 "$3"; do sleep 1; done 2>/dev/null
END
}
