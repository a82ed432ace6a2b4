import { readDurationMs } from '../formats/duration.ts'
import type { FieldPath } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'
import type { Hook } from '../model/hook.ts'
import { type DatabaseRecipe, type Lending, type Pool, type ResetStep, stepTimeoutMs } from '../model/lending.ts'
import { mapValues, type ResolveContext } from './resolve-image.ts'
import { resolveOwnValue } from './resolve-values.ts'

/** How the server is lent, with every default applied. */
export function resolveLending(
  declaration: ServerDeclaration,
  postStart: readonly Hook[],
  at: FieldPath,
  context: ResolveContext,
): Lending {
  const { pool, reset, database, isolation } = declaration
  const resolving = { declaration, context }
  return {
    isolation: isolation ?? (reset === undefined ? 'container' : 'reset'),
    ...(pool === undefined ? {} : { pool: resolvePool(pool) }),
    ...(reset === undefined
      ? {}
      : { reset: reset.map((step, index) => resolveStep(step, [...at, 'reset', index], resolving)) }),
    ...(postStart.length === 0 ? {} : { postStart }),
    ...(database === undefined ? {} : { database: resolveDatabase(database, [...at, 'database'], resolving) }),
  }
}

function resolvePool(pool: NonNullable<ServerDeclaration['pool']>): Pool {
  const { size, paused = false }: { size: number; paused?: boolean | undefined } =
    typeof pool === 'number' ? { size: pool } : pool
  return { size, isPaused: paused }
}

interface Resolving {
  readonly declaration: ServerDeclaration
  readonly context: ResolveContext
}

function resolveStep(
  step: NonNullable<ServerDeclaration['reset']>[number],
  at: FieldPath,
  resolving: Resolving,
): ResetStep {
  const asked: Exclude<typeof step, readonly string[]> = 'length' in step ? { command: step } : step
  const { command, console, send = '', expect = '', fail, restarts, ...others } = asked
  const hook = {
    ...resolveCommand(command ?? console ?? [], others, stepTimeoutMs.reset, at, resolving),
    ...(restarts === false && { restarts }),
  }
  if (console === undefined) return { kind: 'exec', ...hook }
  return { kind: 'console', ...hook, send: endLine(send), expect, fail }
}

function resolveDatabase(
  { name, console, mark, template, create, close, drop, ...others }: NonNullable<ServerDeclaration['database']>,
  at: FieldPath,
  resolving: Resolving,
): DatabaseRecipe {
  const hook = resolveCommand(console, others, stepTimeoutMs.database, at, resolving)
  return { name, console: hook, mark, template, create, ...(close && { close }), drop }
}

type Surroundings = Pick<
  Exclude<NonNullable<ServerDeclaration['reset']>[number], readonly string[]>,
  'user' | 'workingDir' | 'environment' | 'timeout'
>

function resolveCommand(
  command: readonly string[],
  { user, workingDir, environment, timeout }: Surroundings,
  defaultMs: number,
  at: FieldPath,
  { declaration, context }: Resolving,
): Hook {
  const own = mapValues(environment, (value, name) =>
    resolveOwnValue(value, declaration, [...at, 'environment', name], context),
  )
  return {
    command,
    user: user === undefined ? undefined : String(user),
    workingDir,
    environment: Object.fromEntries(own),
    timeoutMs: readDurationMs(timeout) ?? defaultMs,
  }
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
