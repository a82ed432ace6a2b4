import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadFleet } from '../config/load-fleet.ts'
import { listPresetNames } from '../config/read-preset.ts'
import { currentHost } from '../current-host.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Call } from './call.ts'
import { run } from './config.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-config-'))
  await writeFile(join(folder, 'Dockerfile'), 'FROM a\n')
  await writeFile(join(folder, 'page.html'), 'hello\n')
})
afterAll(() => rm(folder, { recursive: true }))

const inFolder = () => ({ ...currentHost(), workingFolder: folder })

/** Returns what `testfleet config` prints for this fleet file. */
async function config(text: string, options: Partial<Pick<Call, 'json' | 'options'>> = {}): Promise<string> {
  await writeFile(join(folder, 'testfleet.yaml'), text)
  let printed = ''
  const write = (more: string): void => {
    printed += more
  }
  const call = { json: false, options: {}, host: inFolder(), output: { write, writeData: write }, ...options }
  await run(call as unknown as Call)
  return printed
}

async function load(text: string, name: string): Promise<Fleet> {
  await writeFile(join(folder, name), text)
  return loadFleet({ kind: 'file', named: name }, inFolder())
}

/** Removes positions and presets' options, which differ between the two. */
function contentOf({ name, domain, servers, ignore }: Fleet): unknown {
  const content = [...servers.values()].map(({ options: _, ...server }) => server)
  return JSON.parse(
    JSON.stringify({ name, domain, content, ignore }, (key, value) =>
      key === 'at' ? undefined : value instanceof Map ? [...value] : value,
    ),
  )
}

const rich = `name: rich
domain: rich.example
base: { packages: [ca-certificates], environment: { LANG: C.UTF-8 } }
ignore: [{ id: image-not-pinned, reason: only for this test }]
servers:
  web:
    build:
      packages: [nginx-light]
      copy: [{ from: page.html, to: /page.html, mode: "0644" }, { content: "a\\nb # c\\n", to: /c }]
      run: ["echo 'yes' > /x"]
      environment: { A: "0042", B: yes, C: 1e3 }
    environment: { PATH_: { env: HOME }, TOKEN: { secret: T }, EMPTY: "", Y: "y", N: "no", T: "12:30:00" }
    secrets: { T: { generate: 12 }, F: { file: page.html } }
    ports: [80, 53/udp, "30000-30009", { container: 443, host: 8443 }]
    readyTimeout: 1.50
    capAdd: [NET_RAW]
    tmpfs: [/tmp, { to: /run, mode: "1777" }]
    limits: { cpus: 0.5 }
    export: { WEB_URL: "http://\${host}:\${port.80}/" }
    dependsOn: [own]
  own: { build: { dockerfile: Dockerfile }, ready: [{ exec: ["true"] }], unsafe: { privileged: true } }
  plain: { image: "a:1", ports: [81], postStart: [{ command: [a, b] }] }
  db: { preset: postgresql, options: { database: shop, tls: true }, ports: [{ container: 5432, host: 15432 }] }
`

describe('testfleet config', () => {
  test.each(['yaml', 'json'])('prints %s in a form that loads as the same fleet', async (format) => {
    const printed = await config(rich, { options: { format } })
    expect(printed).not.toContain('***')
    expect(printed).not.toContain('preset: ')
    const [written, printedAgain] = [await load(rich, 'a.yaml'), await load(printed, `b.${format}`)]
    expect(contentOf(printedAgain)).toEqual(contentOf(written))
  })

  test('prints every preset in a form that loads as the same server', async () => {
    const names = await listPresetNames(currentHost().presetsFolder)
    const all = JSON.stringify({ servers: Object.fromEntries(names.map((name) => [name, { preset: name }])) })
    const printed = await config(all)
    expect(contentOf(await load(printed, 'b.yaml'))).toEqual(contentOf(await load(all, 'a.yaml')))
  })

  test('prints default values', async () => {
    expect(await config('name: shop\nservers: { a: { image: "a:1", ports: [80] } }\n')).toBe(`name: shop
domain: shop.test
servers:
  a:
    image: a:1
    ports:
      - 80
    ready:
      - tcp: 80
    readyTimeout: 60s
    limits:
      pids: 4096
    capDrop:
      - NET_RAW
      - MKNOD
      - AUDIT_WRITE
      - SETFCAP
      - SETPCAP
`)
  })

  test('prints JSON with --json', async () => {
    const printed = JSON.parse(await config('servers: { a: { image: "a:1" } }\n', { json: true }))
    expect(printed.servers.a).toMatchObject({ image: 'a:1', readyTimeout: '60s' })
  })
})

const key = '-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n'
const token = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz'
const masked = '# Secrets in plain text are shown as ***.\n'

describe('testfleet config masks', () => {
  test.each([
    ['a value in secrets', 'secrets: { P: { value: Hunter2 } }'],
    ['a variable whose name says secret', 'environment: { DB_PASSWORD: Hunter2 }'],
    ['a number that is a secret', 'environment: { DB_PASSWORD: 8132002 }', '8132002'],
    ['a variable of exec', 'execEnvironment: { PGPASSWORD: Hunter2 }'],
    ['a label', 'labels: { api-token: Hunter2 }'],
    ['the password of an address', 'export: { URL: "http://me:Hunter2@there/" }'],
    ['the password of an address without a user', 'export: { URL: "redis://:Hunter2@there/" }'],
    ['an option of a command', 'command: [x, --password=Hunter2]'],
    ['an option of a command with a value of its own', 'command: [x, --password, Hunter2]'],
    ['a random value', 'environment: { X: Qz7Kd83jfLw92nVbX0aPq5Rt }', 'Qz7Kd83'],
    ['a token', `command: [x, ${token}]`, 'ghp_'],
    [
      'a long secret wherever it stands',
      'environment: { MY_TOKEN: Hunter2-Hunter2 }, labels: { x: "a Hunter2-Hunter2" }',
    ],
  ])('%s', async (_, server, secret = 'Hunter2') => {
    const printed = await config(`servers: { a: { image: "a:1", ${server} } }\n`)
    expect(printed.startsWith(masked)).toBe(true)
    expect(printed).not.toContain(secret)
    expect(printed).toContain('***')
  })

  test.each([
    ['a step of a build that sets a variable', 'run: ["API_TOKEN=Hunter2 make"]'],
    ['a step of a build that sets a password', 'run: ["echo me:Hunter2 | chpasswd"]'],
    ['a private key in a file', `copy: [{ content: "${key}", to: /k }]`, 'MIIE'],
  ])('%s', async (_, build, secret = 'Hunter2') => {
    const printed = await config(`servers: { a: { build: { ${build} } } }\n`)
    expect(printed.startsWith(masked)).toBe(true)
    expect(printed).not.toContain(secret)
  })

  test.each([
    ['references to secrets', 'environment: { DB_PASSWORD: { secret: P } }, secrets: { P: { env: GIVEN_PASSWORD } }'],
    ['templates', 'export: { DB_PASSWORD: "${secret.P}" }, secrets: { P: { generate: 12 } }'],
    ['paths of secrets', 'environment: { DB_PASSWORD_FILE: /run/secrets/P, TOKEN: /run/x }'],
  ])('no %s', async (_, server) => {
    const printed = await config(`servers: { a: { image: "a:1", ${server} } }\n`)
    expect(printed).not.toContain('***')
  })
})
