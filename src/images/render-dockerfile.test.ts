import { describe, expect, test } from 'vitest'
import type { BuildSteps } from '../model/fleet.ts'
import { renderDockerfile } from './render-dockerfile.ts'

const nothing: BuildSteps = { packages: [], environment: new Map(), copy: [], run: [] }

function lines(steps: Partial<BuildSteps>, source = { path: 'files/0', isFolder: false, name: 'n' }): string[] {
  return renderDockerfile(
    'base:1',
    { ...nothing, ...steps },
    (steps.copy ?? []).map(() => source),
    ['servers', 'a', 'build'],
  )
    .dockerfile.trimEnd()
    .split('\n')
}

describe('renderDockerfile', () => {
  test('is one line for each step, in the order from what changes seldom to what changes often', () => {
    const rendered = renderDockerfile(
      'base:1',
      {
        packages: ['b', 'a'],
        environment: new Map([['K', 'v']]),
        copy: [{ source: { kind: 'content', content: '' }, to: '/etc/x', mode: undefined, owner: 'www-data:www-data' }],
        run: ['echo hello'],
      },
      [{ path: 'files/0', isFolder: false, name: '' }],
      ['servers', 'a', 'build'],
    )
    const text = rendered.dockerfile.split('\n')
    expect(text[0]).toBe('FROM base:1')
    expect(text[1]).toBe('ENV K="v"')
    expect(text[2]).toMatch(/^RUN \["\/bin\/sh","-c","set -e.*","install","a","b"\]$/)
    expect(text[3]).toBe('COPY --chown=www-data:www-data ["files/0","/etc/x"]')
    expect(text[4]).toBe('RUN ["/bin/sh","-ec","--","echo hello"]')
    expect(rendered.steps.map(({ title, at }) => `${title} (${at.slice(2).join('.')})`)).toEqual([
      'from base:1 (build.from)',
      'packages a b (build.packages)',
      'copy to /etc/x (build.copy.0)',
      'run echo hello (build.run.0)',
    ])
  })

  test('keeps shell text in its string, whatever is in it', () => {
    const script = 'cat <<EOF > /x\n$HOME `id` "quoted" back\\slash\nEOF\n# comment \\\nRUN evil'
    const line = lines({ run: [script] })[1] ?? ''
    expect(line).not.toMatch(/[<$`\n]/)
    expect(line.endsWith('\\')).toBe(false)
    expect(JSON.parse(line.slice('RUN '.length))).toEqual(['/bin/sh', '-ec', '--', script])
  })

  test('takes a name that no package has for no pattern', () => {
    expect(lines({ packages: ['a.b'] })[1]).toContain(' -o APT::Cmd::Pattern-Only=true install ')
  })

  test('keeps a path in its word, as COPY expands variables and takes quotes away', () => {
    const to = '/a $HOME "b" \'c\' \\d'
    const line =
      lines({ copy: [{ source: { kind: 'content', content: '' }, to, mode: undefined, owner: undefined }] })[1] ?? ''
    const [, word] = JSON.parse(line.slice('COPY '.length)) as string[]
    expect(word?.replaceAll(/\\(.)/g, '$1')).toBe(to)
  })

  test('copies a folder as what is in it, and a file into a folder under its own name', () => {
    const copy = [
      {
        source: { kind: 'path', path: '/p/n', folder: '/p', mayLeave: false },
        to: '/etc/d/',
        mode: undefined,
        owner: undefined,
      },
    ] as const
    expect(lines({ copy })[1]).toBe('COPY ["files/0","/etc/d/n"]')
    expect(lines({ copy }, { path: 'files/0', isFolder: true, name: 'n' })[1]).toBe('COPY ["files/0/","/etc/d/"]')
  })

  test('quotes the values of variables', () => {
    expect(lines({ environment: new Map([['A', 'x "y" $z \\']]) })[1]).toBe('ENV A="x \\"y\\" \\$z \\\\"')
  })
})
