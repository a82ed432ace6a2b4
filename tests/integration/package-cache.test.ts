import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packArchive } from '../../src/files/archive.ts'
import type { FleetEvent } from '../../src/model/events.ts'
import { label } from '../../src/model/labels.ts'
import { type Build, type ImageHarness, openImageHarness } from '../support/image-harness.ts'
import { wide } from '../support/tiers.ts'

/** Makes its packages and no others known to apt, which has to copy them as it would download them. No other test has them. */
const token = randomBytes(8).toString('hex')
const sound = ['fleet-one', 'fleet-two', 'fleet-three', 'fleet-four', 'fleet-five']
const packages = { ...Object.fromEntries(sound.map((name) => [name, 'exit 0'])), 'fleet-broken': 'exit 1' }
const repository = `
mkdir /repository && cd /repository
for pair in ${Object.entries(packages)
  .map(([name, configure]) => `'${name}:${configure}'`)
  .join(' ')}; do
  name=\${pair%%:*}
  mkdir -p tree/DEBIAN tree/usr/share/$name
  echo "$name ${token}" > tree/usr/share/$name/data
  printf '#!/bin/sh\\n%s\\n' "\${pair#*:}" > tree/DEBIAN/postinst
  chmod 0755 tree/DEBIAN/postinst
  printf 'Package: %s\\nVersion: 1:1.0\\nArchitecture: all\\nMaintainer: t <t@t.test>\\nDescription: test\\n' $name > tree/DEBIAN/control
  dpkg-deb --build tree $name.deb
  { dpkg-deb --field $name.deb; echo "Filename: ./$name.deb"; stat -c 'Size: %s' $name.deb
    sha256sum $name.deb | sed 's/^\\([0-9a-f]*\\).*/SHA256: \\1/'; echo; } >> Packages
  rm -r tree
done
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] copy:/repository ./' > /etc/apt/sources.list
# As in Debian's own images.
echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; }; Dir::Cache::pkgcache "";' > /etc/apt/apt.conf.d/docker-clean
# Where it calculates, it runs the commands in a word, which Debian's dash does not.
ln -sf bash /bin/sh
`

let images: ImageHarness
/** Makes each build a new one. */
let round = 0

beforeAll(async () => {
  images = await openImageHarness()
  expect(await images.harness.engine.hasCacheMounts()).toBe(true)
})

afterAll(() => images.close())

const base = { run: [repository] }

interface Result {
  readonly downloaded: readonly string[]
  /** Titles of cached steps. */
  readonly cached: readonly string[]
  readonly reference: string
}

/** `isNew` is false for a build whose first steps may be cached. */
async function build(names: readonly string[], more: Build = {}, isNew = true): Promise<Result> {
  const events: FleetEvent[] = []
  const environment = { ROUND: String(isNew ? ++round : round) }
  const one = { build: { packages: [...names], environment, ...more } }
  try {
    const built = await images.build({ base, servers: { one } }, '/tmp', (event) => events.push(event))
    const reference = built.get('one')?.reference ?? ''
    return { downloaded: downloadsIn(events), cached: events.flatMap(titleOfCached), reference }
  } catch (error) {
    throw Object.assign(error as Error, { downloaded: downloadsIn(events) })
  }
}

function titleOfCached(event: FleetEvent): string[] {
  return event.kind === 'building' && event.step?.isCached ? [event.step.text] : []
}

/** Packages that apt has downloaded. */
function downloadsIn(events: readonly FleetEvent[]): string[] {
  const lines = events.flatMap((event) => (event.kind === 'buildOutput' ? [event.line] : []))
  return lines.flatMap((line) => /^Get:\d+ .* (fleet-\w+) /.exec(line)?.[1] ?? []).sort()
}

test('one more package downloads only that package, and the cache leaves nothing in the image', async () => {
  expect((await build(['fleet-one'])).downloaded).toEqual(['fleet-one'])
  const more = { copy: [{ content: 'x', to: '/x' }], run: ['touch /y'] }
  const { downloaded, reference } = await build(['fleet-one', 'fleet-two'], more)
  expect(downloaded).toEqual(['fleet-two'])
  const versions = { 'fleet-one': '1:1.0', 'fleet-two': '1:1.0' }
  const { labels } = (await images.harness.engine.inspectImage(reference)) ?? {}
  expect(labels).toMatchObject({ [label.change]: '', [label.packages]: JSON.stringify(versions) })
  const id = await images.harness.start({ image: reference })
  const leftOver = 'ls -A /var/cache/apt /var/cache/apt/archives /dev | grep -E "testfleet|deb$|bin$" || true'
  expect(await images.shell(id, `cat /x /usr/share/fleet-*/data; ls /y /var/lib/apt/lists; ${leftOver}`)).toBe(
    `xfleet-one ${token}\nfleet-two ${token}\n/y\n\n/var/lib/apt/lists:\n`,
  )
})

test('a changed file does not install the packages again', async () => {
  const seed = (content: string): Build => ({ copy: [{ content, to: '/seed' }] })
  await build(['fleet-one'], seed('one'))
  const { cached, downloaded, reference } = await build(['fleet-one'], seed('two'), false)
  expect(cached).toContain('packages fleet-one')
  expect(downloaded).toEqual([])
  expect(await images.shell(await images.harness.start({ image: reference }), 'cat /seed')).toBe('two')
})

test('a failed build keeps what it has downloaded', wide, async () => {
  const failed = build(['fleet-broken', 'fleet-three'])
  await expect(failed).rejects.toMatchObject({ code: 'BUILD_FAILED', downloaded: ['fleet-broken', 'fleet-three'] })
  expect((await build(['fleet-three'])).downloaded).toEqual([])
})

/** Runs shell text in the cache, in a build as anybody could make it, and fails if it does. */
async function runInCache(from: string, text: string): Promise<void> {
  const { engine, labels } = images.harness
  const mount = '--mount=type=cache,id=testfleet-packages,target=/cache'
  const dockerfile = `FROM ${from}\nRUN ${mount} cd /cache && ${text}\n`
  const context = packArchive([{ kind: 'text', path: 'Dockerfile', mode: 0o644, text: dockerfile }])
  await engine.buildImage({ tags: [`testfleet/${images.fleet}-spoil:1`], labels, dockerfile: 'Dockerfile', context })
}

/** Gives a file of the cache another content of the same size, and puts in place of others what has no near end. */
const spoil = [
  'sum() { sha256sum < /repository/fleet-$1.deb | cut -c -64; }',
  'size=$(stat -c %s $(sum one))',
  'head -c $size /dev/urandom > $(sum one)',
  'rm $(sum two) $(sum three) $(sum four) $(sum five)',
  'ln -s /etc/passwd $(sum two)',
  'ln -s /dev/zero $(sum three)',
  'mkfifo $(sum four)',
  'truncate --size 1T $(sum five)',
  // A line of it begins with a command.
  'touch "$(printf "x\\na[\\$(:>evaluated)] y")"',
  'mkdir -p .hidden/more',
].join(' && ')

const onlyOwn = 'test -z "$(find . -mindepth 1 ! -type f -o -name "*[!0-9a-f]*" ! -name "part.??????")"'

test('what others left in the cache is never installed, waited for or run, and does not stay', wide, async () => {
  const { reference } = await build(sound)
  await runInCache(reference, spoil)
  const spoiled = await build(sound)
  expect(spoiled.downloaded).toEqual([...sound].sort())
  const id = await images.harness.start({ image: spoiled.reference })
  const contents = [...sound].sort().map((name) => `${name} ${token}\n`)
  expect(await images.shell(id, 'cat /usr/share/fleet-*/data; ls -d /evaluated || true')).toBe(contents.join(''))
  await runInCache(reference, onlyOwn)
  expect((await build(sound)).downloaded).toEqual([])
})
