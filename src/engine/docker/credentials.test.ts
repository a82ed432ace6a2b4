import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../tests/support/eventually.ts'
import { askHelper } from './credential-helper.ts'
import { findCredentials } from './credentials.ts'

let home = ''
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'))
  await mkdir(join(home, '.docker'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const environment = (): Record<string, string> => ({ PATH: `${home}:/usr/bin:/bin` })
const configure = (config: object) => writeFile(join(home, '.docker/config.json'), JSON.stringify(config))
const base64 = (text: string) => Buffer.from(text).toString('base64')

async function find(host: string): Promise<{ login: unknown; problem: string | undefined }> {
  const { header, problem } = await findCredentials(host, { environment: environment(), home }, undefined)
  return { login: header && JSON.parse(Buffer.from(header, 'base64url').toString('utf8')), problem }
}

/** Records the helper's process id, and replaces its shell by a program that waits. */
const waiting = 'echo "$$" > "${0%/*}/pid"; exec sleep 600'

/** Installs a helper that records its input and runs this script. */
async function putHelper(name: string, script: string): Promise<void> {
  const file = join(home, `docker-credential-${name}`)
  await writeFile(file, `#!/bin/sh\nprintf '%s\\n' "$@" > "${home}/arguments"\ncat > "${home}/asked"\n${script}\n`)
  await chmod(file, 0o755)
}

describe('the login of config.json', () => {
  test('is undefined without a file, or without an entry for the registry', async () => {
    await rm(join(home, '.docker'), { recursive: true })
    expect(await find('ghcr.io')).toEqual({ login: undefined, problem: undefined })
    await mkdir(join(home, '.docker'))
    await configure({ auths: { 'other.io': { auth: base64('a:b') } } })
    expect(await find('ghcr.io')).toEqual({ login: undefined, problem: undefined })
  })

  test('is read from auth, with colons in the password', async () => {
    await configure({ auths: { 'ghcr.io': { auth: base64('me:a:b:ü') } } })
    expect((await find('ghcr.io')).login).toEqual({ username: 'me', password: 'a:b:ü', serveraddress: 'ghcr.io' })
  })

  test('of docker.io is found under its old address', async () => {
    await configure({ auths: { 'https://index.docker.io/v1/': { auth: base64('me:x') } } })
    const serveraddress = 'https://index.docker.io/v1/'
    expect((await find('docker.io')).login).toEqual({ username: 'me', password: 'x', serveraddress })
  })

  test('may be stored under a whole URL', async () => {
    await configure({ auths: { 'https://host:5000/v2/': { auth: base64('me:x') } } })
    expect((await find('host:5000')).login).toMatchObject({ username: 'me' })
    expect((await find('host')).login).toBeUndefined()
  })

  test('may be an identity token', async () => {
    await configure({ auths: { 'ghcr.io': { auth: base64('me:'), identitytoken: 'tok' } } })
    expect((await find('ghcr.io')).login).toEqual({ identitytoken: 'tok', serveraddress: 'ghcr.io' })
  })

  test.each([{ auth: 'no base64!' }, { auth: base64('nocolon') }, { auth: 7 }, null, 'x', []])(
    'is undefined if it is invalid: %j',
    async (entry) => {
      await configure({ auths: { 'ghcr.io': entry } })
      expect((await find('ghcr.io')).login).toBeUndefined()
    },
  )

  test('is encoded in padded base64 for URLs', async () => {
    await configure({ auths: { 'ghcr.io': { auth: base64('me:ÿÿÿ???>>>~~') } } })
    const { header } = await findCredentials('ghcr.io', { environment: {}, home }, undefined)
    expect(header).toMatch(/^[A-Za-z0-9_-]+={0,2}$/)
    expect((header?.length ?? 0) % 4).toBe(0)
  })
})

describe('the login of a helper', () => {
  test('is requested with the registry on its input', async () => {
    await putHelper('fake', `echo '{"ServerURL":"ghcr.io","Username":"me","Secret":"pw"}'`)
    await configure({ credsStore: 'fake', auths: { 'ghcr.io': {} } })
    expect((await find('ghcr.io')).login).toEqual({ username: 'me', password: 'pw', serveraddress: 'ghcr.io' })
    expect(await readFile(join(home, 'arguments'), 'utf8')).toBe('get\n')
    expect(await readFile(join(home, 'asked'), 'utf8')).toBe('ghcr.io')
    await find('docker.io')
    expect(await readFile(join(home, 'asked'), 'utf8')).toBe('https://index.docker.io/v1/')
  })

  test('is requested with variables that nobody else reads', async () => {
    await putHelper('fake', `echo "{\\"Username\\":\\"me\\",\\"Secret\\":\\"$TOKEN\\"}"`)
    await configure({ credsStore: 'fake' })
    const helperEnvironment = { ...environment(), TOKEN: 'pw' }
    const listed = new Proxy({}, { ownKeys: () => expect.fail('the environment is listed') })
    const { header } = await findCredentials('ghcr.io', { environment: listed, helperEnvironment, home }, undefined)
    expect(Buffer.from(header ?? '', 'base64url').toString()).toContain('"password":"pw"')
  })

  test('of the registry itself takes precedence', async () => {
    await putHelper('one', `echo '{"Username":"one","Secret":"x"}'`)
    await putHelper('two', `echo '{"Username":"two","Secret":"x"}'`)
    await configure({ credsStore: 'one', credHelpers: { 'ghcr.io': 'two' } })
    expect((await find('ghcr.io')).login).toMatchObject({ username: 'two' })
    expect((await find('other.io')).login).toMatchObject({ username: 'one' })
  })

  test('may be an identity token', async () => {
    await putHelper('fake', `echo '{"Username":"<token>","Secret":"tok"}'`)
    await configure({ credsStore: 'fake' })
    expect((await find('ghcr.io')).login).toEqual({ identitytoken: 'tok', serveraddress: 'ghcr.io' })
  })

  test('is undefined, without a problem, if the helper does not have it', async () => {
    await putHelper('fake', 'echo "credentials not found in native keychain"; exit 1')
    await configure({ credsStore: 'fake' })
    expect(await find('ghcr.io')).toEqual({ login: undefined, problem: undefined })
  })

  test.each([
    ['fails', 'exit 3', /exits with 3/],
    ['does not print JSON', 'echo hello', /does not answer with JSON/],
    ['prints without end', 'yes', /sends an endless answer/],
  ])('is undefined, with a reason, if the helper %s', async (_, script, problem) => {
    await putHelper('fake', script)
    await configure({ credsStore: 'fake' })
    const found = await find('ghcr.io')
    expect(found).toEqual({ login: undefined, problem: expect.stringMatching(problem) })
  })

  test('is undefined, with a reason, if the helper does not exist', async () => {
    await configure({ credsStore: 'nowhere' })
    expect((await find('ghcr.io')).problem).toMatch(/docker-credential-nowhere is not on the PATH/)
  })

  test.each(['../evil', 'a b', 'a;touch x', '-x', '', 'x/../y', 'a'.repeat(65)])(
    'is not requested from a helper named %j',
    async (name) => {
      expect((await askHelper(name, 'ghcr.io', environment(), undefined)).problem).toMatch(/invalid credential helper/)
    },
  )

  test('is undefined if the helper hangs, which is then ended', async () => {
    await putHelper('fake', waiting)
    const { problem } = await askHelper('fake', 'ghcr.io', environment(), undefined, 300)
    expect(problem).toMatch(/gave no answer within 0\.3 s/)
    await expectEnded()
  })

  test('is no longer waited for after an abort', async () => {
    await putHelper('fake', waiting)
    const reason = new Error('enough')
    const asking = askHelper('fake', 'ghcr.io', environment(), abortOnceStarted(reason))
    await expect(asking).rejects.toBe(reason)
    await expectEnded()
  })
})

function abortOnceStarted(reason: Error): AbortSignal {
  const abort = new AbortController()
  void eventually(readPid).then(() => abort.abort(reason))
  return abort.signal
}

/** Returns the process id of the waiting helper. Throws until the helper has started. */
async function readPid(): Promise<number> {
  const [pid] = /^\d+(?=\n)/.exec(await readFile(join(home, 'pid'), 'utf8')) ?? []
  if (pid === undefined) throw new Error('the helper has not started')
  return Number(pid)
}

/** Checks that the waiting helper has ended, if it has started at all. */
async function expectEnded(): Promise<void> {
  const pid = await readPid().catch(() => undefined)
  if (pid !== undefined) await eventually(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'))
}
