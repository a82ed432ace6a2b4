import * as z from 'zod'
import { DURATION } from '../formats/duration.ts'
import * as grammar from '../formats/grammar.ts'
import { IMAGE_REFERENCE } from '../formats/image-reference.ts'
import { isContainerPath, isHostPath } from '../formats/paths.ts'
import { findReservation } from '../formats/reserved-variables.ts'
import { SIZE } from '../formats/size.ts'
import { TIMESTAMP } from '../formats/timestamp.ts'
import { certificateKinds } from './certificate.ts'
import type { DeepReadonly } from './deep-readonly.ts'
import { ignorableIds } from './finding.ts'
import { bakeKey } from './fleet-file-bake.ts'
import { httpCheck, httpsCheck, logCheck } from './fleet-file-checks.ts'
import { containerKeys } from './fleet-file-container.ts'
import { hookKeys } from './fleet-file-hooks.ts'
import { lendingKeys } from './fleet-file-lending.ts'
import { portItem } from './fleet-file-ports.ts'
import { at, optional, port, protocolKeys } from './fleet-file-protocols.ts'
import * as rules from './fleet-file-rules.ts'
import { runKeys } from './fleet-file-runs.ts'
import { standbyKey } from './fleet-file-standby.ts'

/**
 * The fleet file's one schema. Types, the JSON Schema that editors read, the reference table and every
 * message about a wrong file come from it. It checks and describes; it changes nothing.
 */

// Interpreting the schema is faster than compiling it, as each call validates one document.
z.config({ jitless: true })

const text = (pattern: RegExp, what: string) =>
  // Rules across fields run only on a value whose fields are well-formed.
  z.string().regex(pattern, { error: `must be ${what}`, abort: true })
/** Any text: it reaches the server unchanged. */
const freeText = z.string().refine(grammar.isWholeText, 'cannot hold half of a character (a lone surrogate)')
const name = text(
  grammar.NAME,
  'lower-case letters, digits and dashes, at most 40, with a letter or digit at both ends',
)
const containerPath = z
  .string()
  .refine(isContainerPath, 'must be an absolute path inside the server, with no `..` and no control characters')
const hostPath = z.string().refine(isHostPath, 'must be a path, relative to the fleet file')
/** Text for a system call, such as arguments and environment variables. */
const systemText = freeText.refine(grammar.hasNoNul, 'cannot hold a NUL character')
const argumentList = z.array(systemText).min(1, 'needs at least one item')
const scalar = z.union([freeText, z.number(), z.boolean()])
const settingValue = z.union([systemText, z.number(), z.boolean()])
const singleLine = z.union([
  freeText.refine(rules.isSingleLine, 'must be one line with no control characters'),
  z.number(),
  z.boolean(),
])
const variableName = text(
  grammar.PROCESS_VARIABLE,
  'the name of a variable: at most 4096 characters, none of them `=` or NUL',
)
const imageVariableName = text(
  grammar.IMAGE_VARIABLE,
  'the name of a variable: at most 4096 characters, without `=`, and on one line with no control characters, as a Dockerfile sets it',
)
const exportName = text(
  grammar.VARIABLE,
  'the name of a variable that every shell can set: letters, digits and `_`, and no digit first',
).refine(rules.isExportable, {
  error: ({ input }) => `cannot be exported: it ${findReservation(String(input))}`,
})
const size = z.union([
  z.int().positive(),
  text(SIZE, 'a size such as 256m or 1g').refine(rules.isSize, 'must be a size of at least one byte and at most 8192t'),
])
const memoryLimit = z.union([
  z.int().min(rules.LEAST_MEMORY_BYTES, { error: ({ input }) => rules.wordMemoryLimit(String(input)) }),
  text(SIZE, 'a size such as 256m or 1g')
    .refine(rules.isSize, { error: 'must be a size of at least one byte and at most 8192t', abort: true })
    .refine(rules.isMemoryLimit, { error: ({ input }) => rules.wordMemoryLimit(String(input)) }),
])
const duration = z.union([
  z
    .number()
    .positive({ error: 'must be from 1 ms to 24 days', abort: true })
    .refine(rules.isDuration, 'must be from 1 ms to 24 days'),
  text(DURATION, 'a time such as 500ms, 30s or 2m').refine(rules.isDuration, 'must be from 1 ms to 24 days'),
])
const stopGracePeriod = z.union([
  z.number().refine(rules.isStopGrace, 'must be from 1s to 10m'),
  text(DURATION, 'a time such as 1500ms, 30s or 2m').refine(rules.isStopGrace, 'must be from 1s to 10m'),
])

const timestamp = z.union([
  z.number().refine(rules.isTimestamp, 'must be whole seconds since 1970, up to the year 2242'),
  text(TIMESTAMP, 'a time such as 2024-01-31 or 2024-01-31T12:00:00Z').refine(
    rules.isTimestamp,
    'must be a valid time from 1970 to 2242',
  ),
])

const flag = (what: string) => optional(z.boolean(), `${what} Default: false.`)
const outside = flag("Allows this path to be outside the fleet's folder.")
const fileMode = (example: string, standard = '') =>
  optional(text(grammar.MODE, `a file mode such as "${example}", in quotes`), `File mode, octal, in quotes.${standard}`)
const user = text(grammar.OWNER, 'a user, or user:group')
const secretName = text(grammar.SECRET, 'the name of a secret')
const alias = text(grammar.ALIAS, 'a host name')
const ipAddress = [z.ipv4(), z.ipv6()] as const

const ignorePattern = z
  .string()
  .max(4096)
  .refine(rules.isIgnorePattern, {
    error: ({ input }) => rules.wordIgnorePattern(String(input)),
  })

const copyItem = z
  .strictObject({
    from: optional(
      hostPath,
      'A file or folder, relative to the fleet file. For a folder, its content is copied. Folders that already exist in the image keep their mode and owner.',
    ),
    outside,
    ignore: optional(
      z.array(ignorePattern).max(1000),
      'Files of the folder to leave out: patterns as in a `.dockerignore`, relative to `from`.',
    ),
    content: optional(freeText, 'The text of the file, instead of `from`.'),
    to: containerPath.describe(
      'Target path in the image. If it is an existing folder or ends with `/`, a file is put into it under its own name.',
    ),
    mode: fileMode(
      '0644',
      ' Default: the mode of the source, without write permission for group and others; 0644 for `content`.',
    ),
    owner: optional(
      user,
      '`user` or `user:group`, by name or number. A name must exist in the image at the time of the copy. Default: root.',
    ),
    mtime: optional(
      timestamp,
      'Modification time of the files: a date or time in UTC, or seconds since 1970. Default: a time between 1980 and 2013, derived from the content of each file.',
    ),
  })
  .refine(rules.exactlyOneOf('from', 'content'), 'needs exactly one of `from` and `content`')
  .refine(rules.goesWith('outside', 'from'), { path: ['outside'], message: '`outside` goes with `from`' })
  .refine(rules.goesWith('ignore', 'from'), { path: ['ignore'], message: '`ignore` goes with `from`' })
  .refine(rules.namesFile, { path: ['to'], message: 'must name the file that `content` becomes, not a folder' })

const steps = {
  packages: optional(
    z.array(text(grammar.PACKAGE, 'the name of a Debian package, such as nginx or nginx=1.22.1-9')),
    'Debian packages to install. Package lists and archives are not kept in the layer.',
  ),
  copy: optional(z.array(copyItem), 'Files to put into the image.'),
  run: optional(
    z.array(systemText.min(1)),
    'Shell commands, run as root during the image build, after `packages` and `copy`. For commands that must run before the packages are installed, use `run` of the base.',
  ),
  environment: optional(
    z.record(imageVariableName, singleLine),
    'Environment variables of the image, visible to `run` and to the server.',
  ),
}

const imageReference = text(IMAGE_REFERENCE, 'an image reference such as debian:bookworm-slim')

const base = z.strictObject({ from: optional(imageReference, 'The base image.'), ...steps })

const buildKeys = z.strictObject({
  from: optional(imageReference, "The base image. Default: that of the fleet's `base`, or debian:bookworm-slim."),
  ...steps,
  dockerfile: optional(hostPath, 'Your own Dockerfile, instead of all the keys above.'),
  context: optional(hostPath, 'The folder that your Dockerfile copies from. Default: the folder of the Dockerfile.'),
  outside: flag("Allows your Dockerfile and its context to be outside the fleet's folder."),
  target: optional(
    z.string().regex(/^[A-Za-z0-9][\w.-]*$/, 'must be the name of a stage'),
    'The stage of your Dockerfile to build.',
  ),
  args: optional(z.record(imageVariableName, settingValue), 'Build arguments of your Dockerfile.'),
})

const ofDockerfile = ['context', 'outside', 'target', 'args']
const ofSteps = ['from', 'packages', 'copy', 'run', 'environment']

const build = [
  ...ofDockerfile.map((key) => [key, rules.goesWith(key, 'dockerfile'), 'goes with'] as const),
  ...ofSteps.map((key) => [key, rules.excludes(key, 'dockerfile'), 'cannot go with'] as const),
].reduce(
  (schema, [key, rule, words]) => schema.refine(rule, { path: [key], message: `\`${key}\` ${words} \`dockerfile\`` }),
  buildKeys,
)

const fromHost = z.strictObject({
  env: variableName.describe('A variable of the environment in which testfleet is called.'),
})
const fromSecret = z.strictObject({ secret: secretName.describe('A secret of this server.') })
const ofDatabase = z.strictObject({
  database: z.literal(true).describe("The name of the server's database, or of the leased one."),
})
const environmentValue = z.union([settingValue, fromHost, fromSecret])

const secret = z
  .strictObject({
    env: optional(variableName, 'Read from this variable of the environment in which testfleet is called.'),
    file: optional(hostPath, 'Read from this file.'),
    outside,
    generate: optional(z.int().min(8).max(1024), 'Generated at random, with this number of letters and digits.'),
    value: optional(
      freeText.min(1).max(1024),
      'This text itself, for a password that a client has built in, such as guest. It is not secret: it is not masked, and `check` reports it.',
    ),
  })
  .refine(
    rules.exactlyOneOf('env', 'file', 'generate', 'value'),
    'needs exactly one of `env`, `file`, `generate` and `value`',
  )
  .refine(rules.goesWith('outside', 'file'), { path: ['outside'], message: '`outside` goes with `file`' })

const byteText = z
  .string()
  .refine(grammar.isBytes, 'must consist of characters up to U+00FF, each of which is one byte')

const readyKinds = {
  tcp: optional(
    z.union([
      port,
      at({
        send: optional(byteText, 'Bytes to send first. Each character is one byte.'),
        expect: optional(
          byteText.min(1),
          'Text that the server must send, such as a banner. Each character is one byte.',
        ),
      }),
    ]),
    "The server itself, not the engine's proxy, accepts connections at the port and, with `expect`, sends the text.",
  ),
  http: optional(httpCheck, 'The server answers this HTTP request.'),
  https: optional(httpsCheck, 'The same over TLS. The certificate is not verified.'),
  exec: optional(argumentList, 'This command, run inside the server, exits with 0.'),
  log: optional(logCheck, 'A line of its log contains this text. The log is read from its first line.'),
  healthcheck: optional(z.literal(true), "The image's own health check reports healthy."),
  exit: optional(z.int().min(0).max(255), 'The server does its work and exits with this code.'),
  ...protocolKeys,
}
const readyItem = z.strictObject(readyKinds).refine(rules.hasOneField, 'needs exactly one kind of check')

const mount = z
  .strictObject({
    from: optional(hostPath, 'A file or folder, relative to the fleet file.'),
    outside,
    volume: optional(name, 'A volume of the session, created when it is first used.'),
    to: containerPath.describe('Path in the server.'),
    writable: optional(z.boolean(), 'Default: false.'),
  })
  .refine(rules.exactlyOneOf('from', 'volume'), 'needs exactly one of `from` and `volume`')
  .refine(rules.goesWith('outside', 'from'), { path: ['outside'], message: '`outside` goes with `from`' })

const tmpfs = z.union([
  containerPath,
  z.strictObject({
    to: containerPath.describe('Path in the server.'),
    size: optional(size, 'Such as 64m. A number without a unit is in bytes.'),
    mode: fileMode('1777'),
    uid: optional(z.int().min(0), 'Numeric id of the user that owns it.'),
    gid: optional(z.int().min(0), 'Numeric id of the group that owns it.'),
    exec: flag('Allows programs in it to be executed.'),
  }),
])

const ulimit = z.union([z.int().min(-1), z.strictObject({ soft: z.int().min(-1), hard: z.int().min(-1) })])

const capability = text(grammar.CAPABILITY, 'a capability such as NET_ADMIN')

const unsafe = z.strictObject({
  privileged: flag("Gives it every capability and every device of the engine's machine."),
  engineSocket: flag(
    "Mounts the engine's socket at /var/run/docker.sock, with which the server can start anything as root of that machine. Requires an engine that is reached by a unix socket.",
  ),
  newPrivileges: flag('Allows its programs to gain rights that their caller lacks, as sudo and su do.'),
})

const tlsKeys = z
  .strictObject({
    certificate: optional(
      z.union([z.enum(certificateKinds), hostPath]),
      "`valid`, or a kind that is wrong on purpose, so that clients must refuse it. Default: valid. With `key`: your own file in PEM, the server's certificate first, then the intermediate ones.",
    ),
    key: optional(hostPath, 'File with the private key of your own certificate, in PEM.'),
    ca: optional(
      hostPath,
      "File with the authorities by which the server verifies clients, in PEM. They are added to ca.pem after the fleet's.",
    ),
    outside,
    names: optional(
      z.array(
        z.union([...ipAddress, text(grammar.CERTIFICATE_NAME, 'a host name in lower case, an IP address or *.NAME')]),
      ),
      'Further names and addresses in the certificate.',
    ),
    owner: optional(user, 'User that may read the key. Default: the user that the server runs as.'),
  })
  .refine(rules.hasKeyForCertificate, {
    path: ['certificate'],
    error: ({ input }) => wordCertificate((input as { certificate?: unknown }).certificate),
  })
  .refine(rules.hasCertificateForKey, {
    path: ['key'],
    message: '`key` goes with `certificate`, a file of your own',
  })
  .refine(rules.excludes('names', 'key'), {
    path: ['names'],
    message: '`names` cannot go with `key`: a certificate of your own has its names already',
  })
  .refine(rules.goesWith('outside', 'key'), { path: ['outside'], message: '`outside` goes with `key`' })
  .refine(rules.goesWith('ca', 'key'), { path: ['ca'], message: '`ca` goes with `key`' })
const tls = z.union([z.boolean(), tlsKeys])

const ignore = z
  .array(
    z.strictObject({
      id: z.enum(ignorableIds).describe('Id of the finding, such as `runs-as-root`.'),
      reason: text(/^\s*\S[\s\S]{8,}\S\s*$/, 'a reason of at least 10 characters').describe('Why it is accepted.'),
    }),
  )
  .optional()

/** Each preset says which of its options takes which values. */
const optionValue = z.union([
  scalar,
  z.array(freeText),
  z.record(freeText, z.union([scalar, z.record(freeText, scalar)])),
])

const server = z
  .strictObject({
    image: optional(imageReference, 'The image to run. It is pulled if the engine does not have it.'),
    build: optional(build, 'How to build its image.'),
    preset: optional(
      z.string().refine(rules.isPresetName, 'must be the name of a preset, or the folder of one that starts with ./'),
      'Name of a preset of the catalogue, or the folder of your own. Other keys override it, key by key.',
    ),
    options: optional(z.record(z.string(), optionValue), 'Options of the preset; `testfleet presets NAME` lists them.'),
    ...runKeys,
    command: optional(argumentList, 'The command to run, as a list of arguments.'),
    entrypoint: optional(argumentList, "Replaces the image's entrypoint; a list of arguments."),
    user: optional(z.union([user, z.int().min(0)]), 'The user that it runs as.'),
    workingDir: optional(
      z.string().refine(isHostPath, 'must be a path with no control characters'),
      'The working directory: an absolute path in the server; for a `process`, a folder relative to the fleet file. Default for a process: the folder of the fleet file.',
    ),
    ...containerKeys,
    environment: optional(
      z.record(variableName, environmentValue),
      'Its environment variables. `{ env: NAME }` takes the value from the environment in which testfleet is called, `{ secret: NAME }` from a secret.',
    ),
    execEnvironment: optional(
      z.record(variableName, z.union([settingValue, fromSecret, ofDatabase])),
      'Environment variables for commands that `exec` runs, such as PGPASSWORD. The server itself does not get them. `{ secret: NAME }` takes the value from a secret, `{ database: true }` the name of its database.',
    ),
    labels: optional(
      z.record(
        text(grammar.LABEL, "a label's key: at most 1024 characters, without `=` and control characters").refine(
          rules.isForeignLabel,
          'cannot start with dev.testfleet.',
        ),
        scalar,
      ),
      'Labels of its container.',
    ),
    init: flag('Runs a small init as its first process.'),
    stopSignal: optional(
      text(grammar.SIGNAL, 'a signal such as SIGTERM'),
      'The signal that asks it to stop. Default: the stop signal of its image.',
    ),
    stopGracePeriod: optional(
      stopGracePeriod,
      'How long it has to stop after the signal before it is killed. Default: 10s. Without this key and `stopSignal`, `down` kills a container at once; a `process` always has this time.',
    ),
    ...hookKeys,
    ...bakeKey,
    ...lendingKeys,
    platform: optional(text(grammar.PLATFORM, 'a platform such as linux/amd64'), 'The platform of its image.'),
    secrets: optional(z.record(secretName, secret), 'Secrets. Each becomes the file /run/secrets/NAME.'),
    tls: optional(
      tls,
      "A key and a certificate at /run/testfleet/tls/key.pem and cert.pem, from the fleet's own authority or your own.",
    ),
    ports: optional(z.array(portItem), 'The ports at which tests reach it, such as 80, `53/udp` or `30000-30009`.'),
    aliases: optional(
      z.array(alias),
      "Further names on the fleet's network. A name without a dot also works with the fleet's domain.",
    ),
    publicNames: flag(
      'Allows names of the public internet in `aliases` and `tls.names`. A test under `run` that calls such a site then reaches this server.',
    ),
    extraHosts: optional(
      z.record(alias, z.union([...ipAddress, z.literal('host-gateway')])),
      'Additional host names that it resolves, with their addresses.',
    ),
    dependsOn: optional(z.array(name), 'The servers that must be ready before it starts.'),
    ready: optional(
      z.array(readyItem),
      'Checks that must succeed before it counts as ready. Default: each published TCP port accepts connections, except ports of a range.',
    ),
    readyTimeout: optional(
      duration,
      'How long it may take to become ready after its start, such as 90s. A number without a unit is in seconds. Default: 60s.',
    ),
    mounts: optional(z.array(mount), 'Files of this machine, or volumes. Read-only unless `writable`.'),
    tmpfs: optional(z.array(tmpfs), 'Folders in memory.'),
    readOnly: flag('Makes its root file system read-only.'),
    limits: optional(
      z.strictObject({
        memory: optional(memoryLimit, 'Such as 256m; at least 6m. A number without a unit is in bytes.'),
        cpus: optional(z.number().min(0.01).max(100_000), 'Such as 0.5.'),
        pids: optional(z.int().positive(), 'Processes and threads.'),
      }),
      'Upper limits of what it may use.',
    ),
    capAdd: optional(z.array(capability), 'Capabilities to add, also if `capDrop` drops them.'),
    capDrop: optional(
      z.array(capability),
      'Capabilities to drop, or ALL. Default: NET_RAW, MKNOD, AUDIT_WRITE, SETFCAP and SETPCAP; none for a privileged server.',
    ),
    unsafe: optional(unsafe, "Settings that expose the engine's machine to the server. All are off by default."),
    sysctls: optional(
      z.record(text(grammar.SYSCTL, 'a kernel parameter'), z.union([systemText, z.number()])),
      'Kernel parameters of its namespaces.',
    ),
    ulimits: optional(
      z.record(z.string().regex(/^[a-z]{2,16}$/, 'must be the name of a limit such as nofile'), ulimit),
      'Limits of its processes.',
    ),
    export: optional(
      z.record(exportName, systemText),
      'Environment variables for the test command, in which ${endpoint.N}, ${host}, ${port.N}, ${hostname}, ${secret.NAME} and ${database} are replaced. Names that change how programs run, such as PATH, are refused.',
    ),
    ignore: ignore.describe('Findings of `check` in this server that are accepted.'),
  })
  .refine(rules.hasOneSource, 'needs exactly one of `image`, `build`, `preset`, `process` and `external`')
  .refine(rules.hasOwnFolder, {
    path: ['workingDir'],
    message: 'must be an absolute path inside the server, with no `..` and no control characters',
  })
  .refine(rules.goesWith('options', 'preset'), { path: ['options'], message: '`options` goes with `preset`' })

/** The whole fleet file, as a person writes it. */
export const fleetFileSchema = z.strictObject({
  $schema: optional(z.string(), 'Location of the JSON Schema, for editors. testfleet does not read it.'),
  name: optional(name, "The fleet's name. Default: the folder's name."),
  domain: optional(
    text(grammar.HOSTNAME, 'a domain in lower case').max(100, 'must be at most 100 characters'),
    'The domain of the servers: each is <server>.<domain>. Default: <name>.test.',
  ),
  base: optional(base, 'The common start of every image that is built.'),
  servers: z
    .record(name, server)
    .refine(rules.hasServer, 'needs at least one server')
    .describe('The servers, by name.'),
  standby: standbyKey,
  ignore: ignore.describe('Findings of `check` that are accepted in every server.'),
})

/** Input of `defineFleet()`: the fleet file as an object. */
export type FleetFile = DeepReadonly<z.input<typeof fleetFileSchema>>
/** One server of a fleet file. */
export type ServerDeclaration = FleetFile['servers'][string]

function wordCertificate(value: unknown): string {
  return `${JSON.stringify(value)} is none of ${certificateKinds.join(', ')}; a file of your own needs its \`key\``
}
