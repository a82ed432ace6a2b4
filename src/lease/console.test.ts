import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Behaviour, hook, programTools, targetOf } from '../../tests/support/fake-program.ts'
import { openConsole } from './console.ts'

const target = targetOf({ isolation: 'container' })
const question = (send: string, more: object = {}) => ({
  send: `${send}\n`,
  expect: 'done',
  timeoutMs: 60_000,
  ...more,
})
const echo: Behaviour = { onLine: (line, { print }) => print(`${line} done`) }

test('a console is one program that answers question after question', async () => {
  const { tools, started, ended } = programTools({ shell: echo })
  const console = openConsole(target, hook(['shell', '-i'], { user: 'me' }), tools)
  const answers = await Promise.all(['a', 'b', 'c'].map((line) => console.ask(question(line))))
  expect(answers).toEqual(['a done', 'b done', 'c done'])
  await console.close()
  expect(started).toEqual([{ command: ['shell', '-i'], user: 'me', environment: {}, stdin: true }])
  expect(ended).toEqual(['shell'])
})

test('an answer may come in pieces and on both streams', async () => {
  const onLine: Behaviour['onLine'] = (_, { print }) => {
    print('one ', 'stderr')
    print('do')
    setTimeout(() => print('ne rest'), 1)
  }
  const { tools } = programTools({ shell: { onLine } })
  expect(await openConsole(target, hook(['shell']), tools).ask(question('x'))).toBe('one done')
})

test('a console that has ended is started again by the next question', async () => {
  const onLine: Behaviour['onLine'] = (line, { print, end }) => {
    if (line === 'exit') print('fatal: bad line\n', 'stderr')
    if (line === 'exit') end(3)
    else print('done')
  }
  const { tools, started } = programTools({ shell: { onLine } })
  const console = openConsole(target, hook(['shell']), tools)
  await expect(console.ask(question('exit'))).rejects.toMatchObject({
    message: 'ended its console with exit code 3',
    output: ['fatal: bad line'],
  })
  expect(await console.ask(question('x'))).toBe('done')
  expect(started).toHaveLength(2)
})

test('a console that ended between two questions is started again, too', async () => {
  const { tools, started, ended } = programTools({
    shell: {
      onLine(_, { print, end }) {
        print('done')
        setImmediate(end, 0)
      },
    },
  })
  const console = openConsole(target, hook(['shell']), tools)
  await console.ask(question('x'))
  await nextTurn()
  expect(ended).toEqual(['shell'])
  expect(await console.ask(question('x'))).toBe('done')
  expect(started).toHaveLength(2)
})

test('an answer that takes too long fails, and is not taken for the next one', async () => {
  const onLine: Behaviour['onLine'] = (line, { print }) => {
    print(`${line} began\n`)
    if (line !== 'slow') print('done')
  }
  const { tools, started, ended } = programTools({ shell: { onLine } })
  const console = openConsole(target, hook(['shell']), tools)
  await expect(console.ask(question('slow', { timeoutMs: 60 }))).rejects.toMatchObject({
    message: 'was not done within 0.1 s',
    output: ['slow began'],
    hint: 'Increase its `timeout` if it needs longer.',
  })
  expect(ended).toEqual(['shell'])
  expect(await console.ask(question('next'))).toBe('next began\ndone')
  expect(started).toHaveLength(2)
})

test('an answer with the text of a failure fails', async () => {
  const { tools } = programTools({ shell: { onLine: (line, { print }) => print(line) } })
  const console = openConsole(target, hook(['shell']), tools)
  await expect(console.ask(question('ERR no such key', { fail: 'ERR' }))).rejects.toMatchObject({
    message: 'answered `ERR`',
    output: ['ERR no such key'],
  })
})

test('a console keeps only the end of a long answer', async () => {
  const onLine: Behaviour['onLine'] = (_, { print }) => {
    for (let part = 0; part < 40; part++) print('x'.repeat(10_000))
    print('done')
  }
  const { tools } = programTools({ shell: { onLine } })
  const answer = await openConsole(target, hook(['shell']), tools).ask(question('x'))
  expect(answer.length).toBe(65_536)
  expect(answer.endsWith('xdone')).toBe(true)
})

test('a program that does not exist is reported with a hint', async () => {
  const { tools } = programTools({})
  await expect(openConsole(target, hook(['shell']), tools).ask(question('x'))).rejects.toMatchObject({
    message: 'cannot be done: there is no program shell',
    hint: 'Check the spelling of the command, and that the image has it.',
  })
})

test('an aborted question ends the console, and rejects with the reason', async () => {
  const abort = new AbortController()
  const onLine = (): void => void setImmediate(() => abort.abort(new Error('stop')))
  const { tools, ended } = programTools({ shell: { onLine } })
  const asked = openConsole(target, hook(['shell']), tools).ask(question('x'), { signal: abort.signal })
  await expect(asked).rejects.toThrow('stop')
  expect(ended).toEqual(['shell'])
})

test('a console that is killed answers no question, whether it was asked before or afterwards', async () => {
  const { tools, started, ended } = programTools({ shell: {} })
  const console = openConsole(target, hook(['shell']), tools)
  const asked = Promise.allSettled([console.ask(question('a')), console.ask(question('b'))])
  await expect.poll(() => started).toHaveLength(1)
  console.kill()
  expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(console.ask(question('c'))).rejects.toThrow('its console was ended')
  await console.close()
  expect({ started, ended }).toMatchObject({ started: [{ command: ['shell'] }], ended: ['shell'] })
})
