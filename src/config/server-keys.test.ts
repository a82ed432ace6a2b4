import { describe, expect, test } from 'vitest'
import { loadText, mistakesIn } from '../../tests/support/load-text.ts'
import { serverNames } from '../certificates/make-certificates.ts'
import { imageOf } from '../model/fleet.ts'
import { fleetJsonSchema } from './json-schema.ts'

const web = (line: string): string => `servers:\n  web:\n    image: debian:bookworm-slim\n    ${line}\n`

const anyName = 'a variable: at most 4096 characters, none of them `=` or NUL'

test('the name of a variable of a server can be any that a process can have', async () => {
  const names = ['discovery.type', 'app-mode', 'a[0].b', 'a b', '1', 'größe', '$x', '"', 'x'.repeat(4096), 'a\nb']
  const block = names.map((name) => `${JSON.stringify(name)}: x`).join(', ')
  const fleet = await loadText(web(`environment: { ${block} }`))
  expect([...(fleet.servers.get('web')?.environment.keys() ?? [])].sort()).toEqual(names.sort())
  expect(await mistakesIn(web(`environment: { "": x, "a=b": x, ${'y'.repeat(4097)}: x }`))).toEqual([
    `4:20 servers.web.environment[""]: this name must be the name of ${anyName}`,
    `4:27 servers.web.environment["a=b"]: this name must be the name of ${anyName}`,
    `4:37 servers.web.environment.${'y'.repeat(4097)}: this name must be the name of ${anyName}`,
  ])
})

test('the name of a variable of an image must fit on one line', async () => {
  const server = 'servers:\n  web:\n    build:\n      from: a\n'
  expect(await mistakesIn(`${server}      environment: { discovery.type: x, "a\\nb": y }\n`)).toEqual([
    '5:41 servers.web.build.environment["a\\nb"]: this name must be the name of a variable: at most 4096 characters, without `=`, and on one line with no control characters, as a Dockerfile sets it',
  ])
  expect(await mistakesIn(`${server}      environment: { discovery.type: x, "a[0] b": y }\n`)).toEqual([])
})

test('the name of a variable of the caller can be any, too', async () => {
  expect(await mistakesIn(web('environment: { A: { env: app-mode } }'))).toEqual([
    '4:30 servers.web.environment.A.env: the variable app-mode is not set where testfleet was called',
  ])
  expect(await mistakesIn(web('secrets: { A: { env: a.b } }'))).toEqual([])
})

test('the key of a label can be any that the docker command accepts', async () => {
  expect(await mistakesIn(web('labels: { "traefik.routers.a[0]": x, a_b: y, "Größe x": z, "-": 1 }'))).toEqual([])
  const such = "this name must be a label's key: at most 1024 characters, without `=` and control characters"
  expect(await mistakesIn(web('labels: { "": x, "a=b": y, "a\\tb": z }'))).toEqual([
    `4:15 servers.web.labels[""]: ${such}`,
    `4:22 servers.web.labels["a=b"]: ${such}`,
    `4:32 servers.web.labels["a\\tb"]: ${such}`,
  ])
})

test('the name of an exported variable must be one that a shell can set', async () => {
  expect(await mistakesIn(web('export: { app-mode: x }'))).toEqual([
    '4:15 servers.web.export.app-mode: this name must be the name of a variable that every shell can set: letters, digits and `_`, and no digit first',
  ])
})

const cache = (line: string): string => `servers:\n  r:\n    preset: rabbitmq\n    ${line}\n`

async function portsOf(text: string) {
  const fleet = await loadText(text)
  const [server] = fleet.servers.values()
  return (server?.ports ?? []).map(({ container, protocol, host, address }) =>
    [address, host, `${container}/${protocol}`].filter((part) => part !== undefined).join(' '),
  )
}

describe('the ports of a preset', () => {
  test('can be changed one by one, and keep their order', async () => {
    expect(await portsOf(cache('ports: [{ container: 15672, host: 15672 }, 1883]'))).toEqual([
      '5672/tcp',
      '15672 15672/tcp',
      '1883/tcp',
    ])
    expect(await portsOf(cache('ports: [{ container: 5672, host: 5672 }]'))).toEqual(['5672 5672/tcp', '15672/tcp'])
    expect(
      await portsOf(cache('ports: [{ container: 5672, address: 127.0.0.1 }, { container: 5672, address: "::1" }]')),
    ).toEqual(['127.0.0.1 5672/tcp', '::1 5672/tcp', '15672/tcp'])
  })

  test('of the same number but another protocol are different ports', async () => {
    const dns = (item: string) => `servers:\n  d:\n    preset: bind9\n    ports: [${item}]\n`
    expect(await portsOf(dns('{ container: 53, protocol: udp, host: 5353 }'))).toEqual(['53/tcp', '5353 53/udp'])
    expect(await portsOf(dns('"53/udp"'))).toEqual(['53/tcp', '53/udp'])
  })

  test('are removed by `publish: false`, with the variables that need them', async () => {
    const text = cache('ports: [{ container: 15672, publish: false }]')
    expect(await portsOf(text)).toEqual(['5672/tcp'])
    const before = (await loadText(cache('user: "1"'))).servers.get('r')?.export
    const left = (await loadText(text)).servers.get('r')?.export
    expect([...(before?.keys() ?? [])].filter((name) => !left?.has(name))).toEqual(['RABBITMQ_MANAGEMENT_URL'])
    expect(await portsOf(cache('ports: []'))).toEqual([])
  })

  test('can be removed only if the preset has them', async () => {
    expect(await mistakesIn(cache('ports: [80, { container: 5673, publish: false }]'))).toEqual([
      '4:17 servers.r.ports[1]: there is no port 5673/tcp of a preset that could be left out',
    ])
    expect(await mistakesIn(web('ports: [{ container: 80, publish: false }]'))).toEqual([
      '4:13 servers.web.ports[0]: there is no port 80/tcp of a preset that could be left out',
    ])
    expect(await mistakesIn(web('ports: [{ container: 80, publish: "no" }]'))).toEqual([
      '4:39 servers.web.ports[0].publish: must be true or false, not "no"; write false',
    ])
  })

  test('can be removed although a variable of the fleet file needs them, which is then a mistake', async () => {
    const text = cache(
      'ports: [{ container: 5672, publish: false }]\n    export: { AMQP_URL: "amqp://${host}:${port.5672}" }',
    )
    expect(await mistakesIn(text)).toEqual(['5:25 servers.r.export.AMQP_URL: there is no port 5672 in `ports`'])
  })

  test('can be used by `endpoint` in a variable if they are published', async () => {
    const exported =
      'export: { A: "${endpoint.81}", B: "${endpoint.host.81/udp}", C: "${endpoint.80}", D: "${endpoint.x}" }'
    expect(await mistakesIn(web(`ports: [80]\n    ${exported}`))).toEqual([
      '5:18 servers.web.export.A: there is no port 81 in `ports`',
      '5:39 servers.web.export.B: there is no port 81 in `ports`',
      expect.stringContaining('servers.web.export.D: ${endpoint.x} is not known; there are ${endpoint.N}, ${host}'),
    ])
  })

  test('and a mistake in one of several items is reported with its line', async () => {
    expect(await mistakesIn(cache('ports:\n      - 5672\n      - { container: 80, host: 0 }'))).toEqual([
      '6:32 servers.r.ports[1].host: must be a port from 1 to 65535, not 0',
    ])
  })
})

describe('a range of ports', () => {
  test('publishes each of its ports, and gets no ready check', async () => {
    const fleet = await loadText(web('ports: [80, "30000-30002", "7000-7001/udp"]'))
    const [server] = fleet.servers.values()
    expect(server?.ports.map(({ container, protocol }) => `${container}/${protocol}`)).toEqual([
      ...['80/tcp', '30000/tcp', '30001/tcp', '30002/tcp', '7000/udp', '7001/udp'],
    ])
    expect(server?.ready).toEqual([{ kind: 'tcp', port: 80 }])
    expect(server?.portItems).toEqual([0, 1, 1, 1, 2, 2])
  })

  test('can have a range of this machine with the same length', async () => {
    const range = 'ports: [{ container: 30000-30001, host: 40000-40001, protocol: udp }]'
    expect(await portsOf(web(range))).toEqual(['40000 30000/udp', '40001 30001/udp'])
    for (const host of ['40000-40002', '40000'])
      expect(await mistakesIn(web(`ports: [{ container: 30000-30001, host: ${host} }]`))).toEqual([
        '4:45 servers.web.ports[0].host: must have as many ports as `container`',
      ])
  })

  const such = 'must be a range of at most 1000 ports from 1 to 65535, the lower one first, such as 30000-30009'
  test.each([
    ['"9-1"', `4:13 servers.web.ports[0]: ${such}, not "9-1"`],
    ['"0-5"', `4:13 servers.web.ports[0]: ${such}, not "0-5"`],
    ['"65000-65536"', `4:13 servers.web.ports[0]: ${such}, not "65000-65536"`],
    ['"1000-2000"', `4:13 servers.web.ports[0]: ${such}, not "1000-2000"`],
    [
      '"8000-8009:9000-9009"',
      '4:13 servers.web.ports[0]: must be a port from 1 to 65535, such as 80 or "53/udp"; for a fixed port of this machine, write { container: 9000-9009, host: 8000-8009 }, not "8000-8009:9000-9009"',
    ],
    [
      '{ container: 9-1 }',
      '4:26 servers.web.ports[0].container: must be a port from 1 to 65535, or a range of at most 1000 such as 30000-30009, not "9-1"',
    ],
    ['"1-999", "2000-2999"', '4:22 servers.web.ports[1]: a server publishes at most 1000 ports'],
    ['"80-82", 81', '4:22 servers.web.ports[1]: the port 81/tcp is duplicated'],
  ])('%s is refused', async (ports, mistake) => {
    expect(await mistakesIn(web(`ports: [${ports}]`))).toEqual([mistake])
  })

  test('is refused if it overlaps with a range of another server on this machine', async () => {
    const text = `servers:
  a: { image: a, ports: [{ container: 30000-30002, host: 30000-30002 }] }
  b: { image: a, ports: [90, { container: 80, host: 30002 }] }
`
    expect(await mistakesIn(text)).toEqual([
      '3:30 servers.b.ports[1]: the port 30002 of this machine is taken by `a` already',
    ])
  })
})

test('one port can be published at several addresses of this machine', async () => {
  const [one, other] = ['127.0.0.1', '"::1"'].map((address) => `{ container: 80, address: ${address} }`)
  expect(await portsOf(web(`ports: [${one}, ${other}]`))).toEqual(['127.0.0.1 80/tcp', '::1 80/tcp'])
  expect((await loadText(web(`ports: [${one}, ${other}]`))).servers.get('web')?.ready).toHaveLength(1)
  const everywhere = '{ container: 80, host: 80, address: 0.0.0.0 }, { container: 80, host: 80, address: "::" }'
  expect(await portsOf(web(`ports: [${everywhere}]`))).toHaveLength(2)
  for (const twice of ['80, 80', `80, ${one}`, `${one}, { container: 80, address: 0.0.0.0 }`])
    expect((await mistakesIn(web(`ports: [${twice}]`))).join()).toContain('the port 80/tcp is duplicated')
})

describe('keys of a container with the words of Compose', () => {
  const device = 'must be HOST, HOST:CONTAINER or HOST:CONTAINER:rwm, such as /dev/fuse or /dev/ttyUSB0:/dev/modem:rw'
  const restart = 'must be no, on-failure, or on-failure:N with N from 1 to 100'

  test('are accepted', async () => {
    const keys = [
      'hostname: node1',
      'dns: [10.0.0.1, "::1"]',
      'tty: true',
      'restart: on-failure',
      'devices: [/dev/a, /dev/b:/dev/c:rw, /dev/d:r]',
    ]
    const server = (await loadText(web(keys.join('\n    ')))).servers.get('web')
    expect(server).toMatchObject({ ownHostname: 'node1', dns: ['10.0.0.1', '::1'], tty: true, restarts: 5 })
    expect(server?.devices).toEqual([
      { host: '/dev/a', container: '/dev/a', permissions: 'rwm' },
      { host: '/dev/b', container: '/dev/c', permissions: 'rw' },
      { host: '/dev/d', container: '/dev/d', permissions: 'r' },
    ])
    for (const [word, restarts] of [
      ['no', 0],
      ['on-failure:1', 1],
      ['on-failure:100', 100],
    ] as const)
      expect((await loadText(web(`restart: ${word}`))).servers.get('web')?.restarts).toBe(restarts)
    expect((await loadText(web('tmpfs: [{ to: /a, exec: true }, /b]'))).servers.get('web')?.tmpfs).toMatchObject([
      { to: '/a', exec: true },
      { to: '/b', exec: undefined },
    ])
  })

  test.each([
    [
      'hostname: Node_1',
      '4:15 servers.web.hostname: must be a host name in lower case, with at most 63 characters between dots, not "Node_1"',
    ],
    [
      `hostname: ${'a.'.repeat(32)}b`,
      `4:15 servers.web.hostname: must be at most 64 characters, not "${'a.'.repeat(28)}…"`,
    ],
    ['hostname: [a]', '4:15 servers.web.hostname: must be text, not a list; write a'],
    ['dns: [ns.example]', '4:11 servers.web.dns[0]: must be an IP address, not "ns.example"'],
    ['dns: 10.0.0.1', '4:10 servers.web.dns: must be a list, not "10.0.0.1"; write ["10.0.0.1"]'],
    ['devices: [dev/a]', `4:15 servers.web.devices[0]: ${device}, not "dev/a"`],
    ['devices: ["/dev/a:rr"]', `4:15 servers.web.devices[0]: ${device}, not "/dev/a:rr"`],
    ['devices: ["/dev/a:/b:r:w"]', `4:15 servers.web.devices[0]: ${device}, not "/dev/a:/b:r:w"`],
    ['tty: 1', '4:10 servers.web.tty: must be true or false, not 1'],
    ['restart: always', `4:14 servers.web.restart: ${restart}: no server may outlive its session, not "always"`],
    ['restart: on-failure:0', `4:14 servers.web.restart: ${restart}, not "on-failure:0"`],
    ['restart: on-failure:101', `4:14 servers.web.restart: ${restart}, not "on-failure:101"`],
    ['restart: true', '4:14 servers.web.restart: must be text, not true'],
    ['tmpfs: [{ to: /a, exec: 1 }]', '4:29 servers.web.tmpfs[0].exec: must be true or false, not 1'],
  ])('%s is refused', async (line, mistake) => {
    expect(await mistakesIn(web(line))).toEqual([mistake])
  })

  test('have an upper bound', async () => {
    const many = (item: string) => `[${Array(33).fill(item).join(', ')}]`
    expect((await mistakesIn(web(`dns: ${many('10.0.0.1')}`))).join()).toContain('dns: must be at most 32 addresses')
    expect((await mistakesIn(web(`devices: ${many('/dev/a')}`))).join()).toContain(
      'devices: must be at most 32 devices',
    )
  })
})

test('a certificate is valid for the `hostname` of its server, except a public name', async () => {
  const namesOf = async (lines: string): Promise<string[]> => {
    const server = (await loadText(web(`tls: true\n    ${lines}`))).servers.get('web')
    return server === undefined ? [] : serverNames(server, undefined)
  }
  expect(await namesOf('hostname: node1')).toContain('node1')
  expect(await namesOf('hostname: mail.company.com')).not.toContain('mail.company.com')
  expect(await namesOf('hostname: mail.company.com\n    publicNames: true')).toContain('mail.company.com')
})

describe('keys with x-, anchors and merge keys', () => {
  const text = `x-env: &env { VERSION: 24.10, OLD: 1 }
x-node: &node
  image: debian:bookworm-slim
  environment: { A: 0042 }
  limits: { memory: 64m }
servers:
  one:
    <<: *node
    x-note: mine
    environment: { <<: *env, OLD: new }
  two: { <<: [*node, { image: other }], command: [a], prots: [80] }
  x-ray: { <<: *node }
`

  test('are ignored, and merge keys copy the keys of an anchor', async () => {
    const fleet = await loadText(text.replace(', prots: [80]', ''))
    const textOf = (name: string) =>
      [...(fleet.servers.get(name)?.environment ?? [])].map(
        ([key, value]) => `${key}=${value.kind === 'text' && value.text}`,
      )
    expect([...fleet.servers.keys()]).toEqual(['one', 'two', 'x-ray'])
    expect(textOf('one').sort()).toEqual(['OLD=new', 'VERSION=24.10'])
    expect(textOf('two')).toEqual(['A=0042'])
    expect(imageOf(fleet.servers.get('two'))).toEqual({ kind: 'named', reference: 'debian:bookworm-slim' })
    expect(fleet.servers.get('one')?.limits.memoryBytes).toBe(64 * 1024 * 1024)
  })

  test('keep the positions of mistakes, even of mistakes in merged keys', async () => {
    expect(await mistakesIn(text.replace('memory: 64m', 'memory: much'))).toEqual([
      ...['one', 'two', 'x-ray'].map(
        (name) => `5:21 servers.${name}.limits.memory: must be a size such as 256m or 1g, not "much"`,
      ),
      '11:55 servers.two.prots: unknown key; did you mean `ports`?',
    ])
  })

  test('are accepted in JSON, and by the schema for editors', async () => {
    const json = '{ "x-a": 1, "servers": { "web": { "image": "a", "x-b": [2] } } }'
    expect((await loadText(json, 'testfleet.json')).servers.size).toBe(1)
    const { patternProperties, properties } = fleetJsonSchema() as Record<
      string,
      Record<string, { additionalProperties: object }>
    >
    expect(patternProperties).toEqual({ '^x-': {} })
    expect(properties?.servers?.additionalProperties).toMatchObject({ patternProperties: { '^x-': {} } })
  })

  test('are accepted only at the top and in servers', async () => {
    expect((await mistakesIn(web('limits: { x-a: 1 }'))).join()).toContain('servers.web.limits.x-a: unknown key')
  })

  test.each(['init', '[{ init: true }, init]', '[*list]', '3'])(
    'refuse to merge anything but blocks: %s',
    async (value) => {
      const text = `x-list: &list [{ init: true }]\nservers:\n  web:\n    image: a\n    <<: ${value}\n`
      expect(await mistakesIn(text)).toEqual(['5:5 : `<<` takes a block, an alias of one, or a list of these'])
    },
  )

  test('cannot expand to more than the memory, nor into themselves', async () => {
    const levels = Array.from(
      { length: 24 },
      (_, level) =>
        `x-${level + 1}: &a${level + 1} { k${level}: [*a${level}, *a${level}], <<: [*a${level}, *a${level}] }`,
    )
    const bomb = `x-0: &a0 { a: b }\n${levels.join('\n')}\nservers: { web: { image: a } }\n`
    expect(await mistakesIn(bomb)).toEqual(['1:1 : has aliases that unfold to too much'])
    expect((await mistakesIn('servers: { web: &w { image: a, <<: *w } }\n')).join()).toMatch(
      /unfold to too much|not valid YAML/,
    )
  })
})

test('`user` keeps the spelling of a number', async () => {
  for (const user of ['0042', '1e3', '0x1F', '1000'])
    expect((await loadText(web(`user: ${user}`))).servers.get('web')?.user).toBe(user)
  expect(
    (await loadText('{ "servers": { "web": { "image": "a", "user": 1e3 } } }', 'testfleet.json')).servers.get('web')
      ?.user,
  ).toBe('1e3')
  expect(await mistakesIn(web('user: -1'))).toHaveLength(1)
})

test.each([
  'command: [sleep, 1.10]',
  'aliases: [1.10]',
  'tmpfs: [{ to: /a, mode: 0644 }]',
  'export: { A: 1.10 }',
  'workingDir: 0042',
  'name: 1',
  'extraHosts: { a: 1.10 }',
])('%s is refused, because a number is not text', async (line) => {
  expect(await mistakesIn(web(line))).toHaveLength(1)
})

test('mistakes between keys and missing files are reported together', async () => {
  const lines = [
    'mounts: [{ from: none.conf, to: /a }]',
    'ports: [80, 80]',
    'dependsOn: [bed]',
    'export: { A: "${port.81}" }',
    'secrets: { B: { file: none.txt } }',
  ]
  expect(await mistakesIn(web(lines.join('\n    ')))).toEqual([
    '4:22 servers.web.mounts[0].from: there is no file or folder none.conf',
    '5:17 servers.web.ports[1]: the port 80/tcp is duplicated',
    '6:17 servers.web.dependsOn[0]: there is no server `bed`',
    '7:18 servers.web.export.A: there is no port 81 in `ports`',
    '8:27 servers.web.secrets.B.file: there is no file none.txt',
  ])
})
