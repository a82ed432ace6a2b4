import { afterAll, afterEach, expect, test } from 'vitest'
import { countLeftovers, withEngine } from '../support/command.ts'
import { isLong, report } from '../support/fault.ts'
import { endFleets, makeFleet, server } from '../support/test-fleet.ts'

const sessions = isLong ? 20 : 8
const times = isLong ? 3 : 1
const counts = { sessions: 0, 'cross-talk': 0, left: 0 }

afterEach(endFleets)
afterAll(() => report('side by side', counts))

/** Stores a line, and sends it to every client that asks. */
const memory =
  '$| = 1; $s = IO::Socket::INET->new(LocalPort => 80, Listen => 50, ReuseAddr => 1) or die; my $kept = "nothing"; ' +
  'while ($c = $s->accept) { sysread $c, $_, 9999; $kept = $1 if m{^GET /keep/(\\S+)}; ' +
  'print $c "HTTP/1.0 200 OK\\r\\n\\r\\n$kept"; close $c }'

/** Tells both of its servers whose they are, waits for the others, and asks again: from here, and from inside. */
const client = `const session = process.env.TESTFLEET_SESSION
const at = (path) => 'http://' + process.env.TESTFLEET_WEB_HOST + ':' + process.env.TESTFLEET_WEB_PORT + path
const ask = async (path) => (await fetch(at(path))).text()
await ask('/keep/' + session)
await new Promise((resolve) => setTimeout(resolve, 3000))
console.log(JSON.stringify({ session, answer: await ask('/') }))
`

test(`${sessions} concurrent sessions of one fleet, from as many processes, do not affect each other`, async () => {
  const stamp = `date +%s%N > /stamp # ${Date.now()}`
  const fleet = await makeFleet(
    [
      `web: ${JSON.stringify({ build: { run: [stamp] }, command: ['perl', '-MIO::Socket::INET', '-e', memory], ports: [80], ready: [{ http: { port: 80 } }] })}`,
      `db: ${server({ command: ['sleep', '600'], dependsOn: ['web'] })}`,
    ],
    { 'client.mjs': client },
  )
  for (let time = 0; time < times; time++) {
    const words = ['run', '--quiet', '--', process.execPath, 'client.mjs']
    const results = await Promise.all(Array.from({ length: sessions }, () => fleet.run(words, { timeoutMs: 240_000 })))
    expect(results.filter(({ exitCode }) => exitCode !== 0)).toEqual([])
    const answers = results.map(({ stdout }) => JSON.parse(stdout) as { session: string; answer: string })
    expect(new Set(answers.map(({ session }) => session)).size).toBe(sessions)
    counts.sessions += sessions
    counts['cross-talk'] += answers.filter(({ session, answer }) => session !== answer).length
    counts.left += await countLeftovers(fleet.name)
    expect(counts).toMatchObject({ 'cross-talk': 0, left: 0 })
  }
  // Built by all at once, it is one image.
  const images = await withEngine((engine) => engine.listImages({ 'dev.testfleet.fleet': fleet.name }))
  expect(images).toHaveLength(1)
})
