import { type BuildSteps, type FieldPath, type Fleet, type ImageRecipe, imageOf, type Server } from '../model/fleet.ts'
import type { Place, Rule, Sighting, Subject } from './subject.ts'

/** Steps of a server, or of the base, which belongs to no server. */
export interface Steps {
  readonly server: string | undefined
  readonly at: FieldPath
  readonly steps: BuildSteps
}

/** Returns the steps of all images of the fleet; those of the base once, however many servers use it. */
export function listSteps(fleet: Fleet): Steps[] {
  const found = new Map<string, Steps>()
  for (const server of fleet.servers.values()) {
    for (const recipe of recipesOf(server)) {
      if (recipe.kind === 'steps')
        found.set(recipe.at.join('\0'), { server: ownerOf(recipe.at), at: recipe.at, steps: recipe.steps })
    }
  }
  return [...found.values()]
}

/** Returns a server's recipes, from its own down to the base. */
export function recipesOf(server: Server): ImageRecipe[] {
  const found: ImageRecipe[] = []
  let image = imageOf(server)
  while (image?.kind === 'built') {
    found.push(image.recipe)
    if (image.recipe.kind === 'dockerfile') break
    image = image.recipe.from
  }
  return found
}

function ownerOf(at: FieldPath): string | undefined {
  return at[0] === 'servers' ? String(at[1]) : undefined
}

/** Shell text that a build runs. */
export interface Script {
  readonly server: string | undefined
  readonly at: Place
  /** Joins continued lines. */
  readonly text: string
}

/** Returns every step of every build: `run` of the fleet file, and RUN of the user's own Dockerfiles. */
export function listScripts({ fleet, dockerfiles }: Subject): Script[] {
  const steps = listSteps(fleet).flatMap(({ server, at, steps }) =>
    steps.run.map((text, index) => ({
      server,
      at: { value: [...at, 'run', index] },
      text: text.replaceAll(/\\\r?\n/g, ' '),
    })),
  )
  const own = dockerfiles.flatMap(({ server, file, instructions }) =>
    instructions
      .filter(({ keyword }) => keyword === 'RUN')
      .map(({ line, rest }) => ({ server, at: { position: { file, line, column: 1 } }, text: rest })),
  )
  return [...steps, ...own]
}

/** A sighting in a known server. */
export type OwnSighting = Omit<Sighting, 'server'>

/** A rule that examines each server separately. */
export function eachServer(look: (server: Server, subject: Subject) => Iterable<OwnSighting>): Rule {
  return function* (subject) {
    for (const server of subject.fleet.servers.values())
      for (const sighting of look(server, subject)) yield { ...sighting, server: server.name }
  }
}

/** A rule about what a container may do. */
export function eachContainer(look: (server: Server, subject: Subject) => Iterable<OwnSighting>): Rule {
  return eachServer((server, subject) => (server.runs.kind === 'container' ? look(server, subject) : []))
}

/** A rule that examines the steps of each build separately. */
export function eachSteps(look: (steps: Steps) => Iterable<OwnSighting>): Rule {
  return function* ({ fleet }) {
    for (const steps of listSteps(fleet))
      for (const sighting of look(steps)) yield { ...sighting, server: steps.server }
  }
}
