import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Harness, openHarness, pack } from '../../src/engine/conformance/harness.ts'
import { connectDocker } from '../../src/engine/docker/connect.ts'
import { locateEngine } from '../../src/engine/docker/locate.ts'
import type { Engine, RemoteLocation } from '../../src/engine/engine.ts'
import type { PullProgress } from '../../src/engine/image-types.ts'
import { makeFleetFolder, removeFleetFolders, runTestfleet } from '../support/command.ts'

/** Pulls from a real registry that wants a password: Debian's docker-registry, behind a port of the loopback. */
describe('a private image', () => {
  let home = ''
  let location: RemoteLocation
  let harness: Harness
  let registry = ''
  let image = ''
  const opened: Engine[] = []

  /** An engine whose docker command is configured so. */
  const configured = async (config: object): Promise<Engine> => {
    await writeFile(join(home, '.docker/config.json'), JSON.stringify(config))
    const environment = { PATH: `${home}:${process.env.PATH}` }
    const engine = connectDocker(location, { environment, home })
    opened.push(engine)
    return engine
  }
  const auth = (password: string): string => Buffer.from(`me:${password}`).toString('base64')

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'testfleet-pull-'))
    await mkdir(join(home, '.docker'))
    const uid = process.getuid?.()
    location = await locateEngine({ environment: process.env, home: homedir(), platform: process.platform, uid })
    harness = await openHarness(connectDocker(location, { environment: {}, home }), 'debian:bookworm-slim')
    registry = await startRegistry(harness)
    image = `${registry}/private/app:1`
    await pushImage(harness, location, image, { username: 'me', password: 'right' })
  })
  afterAll(async () => {
    for (const engine of opened) engine.close()
    await harness?.sweep()
    harness?.engine.close()
    await rm(home, { recursive: true, force: true })
  })

  test('is not pulled without a login, and the failure says so', async () => {
    const engine = await configured({})
    const failure = { code: 'PULL_FAILED', hint: expect.stringContaining(`docker login ${registry}`) }
    await expect(engine.pullImage(image, {})).rejects.toMatchObject(failure)
  })

  test('is not pulled with a wrong password', async () => {
    const engine = await configured({ auths: { [registry]: { auth: auth('wrong') } } })
    await expect(engine.pullImage(image, {})).rejects.toMatchObject({ code: 'PULL_FAILED' })
  })

  test('is pulled with the login of config.json', async () => {
    const engine = await configured({ auths: { [registry]: { auth: auth('right') } } })
    const told: PullProgress[] = []
    await engine.pullImage(image, { onProgress: (one) => told.push(one) })
    expect(await engine.inspectImage(image)).toMatchObject({ labels: harness.labels })
    expect(told.length).toBeGreaterThan(1)
    await engine.removeImage(image)
  })

  test('is pulled with the login of a helper', async () => {
    const helper = join(home, 'docker-credential-test')
    const answer = JSON.stringify({ ServerURL: registry, Username: 'me', Secret: 'right' })
    await writeFile(helper, `#!/bin/sh\nread -r asked\n[ "$asked" = ${registry} ] && echo '${answer}'\n`)
    await chmod(helper, 0o755)
    const engine = await configured({ credHelpers: { [registry]: 'test' } })
    await engine.pullImage(image, {})
    expect(await engine.inspectImage(image)).toBeDefined()
    await engine.removeImage(image)
  })

  test('is not pulled when the credential helper fails, and the failure says why', async () => {
    const engine = await configured({ credsStore: 'nowhere' })
    const failure = {
      code: 'PULL_FAILED',
      hint: expect.stringContaining('docker-credential-nowhere is not on the PATH'),
    }
    await expect(engine.pullImage(image, {})).rejects.toMatchObject(failure)
  })

  test('is pulled by up, and its server is kept by the next up', async () => {
    await writeFile(
      join(home, '.docker/config.json'),
      JSON.stringify({ auths: { [registry]: { auth: auth('right') } } }),
    )
    const server = { image, command: ['/program', '--version'], ready: [{ exit: 0 }] }
    const folder = await makeFleetFolder({ 'testfleet.json': JSON.stringify({ name: 'pulled', servers: { server } }) })
    const options = { cwd: folder, env: { DOCKER_CONFIG: join(home, '.docker') } }
    const first = await runTestfleet(['up', '--json'], options)
    expect(first).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`pulling ${image}`) })
    const plan = await runTestfleet(['plan'], options)
    expect(plan.stdout).toBe('session pulled\n  keep    server (completed)\nNothing to do.\n')
    expect(await runTestfleet(['down'], options)).toMatchObject({ exitCode: 0 })
    await harness.engine.removeImage(image)
    await removeFleetFolders()
  })

  test('is pinned by pin, then pulled, built from and kept by up', async () => {
    await writeFile(
      join(home, '.docker/config.json'),
      JSON.stringify({ auths: { [registry]: { auth: auth('right') } } }),
    )
    const text = [
      'name: pinned # what is written here stays',
      'servers:',
      `  named: { image: '${image}', command: [/program, --version], ready: [{ exit: 0 }] } # one`,
      '  built:',
      `    build: { from: ${image}, copy: [{ content: x, to: /x }] }`,
      '    command: [/program, --version]',
      '    ready: [{ exit: 0 }]',
      '',
    ].join('\n')
    const folder = await makeFleetFolder({ 'testfleet.yaml': text })
    const options = { cwd: folder, env: { DOCKER_CONFIG: join(home, '.docker') } }
    const read = (): Promise<string> => readFile(join(folder, 'testfleet.yaml'), 'utf8')

    const dry = await runTestfleet(['pin', '--dry-run'], options)
    expect(dry).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining(`${image} is not there; it would be pulled`),
    })
    expect(await runTestfleet(['pin', '--check'], options)).toMatchObject({
      exitCode: 1,
      stdout: `testfleet.yaml:3:19: servers.named.image: ${image} is not pinned
testfleet.yaml:5:20: servers.built.build.from: ${image} is not pinned
2 images are not pinned
`,
    })
    expect(await read()).toBe(text)

    const pin = await runTestfleet(['pin', '--json'], options)
    expect(pin).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`pulling ${image}`) })
    const [pinned] = JSON.parse(pin.stdout).pins.map((one: { pinned: string }) => one.pinned)
    expect(pinned).toMatch(/private\/app:1@sha256:[0-9a-f]{64}$/)
    expect(await read()).toBe(text.replaceAll(image, pinned))
    const check = await runTestfleet(['pin', '--check'], options)
    expect(check).toMatchObject({ exitCode: 0, stdout: 'All images of the fleet file are pinned.\n' })

    // The name without the digest goes, and the image with it.
    await harness.engine.removeImage(image)
    const up = await runTestfleet(['up', '--json'], options)
    expect(up).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`pulling ${pinned}`) })
    const plan = await runTestfleet(['plan'], options)
    expect(plan.stdout).toBe(
      'session pinned\n  keep    named (completed)\n  keep    built (completed)\nNothing to do.\n',
    )
    const built = await harness.engine.inspectImage(JSON.parse(up.stdout).servers.built.image)
    expect(JSON.parse(built?.labels['dev.testfleet.base'] ?? '')).toMatchObject({
      reference: pinned,
      digest: pinned.slice(pinned.indexOf('@') + 1),
    })
    expect(await runTestfleet(['down'], options)).toMatchObject({ exitCode: 0 })
    expect(await runTestfleet(['rmi'], options)).toMatchObject({ exitCode: 0 })
    await harness.engine.removeImage(pinned)
    await removeFleetFolders()
  })

  test('with a tag that the registry does not have is reported as IMAGE_NOT_FOUND', async () => {
    const engine = await configured({ auths: { [registry]: { auth: auth('right') } } })
    const failure = { code: 'IMAGE_NOT_FOUND', message: expect.stringContaining(`${registry}/private/app:2`) }
    await expect(engine.pullImage(`${registry}/private/app:2`, {})).rejects.toMatchObject(failure)
  })
})

const dockerfile = `FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends docker-registry apache2-utils && rm -rf /var/lib/apt/lists/*
RUN htpasswd -Bbc /htpasswd me right
COPY config.yml /config.yml
`
/** With a program that needs no library: every Debian has one. */
const smallImage = `FROM debian:bookworm-slim AS debian
FROM scratch
COPY --from=debian /sbin/ldconfig /program
COPY file /
`
const config = `version: 0.1
storage: { filesystem: { rootdirectory: /var/lib/registry } }
http: { addr: ":5000" }
auth: { htpasswd: { realm: test, path: /htpasswd } }
`

/** Returns its address, once it answers. */
async function startRegistry({ engine, labels, name, start }: Harness): Promise<string> {
  const tag = `testfleet/${name()}:1`
  const context = Readable.from([await pack({ Dockerfile: dockerfile, 'config.yml': config })])
  await engine.buildImage({ tags: [tag], labels, dockerfile: 'Dockerfile', context })
  const id = await start({
    image: tag,
    command: ['docker-registry', 'serve', '/config.yml'],
    ports: [{ container: 5000, protocol: 'tcp', host: undefined, address: '127.0.0.1' }],
  })
  const { published } = await engine.inspectContainer(id)
  const address = `127.0.0.1:${published[0]?.port}`
  const deadline = AbortSignal.timeout(30_000)
  while ((await statusOf(`http://${address}/v2/`, deadline)) !== 401) await sleep(100, undefined, { signal: deadline })
  return address
}

async function statusOf(url: string, signal: AbortSignal): Promise<number | undefined> {
  const answer = await fetch(url, { signal }).catch((error) => {
    if (signal.aborted) throw error
  })
  return answer?.status
}

/** Puts a small image into the registry, and removes it from the engine. */
async function pushImage(
  { engine, labels }: Harness,
  location: RemoteLocation,
  image: string,
  login: object,
): Promise<void> {
  const context = Readable.from([await pack({ Dockerfile: smallImage, file: 'x'.repeat(100_000) })])
  await engine.buildImage({ tags: [image], labels, dockerfile: 'Dockerfile', context })
  const { endpoint } = location
  const target =
    endpoint.kind === 'socket' ? { socketPath: endpoint.path } : { host: endpoint.host, port: endpoint.port }
  const { api } = await engine.version()
  const push = httpRequest({
    ...target,
    method: 'POST',
    path: `/v${api}/images/${image.replace(/:1$/, '')}/push?tag=1`,
    headers: { 'x-registry-auth': Buffer.from(JSON.stringify(login)).toString('base64url') },
  }).end()
  const [response] = await once(push, 'response')
  let said = ''
  for await (const chunk of response) said += chunk
  expect(said).not.toContain('errorDetail')
  await engine.removeImage(image)
}
