import react from '@vitejs/plugin-react';
import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';

// `npm run dev` passes API calls on to a running domain; a built console is served by it.
const domain = loadEnv('', '.', 'SUAN_')['SUAN_URL'] ?? 'http://127.0.0.1:8901';

export default defineConfig({
  test: { setupFiles: ['test/browser.ts'] },
  base: './',
  plugins: [react()],
  server: {
    host: '127.0.0.1',
    proxy: { '/v1': domain, '/healthz': domain },
    fs: { allow: ['.', '../data'] }, // The hubs on the map are those of the program.
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      output: {
        manualChunks(id) {
          if (/node_modules\/(echarts|zrender)\//.test(id)) return 'charts';
          if (/node_modules\/(react|react-dom|scheduler)\//.test(id)) return 'react';
          if (id.includes('node_modules')) return 'parts';
          return undefined;
        },
      },
    },
  },
});
