/** How an engine is reached: all that another process needs to speak to the same one. */
export type EngineEndpoint =
  /** A Unix socket, or a named pipe of Windows. */
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tcp'
      readonly host: string
      readonly port: number
      /** What stands in front of every path; empty, or with a leading and no trailing slash. */
      readonly basePath: string
      readonly tls: TlsFiles | undefined
    }

/** TLS material by path: keys stay out of what may be printed. */
export interface TlsFiles {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly isVerified: boolean
}
