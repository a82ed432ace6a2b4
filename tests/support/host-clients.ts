import type { ExecResult } from '../../src/model/container.ts'
import { label } from '../../src/model/labels.ts'
import { collectOutput } from '../../src/report/collect-output.ts'
import { withEngine } from './command.ts'
import { askEngine } from './raw-engine.ts'

/** Clients in the network of this machine, which may not have them: of the image of clients. */
export interface HostClients {
  run(words: readonly string[], timeoutMs: number): Promise<ExecResult>
  end(): Promise<void>
}

export async function startHostClients(image: string, fleet: string): Promise<HostClients> {
  const { Id: id } = (await askEngine('POST', `/containers/create?name=${fleet}-host-clients`, {
    Image: image,
    Cmd: ['sleep', '3600'],
    Labels: { [label.fleet]: fleet },
    HostConfig: { NetworkMode: 'host', CapDrop: ['ALL'] },
  })) as { Id: string }
  await askEngine('POST', `/containers/${id}/start`)
  return {
    run: (command, timeoutMs) =>
      withEngine(async (engine) => {
        const running = await engine.exec(id, { command }, { signal: AbortSignal.timeout(timeoutMs) })
        return collectOutput(running)
      }),
    end: () => withEngine((engine) => engine.removeContainer(id)),
  }
}
