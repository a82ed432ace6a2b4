# The program of docs/wire.md, for tests/e2e/wire.test.ts.
. "${0%/*}/../testfleet.sh"

answer() {
  if [ "$1" = failure ]; then
    printf 'failure %s\n' "$testfleet_failure"
    exit 1
  fi
  printf '%s\n' "$*"
}

# tell LINE: sends a line to the server of NOTES_AT, and prints its answer.
tell() {
  printf '%s\n' "$1" | bash -c 'exec 4<>"/dev/tcp/${NOTES_AT%:*}/${NOTES_AT##*:}"; cat >&4; cat <&4'
}

testfleet_share --pid "$2" || answer failure
answer session "$TESTFLEET_SESSION"
answer export "$NOTES_AT"
answer endpoint "$TESTFLEET_NOTES_HOST:$TESTFLEET_NOTES_PORT_5000"
answer variable "$(sh -c 'printf %s "$NOTES_AT"')"
testfleet_lease notes || answer failure
answer lease "${TESTFLEET_LEASES#*/}" "$NOTES_AT"
if [ "$1" = hold ]; then
  answer held
  exec sleep 600
fi
answer empty "$(tell mine)"
answer written "$(tell mine)"
testfleet_release
testfleet_lease notes || answer failure
answer pristine "$(tell '')"
testfleet_release
testfleet_lease nobody 2>/dev/null || answer unknown "$testfleet_failure"
