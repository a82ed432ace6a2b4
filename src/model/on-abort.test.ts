import { glob, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { onAbort } from './on-abort.ts'
import { untilAborted } from './until-aborted.ts'

test('what a signal calls is called once, also when the signal fired before', () => {
  const calls: string[] = []
  const stop = new AbortController()
  onAbort(stop.signal, () => calls.push('later'))
  const stopListening = onAbort(stop.signal, () => calls.push('never'))
  stopListening()
  stop.abort()
  expect(calls).toEqual(['later'])
  onAbort(stop.signal, () => calls.push('at once'))()
  onAbort(undefined, () => calls.push('never'))()
  expect(calls).toEqual(['later', 'at once'])
})

test('waiting for a promise ends with the signal, also when that fired before', async () => {
  const stop = new AbortController()
  const waiting = untilAborted(new Promise(() => {}), stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(untilAborted(new Promise(() => {}), stop.signal)).rejects.toThrow('enough')
  expect(await untilAborted(Promise.resolve(1), new AbortController().signal)).toBe(1)
})

test('no other file listens to a signal, and so none can miss one that has fired', async () => {
  const found: string[] = []
  const source = `${import.meta.dirname}/..`
  for await (const path of glob('**/*.ts', { cwd: source }))
    if (!path.endsWith('.test.ts') && /addEventListener\(\s*'abort'/.test(await readFile(`${source}/${path}`, 'utf8')))
      found.push(path)
  expect(found).toEqual(['model/on-abort.ts'])
})
