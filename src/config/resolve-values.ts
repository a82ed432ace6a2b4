import type { EnvironmentValue, FieldPath } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'
import type { OwnValue } from '../model/own-value.ts'
import { mapValues, type ResolveContext } from './resolve-image.ts'

export function resolveEnvironment(
  declaration: ServerDeclaration,
  at: FieldPath,
  context: ResolveContext,
): Map<string, EnvironmentValue> {
  return mapValues(declaration.environment, (value, name): EnvironmentValue => {
    if (typeof value !== 'object' || 'secret' in value)
      return resolveOwnValue(value, declaration, [...at, name], context)
    const { environment } = context.surroundings
    const text = Object.hasOwn(environment, value.env) ? environment[value.env] : undefined
    if (text === undefined)
      context.report([...at, name, 'env'], `the variable ${value.env} is not set where testfleet was called`)
    return { kind: 'text', text: text ?? '', from: value.env }
  })
}

type OwnDeclaration = NonNullable<ServerDeclaration['execEnvironment']>[string]

export function resolveOwnValue(
  value: OwnDeclaration,
  { secrets = {} }: ServerDeclaration,
  at: FieldPath,
  context: ResolveContext,
): OwnValue {
  if (typeof value !== 'object') return { kind: 'text', text: String(value) }
  if (!Object.hasOwn(secrets, value.secret))
    context.report([...at, 'secret'], `there is no secret \`${value.secret}\`; declare it in \`secrets\``)
  return { kind: 'secret', secret: value.secret }
}
