import { afterEach, expect, test } from 'vitest'
import { askEngine } from '../support/raw-engine.ts'
import { base, endFleets, makeFleet, readError, server } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

afterEach(endFleets)

/** On one line, as a variable of an image has to be. */
const line =
  'a "b" \'c\' `id` $HOME ${HOME} $(id) \\ \\\\ \\n %41 {{.}} <<EOF # \t; & | * ? ~ ! [x] --from=x \u0085\u2028\u200bä😀 \\'
const text = `# syntax=docker/dockerfile:1\n# escape=\`\nFROM x\\\n\r\nRUN id\n<<EOF\n${line}\u0001\u007f\n\\`
const name = ' -n $HOME ${X} "q" \'s\' `t` \\ %41 :,= <<EOF # ä😀 \\'

/** Shell text that writes the value as it is, whatever is in it. */
function writeBytes(value: string, to: string): string {
  const octal = [...Buffer.from(value)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
  return `printf '${octal.join('')}' > ${to}`
}

const hex = (value: string): string => Buffer.from(value).toString('hex')
const tellArguments = '$| = 1; print join(" ", map { unpack "H*", $_ } @ARGV), "\\n"; sleep 600'

test('every byte of a hostile value arrives in its intended place, and has no other effect', async () => {
  const labels = { 'org.example.text': text, 'org.example.line': line }
  const fleet = await makeFleet(
    [
      `web: ${server({
        image: undefined,
        build: {
          from: base,
          environment: { LINE: line, EMPTY: '', OPTION: '--mount=type=secret' },
          copy: [
            { content: text, to: `/made/${name}`, mode: '0640', owner: 'www-data:adm' },
            { from: `in/${name}`, to: '/copied/' },
            { from: 'in', to: `/folder ${name}` },
          ],
          run: [
            `cat <<'EOF' > /run-1\n${line}\nEOF\n# a comment that ends with a backslash \\`,
            `x='${line.replaceAll("'", "'\\''")}'\nprintf %s "$x" > /run-2`,
            writeBytes(text, '/run-3'),
            '--mount=type=secret || true; : > /run-4',
          ],
        },
        command: ['perl', '-e', tellArguments, '--', line, text, '', '-n', '--privileged', name],
        environment: { LINE_HERE: line, TEXT_HERE: text },
        labels,
        workingDir: `/work ${name}`,
        tmpfs: [{ to: `/memory ${name}`, size: '1m', mode: '1770', uid: 7, gid: 8 }],
        mounts: [
          { volume: 'data', to: `/volume ${name}`, writable: true },
          { from: `in/${name}`, to: `/mount ${name}` },
        ],
        extraHosts: { 'a.b': '::1', c: '192.0.2.1' },
        sysctls: { 'net.ipv4.ip_local_port_range': '1024\t2000' },
        ready: [{ log: hex(name) }],
      })}`,
    ],
    { [`in/${name}`]: text },
  )
  const up = await fleet.run(['up', '--json'], { timeoutMs: 120_000 })
  expect(up.stderr.includes('error'), up.stderr).toBe(false)
  expect(up.exitCode).toBe(0)

  const read = async (program: string, ...words: readonly string[]): Promise<string> => {
    const result = await fleet.run(['exec', 'web', '--', 'perl', '-e', program, '--', ...words])
    expect(result.stderr).toBe('')
    return result.stdout
  }
  const readFiles = 'for (@ARGV) { local $/; open F, "<", $_ or die "$_: $!"; print unpack("H*", <F>), " " }'
  expect(await read('print join " ", map { unpack "H*", $ENV{$_} } qw(LINE EMPTY OPTION LINE_HERE TEXT_HERE)')).toBe(
    [line, '', '--mount=type=secret', line, text].map(hex).join(' '),
  )
  const files = [
    `/made/${name}`,
    `/copied/${name}`,
    `/folder ${name}/${name}`,
    `/mount ${name}`,
    '/run-1',
    '/run-2',
    '/run-3',
    '/run-4',
  ]
  const held = [text, text, text, text, `${line}\n`, line, text, '']
  expect(await read(readFiles, ...files)).toBe(held.map((one) => `${hex(one)} `).join(''))
  expect(
    await read(
      'opendir D, $_ and print join("|", sort grep !/^\\.\\.?$/, readdir D), "\\n" for @ARGV',
      '/made',
      '/copied',
    ),
  ).toBe(`${name}\n${name}\n`)
  const owner = 'my @s = stat $ARGV[0]; printf "%o %s %s", $s[2] & 07777, (getpwuid $s[4])[0], (getgrgid $s[5])[0]'
  expect(await read(owner, `/made/${name}`)).toBe('640 www-data adm')
  expect(await read('use Cwd; print getcwd')).toBe(`/work ${name}`)
  const memory = 'my @s = stat $ARGV[0]; printf "%o %d %d", $s[2] & 07777, @s[4, 5]'
  expect(await read(memory, `/memory ${name}`)).toBe('1770 7 8')
  const logs = await fleet.run(['logs', 'web'])
  expect(logs.stdout).toContain([line, text, '', '-n', '--privileged', name].map(hex).join(' '))

  const { container } = JSON.parse(up.stdout).servers.web
  const { Config, HostConfig, Mounts } = (await askEngine('GET', `/containers/${container}/json`)) as Inspected
  expect(Config.Labels).toMatchObject(labels)
  expect(
    Object.keys(Config.Labels)
      .filter((key) => !key.startsWith('dev.testfleet.'))
      .sort(),
  ).toEqual(Object.keys(labels).sort())
  expect(HostConfig).toMatchObject({
    Privileged: false,
    Binds: null,
    CapAdd: [],
    NetworkMode: expect.stringMatching(`^${fleet.name}-[0-9a-f]{8}$`),
  })
  expect(Mounts.map(({ Destination }) => Destination).sort()).toEqual([`/mount ${name}`, `/volume ${name}`].sort())
  expect((await fleet.run(['down'])).exitCode).toBe(0)
})

interface Inspected {
  readonly Config: { readonly Labels: Record<string, string> }
  readonly HostConfig: object
  readonly Mounts: readonly { readonly Destination: string }[]
}

test('a package name that apt-get would read as a pattern is reported as a missing package', wide, async () => {
  const fleet = await makeFleet([`web: ${server({ image: undefined, build: { from: base, packages: ['hell.'] } })}`])
  const result = await fleet.run(['build', '--json'], { timeoutMs: 120_000 })
  expect(readError(result)).toMatchObject({ code: 'BUILD_FAILED', hint: expect.stringContaining('the package hell.') })
  expect(readError(result).output?.join('\n')).toContain('Unable to locate package hell.')
})
