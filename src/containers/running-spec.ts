import type { Server } from '../model/fleet.ts'
import { type Labels, label } from '../model/labels.ts'
import type { RunningSpec } from '../model/running.ts'

/** What of a server rides on its container. */
export function toRunningSpec(server: Server): RunningSpec {
  return {
    hostname: server.hostname,
    dependsOn: server.dependsOn,
    ports: server.ports,
    ready: server.ready,
    readyTimeoutMs: server.readyTimeoutMs,
    export: Object.fromEntries(server.export),
    secrets: [...server.secrets.keys()],
    stopSignal: server.stopSignal,
  }
}

const empty: RunningSpec = {
  hostname: '',
  dependsOn: [],
  ports: [],
  ready: [],
  readyTimeoutMs: 60_000,
  export: {},
  secrets: [],
  stopSignal: undefined,
}

/** Reads it back. A container whose label another version wrote, or nobody, is shown with what is known of it. */
export function readRunningSpec(labels: Labels): RunningSpec {
  try {
    const spec: unknown = JSON.parse(labels[label.spec] ?? '')
    return typeof spec === 'object' && spec !== null ? { ...empty, ...spec } : empty
  } catch {
    return empty
  }
}
