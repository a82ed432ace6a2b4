import { afterAll, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { speakAs } from '../model/surface.ts'
import type { Call } from './call.ts'
import { run } from './presets.ts'

// As the command does when it starts.
speakAs('command')
// The next file of this worker is the library.
afterAll(() => speakAs('library'))

/** What `testfleet presets` prints. */
async function ask(name: string | undefined, json = false): Promise<string> {
  let printed = ''
  const write = (text: string): void => {
    printed += text
  }
  const call = {
    json,
    host: currentHost(),
    options: {},
    servers: name === undefined ? [] : [name],
    file: undefined,
    output: { write, writeData: write, endProgress: () => {} },
  }
  await run(call as unknown as Call)
  return printed
}

test('the page of a preset shows the keys that a fleet file can replace, and the exported variables', async () => {
  const text = await ask('postgresql')
  for (const line of [
    /^ {2}command +\[start-postgresql, --\]$/m,
    /^ {2}user +postgres$/m,
    /^ {2}ports +\[5432\]$/m,
    /^ {2}limits +memory 512m, pids 1200$/m,
    /^ {2}build\.copy, mounts +\/usr\/local\/bin\/start-postgresql$/m,
    /^ +\/etc\/postgresql\/pg_hba\.conf$/m,
    /^ {2}DATABASE_URL +postgres:\/\/test:…@127\.0\.0\.1:49153\/test$/m,
  ])
    expect(text).toMatch(line)
})

test('the JSON of a preset has the same', async () => {
  expect(JSON.parse(await ask('nginx', true))).toMatchObject({
    name: 'nginx',
    command: ['start-nginx'],
    user: 'www-data',
    limits: { memory: '128m', pids: 20 },
    files: ['/etc/nginx/nginx.conf', '/usr/local/bin/start-nginx', '/etc/nginx/mime.types', '/etc/nginx/more/*.conf'],
    exports: [
      { name: 'WEB_URL', example: 'http://127.0.0.1:49153' },
      { name: 'WEB_TLS_URL', example: 'https://127.0.0.1:49154' },
      { name: 'WEB_USER', example: 'test' },
      { name: 'WEB_PASSWORD', example: '…' },
    ],
    synonyms: ['web', 'http'],
  })
  expect(JSON.parse(await ask(undefined, true)).presets).toHaveLength(35)
})

test('a port that depends on an option is shown with its default', async () => {
  expect(JSON.parse(await ask('firewall', true))).toMatchObject({ ports: [7001] })
})

test.each([
  ['smtp', 'mail'],
  ['MailPit', 'mail'],
  ['postgres', 'postgresql'],
  ['mysql', 'mariadb'],
  ['ldap', 'openldap'],
  ['ftp', 'vsftpd'],
  ['amqp', 'rabbitmq'],
  ['ssh', 'openssh'],
  ['mqtt', 'mosquitto'],
])('%s finds the preset %s', async (word, name) => {
  expect(await ask(word)).toMatch(new RegExp(`^${name}: `))
})

test('a synonym of several presets lists them', async () => {
  expect((await ask('proxy')).match(/^ {2}[a-z-]+/gm)?.map((line) => line.trim())).toEqual([
    'danted',
    'ftp-proxy',
    'squid',
  ])
  expect(JSON.parse(await ask('dns', true)).presets).toMatchObject([{ name: 'bind9' }, { name: 'dnsmasq' }])
})

test('the line of the preset `mail` contains SMTP', async () => {
  expect(await ask(undefined)).toMatch(/^ {2}mail .*SMTP/m)
})

test('an unknown preset is refused with the nearest name', async () => {
  await expect(ask('redsi')).rejects.toThrow('there is no preset "redsi"; did you mean `redis`?')
  await expect(ask('zzz')).rejects.toThrow('there is no preset "zzz"; `testfleet presets` lists them')
})
