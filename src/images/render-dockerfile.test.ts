import { describe, expect, test } from 'vitest'
import type { BuildSteps } from '../model/fleet.ts'
import { renderDockerfile, renderSteps } from './render-dockerfile.ts'

const nothing: BuildSteps = { packages: [], environment: new Map(), copy: [], run: [] }
const at = ['servers', 'a', 'build']

function lines(steps: Partial<BuildSteps>): string[] {
  const { before, after } = renderSteps({ ...nothing, ...steps }, at)
  return [...before.lines, ...after.lines]
}

describe('the lines of a build', () => {
  test('are one for each step, from steps that change seldom to steps that change often', () => {
    const environment = new Map([['K', 'v']])
    const rendered = renderSteps({ packages: ['b', 'a'], environment, copy: [], run: ['echo hello'] }, at)
    const from = { title: 'from base:1', at }
    const copy = {
      step: from,
      source: { kind: 'content' },
      to: '/etc/x',
      owner: undefined,
      modifiedAtS: undefined,
      entries: [],
    } as const
    const text = renderDockerfile({ kind: 'steps', base: 'base:1', from, ...rendered, copies: [copy] }).split('\n')
    expect(text[0]).toBe('FROM base:1')
    expect(text[1]).toBe('ENV K="v"')
    expect(text[2]).toMatch(/^RUN \["\/bin\/sh","-c","set -e.*","install","a","b"\]$/)
    expect(text[3]).toBe('ADD ["copy-0.tar","/"]')
    expect(text[4]).toBe('RUN ["/bin/sh","-ec","--","echo hello"]')
    const steps = [...rendered.before.steps, ...rendered.after.steps]
    expect(steps.map(({ title, at }) => `${title} (${at.slice(2).join('.')})`)).toEqual([
      'packages a b (build.packages)',
      'run echo hello (build.run.0)',
    ])
  })

  test('run as root in an image with another user, which stays the user of the server', () => {
    const rendered = renderSteps({ ...nothing, packages: ['a'], run: ['id'] }, at, 'app:www-data')
    expect(rendered.before.lines[0]).toBe('USER 0:0')
    expect(rendered.after.lines).toEqual(['RUN ["/bin/sh","-ec","--","id"]', 'USER app:www-data'])
    expect(renderSteps({ ...nothing, run: ['id'] }, at, '1000').after.lines.at(-1)).toBe('USER 1000')
    const environment = new Map([['K', 'v']])
    expect(renderSteps({ ...nothing, environment }, at, 'app').after.lines).toEqual([])
    expect(renderSteps({ ...nothing, run: ['id'] }, at, 'a\nRUN evil').after.lines).toHaveLength(1)
  })

  test('keep shell text in one string', () => {
    const script = 'cat <<EOF > /x\n$HOME `id` "quoted" back\\slash\nEOF\n# comment \\\nRUN evil'
    const line = lines({ run: [script] })[0] ?? ''
    expect(line).not.toMatch(/[<$`\n]/)
    expect(line.endsWith('\\')).toBe(false)
    expect(JSON.parse(line.slice('RUN '.length))).toEqual(['/bin/sh', '-ec', '--', script])
  })

  test('prevent apt-get from reading the name of a package as a pattern', () => {
    expect(lines({ packages: ['a.b'] })[0]).toContain(' -o APT::Cmd::Pattern-Only=true install ')
  })

  test('install packages with a cache only for a builder that has one', () => {
    const { before } = renderSteps({ ...nothing, packages: ['b', 'a'], environment: new Map([['K', 'v']]) }, at, 'app')
    const [plain = '', caching = ''] = [before.lines.at(-1), before.cachingLines?.at(-1)]
    expect(before.cachingLines?.slice(0, -1)).toEqual(['ENV K="v"', 'USER 0:0'])
    expect(plain).toMatch(/^RUN \["\/bin\/sh","-c",".*","install","a","b"\]$/)
    const mount = 'RUN --mount=type=cache,id=testfleet-packages,target=/dev/testfleet-packages ['
    expect(caching.slice(0, mount.length)).toBe(mount)
    expect(JSON.parse(caching.slice(mount.length - 1)).toSpliced(2, 1)).toEqual(['/bin/sh', '-c', 'install', 'a', 'b'])
    expect(renderSteps({ ...nothing, run: ['id'] }, at).before).toEqual({ lines: [], steps: [] })
  })

  test('quote the values of variables', () => {
    expect(lines({ environment: new Map([['A', 'x "y" $z \\']]) })[0]).toBe('ENV A="x \\"y\\" \\$z \\\\"')
  })
})
