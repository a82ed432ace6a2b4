import {
  findFedPassword,
  findSecretAssignments,
  findSecretOption,
  findSecretShape,
  hasPasswordInUrl,
  hasPrivateKey,
  isLiteral,
  isSecretName,
  looksRandom,
} from '../secrets.ts'
import type { Sighting, Subject } from '../subject.ts'
import { listCommands, listTexts, type PlacedText } from '../texts.ts'
import { eachServer, listScripts } from '../walk.ts'

/** Finds secrets by name, shape and randomness. No message contains the secret itself. */
function* findSecretsInTexts(subject: Subject): Iterable<Sighting> {
  for (const placed of listTexts(subject)) {
    const sighting = lookAt(placed)
    if (sighting !== undefined) yield sighting
  }
}

/** Reports the first match only: a variable with a token is one finding. */
function lookAt({ id, server, at, what, text, name }: PlacedText): Sighting | undefined {
  const shape = findSecretShape(text)
  if (shape !== undefined) return { id, server, at, message: `${what} contains ${shape}` }
  if (hasPrivateKey(text)) return { id: 'private-key', server, at, message: `${what} contains a private key` }
  // Pages and manuals contain many example URLs.
  if (id !== 'secret-in-copied-file' && hasPasswordInUrl(text))
    return { id: 'password-in-url', server, at, message: `${what} contains a URL with a password` }
  if (name === undefined || !isLiteral(text)) return undefined
  if (isSecretName(name)) return { id, server, at, message: `${what} contains a secret as plain text` }
  if (
    looksRandom(text) &&
    isPlaceOfVariables(id) &&
    !/(?:^|_)(?:SHA\d*|HASH|DIGEST|CHECKSUM|COMMIT)(?:_|$)/i.test(name)
  )
    return { id: 'secret-looking-value', server, at, message: `${what} contains a long random value` }
  return undefined
}

function isPlaceOfVariables(id: PlacedText['id']): boolean {
  return id === 'secret-in-environment' || id === 'secret-in-build'
}

/** `--password=…`, and `--password …` as two arguments. */
const findSecretsInOptions = eachServer(function* (server) {
  for (const { at, argumentList } of listCommands(server)) {
    for (const [index, argument] of argumentList.entries()) {
      const found = findSecretOption(argument, argumentList[index + 1] ?? '')
      // Values of a known shape are reported at their own position.
      if (found === undefined || findSecretShape(found.value) !== undefined) continue
      const message = `the option ${found.option} is given a secret as plain text`
      yield { id: 'secret-in-command', at: { value: [...at, index] }, message }
    }
  }
})

/** Reports secrets that a step of a build sets or contains. */
function* findSecretsInScripts(subject: Subject): Iterable<Sighting> {
  for (const { server, at, text } of listScripts(subject)) {
    // Reported with all other texts.
    if (findSecretShape(text) !== undefined) continue
    const name = findSecretAssignments(text)[0]?.variable
    if (name !== undefined) {
      yield { id: 'secret-in-run', server, at, message: `the step sets ${name} to a secret as plain text` }
    } else if (findFedPassword(text) !== undefined)
      yield { id: 'secret-in-run', server, at, message: 'the step gives a user a password as plain text' }
  }
}

const SHORTEST = 16

/** Reports how secrets are declared and passed. */
const findWeakSecrets = eachServer(function* ({ name: server, secrets, environment }) {
  for (const [name, secret] of secrets) {
    if (secret.kind === 'value') {
      const at = { value: ['servers', server, 'secrets', name, 'value'] }
      yield { id: 'secret-in-file', at, message: `${name} is written in the file` }
    }
    if (secret.kind === 'url' && secret.from === undefined) {
      const at = { value: ['servers', server, 'external'] }
      yield { id: 'password-in-url', at, message: 'the URL of the external server contains a password' }
    }
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

/** Reports what a fleet file takes from its caller's environment. */
const findCallerVariables = eachServer(function* ({ name: server, secrets, environment }) {
  for (const [name, secret] of secrets) {
    if (secret.kind !== 'env') continue
    const at = { value: ['servers', server, 'secrets', name, 'env'] }
    yield { id: 'variable-of-caller', at, message: `the secret ${name} is ${secret.variable} of the caller` }
  }
  for (const [name, value] of environment) {
    if (value.kind !== 'text' || value.from === undefined) continue
    const at = { value: ['servers', server, 'environment', name, 'env'] }
    yield { id: 'variable-of-caller', at, message: `the variable ${name} is ${value.from} of the caller` }
  }
})

export const secretRules = [
  findSecretsInTexts,
  findSecretsInOptions,
  findSecretsInScripts,
  findWeakSecrets,
  findCallerVariables,
]
