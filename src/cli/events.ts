import type { ServerEventKind, TestfleetEvent } from '../api/events.ts'
import { toJsonText, waitForReader } from './answer.ts'
import { type Call, clientOf, sessionOptions, sinceOption } from './call.ts'
import { choosePalette } from './palette.ts'

/** Prints each event as it comes; with --json, as one document for each line. */
export async function run(call: Call): Promise<number> {
  const { json, color, output } = call
  const palette = choosePalette(process.stdout.isTTY === true, color, process.env)
  for await (const event of clientOf(call).serverEvents({ ...sessionOptions(call), since: sinceOption(call) })) {
    if (json) output.writeData(`${toJsonText(event)}\n`)
    else {
      const time = new Date(event.time).toTimeString().slice(0, 8)
      output.write(`${palette.style('gray', time)} ${event.data.server} ${wordServerEvent(event)}\n`)
    }
    await waitForReader(call.signal)
  }
  return 0
}

/** Says what happened to a server, to follow its name. */
export function wordServerEvent(event: TestfleetEvent<ServerEventKind>): string {
  switch (event.kind) {
    case 'server.created':
      return 'was created'
    case 'server.started':
      return 'started'
    case 'server.exited':
      return `exited with code ${event.data.exitCode}`
    case 'server.outOfMemory':
      return 'ran out of memory: the kernel killed one of its processes'
    case 'server.signalled':
      return `received ${event.data.signal ?? 'a signal'}`
    case 'server.paused':
      return 'was paused'
    case 'server.resumed':
      return 'was resumed'
    case 'server.healthy':
      return 'became healthy'
    case 'server.unhealthy':
      return 'became unhealthy'
    case 'server.removed':
      return 'was removed'
  }
}
