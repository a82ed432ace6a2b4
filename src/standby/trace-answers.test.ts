import { expect, test } from 'vitest'
import { traceAnswers } from './trace-answers.ts'

function openPort() {
  const servers = [
    { id: 'a', state: 'paused', published: [{ port: 1 }, { port: 2 }] },
    { id: 'b', state: 'paused', published: [] },
  ]
  const signals: (AbortSignal | undefined)[] = []
  return {
    servers,
    signals,
    location: { url: 'unix:///x' },
    reach: () => 'at once',
    async list(options: { readonly signal: AbortSignal; readonly label: string }) {
      signals.push(options.signal)
      return options.label === 'mine' ? servers : []
    },
    fail: async () => Promise.reject(new Error('refused')),
  }
}

const { signal } = new AbortController()

test('answers are the same in another order and in another state, and differ with anything else', async () => {
  const port = openPort()
  const { traced, readAnswers } = traceAnswers(port)
  expect(await traced.list({ signal, label: 'mine' })).toBe(port.servers)
  expect([traced.location.url, traced.reach()]).toEqual(['unix:///x', 'at once'])
  const answers = await readAnswers()
  port.servers.reverse()
  for (const server of port.servers) {
    server.state = 'running'
    server.published.reverse()
  }
  const later = new AbortController().signal
  expect(await answers.areSame(later)).toBe(true)
  expect(port.signals).toEqual([signal, later])
  port.servers[1]?.published.pop()
  expect(await answers.areSame(signal)).toBe(false)
})

test('a question that failed is no basis', async () => {
  const { traced, readAnswers } = traceAnswers(openPort())
  await expect(traced.fail()).rejects.toThrow('refused')
  await expect(readAnswers()).rejects.toThrow('refused')
})

test.each<[string, unknown, unknown]>([
  ['a label of the name `state`', { published: [], labels: { state: 'a' } }, { published: [], labels: { state: 'b' } }],
  ['the order of a list that has one', { command: ['a', 'b'] }, { command: ['b', 'a'] }],
  ['the order of bytes', Buffer.from('ab'), Buffer.from('ba')],
])('a difference counts in %s', async (_, first, second) => {
  const answers = [first, second, first]
  const { traced, readAnswers } = traceAnswers({ ask: async () => answers.shift() })
  await traced.ask()
  const { areSame } = await readAnswers()
  expect([await areSame(signal), await areSame(signal)]).toEqual([false, true])
})

test.each([
  ['a Map', new Map([['a', 1]])],
  ['a Set', new Set([1])],
  ['a function', { read() {} }],
])('an answer with %s is no basis', async (_, answer) => {
  const { traced, readAnswers } = traceAnswers({ ask: async () => ({ answer }) })
  await traced.ask()
  await expect(readAnswers()).rejects.toThrow('cannot be compared')
})
