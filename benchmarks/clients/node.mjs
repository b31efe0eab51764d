// Asks a server all of features.json through vscode-languageserver-protocol, the library of Visual
// Studio Code's client. Arguments: the server's command, the directory of the module.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const { createProtocolConnection, StreamMessageReader, StreamMessageWriter } =
  createRequire(process.cwd() + '/')('vscode-languageserver-protocol/node')
const [, , command, dir] = process.argv
const features = JSON.parse(readFileSync(new URL('features.json', import.meta.url)))
const text = readFileSync(dir + '/main.go', 'utf8')
const uri = pathToFileURL(dir + '/main.go').href

function position(mark) {
  const at = text.indexOf(mark.replace('|', '')) + mark.indexOf('|')
  const before = text.slice(0, at).split('\n')
  return { line: before.length - 1, character: before.at(-1).length }
}

const server = spawn(command, ['serve', '--memory', '--root', dir], { stdio: ['pipe', 'pipe', 'inherit'] })
const conn = createProtocolConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin))
const settings = { hints: { parameterNames: true } }
let diagnosed
const diagnostics = new Promise((resolve) => { diagnosed = resolve })
conn.onNotification('textDocument/publishDiagnostics', (p) => {
  if (p.uri === uri && p.diagnostics.some((d) => d.message.includes('unknown'))) diagnosed()
})
conn.onRequest('workspace/configuration', (p) => p.items.map(() => settings))
conn.onRequest('client/registerCapability', () => null)
conn.onRequest('window/workDoneProgress/create', () => null)
conn.listen()

const types = ['namespace', 'type', 'typeParameter', 'parameter', 'property', 'variable', 'function', 'method', 'keyword', 'comment', 'string', 'number', 'operator']
const { capabilities } = await conn.sendRequest('initialize', {
  processId: process.pid, rootUri: pathToFileURL(dir).href, workspaceFolders: [{ uri: pathToFileURL(dir).href, name: 'module' }],
  capabilities: {
    workspace: { configuration: true, workspaceFolders: true, workspaceEdit: { documentChanges: true } },
    textDocument: {
      hover: { contentFormat: ['markdown'] }, publishDiagnostics: {}, rename: { prepareSupport: true },
      codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ['', 'quickfix', 'refactor', 'refactor.extract', 'refactor.inline', 'refactor.rewrite', 'source', 'source.organizeImports'] } } },
      documentSymbol: { hierarchicalDocumentSymbolSupport: true },
      semanticTokens: { requests: { full: true }, tokenTypes: types, tokenModifiers: ['definition'], formats: ['relative'] },
    },
  },
})
await conn.sendNotification('initialized', {})
await conn.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'go', version: 1, text } })
await diagnostics
let failed = 0
console.log('node\tdiagnostics\tok')
for (const f of features) {
  let verdict = 'not announced'
  if (capabilities[f.capability]) {
    const params = { ...f.params }
    if (f.method.startsWith('textDocument/')) params.textDocument = { uri }
    if (f.at) {
      const at = position(f.at)
      if (f.several) params.positions = [at]
      else if (f.ranged) params.range = { start: at, end: { line: at.line, character: at.character + (f.length ?? 1) } }
      else params.position = at
    }
    try {
      const answer = JSON.stringify(await conn.sendRequest(f.method, params))
      verdict = answer.includes(f.want) ? 'ok' : `FAILED: ${answer.slice(0, 200)}`
    } catch (e) {
      verdict = `FAILED: ${e.message}`
    }
    if (verdict !== 'ok') failed++
  }
  console.log(`node\t${f.name}\t${verdict}`)
}
await conn.sendRequest('shutdown')
await conn.sendNotification('exit')
process.exit(failed ? 1 : 0)
