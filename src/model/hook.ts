import { type Labels, label } from './labels.ts'
import type { OwnValue } from './own-value.ts'

/** The lists of commands that a server can have besides its own, named as in the fleet file. */
export const hookKinds = ['preStart', 'postStart', 'preStop'] as const

export type HookKind = (typeof hookKinds)[number]

/** More commands in one list belong into a script. */
export const MOST_HOOKS = 32

/** How long one command may take when its `timeout` does not say it, in milliseconds. */
export const hookTimeoutMs: Readonly<Record<HookKind, number>> = {
  preStart: 300_000,
  postStart: 300_000,
  preStop: 10_000,
}

export interface Hook {
  readonly command: readonly string[]
  /** Undefined for the user that the server runs as. */
  readonly user: string | undefined
  readonly workingDir: string | undefined
  readonly environment: Readonly<Record<string, OwnValue>>
  readonly timeoutMs: number
  /** Keys of its list in the fleet file, below the server, where that is none of `hookKinds`. */
  readonly list?: readonly string[] | undefined
}

/**
 * The text of the label with the commands that run before a container stops. It begins with the id of the change that
 * created the container: an image can bring any label, and knows no such id.
 */
export function formatPreStop(hooks: readonly Hook[], change: string): string {
  return `${change} ${JSON.stringify(hooks)}`
}

/** The commands that run before a container stops; none where the label is missing or is not testfleet's own. */
export function readPreStop(labels: Labels): readonly Hook[] {
  const { [label.preStop]: text, [label.change]: change = '' } = labels
  if (text === undefined || change === '' || !text.startsWith(`${change} `)) return []
  return JSON.parse(text.slice(change.length + 1)) as readonly Hook[]
}

/** The command as a person would type it, on one line, for messages. */
export function formatHook({ command }: Pick<Hook, 'command'>): string {
  return command.map(quoteWord).join(' ')
}

function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return /^[^'\p{Cc}]+$/u.test(word) ? `'${word}'` : JSON.stringify(word)
}

/** A variable's value, given the values of the server's secrets. */
export function fillHookEnvironment(
  environment: Hook['environment'],
  secrets: ReadonlyMap<string, string>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.kind === 'text' ? value.text : (secrets.get(value.secret) ?? ''),
    ]),
  )
}
