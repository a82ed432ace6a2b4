import { describe, expect, test } from 'vitest'
import { chooseHanded, findJobServer, toStdio } from './descriptors.ts'

/** Descriptors of Node 24 at its start, with `5<<<five 7</etc/hostname 20</etc/passwd` of bash. */
const atStart = `
0 /dev/null 2100000
1 pipe:[1] 2004001
2 /tmp/stderr 2100001
3 anon_inode:[eventpoll] 2000002
4 anon_inode:[io_uring] 2000002
5 pipe:[2] 2000000
6 pipe:[3] 2000000
7 /etc/hostname 2100000
8 pipe:[3] 2000001
9 pipe:[4] 2004000
10 /dev/null 2100000
11 pipe:[4] 2004001
12 anon_inode:[eventfd] 2004002
20 /etc/passwd 100000
`

function read(text: string) {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [number, target = '', flags = ''] = line.split(' ')
      return { number: Number(number), target, flags: Number.parseInt(flags, 8) }
    })
}

describe('the inherited descriptors', () => {
  test("are the caller's that Node would not pass on", () => {
    expect(chooseHanded(read(atStart), [])).toEqual([5, 7])
  })

  test('include sockets, named pipes, and single ends of a pipe', () => {
    expect(chooseHanded(read('3 socket:[9] 2000002\n4 /tmp/fifo 2000002\n5 pipe:[7] 2000001'), [])).toEqual([3, 4, 5])
  })

  test('include both ends of the job server of make', () => {
    const blocking = read(`${atStart}13 pipe:[5] 2000000\n14 pipe:[5] 2000001`)
    expect(chooseHanded(blocking, [13, 14])).toEqual([5, 7, 13, 14])
    expect(chooseHanded(read('3 pipe:[5] 2004000\n4 pipe:[5] 2000001'), [])).toEqual([3, 4])
  })
})

test.each([
  ['-j2 --jobserver-auth=3,4', undefined, [3, 4]],
  [' -j --jobserver-fds=10,11 --output-sync', undefined, [10, 11]],
  ['-j8 --jobserver-auth=fifo:/tmp/GMfifo12', undefined, []],
  [undefined, '--jobserver-fds=8,9 --jobserver-auth=8,9', [8, 9, 8, 9]],
  [undefined, undefined, []],
])('MAKEFLAGS %s and CARGO_MAKEFLAGS %s name the descriptors %j', (MAKEFLAGS, CARGO_MAKEFLAGS, expected) => {
  expect(findJobServer({ MAKEFLAGS, CARGO_MAKEFLAGS })).toEqual(expected)
})

test('keep their numbers', () => {
  expect(toStdio([])).toEqual(['inherit', 'inherit', 'inherit'])
  expect(toStdio([3, 6])).toEqual(['inherit', 'inherit', 'inherit', 3, 'ignore', 'ignore', 6])
  expect(toStdio([4], ['pipe', 7])).toEqual(['ignore', 'pipe', 7, 'ignore', 4])
})
