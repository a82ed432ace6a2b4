# Real test servers for tests of bats: `load …/clients/bats/testfleet`. docs/bats.md explains the functions.

# shellcheck source=../shell/testfleet.sh
source "${BASH_SOURCE[0]%/*}/../shell/testfleet.sh"

# bats reads a file again for each of its tests.
_testfleet_began=$(testfleet_now)

# testfleet_teardown: gives back what the test has leased, and shows what the servers logged if the test has failed. bats
# prints that below the failure.
testfleet_teardown() {
  if [[ -z "${BATS_TEST_COMPLETED:-}" && -z "${BATS_TEST_SKIPPED:-}" ]]; then
    testfleet_story "$_testfleet_began" || :
  fi
  testfleet_release
}
