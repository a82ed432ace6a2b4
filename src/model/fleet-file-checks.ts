import * as z from 'zod'
import * as grammar from '../formats/grammar.ts'
import { at, optional } from './fleet-file-protocols.ts'
import * as rules from './fleet-file-rules.ts'

/** The ready checks of HTTP and of the log, as the fleet file declares them. */

const freeText = z.string().refine(grammar.isWholeText, 'cannot hold half of a character (a lone surrogate)')
const status = z.int().min(100).max(599)
const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be a header's name: letters, digits and any of !#$%&'*+.^_`|~-")

const requestHeaders = z
  .record(
    headerName.max(255).refine(rules.isFreeHeader, 'is set by testfleet, as it says how the request is sent'),
    z
      .string()
      .max(8192, 'must be at most 8192 characters')
      .regex(/^[\t -~\u0080-\u00ff]*$/, 'must be one line of characters up to U+00FF, with no control characters'),
  )
  .refine(rules.hasFewHeaders, 'must be at most 64 headers')
  .refine(rules.hasHeadersOnce, 'has one header twice: upper and lower case mean the same')

const httpFields = {
  path: optional(z.string().regex(/^\/[!-~]*$/, 'must be a path that starts with /'), 'Default: /.'),
  status: optional(
    z.union([status, z.array(status).min(1)]),
    'The status to wait for, or a list of them. Default: any from 200 to 399.',
  ),
  headers: optional(
    z.record(headerName, freeText),
    'Headers that the answer must have, each with a text that its value must contain.',
  ),
  body: optional(freeText, 'Text that the body must contain.'),
  requestHeaders: optional(
    requestHeaders,
    "Headers to send, such as `Host` or `Accept`. Default: `Host` with the server's own name.",
  ),
}

export const httpCheck = at(httpFields)
export const httpsCheck = at({
  ...httpFields,
  clientCertificate: optional(
    z.boolean(),
    "Presents the fleet's client certificate to a server that requests one. Default: true if a server of the fleet has `tls`.",
  ),
})

const logText = freeText.min(1).max(4096, 'must be at most 4096 characters')

export const logCheck = z.union([
  logText,
  z
    .strictObject({
      text: optional(logText, 'Text that the line must contain.'),
      pattern: optional(
        z
          .string()
          .min(1)
          .max(4096, 'must be at most 4096 characters')
          .refine(grammar.isPattern, 'must be a regular expression'),
        'A regular expression, instead of `text`.',
      ),
      times: optional(
        z.int().min(1, 'must be from 1 to 1000').max(1000, 'must be from 1 to 1000'),
        'How many lines must match. Default: 1.',
      ),
    })
    .refine(rules.exactlyOneOf('text', 'pattern'), 'needs exactly one of `text` and `pattern`'),
])
