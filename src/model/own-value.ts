/** A text of the fleet file, or a secret of the server. */
export type OwnValue =
  | { readonly kind: 'text'; readonly text: string; readonly from?: undefined }
  | { readonly kind: 'secret'; readonly secret: string }
