import { describe, expect, test } from 'vitest'
import { loadText, mistakesIn } from '../../tests/support/load-text.ts'

const db = (...lines: readonly string[]): string =>
  `name: fleet\nservers:\n  db:\n    image: debian:bookworm-slim\n${lines.map((line) => `    ${line}\n`).join('')}`
const preset = (...lines: readonly string[]): string =>
  db(...lines).replace('image: debian:bookworm-slim', 'preset: postgresql')

const bakeOf = async (text: string) => (await loadText(text)).servers.get('db')?.bake

describe('the key bake', () => {
  test('bakes nothing where it is missing or false', async () => {
    expect(await bakeOf(db())).toBeUndefined()
    expect(await bakeOf(db('bake: false'))).toBeUndefined()
  })

  test('takes true, a list of commands, and a block', async () => {
    expect(await bakeOf(db('bake: true'))).toEqual({ run: [] })
    const hook = { user: undefined, workingDir: undefined, environment: {}, timeoutMs: 300_000 }
    expect(await bakeOf(db('bake: [[a, b]]'))).toEqual({ run: [{ ...hook, command: ['a', 'b'], list: ['bake'] }] })
    expect(await bakeOf(db('bake: { run: [{ command: [a], user: root, timeout: 9s }] }'))).toEqual({
      run: [{ ...hook, command: ['a'], user: 'root', timeoutMs: 9000, list: ['bake', 'run'] }],
    })
  })

  test('gives its commands the variables that exec has', async () => {
    const bake = await bakeOf(preset('bake: [[psql, -c, select]]'))
    expect(bake?.run[0]?.environment).toMatchObject({ PGPASSWORD: { kind: 'secret', secret: 'PASSWORD' } })
  })

  test('takes every preset of the catalogue with its secrets', async () => {
    expect(
      await mistakesIn(preset('bake: true', 'options: { password: { generate: 9 }, users: { a: { generate: 9 } } }')),
    ).toEqual([])
  })

  test('refuses secrets that nothing says to be taken at every start', async () => {
    const unknown =
      'nothing says that the server takes the secret KEY at every start, and the image is made with another one; if it does, write `bake: { readsSecrets: true }`'
    const secret = 'secrets: { KEY: { generate: 9 } }'
    expect(await mistakesIn(db('bake: true', secret))).toEqual([`5:11 servers.db.bake: ${unknown}`])
    expect(await mistakesIn(preset('bake: true', secret))).toEqual([`5:11 servers.db.bake: ${unknown}`])
    expect(await mistakesIn(db('bake: { readsSecrets: true }', secret))).toEqual([])
    expect(await mistakesIn(db('bake: true', 'secrets: { KEY: { value: guest } }'))).toEqual([])
  })

  test('refuses the secrets of a preset that the file starts in another way', async () => {
    const [mistake] = await mistakesIn(preset('bake: true', 'command: [start-postgresql, --]'))
    expect(mistake).toContain('5:11 servers.db.bake: nothing says that the server takes the secret PASSWORD')
  })

  test('refuses what its image would not contain', async () => {
    const mounts = (...items: readonly string[]): string =>
      db('bake: true', 'mounts:', ...items.map((item) => `  - ${item}`))
    expect(await mistakesIn(mounts('{ volume: data, to: /data, writable: true }', '{ volume: data, to: /b }'))).toEqual(
      [
        '7:9 servers.db.mounts[0]: `bake` cannot go with the volume data: what the server writes to /data would not be in its image',
      ],
    )
    expect(await mistakesIn(mounts('{ from: ., to: /data, writable: true }'))).toEqual([
      '7:9 servers.db.mounts[0]: `bake` cannot go with a writable mount: what the server writes to /data would not be in its image',
    ])
    expect(await mistakesIn(db('bake: true', 'ready: [{ exit: 0 }]'))).toEqual([
      '5:11 servers.db.bake: cannot go with an `exit` check, as the server does its work again at every start',
    ])
    expect(await mistakesIn(db('bake: true', 'unsafe: { engineSocket: true }'))).toEqual([
      '5:11 servers.db.bake: cannot go with `engineSocket`, as what the server does to the engine is not in its image',
    ])
  })

  test('refuses values of the wrong type, too many commands, and commands that are no lists', async () => {
    for (const bad of [
      'yes please',
      '3',
      '[true]',
      '{ run: psql }',
      '{ seeds: [] }',
      '[[]]',
      '[{ command: [a], timeout: 0 }]',
    ])
      expect(await mistakesIn(db(`bake: ${bad}`)), bad).not.toEqual([])
    const many = Array.from({ length: 33 }, () => '[a]').join(', ')
    expect((await mistakesIn(db(`bake: [${many}]`))).join()).toContain('must be at most 32 commands')
  })
})
