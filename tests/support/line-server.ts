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
