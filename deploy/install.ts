import { deploySettings } from './settings.ts';
import { install } from './runtime/install.ts';
import { explainError } from './runtime/outage.ts';
import { showProgress } from './runtime/progress.ts';

// Fetches every program at the versions the tests are written for, whatever the machine has. Nothing is started.
try {
  const { home, cache, mirror } = deploySettings(process.env);
  const progress = showProgress(process.stdout, Date.now);
  await install({ home, cache, mirror, prefer: 'private', elsewhere: [], progress });
} catch (error) {
  console.error(explainError(error));
  process.exitCode = 1;
}
