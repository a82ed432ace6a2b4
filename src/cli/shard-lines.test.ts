import { expect, test } from 'vitest'
import { openShardLines } from './shard-lines.ts'

function collect(isOnCi: boolean) {
  const printed: string[] = []
  const lines = openShardLines({
    mark: '[2] ',
    isOnCi,
    stdout: (bytes) => void printed.push(`out ${bytes}`),
    stderr: (bytes) => void printed.push(`err ${bytes}`),
  })
  return { lines, printed }
}

test('lines of a shard are printed whole, each with its mark', () => {
  const { lines, printed } = collect(false)
  lines.stdout(Buffer.from('one\ntw'))
  lines.stderr(Buffer.from('three\n'))
  lines.stdout(Buffer.from('o\n\nfour'))
  expect(printed).toEqual(['out [2] one\n', 'err [2] three\n', 'out [2] two\n', 'out [2] \n'])
  lines.end()
  expect(printed.at(-1)).toBe('out [2] four\n')
  lines.end()
  expect(printed).toHaveLength(5)
})

test('bytes that are no text arrive as they are', () => {
  const printed: Buffer[] = []
  const keep = (bytes: Buffer): void => void printed.push(bytes)
  const lines = openShardLines({ mark: '', isOnCi: false, stdout: keep, stderr: keep })
  lines.stdout(Buffer.from([0xff, 0x00, 0xc3]))
  lines.stdout(Buffer.from([0xa4, 0x0a]))
  expect(printed).toEqual([Buffer.from([0xff, 0x00, 0xc3, 0xa4, 0x0a])])
})

test('a line without an end is printed in pieces', () => {
  const { lines, printed } = collect(false)
  for (let megabyte = 0; megabyte < 3; megabyte += 1) lines.stdout(Buffer.alloc(1_100_000, 'x'))
  expect(printed.map((line) => line.length)).toEqual([1_100_009, 1_100_009, 1_100_009])
})

test.each(['::error file=a.ts::wrong', '  ::group::tests', '##[group]tests', '##vso[task.debug]a'])(
  'on CI, the command %s stays at the start of its line',
  (command) => {
    const onCi = collect(true)
    onCi.lines.stdout(Buffer.from(`${command}\n`))
    expect(onCi.printed).toEqual([`out ${command}\n`])
    const elsewhere = collect(false)
    elsewhere.lines.stdout(Buffer.from(`${command}\n`))
    expect(elsewhere.printed).toEqual([`out [2] ${command}\n`])
  },
)
