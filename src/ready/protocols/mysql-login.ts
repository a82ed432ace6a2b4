import { constants, createHash, publicEncrypt } from 'node:crypto'

/** Ways to log in that a password alone is enough for (MySQL's documentation, "Authentication Methods"). */
const plugins = {
  mysql_native_password: (password: Buffer, salt: Buffer): Buffer => {
    const once = hash('sha1', password)
    return mix(once, hash('sha1', salt, hash('sha1', once)))
  },
  caching_sha2_password: (password: Buffer, salt: Buffer): Buffer => {
    const once = hash('sha256', password)
    return mix(once, hash('sha256', hash('sha256', once), salt))
  },
}

type Plugin = keyof typeof plugins

export function isKnownPlugin(name: string): name is Plugin {
  return Object.hasOwn(plugins, name)
}

export function answerPlugin(plugin: Plugin, password: string, salt: Buffer): Buffer {
  return password === '' ? Buffer.alloc(0) : plugins[plugin](Buffer.from(password), salt)
}

/** For a server that has not seen the password yet, by the key that it has sent. */
export function encryptPassword(key: Buffer, password: string, salt: Buffer): Buffer {
  const hidden = mix(Buffer.from(`${password}\0`), salt)
  try {
    return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, hidden)
  } catch {
    throw new Error('sends no key to hide the password with')
  }
}

function hash(algorithm: string, ...parts: Buffer[]): Buffer {
  return createHash(algorithm).update(Buffer.concat(parts)).digest()
}

/** Each byte with one of the other, from the start again when that is shorter. */
function mix(bytes: Buffer, by: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (by[index % by.length] ?? 0)))
}
