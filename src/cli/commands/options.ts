import type { Completion, OptionSpec, Options } from './command.ts'

/** An option without a value. */
export const flag = (help: string) => ({ type: 'boolean', help }) as const

/** An option with a value. */
export const text = <More extends { readonly default?: string; readonly completes?: Completion }>(
  value: string,
  help: string,
  more: More = {} as More,
) => ({ type: 'string', value, help, ...more }) as const

/** Options of every command. They work before the command and after it. */
export const commonOptions = {
  file: {
    ...text('FILE', 'Fleet file: YAML, JSON, TypeScript or JavaScript', {
      default: 'testfleet.yaml, .yml, .json, .ts, .mts, .js or .mjs, in this folder or above',
      completes: 'file',
    }),
    short: 'f',
  },
  session: text('NAME', 'Session to work on', {
    default: 'TESTFLEET_SESSION, then the session of the fleet file',
    completes: 'session',
  }),
  engine: text('URL', 'Container engine, as a URL or context:NAME; or local, for this machine without one', {
    default: 'TESTFLEET_ENGINE, then the one that the docker command uses',
  }),
  'insecure-engine': flag('Use an engine on another machine without TLS: anyone who reaches it is root there'),
  json: flag('Print the result as one JSON document'),
  events: text('FILE', 'Append each event to this file, as one JSON document a line', { completes: 'file' }),
  quiet: flag('Print no progress; the result is still printed'),
  verbose: flag('Print more progress: build output, answers to ready checks'),
  color: { ...flag('Print without colours'), isNegated: true },
  help: { ...flag('Print this help'), short: 'h' },
} as const satisfies Options

/** Options that work before the command. */
export const callOptions = { ...commonOptions, version: flag('Print the version') }

export const bind = text('WHICH', 'Number of each port on this machine: a free one, or the same as in the server', {
  default: 'free',
  completes: ['free', 'fixed'],
})
export const keep = flag('Keep what was started if something fails')
export const names = text('WAY', 'How CMD gets the names of the servers', {
  default: 'auto',
  completes: ['auto', 'namespace', 'proxy', 'none'],
})
export const trust = {
  ...flag("Leave out the variables that make clients trust the fleet's certificates"),
  isNegated: true,
} as const
export const timeout = text('TIME', 'Longest time for the whole call, such as 90s', { default: '30m' })
export const timeline = {
  ...text('FILE', 'Write where the time went: a page for a browser, or a Chrome trace if FILE ends with .json', {
    completes: 'file',
  }),
  multiple: true,
} as const
export const attachLogs = text(
  'DIR',
  'If CMD fails, write the logs of its time, the events and `why` into this folder',
  {
    completes: 'directory',
  },
)
export const bundle = text('FILE', 'If it fails, also write the failure bundle as this .tar.gz file', {
  completes: 'file',
})

/** Returns the common options that work after a command with these options, which have precedence. */
export function commonOptionsBeside(own: Options): Options {
  const shorts = new Set(Object.values(own).map(({ short }) => short))
  return Object.fromEntries(
    Object.entries<OptionSpec>(commonOptions)
      .filter(([name]) => !Object.hasOwn(own, name))
      .map(([name, { short, ...spec }]) => [
        name,
        short === undefined || shorts.has(short) ? spec : { ...spec, short },
      ]),
  )
}
