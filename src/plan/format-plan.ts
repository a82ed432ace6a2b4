import type { Operation, Plan, PlannedImage } from '../model/plan.ts'

/** The plan for a person: stable text, a line for each thing to do, and why; before them what is known of `images`. */
export function formatPlan(plan: Plan, images: readonly PlannedImage[] = []): string {
  const lines = [...images.flatMap(formatImage), ...plan.operations.map(formatOperation)]
  const changes = plan.operations.filter((operation) => operation.kind !== 'keepServer').length
  const summary = changes === 0 ? 'Nothing to do.' : `${changes} ${changes === 1 ? 'change' : 'changes'}.`
  return [`session ${plan.session}`, ...lines.map((line) => `  ${line}`), summary, ''].join('\n')
}

function formatOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'pullImage':
      return `pull    ${operation.reference} (for ${operation.servers.join(', ')})`
    case 'buildImage':
      return `build   ${operation.references.join(', ')} (for ${operation.servers.join(', ')})`
    case 'createNetwork':
      return 'create  network'
    case 'createVolume':
      return `create  volume ${operation.volume}`
    case 'removeServer':
      return `remove  ${operation.server}: ${operation.reason}`
    case 'startServer':
      return `start   ${operation.server}: ${operation.reason}`
    case 'keepServer':
      return `keep    ${operation.server}${operation.isCompleted ? ' (completed)' : ''}`
  }
}

/** Nothing is known of an image that was not built for a fleet, or without packages. */
function formatImage({ reference, packages }: PlannedImage): string[] {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return versions.length === 0 ? [] : [`image   ${reference} (${versions.join(', ')})`]
}
