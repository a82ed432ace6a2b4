/** Where a build mounts the cache. /dev is not part of an image, so that the folder leaves no trace in it. */
const CACHE_FOLDER = '/dev/testfleet-packages'
/** One cache for all images of an engine. */
const CACHE_MOUNT = `--mount=type=cache,id=testfleet-packages,target=${CACHE_FOLDER}`
const MAX_CACHE_KB = 2 * 1024 * 1024
const MAX_CACHE_DAYS = 30

/** Keeps packages from starting daemons. */
const begin = [
  'set -e',
  'export DEBIAN_FRONTEND=noninteractive',
  'guard=/usr/sbin/policy-rc.d',
  'added=',
  `if [ ! -e "$guard" ]; then printf '#!/bin/sh\\nexit 101\\n' > "$guard"; chmod 0755 "$guard"; added=1; fi`,
]

/**
 * An unknown name is an error: without Pattern-Only, apt-get takes a name with a dot for a regular expression, and
 * installs everything that matches (2.6).
 */
const install = '-o APT::Cmd::Pattern-Only=true install --yes --no-install-recommends "$@"'

/** Removes everything that differs between runs or that only the installation needed. */
const end = [
  'apt-get clean',
  'rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache',
  'rm -rf /var/lib/dpkg/*-old /var/log/apt /var/log/dpkg.log /var/log/alternatives.log',
  'if [ -n "$added" ]; then rm -f "$guard"; fi',
]

/** Installs the packages given as arguments. The digests of images cover this text. */
const INSTALL_SCRIPT = [...begin, 'apt-get -o APT::Update::Error-Mode=any update', `apt-get ${install}`, ...end].join(
  '\n',
)

/**
 * Does the same with packages that an earlier build downloaded, and keeps those that it downloads itself, even if it
 * fails later. Files have their SHA-256 as name, and get it once they are complete, because builds use the cache at the
 * same time. The ones that were not used for longest go first. apt's own folder is not used, because images may tell apt
 * to empty it early.
 *
 * Any build of the engine can write into the cache, even during this one. So a file counts only if its copy has the
 * SHA-256 in apt's signed lists: of what apt finds in its folder, it compares the size alone (2.6). `dd` follows no link,
 * does not wait for a pipe, and copies at most the size in the lists. What this script has not written is removed before
 * it reads a name; of names that come meanwhile, no word is calculated with, as bash would run the commands in it.
 */
const CACHING_SCRIPT = [
  ...begin,
  `cache=${CACHE_FOLDER}`,
  'archives=/var/cache/apt/testfleet',
  'mkdir -p "$archives"',
  'apt() {',
  '  apt-get -o APT::Update::Error-Mode=any -o Acquire::Languages=none -o Acquire::ForceHash=SHA256 \\',
  '    -o Dir::Cache::Archives="$archives" -o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin \\',
  '    -o APT::Keep-Downloaded-Packages=true "$@"',
  '}',
  'tidy() {',
  '  find "$cache" -mindepth 1 -maxdepth 1 -regextype posix-extended \\',
  `    ! \\( -type f -regex '.*/([0-9a-f]{64}|part[.][A-Za-z0-9]{6})' \\) -exec rm -rf {} +`,
  '}',
  'take() {',
  '  tidy',
  '  while read -r uri name size hash; do',
  '    sum=${hash#SHA256:}',
  '    if [ "$sum" = "$hash" ] || ! dd if="$cache/$sum" of="$archives/$name" count="$size" bs=1M \\',
  '      iflag=nofollow,nonblock,fullblock,count_bytes; then continue; fi',
  '    if printf "%s  %s\\n" "$sum" "$archives/$name" | sha256sum --check --status; then touch -ch "$cache/$sum"',
  '    else rm -f "$archives/$name" "$cache/$sum"; fi',
  '  done',
  '}',
  'keep() {',
  '  while read -r uri name size hash; do',
  '    sum=${hash#SHA256:}',
  '    if [ "$sum" = "$hash" ] || [ -e "$cache/$sum" ] || [ ! -e "$archives/$name" ]; then continue; fi',
  '    part=$(mktemp "$cache/part.XXXXXX")',
  '    cp --remove-destination "$archives/$name" "$part" && mv "$part" "$cache/$sum" || rm -f "$part"',
  '  done',
  '  tidy',
  `  find "$cache" -type f -mtime +${MAX_CACHE_DAYS} -delete`,
  '  ls -1tsk "$cache" | { total=0; read -r line; while read -r size name; do',
  '    case $size in "" | *[!0-9]*) continue ;; esac',
  `    total=$((total + size)); if [ "$total" -gt ${MAX_CACHE_KB} ]; then rm -f "$cache/$name"; fi`,
  '  done; }',
  '}',
  'wanted=',
  `trap 'set +e; printf "%s\\n" "$wanted" | keep 2>/dev/null; rm -rf "$archives"' EXIT`,
  'apt update',
  `wanted=$(apt -qq --print-uris ${install})`,
  'printf "%s\\n" "$wanted" | take 2>/dev/null',
  `apt ${install}`,
  ...end,
].join('\n')

/** A RUN line, with its options and the list of its arguments. */
export interface Command {
  readonly options?: readonly string[]
  readonly list: readonly string[]
}

/** Returns the command that installs packages, and one that does the same with a cache of downloaded packages. */
export function installPackages(packages: readonly string[]): {
  readonly plain: Command
  readonly caching: Command
} {
  const list = (script: string): readonly string[] => ['/bin/sh', '-c', script, 'install', ...packages]
  return {
    plain: { list: list(INSTALL_SCRIPT) },
    caching: { options: [CACHE_MOUNT], list: list(CACHING_SCRIPT) },
  }
}
