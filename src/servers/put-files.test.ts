import { unpackTar } from 'modern-tar'
import { describe, expect, test } from 'vitest'
import { TLS_FOLDER } from '../model/certificate.ts'
import type { ContextEntry } from '../model/plan.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { describeSecrets, putFiles } from './put-files.ts'

type Put = readonly [folder: string, ...files: string[]]

async function put(files: readonly ContextEntry[], readOnly: boolean, deliversIntoMounts: boolean): Promise<Put[]> {
  const puts: Put[] = []
  const runtime: Pick<Runtime, 'deliver' | 'deliversIntoMounts'> = {
    deliversIntoMounts: async () => deliversIntoMounts,
    async deliver(_id, folder, archive) {
      const entries = await unpackTar(archive as Uint8Array)
      puts.push([folder, ...entries.map(({ header }) => `${header.name} ${header.mode?.toString(8)}`)])
    },
  }
  await putFiles('id', files, { readOnly }, runtime, {})
  return puts
}

const secrets = describeSecrets(new Map([['KEY', 'of the test']]))
const tls: ContextEntry = { kind: 'text', path: `${TLS_FOLDER}/ca.pem`, mode: 0o644, text: 'ca' }
const trust: ContextEntry = { kind: 'text', path: '/etc/ssl/ca.crt', mode: 0o644, text: 'ca' }

describe('putFiles', () => {
  test('sends everything at once to an engine that reaches the volumes', async () => {
    expect(await put([...secrets, tls, trust], false, true)).toEqual([
      ['/', 'run/secrets/KEY 444', `${TLS_FOLDER.slice(1)}/ca.pem 644`, 'etc/ssl/ca.crt 644'],
    ])
  })

  test('sends the files of each volume by themselves to other engines, and into a read-only container', async () => {
    const volumes = [
      ['/run/secrets', 'KEY 444'],
      [TLS_FOLDER, 'ca.pem 644'],
    ]
    expect(await put([...secrets, tls, trust], false, false)).toEqual([...volumes, ['/', 'etc/ssl/ca.crt 644']])
    expect(await put([...secrets, tls], true, true)).toEqual(volumes)
  })

  test('sends secrets alone into their volume, and nothing where there is nothing', async () => {
    expect(await put(secrets, false, true)).toEqual([['/run/secrets', 'KEY 444']])
    expect(await put([], false, true)).toEqual([])
  })
})
