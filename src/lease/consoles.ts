import type { Hook } from '../model/hook.ts'
import { type Console, openConsole } from './console.ts'
import type { LeaseTarget, LeaseTools } from './target.ts'

/** Several consoles of one kind that work as one: each question is for the first that is free. */
export function openConsoles(count: number, target: LeaseTarget, hook: Hook, tools: LeaseTools): Console {
  const all = Array.from({ length: count }, () => openConsole(target, hook, tools))
  const free = [...all]
  const waiting: ((console: Console) => void)[] = []
  const take = (): Promise<Console> => {
    const console = free.shift()
    return console === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(console)
  }
  const giveBack = (console: Console): void => {
    const next = waiting.shift()
    if (next === undefined) free.unshift(console)
    else next(console)
  }
  return {
    async ask(question, options) {
      const console = await take()
      try {
        return await console.ask(question, options)
      } finally {
        giveBack(console)
      }
    },
    async close() {
      await Promise.all(all.map((console) => console.close()))
    },
    kill() {
      for (const console of all) console.kill()
    },
  }
}
