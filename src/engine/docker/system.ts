import type { Engine } from '../engine.ts'
import { type Client, labelFilter, type Maybe, type MaybeTexts } from './client.ts'
import { readAll } from './connection.ts'
import { isOlder, newestApi } from './dialect.ts'
import { tooNew } from './errors.ts'
import { followEvents, formatEnd, formatTime } from './follow-events.ts'
import { readJsonLine } from './json-lines.ts'

type VersionJson = MaybeTexts<'Version' | 'MinAPIVersion' | 'Os' | 'Arch'>

interface InfoJson extends MaybeTexts<'OperatingSystem' | 'Driver' | 'CgroupVersion'> {
  readonly SecurityOptions?: Maybe<readonly string[]>
  readonly NCPU?: Maybe<number>
  readonly MemTotal?: Maybe<number>
  readonly Warnings?: Maybe<readonly string[]>
}

const maxEventBytes = 64 * 1024 * 1024

export function systemVerbs(client: Client) {
  return {
    async version(options) {
      const { product, api, apiMax } = await client.dialect(options)
      const json = await client.readObject<VersionJson>('GET /version', options, { isUnversioned: true })
      const apiMin = json.MinAPIVersion ?? api
      if (isOlder(newestApi, apiMin)) throw tooNew(client.location, apiMin)
      return { product, version: json.Version ?? '', api, apiMax, apiMin, os: json.Os ?? '', arch: json.Arch ?? '' }
    },
    async info(options) {
      const json = await client.readObject<InfoJson>('GET /info', options)
      return {
        operatingSystem: json.OperatingSystem ?? '',
        storageDriver: json.Driver ?? '',
        cgroupVersion: json.CgroupVersion ?? '1',
        isRootless: (json.SecurityOptions ?? []).some((option) => /^name=rootless\b/.test(option)),
        cpus: json.NCPU ?? 0,
        memoryBytes: json.MemTotal ?? 0,
        warnings: json.Warnings ?? [],
      }
    },
    async readEvents(labels, { fromMs, toMs }, options) {
      const query = { since: formatTime(fromMs), until: formatEnd(toMs), filters: labelFilter(labels) }
      const lines = await client.sendAndRead('GET /events', options, { query }, async ({ body }) =>
        (await readAll(body, maxEventBytes, "the engine's list of events")).toString('utf8').split('\n'),
      )
      return lines.map(readJsonLine).filter((event) => event !== undefined)
    },
    followEvents: (labels, range, options) => followEvents(client, labels, range, options),
  } satisfies Partial<Engine>
}
