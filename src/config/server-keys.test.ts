import { expect, test } from 'vitest'
import { loadText, mistakesIn } from '../../tests/support/load-text.ts'

const web = (line: string): string => `servers:\n  web:\n    image: debian:bookworm-slim\n    ${line}\n`

const anyName = 'a variable: at most 4096 characters, none of them `=` or NUL'

test('the name of a variable is any that a process can have', async () => {
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

test('the name of a variable of an image has to fit one line', async () => {
  const server = 'servers:\n  web:\n    build:\n      from: a\n'
  expect(await mistakesIn(`${server}      environment: { discovery.type: x, "a\\nb": y }\n`)).toEqual([
    '5:41 servers.web.build.environment["a\\nb"]: this name must be the name of a variable: at most 4096 characters, without `=`, and on one line with no control characters, as a Dockerfile sets it',
  ])
  expect(await mistakesIn(`${server}      environment: { discovery.type: x, "a[0] b": y }\n`)).toEqual([])
})

test("a variable of the caller's may have any name, too", async () => {
  expect(await mistakesIn(web('environment: { A: { env: app-mode } }'))).toEqual([
    '4:30 servers.web.environment.A.env: the variable app-mode is not set where testfleet was called',
  ])
  expect(await mistakesIn(web('secrets: { A: { env: a.b } }'))).toEqual([])
})

test('a label has any key that the docker command takes', async () => {
  expect(await mistakesIn(web('labels: { "traefik.routers.a[0]": x, a_b: y, "Größe x": z, "-": 1 }'))).toEqual([])
  const such = "this name must be a label's key: at most 1024 characters, without `=` and control characters"
  expect(await mistakesIn(web('labels: { "": x, "a=b": y, "a\\tb": z }'))).toEqual([
    `4:15 servers.web.labels[""]: ${such}`,
    `4:22 servers.web.labels["a=b"]: ${such}`,
    `4:32 servers.web.labels["a\\tb"]: ${such}`,
  ])
})

test('an exported variable is one that a shell can set', async () => {
  expect(await mistakesIn(web('export: { app-mode: x }'))).toEqual([
    '4:15 servers.web.export.app-mode: this name must be the name of a variable that every shell can set: letters, digits and `_`, and no digit first',
  ])
})
