import type { Catalogue } from '../subject.ts'

/** Findings about servers that are hard to wait for, take too much, or do nothing. */
export const servers = {
  'ready-missing': {
    severity: 'medium',
    cwe: 696,
    title: 'A server that nothing waits for',
    why: 'Tests, and servers that depend on it, begin before it answers, and fail now and then.',
    hint: 'Declare a `ready` check, or a TCP port.',
  },
  'ready-log-only': {
    severity: 'low',
    cwe: 696,
    title: 'A server whose log alone says that it is ready',
    why: 'Many servers log that they are ready before they take connections.',
    hint: 'Add a check of its protocol: `http`, `tcp` with `expect`, or `exec`.',
  },
  'ready-timeout-long': {
    severity: 'low',
    cwe: 400,
    title: 'A wait of more than ten minutes',
    why: 'A server that hangs holds up the whole run for as long.',
    hint: 'Let `readyTimeout` be what the server takes on a slow machine, twice.',
  },
  'dependency-without-ready': {
    severity: 'medium',
    cwe: 696,
    title: 'A dependency that nothing waits for',
    why: 'It counts as ready the moment it is started, so the order means nothing.',
    hint: 'Declare a `ready` check on the server that is depended on.',
  },
  'memory-unlimited': {
    severity: 'low',
    cwe: 770,
    title: 'A server without a limit of memory',
    why: 'A leak in it, or an attack, takes the memory of the machine, and of everything else on it.',
    hint: 'Write `limits: { memory: 512m }`, with what it needs.',
  },
  'tmpfs-unsized': {
    severity: 'low',
    cwe: 770,
    title: 'A tmpfs without a size',
    why: "It can grow to half of the machine's memory.",
    hint: 'Give it a `size`.',
  },
  'server-unused': {
    severity: 'low',
    cwe: 1164,
    title: 'A server that nothing uses',
    why: 'It costs time and memory in every run, and is one more thing that can be attacked.',
    hint: 'Publish a port, export something, let another server depend on it, or remove it.',
  },
  'ignore-unused': {
    severity: 'low',
    cwe: 1164,
    title: 'An `ignore` of something that was not found',
    why: 'It says that a risk is there which is not, and would hide it if it came back.',
    hint: 'Remove it.',
  },
} satisfies Partial<Catalogue>
