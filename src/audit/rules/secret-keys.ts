import { eachServer } from '../each.ts'

const SHORTEST = 16

/** How secrets are made, and how they are handed on. */
export const findWeakSecrets = eachServer(function* ({ name: server, secrets, environment }) {
  for (const [name, secret] of secrets) {
    if (secret.kind !== 'generate' || secret.length >= SHORTEST) continue
    const at = { value: ['servers', server, 'secrets', name, 'generate'] }
    yield { id: 'secret-short', at, message: `${name} has ${secret.length} characters` }
  }
  for (const [name, value] of environment) {
    if (value.kind !== 'secret') continue
    const at = { value: ['servers', server, 'environment', name] }
    yield { id: 'secret-as-environment', at, message: `the secret ${value.secret} is in the variable ${name}` }
  }
})
