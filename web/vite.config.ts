import { defineConfig, type Plugin } from 'vite'
import { svelte } from '@sveltejs/vite-plugin-svelte'

// File names carry no hash: dist is committed, and a small edit must cost a small diff.
const plain = { entryFileNames: 'assets/[name].js', chunkFileNames: 'assets/[name].js', assetFileNames: 'assets/[name][extname]' }

// Libraries carry addresses of their manuals in error messages. Nothing is fetched from them; they are written without their
// scheme, so that the text test over dist (web_test.go) can forbid every address instead of keeping a list of good ones.
// XML namespaces are names, not addresses, and stay. The worker is a bundle of its own: it gets the same plugin.
const noForeignAddresses = (): Plugin => ({
  name: 'no-foreign-addresses',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'chunk') chunk.code = chunk.code.replace(/https?:\/\/(?!www\.w3\.org\/)/g, '')
      else if (typeof chunk.source === 'string' && /\.(css|html)$/.test(chunk.fileName)) chunk.source = chunk.source.replace(/https?:\/\/(?!www\.w3\.org\/)/g, '')
    }
  },
})

export default defineConfig({
  plugins: [svelte(), noForeignAddresses()],
  build: {
    target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1200,
    rolldownOptions: { output: { ...plain, codeSplitting: { groups: [
      { name: 'vendor-map', test: /node_modules.(maplibre-gl|topojson-client)/, priority: 2 },
      { name: 'vendor', test: /node_modules/ },
    ] } } },
  },
  worker: { format: 'es', plugins: () => [noForeignAddresses()], rolldownOptions: { output: plain } },
  server: { proxy: { '/api': 'http://127.0.0.1:8091' } },
})
