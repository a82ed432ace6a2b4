import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandOptions, removeFleetFolders, startTestfleet } from '../support/command.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'

const image = 'debian:bookworm-slim'
/** Keeps what it was given, and then writes more variables into its own secret. */
const rewrite = `cp /run/secrets/PASSWORD /tmp/given
printf 'abc\\nNODE_OPTIONS=--require=/evil.cjs\\nPATH=/evil' > /run/secrets/PASSWORD
touch /tmp/done; exec sleep 600`

let fleet: StoryFleet
let given: string
/** A state folder without the key with which the secrets in the record are sealed, as that of another user. */
let elsewhere: CommandOptions

beforeAll(async () => {
  fleet = await makeFleet(
    {
      sly: {
        image,
        command: ['sh', '-c', rewrite],
        ready: [{ exec: ['test', '-e', '/tmp/done'] }],
        secrets: { PASSWORD: { generate: 24 } },
        export: { APP_PASSWORD: '${secret.PASSWORD}' },
      },
      // Longer than what a record holds.
      big: {
        image,
        command: ['sleep', '600'],
        ready: [{ exec: ['true'] }],
        secrets: { KEY: { file: 'key.pem' } },
        export: { APP_KEY: '${secret.KEY}' },
      },
    },
    { 'key.pem': `${pem}\n` },
  )
  elsewhere = { env: { TESTFLEET_STATE_DIR: join(fleet.folder, 'elsewhere') } }
  await fleet.done(['up'])
  given = await fleet.exec('sly', 'cat', '/tmp/given')
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

const pem = `-----BEGIN THING-----\n${'abcdefgh\n'.repeat(600)}-----END THING-----`
const readList = (text: string): Record<string, string> =>
  Object.fromEntries(text.split('\0').map((entry) => [entry.split('=')[0], entry.slice(entry.indexOf('=') + 1)]))

async function readByShell(script: string): Promise<Record<string, string>> {
  const { result } = startTestfleet([], { isBare: true, prefix: ['bash', '-c', `${script}\nexec env -0`] })
  return readList((await result).stdout)
}

async function readByGithub(text: string): Promise<Record<string, string>> {
  const blocks = [...text.matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2\n/gm)]
  expect(blocks.map(([block]) => block).join('')).toBe(text)
  return Object.fromEntries(blocks.map(([, name, , value]) => [name, value]))
}

async function readByDotenv(text: string): Promise<Record<string, string>> {
  const path = join(fleet.folder, '.env')
  await writeFile(path, text)
  const [ofNode, ofBash] = [parseEnv(text), await readByShell(`set -a; . '${path}'`)]
  expect(ofBash).toMatchObject(ofNode)
  return ofNode as Record<string, string>
}

describe('a server that adds variables to its own secret file', () => {
  test.each<[string, (text: string) => Record<string, string> | Promise<Record<string, string>>]>([
    ['json', (text) => JSON.parse(text)],
    ['shell', readByShell],
    ['dotenv', readByDotenv],
    ['github', readByGithub],
  ])('cannot add variables to `endpoints --format %s`, which has only the original value', async (format, read) => {
    const { stdout } = await fleet.done(['endpoints', '--format', format])
    expect(stdout).not.toContain('evil')
    const variables = await read(stdout)
    expect(variables).toMatchObject({ APP_PASSWORD: given, APP_KEY: pem })
    expect(Object.keys(variables)).not.toContain('NODE_OPTIONS')
  })

  test('cannot add variables to the command of `join`, which gets only the original value', async () => {
    const { stdout, stderr } = await fleet.done(['join', '--', 'env', '-0'], { env: { APP_PASSWORD: 'mine' } })
    expect(readList(stdout)).toMatchObject({ APP_PASSWORD: given, APP_KEY: pem, PATH: process.env.PATH })
    expect(stdout).not.toContain('evil')
    // Its caller has another one.
    expect(stderr.split('\n').filter((line) => line.includes('APP_PASSWORD'))).toHaveLength(1)
  })

  test('makes calls fail that can read the secret only from the server', async () => {
    for (const words of [
      ['endpoints', '--format', 'json'],
      ['join', '--', 'env'],
    ]) {
      const { exitCode, stdout, stderr } = await fleet.call(words, elsewhere)
      expect([exitCode, stdout]).toEqual([1, ''])
      expect(stderr).toContain('the secrets in sly have been changed since it was started')
    }
  })
})

test('a value that a format cannot represent is refused before anything is printed, and its variable is named', async () => {
  const { exitCode, stdout, stderr } = await fleet.call(['endpoints', '--format', 'env'])
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr).toContain('`--format env` cannot hold the value of APP_KEY')
})

test('`run` sets the original secret of its own server, and warns once about a variable that it replaces', async () => {
  const env = { APP_PASSWORD: 'mine', APP_OTHER: 'mine' }
  const words = ['--server', 'sly', '--', 'sh', '-c', 'printf %s "$APP_PASSWORD"; [ -z "$NODE_OPTIONS" ]']
  const { exitCode, stdout, stderr } = await fleet.call(['run', '--names', 'none', ...words], { env })
  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^[A-Za-z0-9]{24}$/)])
  expect(stderr.match(/APP_PASSWORD/g)).toHaveLength(1)
  expect(stderr).toContain('warning: ')
  expect(stderr).not.toContain('APP_OTHER')
  const quiet = await fleet.call(['join', '--quiet', '--', 'true'], { env })
  expect(quiet).toMatchObject({ exitCode: 0, stderr: '' })
})

test('`check` names the variables of the caller that the fleet file replaces', async () => {
  const { stdout } = await fleet.done(['check'], { env: { APP_PASSWORD: 'mine' } })
  expect(stdout).toMatch(/variable-replaced {2}sly: APP_PASSWORD is set in this environment/)
})
