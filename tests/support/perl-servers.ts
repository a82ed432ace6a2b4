/**
 * Small servers as commands: Perl is in every Debian base image, so that a test of something else installs nothing.
 * All of them say `listening at N` on standard output once they listen.
 */

const listen = `
use strict; use warnings; use IO::Socket::INET;
$| = 1; $SIG{PIPE} = 'IGNORE';
sub listen_at {
  my $server = IO::Socket::INET->new(LocalPort => $_[0], Listen => 64, ReuseAddr => 1) or die "cannot listen: $!\\n";
  print "listening at $_[0]\\n";
  return $server;
}
`

const http = `${listen}
my ($port, $body) = @ARGV;
my $server = listen_at($port);
while (my $client = $server->accept) {
  my $request = <$client> // next;
  while (defined(my $line = <$client>)) { last if $line =~ /^\\r?\\n$/ }
  print "asked: $request" =~ s/\\r\\n/\\n/r;
  print $client "HTTP/1.1 200 OK\\r\\nContent-Length: " . length($body) . "\\r\\nConnection: close\\r\\n\\r\\n$body";
  close $client;
}
`

/** Answers every HTTP request with 200 and `body`, and logs its first line. */
export function httpServer(port: number, body = 'hello'): string[] {
  return ['perl', '-e', http, String(port), body]
}

const tcp = `${listen}
my ($port, $banner) = @ARGV;
my $server = listen_at($port);
while (my $client = $server->accept) {
  print $client "$banner\\n";
  close $client;
}
`

/** Sends `banner` to every client, and closes the connection. */
export function tcpServer(port: number, banner = 'hello'): string[] {
  return ['perl', '-e', tcp, String(port), banner]
}

const udp = `
use strict; use warnings; use IO::Socket::INET;
$| = 1;
my $socket = IO::Socket::INET->new(LocalPort => $ARGV[0], Proto => 'udp') or die "cannot listen: $!\\n";
print "listening at $ARGV[0]\\n";
while (1) {
  my $peer = $socket->recv(my $text, 65536) // next;
  $socket->send(uc $text);
}
`

/** Sends each datagram back in capitals. */
export function udpServer(port: number): string[] {
  return ['perl', '-e', udp, String(port)]
}

const staged = `${listen}
my $port = $ARGV[0];
sub content { open my $file, '<', "/stage/$_[0]" or return; local $/; return <$file> }
select undef, undef, undef, 0.005 until -e '/stage/listen';
my $server = listen_at($port);
my @held;
while (my $client = $server->accept) {
  my $banner = content('banner');
  my $reply = content('reply');
  if (defined $banner) { print $client $banner }
  elsif (defined $reply) { sysread $client, my $request, 65536; print "asked: $request\\n"; print $client $reply }
  $client->flush;
  push @held, $client;
}
`

/**
 * Listens once /stage/listen is there. It keeps every connection open; what it says on a new one is what
 * /stage/banner holds, or, once it was sent something, what /stage/reply holds; else nothing.
 */
export function stagedServer(port: number): string[] {
  return ['perl', '-e', staged, String(port)]
}
