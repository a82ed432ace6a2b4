import type { Operation, Plan, PlannedImage } from '../model/plan.ts'

/**
 * Formats the plan as stable text for people: first the packages of `images`, then one line for each change, with its
 * reason. All steps of starting one server share a line.
 */
export function formatPlan(plan: Plan, images: readonly PlannedImage[] = []): string {
  const changes = plan.operations.flatMap((operation) =>
    operation.kind === 'keepServer' ? [] : formatLines(operation),
  )
  const lines = [...images.flatMap(formatImage), ...plan.operations.flatMap(formatLines)]
  const summary =
    changes.length === 0 ? 'Nothing to do.' : `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}.`
  return [`session ${plan.session}`, ...lines.map((line) => `  ${line}`), summary, ''].join('\n')
}

function formatLines(operation: Operation): string[] {
  switch (operation.kind) {
    case 'pullImage':
      return [`pull    ${operation.reference} (for ${operation.servers.join(', ')})`]
    case 'buildImage':
      return [`build   ${operation.references.join(', ')} (for ${operation.servers.join(', ')})`]
    case 'bakeImage':
      return [`bake    ${operation.reference} (for ${operation.servers.join(', ')}): ${operation.reason}`]
    case 'createNetwork':
      return ['create  network']
    case 'createVolume':
      return [`create  volume ${operation.volume}`]
    case 'stopServer':
      return [`stop    ${operation.server}: ${operation.reason}; set aside until everything else is ready`]
    case 'startServer':
      return [
        operation.external === undefined
          ? `start   ${operation.server}: ${operation.reason}`
          : `use     ${operation.server}: external, ${operation.external}`,
      ]
    case 'resumeServer':
      return [`start   ${operation.server}: ${operation.reason}`]
    case 'runHooks':
      return operation.commands.map((command) => `run     ${operation.server}: ${operation.hook} ${command}`)
    case 'keepServer':
      return [`keep    ${operation.server}${operation.isCompleted ? ' (completed)' : ''}`]
    case 'saveRecord':
      return operation.updates.map(({ server, reason }) => `update  ${server}: ${reason}`)
    case 'removeServer':
      return [`remove  ${operation.server}: ${operation.reason}`]
    case 'removeNetwork':
      return ['remove  network']
    case 'removeVolume':
      return [`remove  volume ${operation.volume}`]
    case 'putBack':
      return [`start   ${operation.server}: put back`]
    case 'haltServer':
      return [`stop    ${operation.server}: ${operation.wasPaused ? 'paused' : 'stopped'} before`]
    case 'createServer':
    case 'deliverFiles':
    case 'awaitReady':
      return []
  }
}

/** Returns no line for an image that was neither baked nor built for a fleet with packages. */
function formatImage({ reference, packages, bakedFor }: PlannedImage): string[] {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  if (bakedFor !== undefined) versions.unshift(`baked for ${bakedFor}`)
  return versions.length === 0 ? [] : [`image   ${reference} (${versions.join(', ')})`]
}
