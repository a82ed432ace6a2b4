import type { CallOptions } from '../engine/engine.ts'
import { LineReader } from '../engine/output-text.ts'
import { formatDuration } from '../formats/duration.ts'
import { wordError } from '../formats/word-error.ts'
import type { OutputChunk } from '../model/container.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { fillHookEnvironment, formatHook, type Hook } from '../model/hook.ts'
import { explainDeath } from '../ready/explain-failure.ts'
import { runBeforeStart } from '../servers/pre-start.ts'
import type { StartRequest } from '../servers/start-server.ts'
import type { Tools } from '../tools.ts'

/** Number of output lines in the message; the failure bundle has the rest. */
const LINES_SHOWN = 20
const MAX_LINE_LENGTH = 2000

type StartHook = 'preStart' | 'postStart'

/** Runs the commands of one hook, one after the other, until one fails. Fails with HOOK_FAILED or SERVER_DIED. */
export async function runHooks(
  kind: StartHook,
  request: StartRequest,
  container: string,
  tools: Pick<Tools, 'runtime' | 'onEvent'>,
  signal: AbortSignal,
): Promise<void> {
  const { server } = request
  const hooks = server[kind]
  for (const [index, hook] of hooks.entries()) {
    const [number, total] = [index + 1, hooks.length]
    tools.onEvent({ kind: 'hook', server: server.name, hook: kind, number, total, command: formatHook(hook) })
    await runHook({ kind, index, hook, request, container }, tools, signal)
  }
}

interface Run {
  readonly kind: StartHook
  readonly index: number
  readonly hook: Hook
  readonly request: StartRequest
  readonly container: string
}

async function runHook(run: Run, tools: Pick<Tools, 'runtime' | 'onEvent'>, outer: AbortSignal): Promise<void> {
  const { kind, index, hook, request, container } = run
  const lines = openLines((line) =>
    tools.onEvent({ kind: 'hookOutput', server: request.server.name, hook: kind, line }),
  )
  const timeout = AbortSignal.timeout(hook.timeoutMs)
  const signal = AbortSignal.any([outer, timeout])
  try {
    const exitCode =
      kind === 'preStart'
        ? await runBeforeStart(hook, index + 1, request, lines.add, { signal })
        : await runInside(hook, request, container, lines.add, { signal })
    if (exitCode === 0) return
    throw hookFailed(run, `failed with exit code ${exitCode}`, lines.end())
  } catch (error) {
    outer.throwIfAborted()
    if (kind === 'postStart') await refuseDead(run, tools, outer)
    if (timeout.aborted) {
      const why = `did not end within ${formatDuration(hook.timeoutMs)}`
      throw hookFailed(run, why, lines.end(), { hint: 'Increase its `timeout` if it needs longer.' })
    }
    if (!isFailure(error, 'COMMAND_NOT_FOUND')) throw error
    const hint = error.hint ?? 'Check the spelling of the command, and that the image has it.'
    throw hookFailed(run, `cannot be run: ${wordError(error)}`, lines.end(), { hint, cause: error })
  } finally {
    lines.end()
  }
}

async function runInside(
  { command, user, workingDir, environment }: Hook,
  { runtime, secrets }: StartRequest,
  container: string,
  onOutput: (chunk: OutputChunk) => void,
  options: CallOptions,
): Promise<number> {
  const variables = fillHookEnvironment(environment, secrets)
  const where = { ...(user !== undefined && { user }), ...(workingDir !== undefined && { workingDir }) }
  const running = await runtime.exec(container, { command, environment: variables, ...where }, options)
  for await (const chunk of running.output) onOutput(chunk)
  return running.exitCode()
}

/** Fails with SERVER_DIED if the server has died, because that explains why the command failed. */
async function refuseDead({ request, container }: Run, { runtime }: Pick<Tools, 'runtime'>, signal: AbortSignal) {
  const { state, exitCode = 0 } = await runtime.inspectServer(container, { signal })
  if (state === 'running') return
  const subject = { server: request.server.name, containerId: container, runtime }
  throw await explainDeath(subject, exitCode, undefined, signal, { wasReady: true })
}

function hookFailed(
  { kind, index, hook, request: { server, fleet } }: Run,
  why: string,
  output: readonly string[],
  details: { readonly hint?: string; readonly cause?: unknown } = {},
): TestfleetError {
  const list = hook.list ?? [kind]
  return new TestfleetError('HOOK_FAILED', `${server.name}: the ${list[0]} command \`${formatHook(hook)}\` ${why}`, {
    ...details,
    server: server.name,
    at: fleet.source.locate(['servers', server.name, ...list, index]),
    output,
  })
}

/** Passes on each line that a command prints; `end` returns the last ones. */
function openLines(onLine: (line: string) => void) {
  const limit = { length: MAX_LINE_LENGTH, keeps: 'start' } as const
  const readers = { stdout: new LineReader(limit), stderr: new LineReader(limit) }
  const last: string[] = []
  const tell = (text: string): void => {
    const line = text.replace(/\r$/, '')
    last.push(line)
    if (last.length > LINES_SHOWN) last.shift()
    onLine(line)
  }
  return {
    add: ({ stream, bytes }: OutputChunk): void => readers[stream].read(bytes).forEach(tell),
    end(): readonly string[] {
      for (const stream of ['stdout', 'stderr'] as const) {
        const { rest } = readers[stream]
        readers[stream] = new LineReader(limit)
        if (rest !== '') tell(rest)
      }
      return last
    },
  }
}
