import { eachServer } from '../each.ts'
import { listCommands } from '../texts.ts'

/** Shell text in commands that runs what stands in a variable. */
export const findEvaluations = eachServer(function* (server) {
  for (const { at, argumentList } of listCommands(server)) {
    const index = argumentList.findIndex((argument) => /(?:^|[;&|(\s])eval\s[^\n]{0,500}\$/m.test(argument))
    const message = 'the command evaluates text with variables in it'
    if (index !== -1) yield { id: 'shell-evaluates', at: { value: [...at, index] }, message }
  }
})
