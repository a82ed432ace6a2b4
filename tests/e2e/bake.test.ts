import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { countLeftovers, SOON_MS, withEngine } from '../support/command.ts'
import { readImage } from '../support/read-image.ts'
import { base, endFleets, makeFleet } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

afterAll(endFleets)

/** Prepares itself at its first start; writes down its secret at every start, and that it was stopped in its own time. */
const start = [
  'rm -f /srv/ready',
  '[ -e /srv/prepared ] || echo prepared with $KEY >> /srv/prepared',
  'cat /run/secrets/KEY > /srv/key',
  'trap "echo stopped >> /srv/stopped; exit 0" TERM',
  'touch /srv/ready',
  'while :; do sleep 0.1; done',
].join('; ')

const db = (
  run = '[[sh, -c, "getent hosts cache > /srv/found; echo $A >> /srv/seeds"]]',
  ready = 'test -e /srv/ready',
  readyTimeout = '60s',
) => [
  `cache: { image: "${base}", command: [sleep, infinity] }`,
  'db:',
  `  image: "${base}"`,
  `  command: [sh, -c, ${JSON.stringify(start)}]`,
  '  dependsOn: [cache]',
  '  tls: true',
  '  secrets: { KEY: { generate: 30 }, TOKEN: { env: BAKE_TOKEN } }',
  '  environment: { KEY: { secret: KEY }, A: first, OUTER: { env: BAKE_OUTER } }',
  `  bake: { run: ${run}, readsSecrets: true }`,
  '  postStart: [[sh, -c, "echo greeted >> /srv/greeted"]]',
  `  ready: [{ exec: [sh, -c, ${JSON.stringify(ready)}] }]`,
  `  readyTimeout: ${readyTimeout}`,
  '  export: { DB_KEY: "${secret.KEY}" }',
]
/** Saving an image takes long on a busy machine. */
const timeoutMs = 5 * SOON_MS
const env = { BAKE_TOKEN: 'token-of-a-session', BAKE_OUTER: 'outer-of-a-session' }
const baked = /testfleet\/\S+-db\/baked:[0-9a-f]{16}/

describe.concurrent('a server with bake', () => {
  test('starts from its saved state, with secrets of its own session only', async () => {
    const fleet = await makeFleet(db())
    const cat = (path: string): Promise<string> => fleet.exec('db', 'cat', path)
    expect((await fleet.run(['plan'], { env })).stdout).toMatch(/^ {2}bake {4}\S+ \(for db\): not baked yet$/m)
    // Of two calls at once, one bakes and the other waits.
    const both = await Promise.all([
      fleet.run(['bake', '--timeline', 'bake.html'], { env, timeoutMs }),
      fleet.run(['bake', 'db'], { env: { BAKE_OUTER: env.BAKE_OUTER }, timeoutMs }),
    ])
    for (const { exitCode, stderr } of both) expect(exitCode, stderr).toBe(0)
    expect(await readFile(join(fleet.folder, 'bake.html'), 'utf8')).toContain('baking the image')
    const [image = ''] = baked.exec(both[0].stdout) ?? []
    expect(await fleet.listImages()).toEqual([image])
    expect((await fleet.run(['bake'], { env })).stdout).toContain('present')

    const up = await fleet.run(['up'], { env, timeoutMs })
    expect(up.exitCode, up.stderr).toBe(0)
    expect(up.stderr).not.toContain('baking')
    expect((await fleet.run(['plan'], { env })).stdout).toMatch(/^ {2}image {3}\S+ \(baked for db\)$/m)
    const other = await fleet.run(['run', '--', 'sh', '-c', 'echo $DB_KEY'], { env, timeoutMs })
    const keys = [await cat('/srv/key'), other.stdout.trim()]
    expect(new Set(keys).size).toBe(2)
    expect(await cat('/srv/prepared')).toMatch(/^prepared with \S{30}\n$/)
    for (const key of keys) expect(await cat('/srv/prepared')).not.toContain(key)
    expect(await cat('/srv/stopped')).toBe('stopped\n')
    expect(await cat('/srv/seeds')).toBe('first\n')
    expect(await cat('/srv/found')).toContain('cache')
    expect(await cat('/srv/greeted')).toBe('greeted\n')
    // The authority of baking is forgotten: it trusts what a server trusts that was not baked.
    const trusted = ['db', 'cache'].map((name) =>
      fleet.exec(name, 'grep', '-c', 'BEGIN', '/etc/ssl/certs/ca-certificates.crt'),
    )
    const [ofDb, ofCache] = await Promise.all(trusted)
    expect(ofDb).toMatch(/^\d+\n$/)
    expect(ofDb).toBe(ofCache)
    expect(await cat('/run/secrets/TOKEN')).toBe(env.BAKE_TOKEN)

    // Layers, configuration and history of the image and of those below it.
    const bytes = await readImage(image)
    for (const secret of [...keys, ...Object.values(env)]) expect(bytes.includes(secret), secret).toBe(false)
    expect(bytes.includes('prepared with')).toBe(true)

    await fleet.rewrite(db('[["true"]]'))
    expect((await fleet.run(['plan'], { env })).stdout).toMatch(/^ {2}bake {4}\S+ \(for db\): commands changed$/m)
    await fleet.takeDown()
    const gone = await fleet.run(['rmi', 'db'], { env })
    expect(gone.stdout).toContain(image)
    expect(await fleet.listImages()).toEqual([])
  })

  test('fails where its commands fail or it never gets ready, and leaves nothing', wide, async () => {
    const fleet = await makeFleet(db('[["true"], [sh, -c, "echo no such table; exit 3"]]'))
    const line = (await readFile(join(fleet.folder, 'testfleet.yaml'), 'utf8'))
      .split('\n')
      .findIndex((text) => text.includes('bake:'))
    const seeds = await fleet.run(['up'], { env, timeoutMs })
    expect(seeds.exitCode).toBe(1)
    expect(seeds.stderr).toContain(
      "error: the image of db could not be baked: db: the bake command `sh -c 'echo no such table; exit 3'` failed with exit code 3\n",
    )
    expect(seeds.stderr).toContain(`asked for at testfleet.yaml:${line + 1}:29\n  | no such table\n`)
    expect(seeds.stderr).toMatch(/^db: baking, run sh -c/m)

    await fleet.rewrite(
      db('[["true"]]', 'echo not yet; exit 1', '2s').map((text) => text.replace('rm -f', 'echo preparing; rm -f')),
    )
    const never = await fleet.run(['bake'], { env, timeoutMs })
    expect(never.exitCode).toBe(4)
    expect(never.stderr).toContain('error: the image of db could not be baked: db ')
    expect(never.stderr).toContain('preparing')
    expect(await countLeftovers(fleet.name)).toBe(0)
    expect(await fleet.listImages()).toEqual([])
    expect(await withEngine((engine) => engine.listImages({ 'dev.testfleet.fleet': fleet.name }))).toEqual([])
  })
})
