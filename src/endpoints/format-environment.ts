export const environmentFormats = ['env', 'dotenv', 'json', 'shell'] as const
export type EnvironmentFormat = (typeof environmentFormats)[number]

/** `env` is NAME=value as env(1) prints it, `dotenv` is for .env files, `shell` for `eval` in a POSIX shell. */
export function formatEnvironment(variables: Readonly<Record<string, string>>, format: EnvironmentFormat): string {
  if (format === 'json') return `${JSON.stringify(variables, null, 2)}\n`
  return Object.entries(variables)
    .map(([name, value]) => `${formatVariable(name, value, format)}\n`)
    .join('')
}

function formatVariable(name: string, value: string, format: Exclude<EnvironmentFormat, 'json'>): string {
  switch (format) {
    case 'env':
      return `${name}=${value}`
    case 'dotenv':
      return /^[\w.:/@-]*$/.test(value) ? `${name}=${value}` : `${name}=${JSON.stringify(value)}`
    case 'shell':
      return `export ${name}='${value.replaceAll("'", "'\\''")}'`
  }
}
