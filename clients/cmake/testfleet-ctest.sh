# A test of CTest that belongs to a fixture of TestfleetConfig.cmake:
#   testfleet-ctest.sh setup BIN FILE STATE SERVER…
#   testfleet-ctest.sh test BIN FILE STATE NAMES LEASES LOG TEST COMMAND…
#   testfleet-ctest.sh cleanup BIN FILE STATE
# STATE is the folder of the fixture in the build folder. CTest is the parent of this process, and holds the fleet: so several
# runs of CTest at a time, and several build folders, have a fleet each.
set -u
. "${0%/*}/../shell/testfleet.sh"

action=$1
export TESTFLEET_BIN="$2"
file=$3
state=$4
shift 4
variables=$state/$PPID.sh

setup() {
  umask 077
  # Removes the files of runs that were killed.
  for old in "$state"/*.sh "$state"/running/*; do
    pid=${old##*/}
    kill -0 "${pid%%[.-]*}" 2>/dev/null || rm -f "$old"
  done
  inherited=${TESTFLEET_SESSION-}
  testfleet_share --pid "$PPID" --file "$file" "$@" || exit 1
  {
    printf '%s\n' "$_testfleet_variables"
    printf "fixture_session='%s' fixture_inherited='%s'\n" "$TESTFLEET_SESSION" "$inherited"
    for name in TESTFLEET_KEEPER TESTFLEET_LENDER; do
      eval "value=\${$name-}"
      [ -z "$value" ] || printf "export %s='%s'\n" "$name" "$value"
    done
  } >"$variables"
  printf 'session %s\n' "$TESTFLEET_SESSION"
}

cleanup() {
  [ -e "$variables" ] || exit 0
  . "$variables"
  rm -f "$variables"
  for mark in "$state"/running/"$PPID"-*.mark; do
    [ -e "$mark" ] || continue
    read -r since name <"$mark"
    rm -f "${mark%.mark}".*
    printf 'the test %s was killed, so the logs since its start are here\n' "$name"
    testfleet_story "$since"
  done
  # Leaves a session alone that was there before the setup.
  [ -n "$fixture_inherited" ] || "$TESTFLEET_BIN" down --session "$fixture_session" --force </dev/null
}

# run_test NAMES LEASES LOG TEST COMMAND…
run_test() {
  names=$1
  leases=$(printf %s "${2#-}" | tr , ' ')
  log=$state/logs/$3
  name=$4
  shift 4
  # Files of this run of the test: other runs of CTest may run it at the same time.
  mark=$state/running/$PPID-$$
  : >"$log"
  # Without the setup test, as in an IDE: then the fleet is that of `testfleet run`, or the one that is up.
  if [ -e "$variables" ]; then
    . "$variables"
    where="--session $fixture_session"
  elif [ -n "${TESTFLEET_SESSION-}" ]; then
    where="--session $TESTFLEET_SESSION"
  else
    where=
    [ "$names" != none ] || names=auto
  fi
  if [ -n "$leases" ] || { [ "$names" != none ] && [ -z "$where" ]; }; then
    # Notes what show_story needs.
    set -- sh -c 'printf "export TESTFLEET_SESSION=\"%s\" TESTFLEET_LEASES=\"%s\"\n" "$TESTFLEET_SESSION" "${TESTFLEET_LEASES-}" >"$0"
      exec "$@"' "$mark.session" "$@"
  fi
  if [ -n "$leases" ]; then
    # shellcheck disable=SC2086 # names of servers
    set -- $leases --names "$names" --quiet -- "$@"
    verb=lease
  elif [ "$names" != none ]; then
    set -- --names "$names" --quiet -- "$@"
    verb=join
  else
    verb=
  fi
  # shellcheck disable=SC2086 # no words when there is no session
  if [ -n "$verb" ] && [ -n "$where" ]; then
    set -- "$TESTFLEET_BIN" "$verb" $where "$@"
  elif [ -n "$verb" ]; then
    set -- "$TESTFLEET_BIN" "$verb" --file "$file" "$@"
  fi
  since=$(testfleet_now)
  printf '%s %s\n' "$since" "$name" >"$mark.mark"
  await "$@"
  [ "$status" = 0 ] || show_story
  rm -f "$mark".*
  # CTest tells a crash from a failure.
  case $status in
    132 | 134 | 135 | 136 | 139)
      ulimit -c 0
      kill "-$((status - 128))" $$
      ;;
  esac
  exit "$status"
}

# await COMMAND…: passes signals on to it, and sets status to its exit code. It ends when this process is killed, as CTest does
# after TIMEOUT.
await() {
  # In the background, a shell makes its commands ignore these.
  if env --default-signal=INT,QUIT true 2>/dev/null; then set -- env --default-signal=INT,QUIT "$@"; fi
  if command -v setpriv >/dev/null; then
    set -- setpriv --pdeathsig KILL -- sh -c '[ "$PPID" = "$0" ] && exec "$@"' $$ "$@"
  fi
  "$@" <&0 &
  child=$!
  for signal in INT QUIT TERM HUP USR1 USR2 ALRM; do
    # shellcheck disable=SC2064 # of this signal
    trap "kill -$signal $child 2>/dev/null" "$signal"
  done
  while
    wait "$child"
    status=$?
    kill -0 "$child" 2>/dev/null
  do :; done
  trap - INT QUIT TERM HUP USR1 USR2 ALRM
}

show_story() {
  [ ! -e "$mark.session" ] || . "$mark.session"
  testfleet_story "$since" >"$mark.log"
  [ ! -s "$mark.log" ] || printf '\n==== servers during this test (CTEST_FULL_OUTPUT) ====\n%s\n' "$(cat "$mark.log")"
  mv "$mark.log" "$log"
}

mkdir -p "$state/running" "$state/logs"
case $action in
  setup) setup "$@" ;;
  cleanup) cleanup ;;
  test) run_test "$@" ;;
esac
