import { describe, expect, test } from 'vitest'
import { parseYaml } from './read-yaml.ts'
import { replaceText } from './replace-text.ts'

/** Replaces the values at these paths with `new:1@sha256:0`. */
function pin(text: string, ...paths: (string | number)[][]): string {
  const document = parseYaml(text, 'f.yaml')
  const spans = paths.map((path) => document.locateText(path))
  return replaceText(
    text,
    spans.flatMap((span) => (span === undefined ? [] : [{ span, text: 'new:1@sha256:0' }])),
  )
}

describe('a value is replaced', () => {
  test('without a change to comments, quotes, line ends and spaces around it', () => {
    const text = [
      '# top',
      'servers:',
      "  a: { image: 'a:1' , ports: [80] } # a",
      '  b:',
      '    image:   "b:1"   # b',
      '',
      '    ports: [80]',
      '  c:\r',
      '    image: c:1\r',
      '  ü😀: { image: d:1}',
      '',
    ].join('\n')
    const paths = ['a', 'b', 'c', 'ü😀'].map((name) => ['servers', name, 'image'])
    const pinned = pin(text, ...paths)
    expect(pinned).toBe(text.replace(/[abcd]:1/g, 'new:1@sha256:0'))
    const document = parseYaml(pinned, 'f.yaml')
    expect(document.value).toMatchObject({
      servers: { c: { image: 'new:1@sha256:0' }, 'ü😀': { image: 'new:1@sha256:0' } },
    })
  })

  test('in JSON as well', () => {
    const text = '{"servers":{"a":{"image":"a:1","ports":[80]}},\n\t"base": {"from" : "b:1"}}'
    expect(pin(text, ['servers', 'a', 'image'], ['base', 'from'])).toBe(text.replace(/[ab]:1/g, 'new:1@sha256:0'))
  })

  test('only once if aliases refer to it', () => {
    const text = 'x: &one a:1 # shared\ny: *one\nz: &two !!str b:1\n'
    expect(pin(text, ['x'], ['y'], ['z'])).toBe(text.replace(/[ab]:1/g, 'new:1@sha256:0'))
  })

  test('only if it is plain text on one line', () => {
    const text = 'a: |\n  a:1\nb: >-\n  b:1\nc: 1\nd: [x]\n'
    expect(pin(text, ['a'], ['b'], ['c'], ['d'], ['e'])).toBe(text)
  })
})
