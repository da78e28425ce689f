// tests/interop/webhooks.mjs URL KEY: a receiver as its author would write it, with the official verifiers of Standard Webhooks
// (standardwebhooks, and svix, whose format it is), in front of the real server. One cmocka-like line a scene; exit 1 when one fails.
import http from 'node:http'
import { Webhook as Standard } from 'standardwebhooks'
import { Webhook as Svix } from 'svix'

const [url, key] = process.argv.slice(2)
const came = []
const receiver = http.createServer((request, response) => {
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => {
    came.push({ headers: request.headers, body: Buffer.concat(parts).toString('utf8') })
    response.end('ok')
  })
})
await new Promise((ready) => receiver.listen(0, '127.0.0.1', ready))
const hook = `http://127.0.0.1:${receiver.address().port}/hook`

async function ask(method, path, body) {
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const text = await answer.text()
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return JSON.parse(text)
}

async function until(condition, what) {
  for (let i = 0; i < 200; i++) {
    if (condition()) return
    await new Promise((go) => setTimeout(go, 50))
  }
  throw new Error(`${what} did not come; ${came.length} did`)
}

function verified(message, secret) {
  const event = new Standard(secret).verify(message.body, message.headers)
  new Svix(secret).verify(message.body, {
    'svix-id': message.headers['webhook-id'],
    'svix-timestamp': message.headers['webhook-timestamp'],
    'svix-signature': message.headers['webhook-signature'],
  })
  return event
}

function refused(message, secret) {
  try {
    new Standard(secret).verify(message.body, message.headers)
  } catch {
    return
  }
  throw new Error('it was verified')
}

const scenes = {
  async 'both verifiers accept an event with every kind of letter in it'() {
    const { secret } = await ask('PUT', '/v1/webhooks/node', { url: hook, events: ['master.changed'] })
    this.secret = secret
    await ask('PUT', '/v1/skus/ÄÖ-灯', { name: 'Straße “€5” \u2028 灯 🛒' })
    await until(() => came.some((message) => message.body.includes('🛒')), 'the SKU')
    for (const message of came) {
      const event = verified(message, secret)
      if (event.type !== 'master.changed') throw new Error(message.body)
    }
  },
  async 'a byte more, another secret, another id or time are refused'() {
    const message = came[0]
    const other = 'whsec_' + Buffer.alloc(32, 7).toString('base64')
    refused({ ...message, body: message.body + ' ' }, this.secret)
    refused(message, other)
    refused({ ...message, headers: { ...message.headers, 'webhook-id': 'evt_2' } }, this.secret)
    refused({ ...message, headers: { ...message.headers, 'webhook-timestamp': '1' } }, this.secret)
  },
  async 'while a secret is replaced both are accepted'() {
    const rotated = await ask('POST', '/v1/webhooks/node/rotate', { keep_s: 60 })
    await new Promise((go) => setTimeout(go, 1200))
    const before = came.length
    await ask('PUT', '/v1/skus/AFTER', { name: 'After' })
    await until(() => came.length > before, 'the SKU')
    verified(came[before], this.secret)
    verified(came[before], rotated.secret)
  },
  async 'a test send is verified too'() {
    const { secret } = await ask('PUT', '/v1/webhooks/tested', { url: hook, events: ['order.delivered'] })
    const isTest = (message) => message.body.includes('"what":"test"')
    const sent = await ask('POST', '/v1/webhooks/tested/test', {})
    await until(() => came.some(isTest), 'the test')
    const event = verified(came.find(isTest), secret)
    if (event.seq !== sent.event || event.subject.id !== 'tested') throw new Error(JSON.stringify(event))
  },
}

const state = {}
let failed = 0
for (const [name, scene] of Object.entries(scenes)) {
  try {
    await scene.call(state)
    console.log(`[       OK ] webhooks: ${name}`)
  } catch (error) {
    console.log(`ERROR: ${error.message}\n[  FAILED  ] webhooks: ${name}`)
    failed++
  }
}
receiver.close()
receiver.closeAllConnections()
process.exit(failed > 0 ? 1 : 0)
