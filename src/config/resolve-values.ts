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

export function resolveExecEnvironment(
  declaration: ServerDeclaration,
  at: FieldPath,
  context: ResolveContext,
): Map<string, OwnValue> {
  return mapValues(declaration.execEnvironment, (value, name): OwnValue => {
    if (typeof value !== 'object' || 'secret' in value)
      return resolveOwnValue(value, declaration, [...at, name], context)
    const text = declaration.database?.name
    if (text === undefined) context.report([...at, name], '`{ database: true }` needs the key `database`')
    return { kind: 'text', text: text ?? '', isDatabase: true }
  })
}

type OwnDeclaration = Exclude<NonNullable<ServerDeclaration['execEnvironment']>[string], { database: true }>

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
