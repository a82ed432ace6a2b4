import { defineFleet } from 'testfleet'

const answer = `use IO::Socket; $| = 1; my $server = IO::Socket::INET->new(LocalPort => 80, Listen => 9);
  while (my $client = $server->accept) {
    print "asked: ", my $line = <$client>; 1 while <$client> =~ /\\S/;
    print $client "HTTP/1.0 200 OK\\r\\n\\r\\nhello"; close $client
  }`
const image = 'debian:bookworm-slim'
const ready = [{ http: { port: 80 } }]

export default defineFleet({
  name: 'node-test-sample',
  servers: { web: { image, command: ['perl', '-e', answer], ports: [80], ready } },
})
