/** A server that logs each line that it gets at port 80, and then ends the connection. */
export const lineServer = {
  image: 'debian:bookworm-slim',
  command: [
    'perl',
    '-MIO::Socket::INET',
    '-e',
    '$| = 1; my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 9); ' +
      'while (my $c = $s->accept) { my $line = <$c>; print "got $line" if defined $line }',
  ],
  ports: [80],
  ready: [{ tcp: 80 }],
}

/** Shell functions for tests that talk to it. `tell` waits until the log has the line, and fails when the session has gone. */
export const tell = `
tell() {
  bash -c 'exec 4<>"/dev/tcp/$TESTFLEET_WEB_HOST/$TESTFLEET_WEB_PORT"; echo "$1" >&4; cat <&4' tell "$1"
  until
    log=$("$TESTFLEET_BIN" logs --quiet) || return 1
    case $log in *"got $1"*) true ;; *) false ;; esac
  do sleep 0.1; done
}
`
