import { DockerfileParser } from 'dockerfile-ast'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { listBaseImages, listFinalInstructions, parseDockerfile, splitAssignments } from './dockerfile.ts'

const files: readonly [what: string, text: string][] = [
  ['one stage', 'FROM debian:12\nRUN true\nUSER nobody\n'],
  ['no end of line at the end', 'FROM debian:12\nRUN true'],
  ['lines of Windows', 'FROM debian:12\r\nRUN a \\\r\n  b\r\nUSER x\r\n'],
  ['keywords in lower case', 'from debian:12 as Build\nrun true\nFrom build\n'],
  ['indented instructions', '  FROM debian:12\n\tRUN true\n'],
  ['comments and empty lines', '# one\n\nFROM a\n  # two\nRUN x # not a comment\n'],
  ['continued lines', 'FROM a\nRUN x && \\\n  y && \\\n  z\nUSER b\n'],
  ['a comment between continued lines', 'FROM a\nRUN x && \\\n# FROM b\n  # FROM c\n  y\nUSER b\n'],
  ['an empty line between continued lines', 'FROM a\nRUN x && \\\n\n  y\nUSER b\n'],
  ['a space after the backslash', 'FROM a\nRUN x \\  \n  FROM b\nUSER c\n'],
  ['a continued FROM', 'FROM \\\n  --platform=linux/amd64 \\\n  debian:12 \\\n  AS \\\n  x\nFROM x\n'],
  ['the escape directive', '# escape=`\nFROM a\nRUN x `\n  FROM b\nRUN y \\\nUSER c\n'],
  ['directives in a row', '# syntax=docker/dockerfile:1\n# escape = `\nFROM a\nRUN x `\n  y\n'],
  ['an escape directive after a comment', '# a comment\n# escape=`\nFROM a\nRUN x \\\n  y\nUSER c\n'],
  ['an escape directive after an empty line', '\n# escape=`\nFROM a\nRUN x \\\n  y\nUSER c\n'],
  ['ARG before FROM', 'ARG BASE=debian:12\nARG TAG\nFROM ${BASE}\nFROM a:$TAG AS x\nFROM x\n'],
  ['named stages', 'FROM a AS one\nFROM b:1 AS Two\nFROM ONE\nFROM two AS three\nFROM scratch\n'],
  ['a stage named as an image before it', 'FROM debian\nFROM debian:12 AS debian\nFROM debian\n'],
  ['flags', 'FROM --platform=$BUILDPLATFORM golang:1.22 AS build\nFROM --platform=linux/arm64 debian\n'],
  ['digests and ports', `FROM host:5000/a/b:1@sha256:${'a'.repeat(64)}\nFROM localhost:5000/x\n`],
  ['a heredoc', 'FROM a\nRUN <<EOF\nFROM users\nUSER x\nEOF\nUSER b\n'],
  ['a quoted heredoc', 'FROM a\nRUN <<"EOF"\nFROM users\nEOF\nUSER b\n'],
  ['a heredoc with tabs', 'FROM a\nRUN <<-EOF\n\tFROM users\n\tEOF\nUSER b\n'],
  ['a heredoc with an indented end', 'FROM a\nRUN <<EOF\nFROM users\n EOF\nEOF\nUSER b\n'],
  ['a heredoc of COPY', 'FROM a\nCOPY <<one /x\nFROM users\none\nUSER b\n'],
  ['two heredocs', 'FROM a\nCOPY <<one <<two /x/\nFROM users\none\nFROM others\ntwo\nUSER b\n'],
  ['a heredoc after a command', 'FROM a\nRUN cat <<EOF > /x\nFROM users\nEOF\nUSER b\n'],
  ['what only looks like a heredoc', 'FROM a\nRUN cat <<<EOF\nRUN echo $((1<<2))\nRUN echo "<<EOF"\nUSER b\n'],
  ['a heredoc where none can be', 'FROM a\nENV X=<<EOF\nUSER b\n'],
  ['a list', 'FROM a\nCMD ["sh", "-c", "FROM b"]\n'],
  ['nothing', ''],
]

/** What dockerfile-ast says: keywords with their lines, and the images that no variable and no earlier stage stands for. */
function readByPeer(text: string): { keywords: string[]; images: string[] } {
  const file = DockerfileParser.parse(text)
  const keywords = file
    .getInstructions()
    .map((instruction) => `${instruction.getRange().start.line + 1} ${instruction.getKeyword()}`)
  const known = new Set(['scratch'])
  const images = file.getFROMs().flatMap((from) => {
    const image = from.getImage() ?? ''
    const isImage = !known.has(image.toLowerCase()) && !image.includes('$')
    known.add(from.getBuildStage()?.toLowerCase() ?? 'scratch')
    return isImage ? [`${from.getRange().start.line + 1} ${image}`] : []
  })
  return { keywords, images }
}

function read(text: string): { keywords: string[]; images: string[] } {
  const instructions = parseDockerfile(text)
  return {
    keywords: instructions.map(({ line, keyword }) => `${line} ${keyword}`),
    images: listBaseImages(instructions).map(({ line, reference }) => `${line} ${reference}`),
  }
}

describe('parseDockerfile and listBaseImages read as dockerfile-ast does', () => {
  test.each(files)('%s', (_, text) => {
    expect(read(text)).toEqual(readByPeer(text))
  })

  test('random text', () => {
    const piece = fc.constantFrom(
      ...['FROM a\n', 'FROM --platform=linux/amd64 a:1 AS one\n', 'FROM one\n', 'from ONE as two\n', 'FROM ${X}\n'],
      ...[
        'ARG X=1\n',
        'RUN x\n',
        'RUN x && \\\n  y\n',
        'RUN x \\\n# FROM c\n\n  FROM d\n',
        'USER b\n',
        '# FROM e\n',
        '\n',
      ],
      ...[
        'RUN <<EOF\nFROM f\nEOF\n',
        'COPY <<-"A" <<B /x/\nFROM g\n\tA\nFROM h\nB\n',
        'CMD ["FROM", "i"]\n',
        '  RUN z\n',
      ],
    )
    const text = fc.tuple(fc.constantFrom('', '# escape=\\\n', '# syntax=x\n'), fc.array(piece, { maxLength: 8 }))
    fc.assert(
      fc.property(text, ([start, pieces]) => {
        const file = start + pieces.join('')
        expect(read(file)).toEqual(readByPeer(file))
      }),
      { numRuns: Number(process.env.TESTFLEET_PROPERTY_RUNS ?? 150) },
    )
  })
})

test.each([
  ['continued lines are one', 'RUN a \\\n  b\\\nc\n', ['a   bc']],
  ['a doubled backslash continues nothing', 'RUN a \\\\\nRUN b\n', ['a \\\\', 'b']],
  ['a heredoc belongs to its instruction', 'RUN cat <<E\nx\nE\nUSER b', ['cat <<E\nx\nE', 'b']],
  ['a heredoc without an end goes on to the end', 'RUN <<E\nx\nUSER b', ['<<E\nx\nUSER b']],
  ['a heredoc of ONBUILD belongs to it', 'ONBUILD RUN <<E\nx\nE\nUSER b', ['RUN <<E\nx\nE', 'b']],
  ['a byte order mark is skipped', '\uFEFFUSER b', ['b']],
])('%s', (_, text, rests) => {
  expect(parseDockerfile(text).map(({ rest }) => rest)).toEqual(rests)
})

test.each([
  ['ENV', 'A=1 B="two words" C=\'x y\' D=a\\ b', { A: '1', B: 'two words', C: 'x y', D: 'a b' }],
  ['ENV', 'A two words', { A: 'two words' }],
  ['LABEL', '"a.b"="c=d"', { 'a.b': 'c=d' }],
  ['LABEL', 'a=1 \\\n b=2', { a: '1', b: '2' }],
  ['ARG', 'A', {}],
  ['ARG', 'A B=1', { B: '1' }],
  ['ENV', 'A="not closed', { A: 'not closed' }],
])('splitAssignments reads %s %s', (keyword, rest, values) => {
  const [instruction] = parseDockerfile(`${keyword} ${rest}\n`)
  expect(instruction && Object.fromEntries(splitAssignments(instruction))).toEqual(values)
})

test.each([
  ['the last stage, after those below it', undefined, ['b', 'c']],
  ['the target', 'TWO', ['x']],
  ['the last stage, for a target that is not there', 'none', ['b', 'c']],
])('listFinalInstructions returns %s', (_, target, users) => {
  const text = 'ARG X\nFROM a AS one\nUSER b\nFROM z AS two\nUSER x\nFROM One\nUSER c\n'
  expect(listFinalInstructions(parseDockerfile(text), target).map(({ rest }) => rest)).toEqual(users)
})

test('a file of a megabyte is read quickly', () => {
  for (const text of [
    'RUN <<E '.repeat(100_000),
    '"\\'.repeat(300_000),
    'a\\\n'.repeat(300_000),
    `ENV A${'=" '.repeat(300_000)}`,
  ]) {
    const instructions = parseDockerfile(`RUN ${text}`)
    expect(instructions.flatMap(splitAssignments).length).toBeLessThan(400_000)
  }
})
