import type { Engine, EngineInfo, EngineVersion } from '../engine.ts'
import { type Client, labelFilter } from './client.ts'
import { readProgress } from './json-lines.ts'
import { isOlder, newestApi, type Spoken, tooNew } from './negotiate.ts'
import type { WireInfo, WireVersion } from './wire.ts'

export function systemVerbs(client: Client): Pick<Engine, 'version' | 'info' | 'readEvents'> {
  return {
    async version(options) {
      const spoken = await client.spoken(options)
      const call = { method: 'GET', path: '/version', isUnversioned: true, ...client.within(options) } as const
      const version = readVersion(await client.object<WireVersion>(call), spoken)
      if (isOlder(newestApi, version.apiMin)) throw tooNew(client.location, version.apiMin)
      return version
    },
    async info(options) {
      return readInfo(await client.object<WireInfo>({ method: 'GET', path: '/info', ...client.within(options) }))
    },
    async readEvents(labels, { fromMs, toMs }, options) {
      const query = { since: formatTime(fromMs), until: formatTime(toMs), filters: labelFilter(labels) }
      const call = { method: 'GET', path: '/events', query, ...client.within(options) } as const
      return client.whole(call, async ({ body }) => {
        const events: unknown[] = []
        for await (const event of readProgress(body)) events.push(event)
        return events
      })
    },
  }
}

/** The engine takes seconds, and a fraction of nine digits. */
function formatTime(ms: number): string {
  const whole = Math.floor(ms)
  return `${Math.floor(whole / 1000)}.${String(whole % 1000).padStart(3, '0')}000000`
}

function readVersion(wire: WireVersion, spoken: Spoken): EngineVersion {
  return {
    product: spoken.isDocker ? 'Docker Engine' : 'Podman Engine',
    version: wire.Version ?? '',
    api: spoken.api,
    apiMax: spoken.apiMax,
    apiMin: wire.MinAPIVersion ?? spoken.api,
    os: wire.Os ?? '',
    arch: wire.Arch ?? '',
  }
}

function readInfo(wire: WireInfo): EngineInfo {
  return {
    operatingSystem: wire.OperatingSystem ?? '',
    storageDriver: wire.Driver ?? '',
    cgroupVersion: wire.CgroupVersion ?? '1',
    isRootless: (wire.SecurityOptions ?? []).some((option) => /^name=rootless\b/.test(option)),
    cpus: wire.NCPU ?? 0,
    memoryBytes: wire.MemTotal ?? 0,
    warnings: wire.Warnings ?? [],
  }
}
