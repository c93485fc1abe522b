import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { licenses } from './scripts/licenses.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const notice = licenses('THIRD-PARTY-LICENSES.txt');

// The server to speak to while working on these pages with `npm run dev`.
const backend = process.env.ACQUAINT_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/',
  resolve: {
    alias: [
      // Prettier is half a megabyte here, for two buttons: a small formatter stands in for it.
      { find: /^prettier\/standalone$/, replacement: here('src/shims/prettier.ts') },
      { find: /^prettier\/(plugins\/.+|parser-.+)$/, replacement: here('src/shims/prettier-plugin.ts') },
    ],
  },
  plugins: [
    {
      // All of Monaco is a good deal more than the editors here use. Both GraphiQL and monaco-graphql import it.
      name: 'small-monaco',
      enforce: 'pre',
      resolveId: (source, importer) =>
        source === 'monaco-graphql/esm/monaco-editor.js' ||
        (source === './monaco-editor' && importer?.includes('/monaco-graphql/'))
          ? here('src/shims/monaco.ts')
          : undefined,
    },
    notice.collect(),
    notice.write(),
    {
      // The server answers /graphiql with graphiql.html; so does the development server.
      name: 'graphiql-path',
      configureServer(server) {
        server.middlewares.use((request, _response, next) => {
          request.url = request.url?.replace(/^\/graphiql(?=$|\?)/, '/graphiql.html');
          next();
        });
      },
    },
  ],
  worker: { format: 'es', plugins: () => [notice.collect()] },
  build: {
    target: 'es2022',
    sourcemap: false,
    // The pages are served under a policy that allows no inline script, and data: for images and fonts only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      input: [here('index.html'), here('graphiql.html')],
      checks: { moduleLevelDirective: false },
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/graphql': { target: backend, ws: true },
      '/dev/': { target: backend },
    },
  },
});
