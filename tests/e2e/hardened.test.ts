import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { removeFleetFolders } from '../support/command.ts'
import { makeFleet, type Servers, type StoryFleet } from '../support/story-fleet.ts'
import { wide, wideIf } from '../support/tiers.ts'

const fixture = join(import.meta.dirname, '../fixtures/hardened/testfleet.yaml')
const { base, servers }: { base: object; servers: Servers } = parse(await readFile(fixture, 'utf8'))

/** What a real client of each says inside, and what shows that it was served. */
const proofs: Readonly<Record<string, readonly [command: readonly string[], answer: RegExp]>> = {
  nginx: [['curl', '-sS', '--max-time', '5', 'http://127.0.0.1/'], /^The front page\.$/m],
  postgresql: [['psql', '-At', '-c', 'create table t (n int); insert into t values (7); select n from t'], /^7$/m],
  redis: [['redis-cli', 'SET', 'a', 'b'], /^OK$/m],
  bind9: [['dig', '@127.0.0.1', '+short', 'www.hardened.test'], /^127\.0\.0\.80$/m],
  postfix: [
    [
      'sh',
      '-c',
      'swaks --server 127.0.0.1 --to alice@mail.hardened.test --body "it arrives" && timeout 5 sh -c "until grep -q \'it arrives\' /var/mail/alice; do sleep 0.1; done" && echo delivered',
    ],
    /^delivered$/m,
  ],
  sshd: [
    [
      'ssh',
      '-i',
      '/root/key',
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
      'alice@127.0.0.1',
      'id',
      '-un',
    ],
    /^alice$/m,
  ],
}

async function prove(fleet: StoryFleet, server: string): Promise<boolean> {
  const [command, answer] = proofs[server] ?? [[], /^/]
  const { exitCode, stdout } = await fleet.call(['exec', server, '--', ...command])
  return exitCode === 0 && answer.test(stdout)
}

let fleet: StoryFleet
beforeAll(async () => {
  fleet = await makeFleet(servers, {}, { base })
}, 30_000)

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

describe.each(Object.keys(proofs))('%s', (server) => {
  const declared = servers[server] ?? {}

  // Redis needs the smallest package.
  test('serves a real client', { ...wideIf(server !== 'redis'), timeout: 600_000 }, async () => {
    await fleet.declare(servers, { base })
    await fleet.done(['up', server], { timeoutMs: 590_000 })
    expect(await prove(fleet, server)).toBe(true)
  })

  for (const capability of declared.capAdd ?? []) {
    test(`does not serve a real client without ${capability}`, { ...wide, timeout: 600_000 }, async () => {
      const capAdd = declared.capAdd?.filter((name) => name !== capability) ?? []
      await fleet.declare({ ...servers, [server]: { ...declared, capAdd, readyTimeout: '15s' } }, { base })
      const env = { TMPDIR: fleet.folder }
      const { exitCode } = await fleet.call(['up', server, '--keep'], { env, timeoutMs: 590_000 })
      expect(exitCode === 0 && (await prove(fleet, server))).toBe(false)
    })
  }
})
