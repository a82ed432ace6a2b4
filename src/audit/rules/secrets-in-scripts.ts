import { listScripts } from '../scripts.ts'
import { isLiteral, isSecretName } from '../secret-names.ts'
import { findSecretShape } from '../secret-shapes.ts'
import type { Sighting, Subject } from '../subject.ts'

const ASSIGNMENT = /(?:^|[\s;&|(])([A-Za-z_]\w{0,100})=("[^"]*"|'[^']*'|[^\s;&|)]+)/g
/** `echo 'alice:…' | chpasswd` */
const FED_PASSWORD = /\b(?:echo|printf)\b([^|\n]{0,500}:[^|\n]{0,500})\|\s*(?:\S+\/)?chpasswd\b/

/** Secrets that a step of a build sets or says. */
export function* findSecretsInScripts(subject: Subject): Iterable<Sighting> {
  for (const { server, at, text } of listScripts(subject)) {
    // That is told already, with all other texts.
    if (findSecretShape(text) !== undefined) continue
    const name = [...text.matchAll(ASSIGNMENT)].find(
      ([, variable = '', value = '']) => isSecretName(variable) && isLiteral(value.replaceAll(/^["']|["']$/g, '')),
    )?.[1]
    if (name !== undefined) {
      yield { id: 'secret-in-run', server, at, message: `the step sets ${name} to a secret as plain text` }
    } else if (isLiteral(FED_PASSWORD.exec(text)?.[1] ?? ''))
      yield { id: 'secret-in-run', server, at, message: 'the step gives a user a password as plain text' }
  }
}
