import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', '.letsdial/**'],
    globalSetup: ['deploy/testing/global_setup.ts'],
    // Two cores: a third worker would only make timing tests wait for one.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
