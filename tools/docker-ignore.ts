/**
 * Records the decisions of Docker's own matcher on generated patterns and paths, for the unit tests of `.dockerignore`:
 * `node tools/docker-ignore.ts`. Needs Debian's package archive, from which it downloads Go and moby/patternmatcher.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'

const PACKAGES = ['golang-1.19-go', 'golang-1.19-src', 'golang-github-moby-patternmatcher-dev']
const SEED = 20
/** Number of questions recorded for each answer. */
const RECORDED = 200

interface Question {
  readonly text: string
  readonly path: string
}

const part = fc.constantFrom(
  ...[
    'a',
    'b',
    'c',
    '.',
    '*',
    '?',
    '**',
    '/',
    '/',
    '/',
    '[ab]',
    '[^a]',
    '[b-c]',
    '[!a]',
    '[^a-b]',
    '\\*',
    '\\?',
    '\\[',
  ],
  ...[
    ']',
    '!',
    '+',
    '(',
    '|',
    '$',
    '-',
    'ü',
    '😀',
    '..',
    './',
    ' ',
    '\\ ',
    '\\!',
    '\\#',
    '#',
    '[\\]]',
    '[a\\-c]',
    '[/]',
  ],
  ...['[^/]', '[a-]', '[]', '[^]', '[', '\\\\', '^', '\\^', '[*]', '[?]', '[[:alpha:]]', '[[a]', '[a^]', '\\a', '\\d'],
  ...[
    '\\',
    '[.]',
    '[+]',
    '[**]',
    '[c-a]',
    '\u0085',
    '\uFEFF',
    '\u00A0',
    '\t',
    '\r',
    '[-a]',
    '{',
    '[^[:digit:]]',
    '\\W',
  ],
)
const concatenate = (parts: readonly string[]): string => parts.join('')
const line = fc
  .tuple(
    fc.constantFrom('', '', '', '!', '/', './', '!/', '!./', '**/', ' ', '*', 'a'),
    fc.array(part, { minLength: 1, maxLength: 5 }).map(concatenate),
    fc.constantFrom('', '', '', '/', '/**', '\r', ' '),
  )
  .map(concatenate)
const path = fc
  .array(fc.constantFrom(...'abc.*//[]?^!+-ü#d1 \\($|:', '😀', 'a', 'b', 'a/'), { minLength: 1, maxLength: 6 })
  .map((parts) => concatenate(parts).split('/'))
  .map((names) => names.filter((name) => !['', '.', '..'].includes(name)).join('/'))
  .filter((text) => text !== '')
const question: fc.Arbitrary<Question> = fc.record({
  text: fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n')),
  path,
})

const folder = mkdtempSync(join(tmpdir(), 'docker-ignore-'))
try {
  const questions = fc.sample(question, { seed: SEED, numRuns: 20_000 })
  const answers = ask(questions)
  const recorded = ['ignored', 'kept', 'error'].flatMap((answer) =>
    questions
      .filter((_, index) => answers[index] === answer)
      .slice(0, RECORDED)
      .map(({ text, path }) => JSON.stringify([text, path, answer])),
  )
  writeFileSync(new URL('../tests/corpus/docker-ignore.json', import.meta.url), `[\n${recorded.join(',\n')}\n]\n`)
} finally {
  rmSync(folder, { recursive: true })
}

function ask(questions: readonly Question[]): readonly string[] {
  execFileSync('apt-get', ['download', '--quiet', ...PACKAGES], { cwd: folder, stdio: 'inherit' })
  execFileSync('sh', ['-c', 'for one in *.deb; do dpkg -x "$one" unpacked; done'], { cwd: folder })
  const [root, sources] = [join(folder, 'unpacked/usr/lib/go-1.19'), join(folder, 'path/src')]
  cpSync(join(folder, 'unpacked/usr/share/gocode/src'), sources, { recursive: true })
  mkdirSync(join(sources, 'answer'))
  cpSync(new URL('docker-ignore/answer.go', import.meta.url), join(sources, 'answer/answer.go'))
  const environment = { GOROOT: root, GOPATH: join(folder, 'path'), GO111MODULE: 'off', GOCACHE: join(folder, 'cache') }
  const output = execFileSync(join(root, 'bin/go'), ['run', 'answer'], {
    env: { ...process.env, ...environment },
    input: questions.map((one) => JSON.stringify(one)).join('\n'),
    encoding: 'utf8',
  })
  return output
    .trimEnd()
    .split('\n')
    .map((answer) => JSON.parse(answer) as string)
}
