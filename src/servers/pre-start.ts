import type { CallOptions } from '../engine/engine.ts'
import type { OutputChunk } from '../model/container.ts'
import { fillHookEnvironment, type Hook } from '../model/hook.ts'
import { describeContainer, resourceLabels } from './describe-server.ts'
import { deliverFiles, fillSecrets, type StartRequest } from './start-server.ts'

/**
 * Runs a command in a container of the server's image, with its mounts, variables, secrets and network, and resolves
 * with the exit code. The container publishes no port, has none of the server's names, and is always removed.
 */
export async function runBeforeStart(
  hook: Hook,
  number: number,
  request: StartRequest,
  onOutput: (chunk: OutputChunk) => void,
  options: CallOptions,
): Promise<number> {
  const { server, fleet, settings, secrets, image, runtime } = request
  options.signal?.throwIfAborted()
  const { restarts: _, ...spec } = describeContainer(server, fleet, image, settings, '')
  const [program = '', ...words] = hook.command
  const id = await runtime.createServer(
    {
      ...spec,
      // Server names have no dots, so this name is never a server's.
      name: `${settings.session}-${server.name}.preStart${number}-${settings.change}`,
      labels: resourceLabels(fleet.name, settings),
      entrypoint: [program],
      command: words,
      user: hook.user ?? spec.user,
      workingDir: hook.workingDir ?? spec.workingDir,
      environment: {
        ...fillSecrets(server, spec.environment, secrets),
        ...fillHookEnvironment(hook.environment, secrets),
      },
      ports: [],
      network: { ...spec.network, aliases: [] },
    },
    options,
  )
  try {
    await deliverFiles(id, request, options)
    await runtime.startServer(id, options)
    await readOutput(id, request, onOutput, options)
    return await runtime.waitServer(id, options)
  } finally {
    await runtime.removeServer({ id, labels: {}, state: 'exited' })
  }
}

/** Reads the output. Some logging drivers cannot be read back; the exit code is known anyway. */
async function readOutput(
  id: string,
  { runtime }: StartRequest,
  onOutput: (chunk: OutputChunk) => void,
  options: CallOptions,
): Promise<void> {
  try {
    for await (const chunk of runtime.readLogs(id, { follow: true }, options)) onOutput(chunk)
  } catch {
    options.signal?.throwIfAborted()
  }
}
