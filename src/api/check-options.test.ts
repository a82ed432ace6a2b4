import { expect, test } from 'vitest'
import { checkCommand, checkOptions, checkPath } from './check-options.ts'

test.each([
  [{ servers: 'web' }, '`servers` takes a list of names, not "web"'],
  [{ servers: ['web', 5] }, '`servers` takes a list of names, not such a list'],
  [{ servers: null }, '`servers` takes a list of names, not null'],
  [{ session: 5 }, '`session` takes a string, not 5'],
  [{ signal: 'now' }, '`signal` takes an AbortSignal, not "now"'],
  [{ timeoutMs: '5000' }, '`timeoutMs` takes a number of milliseconds that is not negative, not "5000"'],
  [{ ttlMs: Number.NaN }, '`ttlMs` takes a number of milliseconds that is not negative, not NaN'],
  [{ olderThanMs: Number.NaN }, '`olderThanMs` takes a number of milliseconds that is not negative, not NaN'],
  [{ keepImages: -1 }, '`keepImages` takes a whole number that is not negative, not -1'],
  [{ keepImages: Number.NaN }, '`keepImages` takes a whole number that is not negative, not NaN'],
  [{ tail: 1.5 }, '`tail` takes a whole number that is not negative, not 1.5'],
  [{ force: 'no' }, '`force` takes true or false, not "no"'],
  [{ bind: 'fix' }, '`bind` takes one of free, fixed, not "fix"'],
  [{ names: 'host' }, '`names` takes one of auto, namespace, proxy, none, not "host"'],
  [{ environment: { PORT: 5 } }, '`environment` takes an object whose values are strings, not such an object'],
  [{ input: 5 }, '`input` takes a string or bytes, not 5'],
  [{ input: null }, '`input` takes a string or bytes, not null'],
  [{ since: '10m' }, '`since` takes a Date, not "10m"'],
  [{ since: new Date(Number.NaN) }, '`since` takes a Date, not such an object'],
  [null, 'options are an object, not null'],
  [[], 'options are an object, not an empty list'],
  ['web', 'options are an object, not "web"'],
])('refuses %j', (options, message) => {
  expect(() => checkOptions(options)).toThrow(expect.objectContaining({ code: 'USAGE', message }))
})

test('accepts every option that is right, undefined, or none of ours', () => {
  const signal = AbortSignal.timeout(1)
  const right = {
    signal,
    timeoutMs: Number.POSITIVE_INFINITY,
    servers: [],
    tail: 0,
    input: new Uint8Array(1),
    user: undefined,
  }
  expect(() => checkOptions({ ...right, since: new Date(0), names: 'proxy', constructor: 1, another: 1 })).not.toThrow()
})

test.each([
  ['ls', 'not "ls"'],
  [[5], 'not such a list'],
  [undefined, 'not undefined'],
  [null, 'not null'],
])('refuses the command %j', (command, end) => {
  const message = `a command is a list of strings, such as ['ls', '-l'], ${end}`
  expect(() => checkCommand(command)).toThrow(expect.objectContaining({ code: 'USAGE', message }))
})

test('refuses a command without a program, and an empty path', () => {
  expect(() => checkCommand([])).toThrow('the command is empty')
  expect(() => checkPath('')).toThrow('a path is a string that is not empty, not ""')
})
