import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clientEnvironment } from '../support/client-command.ts'
import {
  countLeftovers,
  type RunningCommand,
  removeFleetFolders,
  SOON_MS,
  startTestfleet,
  waitForNothing,
} from '../support/command.ts'
import { buildJunit } from '../support/java-client.ts'
import { lineServer } from '../support/line-server.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

const root = join(import.meta.dirname, '../..')
const example = join(root, 'examples/junit')
let environment: Readonly<Record<string, string | undefined>>
const fleets: StoryFleet[] = []

const imports = `
import static org.junit.jupiter.api.Assertions.*;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.*;
import org.junit.jupiter.api.*;
import testfleet.junit.*;
`

/** A class with a test that passes and one that fails; each has told the server of itself, and waits until the log has it. */
const failing = (name: string) => `${imports}
@Fleet("testfleet.json")
@TestMethodOrder(MethodOrderer.MethodName.class)
class ${name}Test {
    @FleetServer("web") static Server web;

    static void tell(String text) throws Exception {
        try (Socket socket = new Socket(web.host(), web.port())) {
            socket.getOutputStream().write((text + "\\n").getBytes());
            socket.getInputStream().read();
        }
        for (String found = ""; !found.contains(text); ) {
            ProcessBuilder logs = new ProcessBuilder(System.getenv("TESTFLEET_BIN"), "logs", "--session", session());
            found = new String(logs.start().getInputStream().readAllBytes());
        }
    }

    static String session() { return System.getProperty("TESTFLEET_SESSION"); }

    @Test void aPasses() throws Exception { tell("before-${name}"); }

    @Test void fails(RunningFleet fleet) throws Exception {
        tell("during-${name}");
        fail("session " + session() + " " + fleet.session().equals(session()) + " " + web.port());
    }
}
`

const wrong = {
  'UnknownTest.java': `${imports}
@Fleet("testfleet.json")
class UnknownTest {
    @Test void unknownServer(@FleetServer("webb") Server web) {}
    @Test void unknownLease(@Lease("webb") Server web) {}
    @Test void wrongType(@FleetServer("web") String web) {}
    @Test void unnamed(Server web) {}
}
class ConstructorTest extends UnknownTest { ConstructorTest(@Lease("web") Server web) {} }
class NoFleetTest { @Test void noFleet(@FleetServer("web") Server web) {} }
`,
}

const sleeping = `${imports}
@Fleet("testfleet.json")
class SleepingTest {
    @Lease("web") LeasedServer web;
    @Test void sleeps() throws Exception {
        Files.createFile(Path.of("began"));
        Thread.sleep(600_000);
    }
}
`

beforeAll(async () => {
  environment = { ...(await clientEnvironment()), TESTFLEET_SESSION: undefined }
})

afterAll(async () => {
  for (const fleet of fleets) await waitForNothing(fleet.name)
  await removeFleetFolders()
})

async function startJunit(cwd: string, sources: string | undefined, ...words: string[]): Promise<RunningCommand> {
  return startTestfleet([], { prefix: [...(await buildJunit(sources)), ...words], isBare: true, cwd, env: environment })
}

async function makeProject(files: Readonly<Record<string, string>>): Promise<StoryFleet> {
  const fleet = await makeFleet({ web: lineServer }, files)
  fleets.push(fleet)
  return fleet
}

describe.concurrent('the extension for JUnit', () => {
  test('passes its own tests, which need no engine', async ({ expect }) => {
    const { exitCode, stdout } = await (await startJunit(root, undefined)).result
    expect(exitCode, stdout).toBe(0)
    expect(stdout).toMatch(/ \d\d tests successful/)
  })

  test('runs the example as its page shows it', async ({ expect }) => {
    const { exitCode, stdout, stderr } = await (await startJunit(example, join(example, 'src'))).result
    expect(exitCode, stdout + stderr).toBe(0)
    expect(stdout).toMatch(/ 2 tests successful/)
    const page = await readFile(join(root, 'docs/junit.md'), 'utf8')
    const source = await readFile(join(example, 'src/test/java/orders/StoreTest.java'), 'utf8')
    for (const part of source.split('\n\n')) expect(page).toContain(part.replace(/\n\}\n$/, ''))
    expect(await countLeftovers('orders-junit')).toBe(0)
  })

  test('shares one fleet among classes, and shows the logs of the time of a failed test', async ({ expect }) => {
    const own = '@Fleet("testfleet.json") @Retention(RetentionPolicy.RUNTIME) @interface Orders {}'
    const fleet = await makeProject({
      'ATest.java': failing('A'),
      'BTest.java': failing('B').replace('@Fleet("testfleet.json")', '@Orders'),
      'Orders.java': `${imports}\nimport java.lang.annotation.*;\n${own}\n`,
    })
    const parallel = ['enabled=true', 'mode.classes.default=concurrent'].flatMap((option) => [
      '--config',
      `junit.jupiter.execution.parallel.${option}`,
    ])
    const running = await startJunit(fleet.folder, fleet.folder, ...parallel, '--reports-dir=reports')
    const { exitCode, stdout, stderr } = await running.result
    expect(exitCode, stdout + stderr).toBe(1)
    const told = new Set([...stdout.matchAll(/=> .*AssertionFailedError: (session .*)$/gm)].map(([, text]) => text))
    expect([...told]).toEqual([expect.stringMatching(new RegExp(`^session ${fleet.name}-[0-9a-f]{7} true \\d+$`))])
    const xml = await readFile(join(fleet.folder, 'reports/TEST-junit-jupiter.xml'), 'utf8')
    for (const name of ['A', 'B']) {
      expect(stdout).toMatch(new RegExp(`^ {2}\\d{4}-\\S+Z got during-${name}$`, 'm'))
      const failed = xml
        .split('<testcase')
        .find((part) => part.startsWith(` name="fails(RunningFleet)" classname="${name}Test"`))
      expect(failed).toMatch(new RegExp(`<system-out>[^]*\\d{4}-\\S+Z got during-${name}\n[^]*</system-out>`))
      expect(failed).not.toContain(`before-${name}`)
    }
    // The end of the run waits for the end of the fleet.
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('names what is wrong with an annotation, and leaves nothing when it is killed', async ({ expect }) => {
    const fleet = await makeProject({ ...wrong, 'SleepingTest.java': sleeping })
    const { stdout, stderr } = await (await startJunit(fleet.folder, fleet.folder, '-n=^(?!Sleeping).*Test$')).result
    expect(stdout, stderr).toMatch(/ 9 tests failed/)
    expect(stdout.match(/^ *=> .*the fleet has no server "webb"; it has: web$/gm)).toHaveLength(2)
    expect(stdout).toMatch(/java\.lang\.String .* is not of the type Server\n.*hint: Change its type to `Server`/)
    expect(stdout).toMatch(/the class NoFleetTest has no @Fleet\n.*hint: Add `@Fleet/)
    expect(stdout).toMatch(/a parameter of unnamed is a server without a name\n.*hint: Add `@FleetServer\("NAME"\)`/)
    expect(stdout).toMatch(/@Lease\("web"\) is at a parameter of a constructor/)
    const running = await startJunit(fleet.folder, fleet.folder, '-n=Sleeping.*')
    await vi.waitFor(() => expect(existsSync(join(fleet.folder, 'began'))).toBe(true), { timeout: SOON_MS })
    running.kill('SIGKILL')
    await waitForNothing(fleet.name)
  })
})

test('JUnit that is killed at any moment leaves nothing', wide, async () => {
  const fleet = await makeProject({ 'SleepingTest.java': sleeping })
  const killed: RunningCommand[] = []
  for (let round = 0; round < 20; round++) {
    const running = await startJunit(fleet.folder, fleet.folder)
    await sleep(round * 200)
    running.kill('SIGKILL')
    killed.push(running)
  }
  await Promise.all(killed.map(({ result }) => result))
  await waitForNothing(fleet.name)
})

test('a fleet that cannot start is the message of testfleet, without a stack trace', wide, async () => {
  const fleet = await makeProject({ 'SleepingTest.java': sleeping })
  await writeFile(join(fleet.folder, 'testfleet.json'), '{ "servers": { "web": { "preset": "rediss" } } }')
  const { exitCode, stdout } = await (await startJunit(fleet.folder, fleet.folder)).result
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(
    /TestfleetException: the fleet file has .*\n *.*testfleet.json:1:\d+: .*did you mean `redis`\?$/m,
  )
  expect(stdout).not.toContain('Command.java')
})
