import type { Servers } from './story-fleet.ts'

/**
 * A server that keeps what its clients have written: it answers each line with all that was written before, and writes the
 * line. Everything is in one file; a line that begins with `@name ` is about the file of that database.
 */
const notebook = `
use IO::Socket::INET;
my $listener = IO::Socket::INET->new(LocalPort => 5000, Listen => 50, ReuseAddr => 1) or die $!;
$| = 1;
print "listening\\n";
while (my $client = $listener->accept) {
  my $line = <$client>;
  next unless defined $line;
  my $database = $line =~ s/^@(\\S+) // ? ".$1" : '';
  open my $notes, '+>>', "/var/notes$database";
  seek $notes, 0, 0;
  chomp(my @known = <$notes>);
  print $notes $line unless $line eq "\\n";
  close $notes;
  print $client '[' . join(',', @known) . "]\\n";
  close $client;
}`

export function noteServer(lending: Partial<Servers[string]>): Servers[string] {
  return {
    image: 'debian:bookworm-slim',
    command: ['perl', '-e', notebook],
    ports: [5000],
    ready: [{ log: 'listening' }],
    readyTimeout: '60s',
    export: { NOTES_AT: '${host}:${port.5000}' },
    ...lending,
  }
}

/** The same server, whose databases are copied by a shell. */
export const withDatabases: Partial<Servers[string]> = {
  isolation: 'database',
  database: {
    name: 'main',
    console: ['sh', '-e'],
    mark: 'echo ${mark}',
    template: [': > /var/notes.${template}'],
    create: ['cp /var/notes.${template} /var/notes.${database}'],
    drop: ['rm -f /var/notes.${database}'],
  },
}
