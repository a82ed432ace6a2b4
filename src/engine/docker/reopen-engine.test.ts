import { execFile } from 'node:child_process'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fakeDocker } from '../../../tests/support/fake-engine.ts'
import { reopenEngine } from '../reopen-engine.ts'

test('an engine is reopened by its endpoint only', async () => {
  await using fake = await fakeDocker((_, response) => response.end('[]'))
  const engine = await reopenEngine(fake.engine.location.endpoint, 'a test')
  expect(engine.location).toMatchObject({ url: fake.engine.location.url, remoteHost: undefined })
  expect(await engine.listContainers({})).toEqual([])
  engine.close()
})

test('a failure says where the endpoint came from', async () => {
  const engine = await reopenEngine({ kind: 'socket', path: '/no/such.sock' }, 'a test')
  await expect(engine.listContainers({})).rejects.toMatchObject({
    code: 'NO_ENGINE',
    message: expect.stringContaining('unix:///no/such.sock (a test)'),
  })
})

test('reopening loads only the client and the code for clean-up', async () => {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context)
        loaded.push(found.url)
        return found
      },
    })
    await import(process.argv[1])
    console.log(JSON.stringify(loaded.filter((url) => url.includes('/src/engine/'))))`
  const file = join(import.meta.dirname, '../reopen-engine.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, file])
  const names = new Set((JSON.parse(stdout) as string[]).map((url) => basename(url, '.ts')))
  expect([...names].sort()).toEqual([
    'client',
    'connect',
    'connection',
    'container-json',
    'containers',
    'deadline',
    'dial',
    'dialect',
    'disk-full',
    'errors',
    'explain-container',
    'ping',
    'reopen-engine',
    'resources',
  ])
})
