/** A text of the fleet file, or a secret of the server. `isDatabase` marks the name of its database, which a lease replaces. */
export type OwnValue =
  | { readonly kind: 'text'; readonly text: string; readonly isDatabase?: true | undefined; readonly from?: undefined }
  | { readonly kind: 'secret'; readonly secret: string }
