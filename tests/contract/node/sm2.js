// A foreign client of the tests: one request per line, fields in hex ("-" is empty), one answer per line.
const readline = require('node:readline')
const { sm2, sm3 } = require('sm-crypto')

const bytes = (hex) => (hex === '-' ? [] : Array.from(Buffer.from(hex, 'hex')))
const text = (hex) => (hex === '-' ? '' : Buffer.from(hex, 'hex').toString('utf8'))
const hexOf = (array) => Buffer.from(array).toString('hex')

const acts = {
  keygen: () => {
    const pair = sm2.generateKeyPairHex()
    return `${pair.privateKey} ${pair.publicKey}`
  },
  sign: (form, d, point, id, message) =>
    sm2.doSignature(bytes(message), d, { der: form === 'der', hash: true, publicKey: point, userId: text(id) }),
  verify: (form, point, id, message, signature) =>
    sm2.doVerifySignature(bytes(message), signature, point, { der: form === 'der', hash: true, userId: text(id) }),
  encrypt: (point, plaintext) => sm2.doEncrypt(bytes(plaintext), point, 1),
  decrypt: (d, ciphertext, mode = '1') => hexOf(sm2.doDecrypt(ciphertext, d, Number(mode), { output: 'array' })),
  sm3: (message) => sm3(bytes(message)),
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [act, ...fields] = line.split(' ')
  let answer
  try {
    answer = String(acts[act](...fields))
  } catch (error) {
    answer = `error ${error}`
  }
  process.stdout.write(`${answer.replace(/\n/g, ' ')}\n`)
})
