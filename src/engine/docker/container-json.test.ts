import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ContainerSpec, plainContainer } from '../../model/container.ts'
import { describeLocation } from '../dial/dial.ts'
import { formRequest, path } from './client.ts'
import { containerBody } from './container-json.ts'
import { type Dialect, readDialect } from './dialect.ts'

// A fixed seed, so that a failure can be reproduced; TESTFLEET_SEED sets another one.
const runs = {
  numRuns: Number(process.env.TESTFLEET_PROPERTY_RUNS ?? 150),
  seed: Number(process.env.TESTFLEET_SEED ?? 1),
}
const dialect = readDialect({ 'api-version': '1.40' }) as Dialect
const tricky = fc.constantFrom(
  ':',
  ',',
  '=',
  '/',
  '\n',
  '\r',
  '"',
  '\\',
  '$',
  ' ',
  '%2f',
  '?',
  '&',
  '#',
  '..',
  '{}',
  '\u2028',
)
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.oneof(tricky, fc.string()), { maxLength: 8 }).map((parts) => parts.join('')),
)
const texts = fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true })

const bare: ContainerSpec = {
  ...plainContainer,
  name: 'n',
  image: 'i',
  hostname: 'h',
  labels: {},
  network: { name: 'net', aliases: [] },
}

/** Returns the body as the engine reads it. */
// biome-ignore lint/suspicious/noExplicitAny: what the engine reads has no type here
function bodyOf(spec: Partial<ContainerSpec>): any {
  return JSON.parse(JSON.stringify(containerBody({ ...bare, ...spec }, dialect)))
}

test('texts arrive unchanged, each only where it belongs', () => {
  const untouched = bodyOf({})
  fc.assert(
    fc.property(text, fc.array(text, { minLength: 1 }), texts, (one, list, record) => {
      const body = bodyOf({
        user: one,
        workingDir: one,
        stopSignal: one,
        command: list,
        entrypoint: list,
        labels: record,
        sysctls: record,
        capAdd: list,
      })
      expect(body).toEqual({
        ...untouched,
        User: one,
        WorkingDir: one,
        StopSignal: one,
        Cmd: list,
        Entrypoint: list,
        Labels: record,
        HostConfig: { ...untouched.HostConfig, Sysctls: record, CapAdd: list },
      })
    }),
    runs,
  )
})

test('a variable is split at its first `=`; its value may contain anything', () => {
  const environment = fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,9}$/), text, { noNullPrototype: true })
  fc.assert(
    fc.property(environment, (given) => {
      const read = bodyOf({ environment: given }).Env.map((entry: string) => {
        const end = entry.indexOf('=')
        return [entry.slice(0, end), entry.slice(end + 1)]
      })
      expect(read).toEqual(Object.entries(given))
    }),
    runs,
  )
})

test('a host entry is split at its first `:`; its address may contain more', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('host-gateway'))
  const hosts = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9.-]{0,9}$/), address, { noNullPrototype: true })
  fc.assert(
    fc.property(hosts, (extraHosts) => {
      const read = bodyOf({ extraHosts }).HostConfig.ExtraHosts.map((entry: string) => [
        entry.slice(0, entry.indexOf(':')),
        entry.slice(entry.indexOf(':') + 1),
      ])
      expect(read).toEqual(Object.entries(extraHosts))
    }),
    runs,
  )
})

test('the path of a mount or tmpfs cannot add options', () => {
  const size = fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined })
  fc.assert(
    fc.property(text, text, size, fc.integer({ min: 0, max: 0o7777 }), (from, to, sizeBytes, mode) => {
      const { Mounts, Tmpfs, Binds } = bodyOf({
        mounts: [
          { kind: 'bind', from, to, writable: false },
          { kind: 'volume', volume: from, to, writable: true },
        ],
        tmpfs: [{ to, sizeBytes, mode, uid: 1, gid: undefined }],
      }).HostConfig
      expect(Binds).toBeUndefined()
      expect(Mounts).toEqual([
        { Type: 'bind', Source: from, Target: to, ReadOnly: true },
        { Type: 'volume', Source: from, Target: to, ReadOnly: false },
      ])
      const options = `${sizeBytes === undefined ? '' : `size=${sizeBytes},`}mode=${mode.toString(8)},uid=1`
      expect(Tmpfs).toEqual({ [to]: options })
      expect(options).toMatch(/^(?:size=\d+,)?mode=[0-7]+,uid=1$/)
    }),
    runs,
  )
})

test('values in the path and query of a request are decoded unchanged', () => {
  const location = describeLocation({ kind: 'socket', path: '/s' }, 'a test')
  fc.assert(
    fc.property(text, texts, fc.array(text, { minLength: 1 }), (name, record, tags) => {
      const query = { t: tags, labels: JSON.stringify(record), target: name, platform: undefined }
      const url = formRequest({ route: path`POST /containers/${name}/start`, query }, '/v1.40', location).path
      expect(url).toMatch(/^[!-~]*$/)
      const [way = '', words = '', ...rest] = url.split('?')
      expect(rest).toEqual([])
      expect(decodeURIComponent(way)).toBe(`/v1.40/containers/${name}/start`)
      const read = new URLSearchParams(words)
      expect(read.getAll('t')).toEqual(tags)
      expect(JSON.parse(read.get('labels') ?? '')).toEqual(record)
      expect(read.get('target')).toBe(name)
      expect([...read.keys()].filter((key) => key !== 't')).toEqual(['labels', 'target'])
    }),
    runs,
  )
})
