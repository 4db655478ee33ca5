import { defineConfig } from 'vitest/config';
import { Interleaved } from './deploy/testing/interleaved.ts';

/**
 * What these measure to some hundredths of a second would be the start of another test's switch, did it run beside them on
 * two cores: so each runs alone, when all the others are over.
 */
const alone = ['durations', 'hazards', 'bad_days_clock'].map((name) => `deploy/e2e/${name}.stack.test.ts`);

const services = ['domain', 'controller', 'sms-gateway'].map((name) => `${name}/**/*.test.ts`);

// A poll ends as soon as it holds; on a busy machine a job or another process may take seconds to make it so.
const patience = { testTimeout: 30_000, hookTimeout: 60_000, expect: { poll: { timeout: 10_000 } } };

/** Two cores, and tests that wait most of their time, for a deadline or a retry: those whose verdict is a time run alone. */
const maxWorkers = 3;

export default defineConfig({
  test: {
    globalSetup: ['deploy/testing/global_setup.ts'],
    sequence: { sequencer: Interleaved },
    projects: [
      {
        test: {
          ...patience,
          name: 'side by side',
          include: ['**/*.test.ts'],
          exclude: ['node_modules/**', '.letsdial/**', 'portal-api/**', ...services, ...alone],
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      // Along with the others, in workers that are used again: a new one for each of these small files took a fifth of their time.
      {
        test: {
          ...patience,
          name: 'services',
          include: services,
          isolate: false,
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...patience,
          name: 'portal',
          include: ['portal-api/**/*.test.ts'],
          // Every file needs all of the portal, which takes two seconds to load: a worker loads it once.
          isolate: false,
          maxWorkers,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...patience, name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
});
