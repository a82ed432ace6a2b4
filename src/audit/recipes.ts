import type { BuildSteps, FieldPath, Fleet, ImageRecipe, Server } from '../model/fleet.ts'

/** Steps of a server, or of the base, which belongs to no server. */
export interface Steps {
  readonly server: string | undefined
  readonly at: FieldPath
  readonly steps: BuildSteps
}

/** All steps that images of the fleet are built by; those of the base once, however many servers stand on it. */
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

/** What a server is built by, from its own recipe down to the base. */
export function recipesOf(server: Server): ImageRecipe[] {
  const found: ImageRecipe[] = []
  let { image } = server
  while (image.kind === 'built') {
    found.push(image.recipe)
    if (image.recipe.kind === 'dockerfile') break
    image = image.recipe.from
  }
  return found
}

function ownerOf(at: FieldPath): string | undefined {
  return at[0] === 'servers' ? String(at[1]) : undefined
}
