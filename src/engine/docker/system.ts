import type { Engine, EngineInfo, EngineVersion } from '../engine.ts'
import { type Client, labelFilter, type Maybe } from './client.ts'
import { readAll } from './connection.ts'
import { type Dialect, isOlder, newestApi } from './dialect.ts'
import { tooNew } from './errors.ts'
import { readJsonLine } from './json-lines.ts'

interface VersionJson {
  readonly Version?: Maybe<string>
  readonly MinAPIVersion?: Maybe<string>
  readonly Os?: Maybe<string>
  readonly Arch?: Maybe<string>
}

interface InfoJson {
  readonly OperatingSystem?: Maybe<string>
  readonly Driver?: Maybe<string>
  readonly CgroupVersion?: Maybe<string>
  readonly SecurityOptions?: Maybe<readonly string[]>
  readonly NCPU?: Maybe<number>
  readonly MemTotal?: Maybe<number>
  readonly Warnings?: Maybe<readonly string[]>
}

const maxEventBytes = 64 * 1024 * 1024

export function systemVerbs(client: Client): Pick<Engine, 'version' | 'info' | 'readEvents'> {
  return {
    async version(options) {
      const dialect = await client.dialect(options)
      const json = await client.readObject<VersionJson>('GET /version', options, { isUnversioned: true })
      const version = readVersion(json, dialect)
      if (isOlder(newestApi, version.apiMin)) throw tooNew(client.location, version.apiMin)
      return version
    },
    info: async (options) => readInfo(await client.readObject<InfoJson>('GET /info', options)),
    async readEvents(labels, { fromMs, toMs }, options) {
      const query = { since: formatTime(fromMs), until: formatTime(toMs), filters: labelFilter(labels) }
      const lines = await client.sendAndRead('GET /events', options, { query }, async ({ body }) =>
        (await readAll(body, maxEventBytes, "the engine's list of events")).toString('utf8').split('\n'),
      )
      return lines.map(readJsonLine).filter((event) => event !== undefined)
    },
  }
}

/** Returns seconds with nine decimals, as the engine expects them. */
function formatTime(ms: number): string {
  const whole = Math.floor(ms)
  return `${Math.floor(whole / 1000)}.${String(whole % 1000).padStart(3, '0')}000000`
}

function readVersion(json: VersionJson, { product, api, apiMax }: Dialect): EngineVersion {
  return {
    product,
    version: json.Version ?? '',
    api,
    apiMax,
    apiMin: json.MinAPIVersion ?? api,
    os: json.Os ?? '',
    arch: json.Arch ?? '',
  }
}

function readInfo(json: InfoJson): EngineInfo {
  return {
    operatingSystem: json.OperatingSystem ?? '',
    storageDriver: json.Driver ?? '',
    cgroupVersion: json.CgroupVersion ?? '1',
    isRootless: (json.SecurityOptions ?? []).some((option) => /^name=rootless\b/.test(option)),
    cpus: json.NCPU ?? 0,
    memoryBytes: json.MemTotal ?? 0,
    warnings: json.Warnings ?? [],
  }
}
