import type { Surroundings } from './supervise.ts';

/** This very process, its signals and its terminal. */
export const processWorld: Surroundings = {
  onSignal: (heard) => {
    process.on('SIGINT', heard);
    process.on('SIGTERM', heard);
    // A closed terminal is a wish to stop as well.
    process.on('SIGHUP', heard);
  },
  now_ms: Date.now,
  say: (line) => {
    console.log(line);
  },
  complain: (line) => {
    console.error(line);
  },
  exit: (code) => process.exit(code),
};
