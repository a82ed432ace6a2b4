import { listSteps } from './recipes.ts'
import type { Place, Subject } from './subject.ts'

/** Shell text that a build runs. */
export interface Script {
  readonly server: string | undefined
  readonly at: Place
  /** Continued lines are one. */
  readonly text: string
}

/** Every step of every build: `run` of the fleet file, and RUN of the user's own Dockerfiles. */
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
