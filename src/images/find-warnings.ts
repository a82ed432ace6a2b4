import type { ImageRecipe } from '../model/fleet.ts'
import type { OperationOf } from '../model/plan.ts'

/** Finds problems of a build that succeeded. */
export function findWarnings({ build, servers }: Pick<OperationOf<'buildImage'>, 'build' | 'servers'>): string[] {
  const warnings = [wordLeftOut(build.leftOut), wordLateAnswers(build.recipe)]
  return warnings.flatMap((warning) => (warning === undefined ? [] : [`${servers.join(', ')}: ${warning}`]))
}

const NAMED_PATHS = 5

function wordLeftOut(leftOut: readonly string[]): string | undefined {
  if (leftOut.length === 0) return undefined
  const named = leftOut.slice(0, NAMED_PATHS).join(', ')
  const more = leftOut.length > NAMED_PATHS ? ` and ${leftOut.length - NAMED_PATHS} more` : ''
  return `not copied, as no image can have sockets, pipes and devices: ${named}${more}`
}

/** Answers to the questions of packages that are installed already. */
function wordLateAnswers(recipe: ImageRecipe): string | undefined {
  if (recipe.kind === 'dockerfile' || recipe.steps.packages.length === 0) return undefined
  const script = recipe.steps.run.join('\n')
  const answers = script.indexOf('debconf-set-selections')
  if (answers === -1 || /dpkg-reconfigure|dpkg\s|apt(?:-get)?\s/.test(script.slice(answers))) return undefined
  return recipe.at[0] === 'base'
    ? '`run` comes after `packages`, so debconf-set-selections has no effect on the packages of the base'
    : '`run` comes after `packages`, so debconf-set-selections has no effect on them; move it to `base.run`'
}
