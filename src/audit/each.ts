import type { Server } from '../model/fleet.ts'
import { listSteps, type Steps } from './recipes.ts'
import type { Rule, Sighting, Subject } from './subject.ts'

/** A sighting in something whose server is known. */
export type OwnSighting = Omit<Sighting, 'server'>

/** A rule that looks at one server after the other. */
export function eachServer(look: (server: Server, subject: Subject) => Iterable<OwnSighting>): Rule {
  return function* (subject) {
    for (const server of subject.fleet.servers.values())
      for (const sighting of look(server, subject)) yield { ...sighting, server: server.name }
  }
}

/** A rule that looks at the steps of one build after the other. */
export function eachSteps(look: (steps: Steps) => Iterable<OwnSighting>): Rule {
  return function* ({ fleet }) {
    for (const steps of listSteps(fleet))
      for (const sighting of look(steps)) yield { ...sighting, server: steps.server }
  }
}
