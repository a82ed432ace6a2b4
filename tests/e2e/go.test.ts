import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clientEnvironment } from '../support/client-command.ts'
import { type RunningCommand, removeFleetFolders, SOON_MS, startTestfleet, waitForNothing } from '../support/command.ts'
import { goClient, goEnvironment } from '../support/go-client.ts'
import { lineServer } from '../support/line-server.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'

const root = join(import.meta.dirname, '../..')
const example = join(root, 'examples/go')
let environment: Readonly<Record<string, string | undefined>>
const fleets: StoryFleet[] = []

const module = `module shop

go 1.19

require testfleet v0.0.0

replace testfleet => ${goClient}
`

const main = 'func TestMain(m *testing.M) { testfleet.Main(m, "testfleet.json") }'

/** A package whose last test fails; each test has told the server of itself, and waits until the log has it. */
const failing = (name: string) => `package ${name}

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"testfleet"
)

${main}

func tell(t *testing.T, text string) {
	connection, err := net.Dial("tcp", testfleet.Share(t).Server("web").Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintln(connection, text)
	for found := ""; !strings.Contains(found, text); {
		output, _ := exec.Command(os.Getenv("TESTFLEET_BIN"), "logs").Output()
		found = string(output)
	}
}

func TestUnknownExport(t *testing.T) { testfleet.Share(t).Server("web").Export("NOPE") }
func TestUnknownPort(t *testing.T)   { testfleet.Share(t).Server("web").Endpoint(81) }

func TestPasses(t *testing.T) { tell(t, "before-${name}") }

func TestFails(t *testing.T) {
	tell(t, "during-${name}")
	t.Fatal("session", os.Getenv("TESTFLEET_SESSION"), os.Getenv("TESTFLEET_WEB_PORT"))
}
`

const sleeping = `package shop

import (
	"os"
	"testing"
	"time"

	"testfleet"
)

${main}

func TestSleeps(t *testing.T) {
	testfleet.Lease(t, "web")
	os.WriteFile("began", nil, 0o600)
	time.Sleep(10 * time.Minute)
}
`

beforeAll(async () => {
  environment = { ...goEnvironment, ...(await clientEnvironment()), TESTFLEET_SESSION: undefined }
})

afterAll(async () => {
  for (const fleet of fleets) await waitForNothing(fleet.name)
  await removeFleetFolders()
})

function startGo(folder: string, ...words: string[]): RunningCommand {
  return startTestfleet([], { prefix: words, isBare: true, cwd: folder, env: environment })
}

async function makeModule(files: Readonly<Record<string, string>>): Promise<StoryFleet> {
  const fleet = await makeFleet({ web: lineServer }, { 'go.mod': module, ...files })
  fleets.push(fleet)
  return fleet
}

describe.concurrent('the package for Go', () => {
  test('is formatted, passes vet, and its own tests, which need no engine', wide, async ({ expect }) => {
    const format = await startGo(goClient, 'gofmt', '-l', '.', example).result
    expect(format).toMatchObject({ exitCode: 0, stdout: '' })
    const { exitCode, stdout, stderr } = await startGo(goClient, 'go', 'test', '-vet=all', './...').result
    expect(exitCode, stdout + stderr).toBe(0)
  })

  test('runs the example as its page shows it', async ({ expect }) => {
    const { exitCode, stdout, stderr } = await startGo(example, 'go', 'test', '-v', './...').result
    expect(exitCode, stdout + stderr).toBe(0)
    expect(stdout.match(/^--- PASS/gm)).toHaveLength(2)
    const page = await readFile(join(root, 'docs/go.md'), 'utf8')
    for (const part of (await readFile(join(example, 'store_test.go'), 'utf8')).split('\n\n'))
      expect(page).toContain(part)
    await waitForNothing('orders-go')
  })

  test('shares one fleet among packages, and shows the logs of the time of a failed test', async ({ expect }) => {
    const fleet = await makeModule({ 'a/a_test.go': failing('a'), 'b/b_test.go': failing('b') })
    const { exitCode, stdout, stderr } = await startGo(fleet.folder, 'go', 'test', './...').result
    expect(exitCode, stderr).toBe(1)
    const told = [...stdout.matchAll(/^ +a_test\.go:\d+: session (\S+) (\d+)$/gm)].concat([
      ...stdout.matchAll(/^ +b_test\.go:\d+: session (\S+) (\d+)$/gm),
    ])
    expect(told, stdout).toHaveLength(2)
    expect(told[0]?.slice(1)).toEqual(told[1]?.slice(1))
    expect(told[0]?.[1]).toMatch(new RegExp(`^${fleet.name}-[0-9a-f]{7}$`))
    for (const name of ['a', 'b']) {
      const part = stdout.split(/^FAIL\tshop\/.*$/m).find((text) => text.includes(`${name}_test.go`))
      expect(part).toMatch(new RegExp(`^ +web:\n[^]*^ +\\d{4}-\\S+Z got during-${name}$`, 'm'))
      expect(part).not.toContain(`before-${name}`)
      for (const wrong of ['does not export NOPE', 'does not publish port 81'])
        expect(part).toMatch(new RegExp(`^ +${name}_test\\.go:\\d+: error: web ${wrong}`, 'm'))
    }
    await waitForNothing(fleet.name)
  })

  test('leaves nothing when go and the test are killed', async ({ expect }) => {
    const fleet = await makeModule({ 'it_test.go': sleeping })
    const running = startGo(fleet.folder, 'go', 'test', './...')
    await vi.waitFor(() => expect(existsSync(join(fleet.folder, 'began'))).toBe(true), { timeout: SOON_MS })
    running.killGroup('SIGKILL')
    await waitForNothing(fleet.name)
  })
})

test('go that is killed at any moment leaves nothing', wide, async () => {
  const fleet = await makeModule({ 'it_test.go': sleeping })
  const killed: RunningCommand[] = []
  for (let round = 0; round < 20; round++) {
    const running = startGo(fleet.folder, 'go', 'test', './...')
    await sleep(500 + round * 200)
    running.killGroup('SIGKILL')
    killed.push(running)
  }
  await Promise.all(killed.map(({ result }) => result))
  await waitForNothing(fleet.name)
})

test('a fleet that cannot start is the message of testfleet, and ends the tests of the package', wide, async () => {
  const fleet = await makeModule({ 'it_test.go': sleeping })
  await writeFile(join(fleet.folder, 'testfleet.json'), '{ "servers": { "web": { "preset": "rediss" } } }')
  const { exitCode, stdout, stderr } = await startGo(fleet.folder, 'go', 'test', './...').result
  expect(exitCode, stderr).toBe(1)
  expect(stdout).toMatch(/^error: the fleet file has .*\n {2}.*testfleet.json:1:\d+: .*did you mean `redis`\?$/m)
  expect(stdout).not.toMatch(/panic|goroutine/)
})
