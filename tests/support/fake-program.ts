import type { ExecProcess, ExecRequest } from '../../src/engine/engine.ts'
import type { LeaseTarget, LeaseTools } from '../../src/lease/target.ts'
import type { OutputChunk } from '../../src/model/container.ts'
import { TestfleetError } from '../../src/model/failures.ts'
import type { Hook } from '../../src/model/hook.ts'
import type { Lending } from '../../src/model/lending.ts'

/** What a program does with each line of its input. */
export interface Behaviour {
  onStart?(program: RunningProgram): void
  onLine?(line: string, program: RunningProgram): void
}

export interface RunningProgram {
  readonly request: ExecRequest
  print(text: string, stream?: OutputChunk['stream']): void
  end(exitCode: number): void
}

/** A runtime whose `exec` runs these programs in memory, by the first word of the command. */
export function programTools(programs: Readonly<Record<string, Behaviour>>) {
  const started: ExecRequest[] = []
  const ended: string[] = []
  const exec = async (_: string, request: ExecRequest, { signal }: { signal?: AbortSignal } = {}) => {
    const [command = ''] = request.command
    const behaviour = programs[command]
    if (behaviour === undefined) throw new TestfleetError('COMMAND_NOT_FOUND', `there is no program ${command}`)
    started.push(request)
    return runProgram(request, behaviour, signal, () => ended.push(command))
  }
  const tools = { runtime: { exec }, host: {} } as unknown as LeaseTools
  return { tools, started, ended }
}

function runProgram(
  request: ExecRequest,
  behaviour: Behaviour,
  signal: AbortSignal | undefined,
  onEnd: () => void,
): ExecProcess {
  let [input, exitCode] = ['', -1]
  let running!: RunningProgram
  const output = new ReadableStream<OutputChunk>({
    start(controller) {
      running = {
        request,
        print: (text, stream = 'stdout') => controller.enqueue({ stream, bytes: Buffer.from(text) }),
        end(code) {
          if (exitCode !== -1) return
          exitCode = code
          onEnd()
          controller.close()
        },
      }
      const stop = (): void => {
        if (exitCode !== -1) return
        exitCode = 137
        onEnd()
        controller.error(signal?.reason)
      }
      signal?.addEventListener('abort', stop)
      behaviour.onStart?.(running)
    },
  })
  return {
    output: output as unknown as AsyncIterable<OutputChunk>,
    exitCode: async () => exitCode,
    async write(bytes) {
      const [rest = '', ...lines] = (input + Buffer.from(bytes).toString()).split('\n').toReversed()
      input = rest
      for (const line of lines.toReversed()) if (exitCode === -1) behaviour.onLine?.(line, running)
    },
    endInput: () => running.end(0),
    resize: async () => {},
  }
}

export const hook = (command: readonly string[], more: Partial<Hook> = {}): Hook => ({
  ...{ command, user: undefined, workingDir: undefined, environment: {}, timeoutMs: 60_000 },
  ...more,
})

export const targetOf = (lending: Lending): LeaseTarget => ({
  server: 'db',
  container: 'c',
  spec: { secrets: [], lending },
})
