import type { Target } from './target.ts'

export interface Login {
  readonly user: string
  readonly password: string
}

interface Asked {
  readonly user?: string | undefined
  readonly password?: { readonly secret: string } | undefined
}

/** Undefined for a check that does not log in. */
export async function readLogin({ user, password }: Asked, target: Target): Promise<Login | undefined> {
  if (user === undefined || password === undefined) return undefined
  return { user, password: await target.readSecret(password.secret) }
}

/** A text that has to fit on a line: what is behind its end would be a command of its own. */
export function onOneLine(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new Error('cannot be told a password that has more than one line')
  return text
}
