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
import { httpCheck, httpsCheck, logCheck } from './fleet-file-checks.ts'
import { containerKeys } from './fleet-file-container.ts'
import { portItem } from './fleet-file-ports.ts'
import { at, optional, port, protocolKeys } from './fleet-file-protocols.ts'
import * as rules from './fleet-file-rules.ts'

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
const duration = z.union([
  z.number().positive().refine(rules.isDuration, 'must be from 1 ms to 24 days'),
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
    'must be a time that there is, from 1970 to 2242',
  ),
])

const flag = (what: string) => optional(z.boolean(), `${what} Default: false.`)
const outside = flag("This path may lead out of the fleet's folder.")
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
      'A file or folder, relative to the fleet file. Of a folder, what is in it is copied; folders that the image has keep their mode and owner.',
    ),
    outside,
    ignore: optional(
      z.array(ignorePattern).max(1000),
      'What of the folder stays out: patterns as in a `.dockerignore`, relative to `from`.',
    ),
    content: optional(freeText, 'The text of the file, in place of `from`.'),
    to: containerPath.describe(
      'Where it goes in the image. A file goes into a folder that the image has, or a path with `/` at the end, and keeps its name.',
    ),
    mode: fileMode('0644', ' Default: as it is here, without writing by group and others; 0644 for `content`.'),
    owner: optional(
      user,
      'A `user` or `user:group` that the image has when the copy is made, by name or number. Default: root.',
    ),
    mtime: optional(
      timestamp,
      'When the files were changed last: a day or second of UTC, or seconds since 1970. Default: a time from 1980 to 2013 that follows from the content of each file.',
    ),
  })
  .refine(rules.exactlyOneOf('from', 'content'), 'needs exactly one of `from` and `content`')
  .refine(rules.goesWith('outside', 'from'), { path: ['outside'], message: '`outside` goes with `from`' })
  .refine(rules.goesWith('ignore', 'from'), { path: ['ignore'], message: '`ignore` goes with `from`' })
  .refine(rules.namesFile, { path: ['to'], message: 'must name the file that `content` becomes, not a folder' })

const steps = {
  packages: optional(
    z.array(text(grammar.PACKAGE, 'the name of a Debian package, such as nginx or nginx=1.22.1-9')),
    'Debian packages to install. Lists and archives of packages do not stay in the layer.',
  ),
  copy: optional(z.array(copyItem), 'Files to put into the image.'),
  run: optional(
    z.array(systemText.min(1)),
    'Shell text, run as root inside the image build, after `packages` and `copy`. What has to come before the packages of a server goes into `run` of the base.',
  ),
  environment: optional(
    z.record(imageVariableName, singleLine),
    'Variables of the image itself, seen by `run` and by the server.',
  ),
}

const imageReference = text(IMAGE_REFERENCE, 'an image reference such as debian:bookworm-slim')

const base = z.strictObject({ from: optional(imageReference, 'The image to start from.'), ...steps })

const buildKeys = z.strictObject({
  from: optional(imageReference, "The image to start from. Default: the base's, or debian:bookworm-slim."),
  ...steps,
  dockerfile: optional(hostPath, 'A Dockerfile of your own, in place of all the keys above.'),
  context: optional(hostPath, 'The folder that your Dockerfile copies from. Default: the folder that it is in.'),
  outside: flag("Your Dockerfile and its context may lead out of the fleet's folder."),
  target: optional(
    z.string().regex(/^[A-Za-z0-9][\w.-]*$/, 'must be the name of a stage'),
    'The stage of your Dockerfile to stop at.',
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
  env: variableName.describe('A variable of the environment that testfleet is called in.'),
})
const fromSecret = z.strictObject({ secret: secretName.describe('A secret of this server.') })
const environmentValue = z.union([settingValue, fromHost, fromSecret])

const secret = z
  .strictObject({
    env: optional(variableName, 'Taken from this variable of the environment that testfleet is called in.'),
    file: optional(hostPath, 'Taken from this file.'),
    outside,
    generate: optional(z.int().min(8).max(1024), 'Made at random, of so many letters and digits.'),
    value: optional(
      freeText.min(1).max(1024),
      'This text itself, which is no secret then: a password that a client has built in, such as guest. It is not masked, and `check` reports it.',
    ),
  })
  .refine(
    rules.exactlyOneOf('env', 'file', 'generate', 'value'),
    'needs exactly one of `env`, `file`, `generate` and `value`',
  )
  .refine(rules.goesWith('outside', 'file'), { path: ['outside'], message: '`outside` goes with `file`' })

const byteText = z.string().refine(grammar.isBytes, 'must be of characters up to U+00FF, each of them one byte')

const readyKinds = {
  tcp: optional(
    z.union([
      port,
      at({
        send: optional(byteText, 'Bytes to send first; one character of the text is one byte.'),
        expect: optional(byteText.min(1), 'Text that must come back, such as a banner; one character is one byte.'),
      }),
    ]),
    'A server, not the proxy of the engine, takes connections at the port; with `expect`, it says so.',
  ),
  http: optional(httpCheck, 'The server answers this HTTP request.'),
  https: optional(httpsCheck, 'The same over TLS; the certificate is not verified.'),
  exec: optional(argumentList, 'This command, run inside the server, exits with 0.'),
  log: optional(logCheck, 'A line of its log has this text, from the first line on.'),
  healthcheck: optional(z.literal(true), "The image's own health check says healthy."),
  exit: optional(z.int().min(0).max(255), 'The server does its work and ends with this code.'),
  ...protocolKeys,
}
const readyItem = z.strictObject(readyKinds).refine(rules.hasOneField, 'needs exactly one kind of check')

const mount = z
  .strictObject({
    from: optional(hostPath, 'A file or folder, relative to the fleet file.'),
    outside,
    volume: optional(name, 'A volume of the session, made when it is first asked for.'),
    to: containerPath.describe('Where the server sees it.'),
    writable: optional(z.boolean(), 'Default: false.'),
  })
  .refine(rules.exactlyOneOf('from', 'volume'), 'needs exactly one of `from` and `volume`')
  .refine(rules.goesWith('outside', 'from'), { path: ['outside'], message: '`outside` goes with `from`' })

const tmpfs = z.union([
  containerPath,
  z.strictObject({
    to: containerPath.describe('Where it is in the server.'),
    size: optional(size, 'Such as 64m.'),
    mode: fileMode('1777'),
    uid: optional(z.int().min(0), 'The user that it belongs to, by number.'),
    gid: optional(z.int().min(0), 'The group that it belongs to, by number.'),
    exec: flag('Programs in it can be run.'),
  }),
])

const ulimit = z.union([z.int().min(-1), z.strictObject({ soft: z.int().min(-1), hard: z.int().min(-1) })])

const capability = text(grammar.CAPABILITY, 'a capability such as NET_ADMIN')

const unsafe = z.strictObject({
  privileged: flag("It has every capability and every device of the engine's machine."),
  engineSocket: flag(
    "The engine's own socket is at /var/run/docker.sock in it: it can start anything, as root of that machine. Only with an engine that is reached by a unix socket.",
  ),
  newPrivileges: flag('Its programs may gain rights that their caller lacks, as sudo and su do.'),
})

const tlsKeys = z
  .strictObject({
    certificate: optional(
      z.union([z.enum(certificateKinds), hostPath]),
      "`valid`, or one that is wrong on purpose, as clients must refuse it. Default: valid. With `key`, a file of your own in PEM, with the certificates above the server's after it.",
    ),
    key: optional(hostPath, 'The private key of your own certificate, a file in PEM.'),
    ca: optional(
      hostPath,
      "Authorities that the server verifies clients by, a file in PEM: it finds them after the fleet's in ca.pem.",
    ),
    outside,
    names: optional(
      z.array(
        z.union([...ipAddress, text(grammar.CERTIFICATE_NAME, 'a host name in lower case, an IP address or *.NAME')]),
      ),
      'More names and addresses that it is good for.',
    ),
    owner: optional(user, 'Who may read the key. Default: the user that the server runs as.'),
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
      id: z.enum(ignorableIds).describe('What `check` calls it, such as `runs-as-root`.'),
      reason: text(/^\s*\S[\s\S]{8,}\S\s*$/, 'a reason of at least 10 characters').describe('Why it may stay.'),
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
    image: optional(imageReference, 'The image to run. One that the engine lacks is pulled.'),
    build: optional(build, 'How to build its image.'),
    preset: optional(
      z.string().refine(rules.isPresetName, 'must be the name of a preset, or the folder of one that starts with ./'),
      'A server of the catalogue, by name, or of your own, by folder. Other keys change it, key by key.',
    ),
    options: optional(
      z.record(z.string(), optionValue),
      'What the preset is asked for; `testfleet presets NAME` lists it.',
    ),
    command: optional(argumentList, 'What runs in it, as a list of arguments.'),
    entrypoint: optional(argumentList, "In place of the image's entrypoint, as a list of arguments."),
    user: optional(z.union([user, z.int().min(0)]), 'Who it runs as.'),
    workingDir: optional(containerPath, 'The folder that it starts in.'),
    ...containerKeys,
    environment: optional(
      z.record(variableName, environmentValue),
      'Its variables. `{ env: NAME }` takes a value from here, `{ secret: NAME }` a secret.',
    ),
    execEnvironment: optional(
      z.record(variableName, z.union([settingValue, fromSecret])),
      'Variables of what `exec` runs in it, such as PGPASSWORD; the server itself does not have them. `{ secret: NAME }` takes a secret.',
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
    init: flag('A small init runs as its first process.'),
    stopSignal: optional(
      text(grammar.SIGNAL, 'a signal such as SIGTERM'),
      'How to ask it to stop. Without it and `stopGracePeriod`, it is killed at once.',
    ),
    stopGracePeriod: optional(
      stopGracePeriod,
      'How long it has to stop after that signal, or that of its image; then it is killed. Default: 10s.',
    ),
    platform: optional(text(grammar.PLATFORM, 'a platform such as linux/amd64'), 'The platform of its image.'),
    secrets: optional(z.record(secretName, secret), 'Each becomes the file /run/secrets/NAME.'),
    tls: optional(
      tls,
      "A key and a certificate, of the fleet's own authority or your own, at /run/testfleet/tls/key.pem and cert.pem.",
    ),
    ports: optional(z.array(portItem), 'The ports that tests reach it at, such as 80, `53/udp` or `30000-30009`.'),
    aliases: optional(
      z.array(alias),
      "More names for it on the fleet's network. One without a dot is known with the fleet's domain, too.",
    ),
    publicNames: flag(
      'Its `aliases` and `tls.names` may be names of the public internet. A test under `run` that calls such a site reaches this server.',
    ),
    extraHosts: optional(
      z.record(alias, z.union([...ipAddress, z.literal('host-gateway')])),
      'Names that it knows, with their addresses.',
    ),
    dependsOn: optional(z.array(name), 'The servers that must be ready before it starts.'),
    ready: optional(
      z.array(readyItem),
      'What must hold before it counts as ready. Default: each published TCP port takes connections, except those of a range.',
    ),
    readyTimeout: optional(duration, 'How long it may take from its start until it is ready. Default: 60s.'),
    mounts: optional(z.array(mount), 'Files from here, or volumes; read-only unless `writable`.'),
    tmpfs: optional(z.array(tmpfs), 'Folders that are held in memory.'),
    readOnly: flag('Its root is read-only.'),
    limits: optional(
      z.strictObject({
        memory: optional(size, 'Such as 256m.'),
        cpus: optional(z.number().min(0.01).max(100_000), 'Such as 0.5.'),
        pids: optional(z.int().positive(), 'Processes and threads.'),
      }),
      'What it may use at most.',
    ),
    capAdd: optional(z.array(capability), 'Capabilities to add; one that is dropped too is added.'),
    capDrop: optional(
      z.array(capability),
      'Capabilities to take away, or ALL. Default: NET_RAW, MKNOD, AUDIT_WRITE, SETFCAP and SETPCAP; none of a privileged server.',
    ),
    unsafe: optional(unsafe, "What opens the engine's machine to the server; each key closed unless it is `true`."),
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
      'Variables for the test command, with ${endpoint.N}, ${host}, ${port.N}, ${hostname} and ${secret.NAME}. Names that change how programs run, such as PATH, are refused.',
    ),
    ignore: ignore.describe('Findings of `check` in this server that may stay.'),
  })
  .refine(rules.hasOneSource, 'needs exactly one of `image`, `build` and `preset`')
  .refine(rules.goesWith('options', 'preset'), { path: ['options'], message: '`options` goes with `preset`' })

/** The whole fleet file, as a person writes it. */
export const fleetFileSchema = z.strictObject({
  $schema: optional(z.string(), 'Where an editor finds the schema; testfleet does not read it.'),
  name: optional(name, "The fleet's name. Default: the folder's name."),
  domain: optional(
    text(grammar.HOSTNAME, 'a domain in lower case').max(100, 'must be at most 100 characters'),
    'Every server is <server>.<domain>. Default: <name>.test.',
  ),
  base: optional(base, 'What every image that is built starts with.'),
  servers: z
    .record(name, server)
    .refine(rules.hasServer, 'needs at least one server')
    .describe('The servers, by name.'),
  ignore: ignore.describe('Findings of `check` that may stay, in every server.'),
})

/** Input of `defineFleet()`: the fleet file as an object. */
export type FleetFile = DeepReadonly<z.input<typeof fleetFileSchema>>
/** One server of a fleet file. */
export type ServerDeclaration = FleetFile['servers'][string]

function wordCertificate(value: unknown): string {
  return `${JSON.stringify(value)} is none of ${certificateKinds.join(', ')}; a file of your own needs its \`key\``
}
