import { defineConfig } from 'vitest/config';
import { Interleaved } from './deploy/testing/interleaved.ts';

/**
 * What these measure to some hundredths of a second would be the start of another test's switch, did it run beside them on
 * two cores: so each runs alone, when all the others are over.
 */
const alone = ['durations', 'hazards', 'bad_days_clock'].map((name) => `deploy/e2e/${name}.stack.test.ts`);

// A poll ends as soon as it holds; on a busy machine a job or another process may take seconds to make it so.
const patience = { testTimeout: 30_000, hookTimeout: 60_000, expect: { poll: { timeout: 10_000 } } };

/**
 * Two cores, and tests that wait much of their time, for a deadline or a retry: those whose verdict is a time run alone. With three, a
 * third of the processors' time was left over, with four a sixth, with five nothing.
 */
const maxWorkers = 5;

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
          exclude: ['node_modules/**', '.letsdial/**', ...alone],
          // A worker for each file took a fifth of their time, as the portal alone takes two seconds to load: so files share them, and no
          // test may leave a global changed.
          isolate: false,
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...patience, name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
