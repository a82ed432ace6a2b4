/** Files and folders, by their names, that are made to hold secrets. Samples without values are none. */
const NAMES =
  /^(?:\.env(?:\.(?!(?:example|sample|template|dist|defaults?)$)[\w.-]+)?|id_(?:rsa|dsa|ecdsa|ed25519)|\.git|\.ssh|\.gnupg|\.npmrc|\.pypirc|\.netrc|\.pgpass|\.my\.cnf|\.git-credentials|\.dockercfg|\.bash_history|\.vault-token|kubeconfig|.*\.(?:kdbx?|p12|pfx|jks|keystore|ovpn|tfstate|tfvars))$/
const PATHS = /(?:^|\/)(\.aws\/credentials|\.docker\/config\.json|\.kube\/config|\.config\/gh\/hosts\.yml)$/

/** The path down to the part that holds secrets: of `app/.git/config`, `app/.git`. */
export function sensitivePart(path: string): string | undefined {
  if (PATHS.test(path)) return path
  const parts = path.split(/[/\\]/)
  const index = parts.findIndex((part) => NAMES.test(part))
  return index === -1 ? undefined : parts.slice(0, index + 1).join('/')
}
