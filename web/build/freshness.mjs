// Writes dist/source.sha256: one hash over all sources of the build, so that `go test ./web` finds a stale build without Node.
// The recipe is the same in web_test.go: for each file of the list, in byte order of its slash-separated path,
// "<sha256 of the bytes, hex>  <path>\n"; the hash of that text is written.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'

const sha = (bytes) => createHash('sha256').update(bytes).digest('hex')
const below = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`.replaceAll('\\', '/'))

const files = ['index.html', 'package.json', 'package-lock.json', 'svelte.config.js', 'tsconfig.json', 'vite.config.ts',
  ...below('src'), ...below('public'), ...below('build')]
files.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
writeFileSync('dist/source.sha256', sha(files.map((file) => `${sha(readFileSync(file))}  ${file}\n`).join('')) + '\n')
