// Hashes passwords in a thread of its own that gives way to every other one: Linux keeps a priority for each thread, and the pool of
// Node's own threads, which reads files and looks up names for everybody, has none of this to do. Plain JavaScript, so that it starts
// wherever the portal runs from.
import { readlinkSync } from 'node:fs';
import os from 'node:os';
import { parentPort } from 'node:worker_threads';
import { hashSync, verifySync } from '@node-rs/argon2';

/** A tenth of a core where others want all of it, and all of one that nobody wants: people sign in even on the busiest day. */
const NICENESS = 10;

/** @typedef {{ job: number, password: string, stored: string | null, cost: import('@node-rs/argon2').Options }} Job */

giveWay();
parentPort?.on('message', (/** @type {Job} */ { job, password, stored, cost }) => {
  try {
    const result = stored === null ? hashSync(password, cost) : verifySync(stored, password);
    parentPort?.postMessage({ job, result });
  } catch (error) {
    parentPort?.postMessage({ job, error: error instanceof Error ? error.message : 'it failed' });
  }
});

/** Where a thread has no priority of its own it runs as all others do. */
function giveWay() {
  try {
    const [, thread_id] = /task\/(\d+)$/u.exec(readlinkSync('/proc/thread-self')) ?? [];
    if (thread_id !== undefined) os.setPriority(Number(thread_id), NICENESS);
  } catch {
    // It still leaves Node's own threads alone.
  }
}
