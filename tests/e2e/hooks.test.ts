import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { removeFleetFolders, SOON_MS } from '../support/command.ts'
import { makeFleet, type Servers } from '../support/story-fleet.ts'

const image = 'debian:bookworm-slim'
const loop = 'echo set; while :; do sleep 0.1; done'
const ends = { from: 'ends', to: '/ends', writable: true }
const note = (word: string): string[] => ['sh', '-c', `echo ${word} >> /ends/all`]

/** Waits for a file that `preStart` makes, so that the order shows. */
const db: Servers[string] = {
  image,
  command: ['sh', '-c', `cat /data/prepared; ${loop}`],
  ready: [{ log: 'set' }],
  stopSignal: 'SIGKILL',
  secrets: { PASSWORD: { generate: 24 } },
  environment: { OWN: 'own' },
  execEnvironment: { PGPASSWORD: { secret: 'PASSWORD' } },
  mounts: [{ volume: 'data', to: '/data', writable: true }, ends],
  preStart: [
    ['sh', '-c', 'test -s /run/secrets/PASSWORD && echo "$OWN $EXTRA $(id -u) $(pwd)" > /data/prepared'],
    {
      command: ['sh', '-c', 'echo "$OWN $EXTRA $(id -u) $(pwd)" >> /data/prepared; chmod 666 /data/prepared'],
      environment: { EXTRA: '1.10' },
      workingDir: '/tmp',
    },
  ],
  postStart: [
    { command: ['sh', '-c', 'echo "seeded by $(id -u) in $(pwd): $PGPASSWORD"'], user: 'nobody', workingDir: '/var' },
    ['sh', '-c', 'test "$(cat /run/secrets/PASSWORD)" = "$PGPASSWORD" && echo seeded > /data/seed'],
  ],
  preStop: [{ command: ['sh', '-c', 'echo "stopping $A" >> /ends/all'], environment: { A: 'db' } }],
}

afterAll(removeFleetFolders)

describe.concurrent('commands of preStart, postStart and preStop', () => {
  test('run in order, each in its place, and again when the server is replaced', async () => {
    const web: Servers[string] = { image, command: ['sh', '-c', `cat /data/seed; ${loop}`], dependsOn: ['db'] }
    const mounted = { ...web, mounts: [{ volume: 'data', to: '/data' }], ready: [{ log: 'seeded' }] }
    const fleet = await makeFleet({ db, web: mounted }, { 'ends/all': '' })
    const plan = await fleet.done(['plan'])
    expect(plan.stdout).toMatch(
      /^ {2}run {5}db: preStart sh -c .*\n.*\n {2}start {3}db: .*\n {2}run {5}db: postStart sh/m,
    )
    const up = await fleet.done(['up', '--verbose'])
    expect(up.stderr).toMatch(/^db: preStart 1\/2 sh -c .*\n(.*\n)*^db: starting.*\n(.*\n)*^db: postStart 1\/2 sh -c /m)
    expect(up.stderr).toMatch(/^db: \| seeded by 65534 in \/var: \*\*\*$/m)
    expect(up.stderr).toMatch(/^db: ready in .*\n(.*\n)*^web: starting/m)
    expect((await fleet.done(['logs', 'db'])).stdout).toContain('own  0 /\ndb | own 1.10 0 /tmp\n')
    const again = await fleet.done(['up'])
    expect(again.stderr).toContain('db: ready (unchanged)')
    await fleet.declare({ db: { ...db, postStart: [['sh', '-c', 'echo changed']] } })
    const changed = await fleet.done(['up', '--verbose'])
    expect(changed.stderr).toContain('db: | changed\n')
    expect(await readFile(join(fleet.folder, 'ends/all'), 'utf8')).toBe('stopping db\n')
    await fleet.done(['down'])
    expect(await readFile(join(fleet.folder, 'ends/all'), 'utf8')).toBe('stopping db\nstopping db\n')
  })

  test('fail the start when one of them fails, and the server is stopped as usual', async () => {
    const own = { image, command: ['sh', '-c', loop], ready: [{ log: 'set' }], mounts: [ends] }
    const fails = { command: ['sh', '-c', 'echo "I know $P"; exit 3'], environment: { P: { secret: 'PASSWORD' } } }
    const web = {
      ...own,
      secrets: { PASSWORD: { generate: 24 } },
      postStart: [['true'], fails],
      preStop: [note('web')],
    }
    const fleet = await makeFleet({ web }, { 'ends/all': '' })
    const { exitCode, stderr } = await fleet.call(['up'])
    expect(exitCode).toBe(1)
    const told =
      /error: web: the postStart command `sh -c .* failed with exit code 3\n {2}asked for at testfleet\.json:\d+:\d+\n {2}\| I know \*\*\*\n/
    expect(stderr).toMatch(told)
    expect(await readFile(join(fleet.folder, 'ends/all'), 'utf8')).toBe('web\n')

    await fleet.declare({ web: { ...own, postStart: [{ command: ['sleep', '1000'], timeout: '1s' }] } })
    expect((await fleet.call(['up', '--keep'])).stderr).toContain('command `sleep 1000` did not end within 1.0 s')
    await fleet.declare({ web: { ...own, postStart: [['no-such-program']] } })
    expect((await fleet.call(['up'])).stderr).toMatch(
      /web: the postStart command `no-such-program` cannot be run: .*no-such/,
    )
    await fleet.declare({ web: { ...own, postStart: [{ command: ['sleep', '1000'], timeout: '1s' }] } })
    expect((await fleet.done(['plan'])).stdout).toContain('start   web: postStart did not complete\n')
    await fleet.done(['down'])

    await fleet.declare({ web: { ...own, preStart: [['sh', '-c', 'echo not now >&2; exit 4']] } })
    const before = await fleet.call(['up'])
    expect(before.stderr).toMatch(
      /web: the preStart command `sh -c .*` failed with exit code 4\n(?:.*\n)*? *\| not now\n/,
    )
    expect(before.stderr).not.toMatch(/web: (starting|not started)/)
  })

  test('only cause a warning when they fail before a stop', async () => {
    const own = { image, command: ['sh', '-c', loop], secrets: { S: { generate: 24 } } }
    const bad = ['sh', '-c', 'cat /run/secrets/S; exit 5']
    const fleet = await makeFleet({
      a: { ...own, preStop: [bad, ['true']] },
      b: { ...own, preStop: [{ command: ['sleep', '1000'], timeout: 1 }] },
    })
    await fleet.done(['up'])
    const down = await fleet.done(['down', '--verbose'])
    expect(down.stderr).toMatch(/^warning: a: the preStop command `sh -c .*` failed with exit code 5: \*\*\*$/m)
    expect(down.stderr).toMatch(/^warning: b: the preStop command `sleep 1000` did not end within 1\.0 s$/m)
  })

  test('run when the keeper removes the servers of a killed call', async () => {
    const web = { image, command: ['sh', '-c', loop], mounts: [ends], preStop: [note('kept')] }
    const fleet = await makeFleet({ web }, { 'ends/all': '' })
    await fleet.call(['run', '--', 'sh', '-c', 'kill -9 $PPID; sleep 1'])
    await vi.waitFor(async () => {
      expect(await readFile(join(fleet.folder, 'ends/all'), 'utf8')).toBe('kept\n')
    }, SOON_MS)
  })
})
