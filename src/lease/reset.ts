import type { CallOptions } from '../engine/engine.ts'
import { readEnd } from '../engine/output-text.ts'
import { wordError } from '../formats/word-error.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { formatHook, type Hook } from '../model/hook.ts'
import type { ResetStep } from '../model/lending.ts'
import { type Console, openConsole } from './console.ts'
import { fillHook, type LeaseTarget, type LeaseTools, lastLines, runStep, StepFailure } from './target.ts'

/** Makes one server pristine, again and again. Its consoles stay open in between. */
export interface Reset {
  /**
   * Runs the steps of the server's recipe, waits until it is ready if one of them may have stopped its program, and runs
   * its `postStart` commands. Fails with RESET_FAILED: what the server holds is then unknown.
   */
  run(options?: CallOptions): Promise<void>
  close(): Promise<void>
}

export function openReset(target: LeaseTarget, tools: LeaseTools): Reset {
  const consoles = new Map<string, Console>()
  const consoleOf = (step: Hook): Console => {
    const { command, user, workingDir, environment } = step
    const key = JSON.stringify([command, user, workingDir, environment])
    const console = consoles.get(key) ?? openConsole(target, step, tools)
    consoles.set(key, console)
    return console
  }
  return {
    async run(options = {}) {
      const { reset: steps, postStart = [] } = target.spec.lending ?? {}
      if (steps === undefined) throw new TestfleetError('RESET_FAILED', `${target.server} has no steps in \`reset\``)
      for (const [index, step] of steps.entries())
        await named(`step ${index + 1} of \`reset\`, \`${formatHook(step)}\`,`, () => take(step, options))
      if (steps.some(({ restarts }) => restarts !== false)) await answer(options)
      for (const hook of postStart)
        await named(`the postStart command \`${formatHook(hook)}\`, run again after \`reset\`,`, () =>
          runCommand(target, hook, tools, options),
        )
    },
    async close() {
      await Promise.all([...consoles.values()].map((console) => console.close()))
      consoles.clear()
    },
  }

  async function take(step: ResetStep, options: CallOptions): Promise<void> {
    if (step.kind === 'exec') await runCommand(target, step, tools, options)
    else await consoleOf(step).ask(step, options)
  }

  async function answer(options: CallOptions): Promise<void> {
    try {
      await target.awaitReady?.(options)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!isFailure(error)) throw error
      throw new StepFailure(`was done, but it is not ready again: ${wordError(error)}`, error.output ?? [], {
        cause: error,
      }).toFailure('RESET_FAILED', target.server, '`reset`')
    }
  }

  async function named(what: string, run: () => Promise<void>): Promise<void> {
    try {
      await run()
    } catch (error) {
      throw error instanceof StepFailure ? error.toFailure('RESET_FAILED', target.server, what) : error
    }
  }
}

/** Makes a server pristine once. Fails with RESET_FAILED: what the server holds is then unknown. */
export async function runReset(target: LeaseTarget, tools: LeaseTools, options: CallOptions = {}): Promise<void> {
  const reset = openReset(target, tools)
  try {
    await reset.run(options)
  } finally {
    await reset.close()
  }
}

const MOST_BYTES = 16_384

async function runCommand(
  target: LeaseTarget,
  hook: Hook,
  tools: LeaseTools,
  { signal: outer }: CallOptions,
): Promise<void> {
  await runStep(hook.timeoutMs, outer, async (signal) => {
    const { request, mask } = await fillHook(target, hook, tools, { signal })
    const running = await tools.runtime.exec(target.container, request, { signal })
    const output = await readEnd(running.output, MOST_BYTES)
    const exitCode = await running.exitCode()
    if (exitCode !== 0) throw new StepFailure(`failed with exit code ${exitCode}`, lastLines(output, mask))
  })
}
