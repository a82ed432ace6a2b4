/**
 * Names of variables that change how programs run, no matter who starts them: which file is loaded, which program is called, whom
 * a client trusts. A fleet file is data, so it cannot set them for a command of this machine.
 */
interface Group {
  /** Completes the sentence "NAME cannot be exported: it …". */
  readonly reason: string
  /** `*` stands for any characters. Compared without case, as Windows does: one fleet file holds on every platform. */
  readonly names: string
}

/** Only what a server has no reason to be called: PGHOST, MYSQL_PASSWORD, DATABASE_URL, AWS_ENDPOINT_URL stay possible. */
const groups: readonly Group[] = [
  {
    reason: 'belongs to testfleet',
    names: 'TESTFLEET_*',
  },
  {
    reason: 'says where programs and their files are found',
    names: `PATH PATHEXT PWD OLDPWD HOME USER USERNAME LOGNAME SHELL SHLVL MAIL TMP TEMP TMPDIR TERM TERMCAP TERMINFO* TERM_* TZDIR
      XDG_* DBUS_* DISPLAY WAYLAND_DISPLAY XAUTHORITY SUDO_* SYSTEMD_* LISTEN_FDS LISTEN_PID LISTEN_FDNAMES NOTIFY_SOCKET
      COMSPEC SYSTEMROOT SYSTEMDRIVE WINDIR APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES* COMMONPROGRAMFILES* USERPROFILE
      HOMEDRIVE HOMEPATH ALLUSERSPROFILE PSMODULEPATH PSEXECUTIONPOLICYPREFERENCE __COMPAT_LAYER
      DEVELOPER_DIR SDKROOT TOOLCHAINS CFFIXED_USER_HOME __CF* __XPC_* MANPATH INFOPATH`,
  },
  {
    reason: 'makes the system load or configure code in every program',
    names: `LD_* DYLD_* _RLD* LIBPATH SHLIB_PATH GLIBC_TUNABLES MALLOC* GCONV_PATH LOCPATH NLSPATH TEXTDOMAIN* GETCONF_DIR
      HOSTALIASES RES_OPTIONS LOCALDOMAIN NIS_PATH *SAN_OPTIONS *SAN_SYMBOLIZER_PATH LLVM_PROFILE_FILE FAKEROOT* FAKECHROOT*
      OBJC_* NSS_* P11_KIT_* PKCS11_* SASL_PATH SASL_CONF_PATH GIO_* GTK_* GTK2_* GDK_* GST_* GI_TYPELIB_PATH QT_* QML* KDE*
      VK_* LIBGL_* LIBVA_* __EGL_* __GLX_* LADSPA_PATH LV2_PATH PROJ_LIB GDAL_* MAGICK_* GS_LIB GS_OPTIONS GS_DEVICE
      ODBCINI ODBCSYSINI ODBCINSTINI TNS_ADMIN ORACLE_HOME LIBMYSQL_* MYSQL_HOME MARIADB_HOME`,
  },
  {
    reason: 'makes shells run or read something else',
    names: `ENV BASH BASH_* BASHOPTS SHELLOPTS IFS PS0 PS1 PS2 PS3 PS4 PROMPT PROMPT_COMMAND CDPATH GLOBIGNORE EXECIGNORE FIGNORE
      POSIXLY_CORRECT INPUTRC HISTFILE HISTCONTROL FCEDIT ZDOTDIR FPATH ZSH* FISH_* KSH* OPTIND OPTARG DIRENV_* STARSHIP_*`,
  },
  {
    reason: 'names a program that others start, or its options',
    names: `EDITOR *_EDITOR VISUAL PAGER *_PAGER MANPAGER BROWSER *_BROWSER *_ASKPASS LESS* MORE MANOPT MANROFF* MAILRC MAILCAPS MAILCAP GREP_OPTIONS TAR_OPTIONS
      TAPE RSYNC_* CVS_* SVN_* HG HGRCPATH HGMERGE HGPLAIN HGEDITOR GZIP BZIP BZIP2 XZ_OPT XZ_DEFAULTS ZIPOPT UNZIP ZSTD_* PARALLEL PARALLEL_* VIM VIMINIT
      VIMRUNTIME EXINIT MYVIMRC GVIMINIT NVIM_* EMACS* SSH_ASKPASS* SSH_AUTH_SOCK SSH_AGENT_* SSH_SK_* SSH_PKCS11_* SSH_CONNECTION
      SSH_ORIGINAL_COMMAND SSH_TTY GNUPGHOME GPG_* PINENTRY_* PASSWORD_STORE_* CHROME_BIN CHROME_PATH CHROME_DEVEL_SANDBOX
      CHROMIUM_* FIREFOX_BIN *_EXECUTABLE_PATH *_EXECUTABLE CYPRESS_RUN_BINARY CYPRESS_CACHE_FOLDER MAGIC
      PSQLRC PSQL_* PGLOCALEDIR PGSYSCONFDIR SQLCMDINI REDISCLI_RCFILE`,
  },
  {
    reason: 'makes git run or trust something else',
    names: 'GIT_* GITHUB_* GH_CONFIG_DIR GH_PATH GLAB_CONFIG_DIR PRE_COMMIT_* HUSKY*',
  },
  {
    reason: 'belongs to the CI system',
    names: 'CI CI_* RUNNER_* ACTIONS_* GITLAB_CI* TF_BUILD BUILDKITE*',
  },
  {
    reason: 'makes Node and its tools load or trust something else',
    names: `NODE NODE_* NPM_* NPX_* YARN_* PNPM_* COREPACK_* BUN_* DENO_* ELECTRON_* TS_NODE_* TSX_* ESBUILD_* BABEL_* SWC_*
      NVM_* VOLTA_* FNM_* ASDF_* MISE_* NODENV_* JEST_* VITEST* MOCHA_* C8_* NYC_* ESLINT_* TSC_* PRISMA_*_LIBRARY PRISMA_*_BINARY`,
  },
  {
    reason: 'makes Python and its tools load or trust something else',
    names: `PYTHON* PYTEST_* PIP_* PIPX_* PIPENV_* POETRY_* PDM_* UV_* CONDA_* MAMBA_* VIRTUAL_ENV* PYENV_* TOX_* NOX_* HATCH_*
      IPYTHONDIR JUPYTER* MPLCONFIGDIR MYPYPATH SETUPTOOLS_* DISTUTILS_* DJANGO_SETTINGS_MODULE FLASK_APP GUNICORN_CMD_ARGS
      COVERAGE_* CYTHON* NUMBA_*`,
  },
  {
    reason: 'makes Perl and its tools load something else',
    names: 'PERL* HARNESS_* PROVE_*',
  },
  {
    reason: 'makes Ruby and its tools load something else',
    names: 'RUBY* GEM_* BUNDLE_* BUNDLER_* RBENV_* RVM_* IRBRC RAKEOPT RAKE_* SPEC_OPTS BOOTSNAP_*',
  },
  {
    reason: 'makes PHP and its tools load something else',
    names: 'PHPRC PHP_* COMPOSER COMPOSER_* PHPUNIT_* XDEBUG_*',
  },
  {
    reason: 'makes Java and its tools load something else',
    names: `JAVA_TOOL_OPTIONS JAVA_HOME JAVACMD _JAVA_OPTIONS JDK_* JRE_* *JAVA_OPTS *JAVA_OPTIONS JVM_OPTS *_JVM_OPTS CLASSPATH MAVEN_* MVNW_* MVN_* M2_HOME M2
      GRADLE_* ANT_* SBT_* LEIN_* KOTLIN_HOME SCALA_HOME GROOVY_* CATALINA_* SDKMAN_*`,
  },
  {
    reason: 'makes .NET and its tools load something else',
    names: 'DOTNET_* COMPLUS_* CORECLR_* COR_* NUGET_* MSBUILD* ASPNETCORE_HOSTINGSTARTUP* VSTEST_*',
  },
  {
    reason: 'makes Go load or trust something else',
    names: `GO111MODULE GOARCH GOAUTH GOBIN GOCACHE* GOCOVERDIR GODEBUG GOENV GOEXPERIMENT GOFIPS140 GOFLAGS GOGC GOGCCFLAGS GOINSECURE
      GOMAXPROCS GOMEMLIMIT GOMODCACHE GONOPROXY GONOSUMDB GOOS GOPACKAGESDRIVER GOPATH GOPRIVATE GOPROXY GOROOT* GOSUMDB
      GOTELEMETRY* GOTMPDIR GOTOOLCHAIN GOTOOLDIR GOTRACEBACK GOVCS GOWORK CGO_*`,
  },
  {
    reason: 'makes Rust and its tools load something else',
    names: 'RUSTC* RUSTDOC* RUSTFLAGS RUSTFMT RUSTUP_* CARGO CARGO_* SCCACHE_* NEXTEST_*',
  },
  {
    reason: 'makes a language load something else',
    names: `LUA_* LUAROCKS_* TCL* TK_LIBRARY ERL_* ERLANG_* ELIXIR_* IEX_* MIX_* HEX_HOME HEX_MIRROR* REBAR_* R_HOME R_LIBS* R_PROFILE* R_ENVIRON* R_DEFAULT_PACKAGES JULIA_* GHC* CABAL_* STACK_ROOT STACK_YAML
      OCAML* CAML* OPAM* GUILE_* SWIFT_* DART_* PUB_CACHE PUB_HOSTED_URL FLUTTER_* AWKPATH AWKLIBPATH GAWK_* BATS_*`,
  },
  {
    reason: 'makes compilers and build tools run something else',
    names: `MAKE MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKEFILES MAKEFILE_LIST MAKESHELL CC CXX CPP CC_* CXX_* LD AR AS NM RANLIB STRIP OBJCOPY
      OBJDUMP FC F77 LEX YACC M4 AWK SED CFLAGS CXXFLAGS CPPFLAGS FFLAGS FCFLAGS LDFLAGS LDLIBS ARFLAGS LIBRARY_PATH CPATH
      C_INCLUDE_PATH CPLUS_INCLUDE_PATH OBJC_INCLUDE_PATH COMPILER_PATH GCC_* GCOV_* CLANG_* CCC_* CMAKE* CTEST_* GTEST_* NINJA_*
      MESON* PKG_CONFIG* ACLOCAL* AUTOCONF AUTOMAKE AUTOM4TE CCACHE_* DISTCC_* ICECC* BAZEL* NIX_* DEB_* DPKG_* DEBCONF_* DEBIAN_*
      APT_CONFIG RPM_*`,
  },
  {
    reason: 'sends what programs say to a proxy',
    names: '*_PROXY',
  },
  {
    reason: 'changes whom TLS clients trust, or what they say',
    names: `SSL_* *SSLKEYLOGFILE *CA_BUNDLE *CA_CERTS *_TLS_REJECT_UNAUTHORIZED *_SKIP_VERIFY *_SSL_VERIFY *_SSL_NO_VERIFY *_TLS_VERIFY
      OPENSSL_* GNUTLS_* CURL_* WGETRC SYSTEM_WGETRC WGET_* NETRC HTTPIE_*
      AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_DATA_PATH BOTO_CONFIG LDAPCONF LDAPRC LDAPNOINIT LDAPTLS_*
      KRB5_CONFIG KRB5_TRACE GSS_*`,
  },
  {
    reason: 'makes a tool of clusters and clouds run or trust something else',
    names: `KUBECONFIG HELM_* TF_CLI_* TF_PLUGIN_* TF_DATA_DIR TF_REATTACH_PROVIDERS TERRAFORM_CONFIG TOFU_* PULUMI_HOME ANSIBLE_*
      CLOUDSDK_PYTHON* CLOUDSDK_GSUTIL_* CLOUDSDK_CONFIG GOOGLE_EXTERNAL_ACCOUNT_* VAULT_CONFIG_PATH`,
  },
  {
    reason: 'leads to another container engine',
    names: `DOCKER_* BUILDKIT_* BUILDX_* COMPOSE_* CONTAINER_HOST CONTAINER_SSHKEY CONTAINERS_* CONTAINERD_* PODMAN_* REGISTRY_AUTH_FILE
      STORAGE_OPTS TESTCONTAINERS_* RYUK_*`,
  },
]

interface Rule {
  readonly begin: string
  /** What follows a `*`; undefined for a whole name. */
  readonly end: string | undefined
  readonly reason: string
}

let rules: readonly Rule[] | undefined

/** Why a variable of this name cannot be exported; undefined when it can. */
export function findReservation(name: string): string | undefined {
  rules ??= groups.flatMap(({ names, reason }) =>
    names
      .trim()
      .split(/\s+/)
      .map((one) => toRule(one, reason)),
  )
  const upper = name.toUpperCase()
  return rules.find((rule) => isMatch(upper, rule))?.reason
}

// Compared as text: to compile a pattern of all names takes a command longer than everything else that it is given.
function toRule(name: string, reason: string): Rule {
  const [begin = '', end] = name.split('*')
  return { begin, end, reason }
}

function isMatch(name: string, { begin, end }: Rule): boolean {
  if (end === undefined) return name === begin
  return name.length >= begin.length + end.length && name.startsWith(begin) && name.endsWith(end)
}
