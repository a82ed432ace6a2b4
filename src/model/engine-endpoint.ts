/** How to reach an engine, with everything that another process needs to reach the same one. */
export type EngineEndpoint =
  /** A Unix socket, or a named pipe on Windows. */
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tcp'
      readonly host: string
      readonly port: number
      /** Prefix of every path: empty, or with a leading and no trailing slash. */
      readonly basePath: string
      readonly tls: TlsFiles | undefined
    }
  /** No engine is reached: this program does the work itself, in this folder. */
  | { readonly kind: 'local'; readonly folder: string }

/** An endpoint to connect to. */
export type RemoteEndpoint = Exclude<EngineEndpoint, { readonly kind: 'local' }>

/** Paths of TLS files, never their content: keys must not appear in anything that may be printed. */
export interface TlsFiles {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly isVerified: boolean
}
