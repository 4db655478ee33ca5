// What every npm command begins with. Plain JavaScript without dependencies, for it runs before any is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKOUT = dirname(dirname(fileURLToPath(import.meta.url)));
const STAMP = join(CHECKOUT, 'node_modules/.letsdial-stamp');
const NODE_MIN = [20, 19];
const SETPRIV = '/usr/bin/setpriv';

/** How long a child that was told twice to end may still take. */
const LAST_CHANCE_MS = 3000;

/** The signal of one wish may arrive several times: from the terminal, from npm, from a shell. */
const SAME_WISH_MS = 500;

/** How often we look whether npm still lives. */
const ORPHAN_CHECK_MS = 1000;

const [thing, ...args] = process.argv.slice(2);
process.exitCode = await main(thing, args);

/**
 * @param {string | undefined} wanted a TypeScript file, `vitest` or `lint`
 * @param {string[]} rest handed on to it
 * @returns {Promise<number>} the exit code
 */
async function main(wanted, rest) {
  if (!nodeIsNewEnough(process.versions.node)) {
    console.error(
      `This is Node ${process.versions.node} and Letsdial needs ${NODE_MIN.join('.')} or newer: install a newer Node and try again.`,
    );
    return 1;
  }
  if (wanted === undefined) {
    console.error('Say what to run: node deploy/bootstrap.js FILE.ts | vitest | lint [ARGUMENTS]');
    return 2;
  }
  if (!(await installPackages())) return 1;
  if (wanted === 'lint') return lint();
  if (wanted === 'vitest') {
    const installed = await node(['--import', 'tsx', 'deploy/install.ts']);
    return installed === 0 ? node(['node_modules/vitest/vitest.mjs', 'run', ...rest]) : installed;
  }
  return node(['--import', 'tsx', wanted, ...rest]);
}

/** @param {string} version @returns {boolean} */
function nodeIsNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [major_min = 0, minor_min = 0] = NODE_MIN;
  return major > major_min || (major === major_min && minor >= minor_min);
}

/** Installs what package-lock.json names, unless that very lock file was installed already. @returns {Promise<boolean>} */
async function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(CHECKOUT, 'package-lock.json')))
    .digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lock) return true;
  console.log('Installing the npm packages …');
  const flags = ['ci', '--include=dev', '--no-audit', '--no-fund', '--prefer-offline'];
  // Under npm its own path is known; it need not be on PATH.
  const npm = process.env['npm_execpath'];
  const code = await (npm?.endsWith('.js') === true ? run(process.execPath, [npm, ...flags]) : run('npm', flags));
  if (code === 0) {
    writeFileSync(STAMP, lock);
    return true;
  }
  console.error(
    'The npm packages could not be installed, so nothing was started: the reason stands above; check the network and the free space, and try again.',
  );
  return false;
}

/** Shows every check, also those after one that failed. @returns {Promise<number>} */
async function lint() {
  /** @type {[string, string[]][]} */
  const checks = [
    ['tsc', ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.']],
    ['eslint', ['node_modules/eslint/bin/eslint.js', '.']],
    ['prettier', ['node_modules/prettier/bin/prettier.cjs', '--check', '.']],
  ];
  /** @type {string[]} */
  const failed = [];
  for (const [name, command] of checks) {
    console.log(`── ${name}`);
    if ((await node(command)) !== 0) failed.push(name);
  }
  console.log(failed.length === 0 ? 'Lint: all fine' : `Lint: ${failed.join(', ')} found something`);
  return failed.length === 0 ? 0 : 1;
}

/** @param {string[]} command @returns {Promise<number>} */
function node(command) {
  return run(process.execPath, command);
}

/**
 * Runs a program on our own terminal. Signals are handed on; a second wish to stop gives it a last chance, then kills.
 * The kernel ends it with us, should we be killed.
 * @param {string} file
 * @param {string[]} parameters
 * @returns {Promise<number>} its exit code; 128 and the signal's number where one ended it, as in a shell
 */
function run(file, parameters) {
  const guarded = existsSync(SETPRIV);
  const child = guarded
    ? spawn(SETPRIV, ['--pdeathsig', 'TERM', file, ...parameters], { cwd: CHECKOUT, stdio: 'inherit' })
    : spawn(file, parameters, { cwd: CHECKOUT, stdio: 'inherit' });
  let first_ms = 0;
  /** @param {NodeJS.Signals} signal */
  const handOn = (signal) => {
    const now_ms = Date.now();
    child.kill(signal);
    if (first_ms === 0) first_ms = now_ms;
    else if (now_ms - first_ms > SAME_WISH_MS) setTimeout(() => child.kill('SIGKILL'), LAST_CHANCE_MS).unref();
  };
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, handOn);
  // npm that is killed takes nobody with it; who started us without npm may leave us alone on purpose.
  const parent = process.ppid;
  const orphaned = setInterval(() => {
    if (process.env['npm_lifecycle_event'] === undefined || process.ppid === parent) return;
    clearInterval(orphaned);
    handOn('SIGTERM');
  }, ORPHAN_CHECK_MS);
  return new Promise((resolve) => {
    /** @param {number} code */
    const end = (code) => {
      clearInterval(orphaned);
      for (const signal of signals) process.off(signal, handOn);
      resolve(code);
    };
    child.once('error', (error) => {
      console.error(`${file} could not be started (${error.message}): see that it is installed.`);
      end(127);
    });
    child.once('exit', (code, signal) => {
      end(code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGKILL' ? 137 : 143));
    });
  });
}
