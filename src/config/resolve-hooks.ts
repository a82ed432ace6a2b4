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
  // They run with the server's own database, whatever a lease has.
  const given = [...execEnvironment].map(([name, value]): [string, OwnValue] => [
    name,
    value.kind === 'text' ? { kind: 'text', text: value.text } : value,
  ])
  const resolve = (kind: HookKind): Hook[] =>
    (declaration[kind] ?? []).map((item, index) => {
      const { command, user, workingDir, environment, timeout } = 'command' in item ? item : plain(item)
      const own = mapValues(environment, (value, name) =>
        resolveOwnValue(value, declaration, [...at, kind, index, 'environment', name], context),
      )
      return {
        command,
        user: user === undefined ? undefined : String(user),
        workingDir,
        environment: Object.fromEntries([...(kind === 'preStart' ? [] : given), ...own]),
        timeoutMs: readDurationMs(timeout) ?? hookTimeoutMs[kind],
      }
    })
  return { preStart: resolve('preStart'), postStart: resolve('postStart'), preStop: resolve('preStop') }
}

type Declared = Exclude<NonNullable<ServerDeclaration[HookKind]>[number], readonly string[]>

function plain(command: readonly string[]): Declared {
  return { command }
}
