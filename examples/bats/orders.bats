setup_file() {
  load ../../clients/bats/testfleet
  testfleet_share
}
setup() { load ../../clients/bats/testfleet; }
teardown() { testfleet_teardown; }

@test "an order is stored" {
  exec 4<>"/dev/tcp/$TESTFLEET_CACHE_HOST/$TESTFLEET_CACHE_PORT"
  printf 'set order 0 0 3\r\ntea\r\n' >&4
  read -r answer <&4
  [ "$answer" = $'STORED\r' ]
}

@test "a lease has no orders of other tests" {
  testfleet_lease cache
  exec 4<>"/dev/tcp/$TESTFLEET_CACHE_HOST/$TESTFLEET_CACHE_PORT"
  printf 'get order\r\n' >&4
  read -r answer <&4
  [ "$answer" = $'END\r' ]
}
