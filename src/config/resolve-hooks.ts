import { readDurationMs } from '../formats/duration.ts'
import type { FieldPath, Server } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'
import { type Hook, type HookKind, hookTimeoutMs } from '../model/hook.ts'
import type { OwnValue } from '../model/own-value.ts'
import { mapValues, type ResolveContext } from './resolve-image.ts'
import { resolveOwnValue } from './resolve-values.ts'

/** The commands around a server's start and stop. Those that run inside it have the variables that `exec` has. */
export function resolveHooks(
  declaration: ServerDeclaration,
  execEnvironment: Server['execEnvironment'],
  at: FieldPath,
  context: ResolveContext,
): Pick<Server, HookKind> {
  const resolve = (kind: HookKind): Hook[] =>
    (declaration[kind] ?? []).map((item, index) =>
      resolveHook(item, declaration, [...at, kind, index], {
        context,
        execEnvironment: kind === 'preStart' ? new Map() : execEnvironment,
        timeoutMs: hookTimeoutMs[kind],
      }),
    )
  return { preStart: resolve('preStart'), postStart: resolve('postStart'), preStop: resolve('preStop') }
}

export interface HookSurroundings {
  readonly context: ResolveContext
  /** Variables that it has in addition to those of the server and its own. */
  readonly execEnvironment: Server['execEnvironment']
  /** How long it may take when it does not say it. */
  readonly timeoutMs: number
}

export function resolveHook(
  item: NonNullable<ServerDeclaration[HookKind]>[number],
  declaration: ServerDeclaration,
  at: FieldPath,
  { context, execEnvironment, timeoutMs }: HookSurroundings,
): Hook {
  const { command, user, workingDir, environment, timeout } = 'command' in item ? item : plain(item)
  const own = mapValues(environment, (value, name) =>
    resolveOwnValue(value, declaration, [...at, 'environment', name], context),
  )
  // It runs with the server's own database, whatever a lease has.
  const given = [...execEnvironment].map(([variable, value]): [string, OwnValue] => [
    variable,
    value.kind === 'text' ? { kind: 'text', text: value.text } : value,
  ])
  return {
    command,
    user: user === undefined ? undefined : String(user),
    workingDir,
    environment: Object.fromEntries([...given, ...own]),
    timeoutMs: readDurationMs(timeout) ?? timeoutMs,
  }
}

type Declared = Exclude<NonNullable<ServerDeclaration[HookKind]>[number], readonly string[]>

function plain(command: readonly string[]): Declared {
  return { command }
}
