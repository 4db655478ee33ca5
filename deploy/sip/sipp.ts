import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { answererScenario, callerScenario } from './sipp_scenario.ts';
import { readStatistics } from './sipp_statistics.ts';
import type { SippResult } from './sipp_statistics.ts';
import { isLoopback } from './socket.ts';
import type { Address } from './socket.ts';

/** How sipp is started: the program itself, or a loader with sipp behind it. */
export interface SippCommand {
  file: string;
  args: readonly string[];
}

/** One line of what callers use in turn. */
export interface SippCaller {
  username: string;
  /** Absent for a trunk that is known by its address. */
  password?: string;
  number: string;
}

export interface SippLoad {
  command: SippCommand;
  local: Address;
  target: Address;
  callers: readonly SippCaller[];
  calls_per_second: number;
  calls: number;
  hold_ms: number;
  ends: 'caller' | 'callee';
  /** The run is stopped after this, whatever happened. */
  seconds_max: number;
  concurrent_max?: number;
}

export interface SippAnswerer {
  command: SippCommand;
  local: Address;
  ring_ms: number;
  hold_ms: number;
  ends: 'caller' | 'callee';
  seconds_max: number;
}

/** Limits that a slip of a digit in a benchmark must not pass. */
const CALLS_PER_SECOND_MAX = 1000;
const SECONDS_MAX = 3600;

export class SippRun {
  private readonly child: ChildProcess;
  private readonly folder: string;
  private readonly killer: NodeJS.Timeout;
  private readonly exited: Promise<unknown>;
  private complaint = '';

  private constructor(child: ChildProcess, folder: string, seconds_max: number) {
    this.child = child;
    this.folder = folder;
    this.exited = once(child, 'exit');
    child.stderr?.on('data', (chunk: Buffer) => {
      this.complaint = (this.complaint + chunk.toString('utf8')).slice(-2000);
    });
    // sipp has its own limit; this one is for a sipp that does not obey it.
    this.killer = setTimeout(() => child.kill('SIGKILL'), (seconds_max + 15) * 1000);
  }

  static async start(
    command: SippCommand,
    scenario: string,
    args: string[],
    seconds_max: number,
    injected?: string,
  ): Promise<SippRun> {
    if (seconds_max > SECONDS_MAX) throw new Error(`A sipp run of ${seconds_max} s is longer than ${SECONDS_MAX} s.`);
    const folder = await mkdtemp(join(tmpdir(), 'letsdial-sipp-'));
    const at = (name: string) => join(folder, name);
    await writeFile(at('scenario.xml'), scenario);
    if (injected !== undefined) await writeFile(at('callers.csv'), injected);
    const files = ['-sf', at('scenario.xml'), ...(injected === undefined ? [] : ['-inf', at('callers.csv')])];
    const traces = ['-trace_stat', '-stf', at('statistics.csv'), '-fd', '1', '-trace_rtt', '-rtt_freq', '1'];
    const errors = ['-trace_err', '-error_file', at('errors.log')];
    const limits = ['-nostdin', '-aa', '-timeout', `${seconds_max}s`];
    const child = spawn(command.file, [...command.args, ...files, ...traces, ...errors, ...limits, ...args], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TERM: 'xterm' },
    });
    const run = new SippRun(child, folder, seconds_max);
    await once(child, 'spawn');
    return run;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Lets running calls end, then resolves with the result. */
  async stop(): Promise<SippResult> {
    if (this.isRunning) this.child.kill('SIGUSR1');
    return this.finished();
  }

  /** Resolves when sipp ended: all calls done, or its time over. */
  async finished(): Promise<SippResult> {
    await this.exited;
    clearTimeout(this.killer);
    const { exitCode } = this.child;
    const errors = await this.read('errors.log');
    // 0 all calls succeeded, 1 some failed, 97 stopped by its time limit, 99 ended without a call.
    if (exitCode === null || ![0, 1, 97, 99].includes(exitCode)) {
      throw new Error(
        `sipp ended with ${exitCode ?? this.child.signalCode ?? 'nothing'}: ${errors.slice(0, 1500)} ${this.complaint}`,
      );
    }
    const response_times = await this.read(`scenario_${this.child.pid ?? 0}_rtt.csv`);
    const statistics = readStatistics(await this.read('statistics.csv'), response_times);
    await rm(this.folder, { recursive: true });
    return { ...statistics, exit_code: exitCode, first_errors: errors.slice(0, 2000) };
  }

  private async read(name: string): Promise<string> {
    const path = join(this.folder, name);
    return existsSync(path) ? readFile(path, 'utf8') : '';
  }
}

function checkedLocal(local: Address): string[] {
  if (!isLoopback(local.address)) throw new Error(`${local.address} is not on loopback: sipp is for 127.0.0.0/8 only.`);
  const { address } = local;
  return ['-i', address, '-bind_local', '-mi', address, ...(local.port === 0 ? [] : ['-p', String(local.port)])];
}

/** Calls at a steady rate. */
export function startCallers(load: SippLoad): Promise<SippRun> {
  if (!isLoopback(load.target.address)) throw new Error(`${load.target.address} is not on loopback.`);
  if (load.calls_per_second > CALLS_PER_SECOND_MAX)
    throw new Error(`More than ${CALLS_PER_SECOND_MAX} calls per second are refused.`);
  const authenticated = load.callers.every((caller) => caller.password !== undefined);
  const lines = load.callers.map((caller) => `${caller.username};${caller.password ?? ''};${caller.number}`);
  const concurrent_max = load.concurrent_max ?? Math.ceil(load.calls_per_second * (load.hold_ms / 1000 + 10));
  const args = [
    `${load.target.address}:${load.target.port}`,
    ...checkedLocal(load.local),
    ...['-r', String(load.calls_per_second), '-m', String(load.calls), '-l', String(concurrent_max)],
  ];
  const { hold_ms, ends } = load;
  const scenario = callerScenario({ authenticated, hold_ms, ends });
  return SippRun.start(load.command, scenario, args, load.seconds_max, ['SEQUENTIAL', ...lines, ''].join('\n'));
}

/** Rings and answers whatever comes to its address. Resolves when it listens. */
export async function startAnswerer(options: SippAnswerer): Promise<SippRun> {
  const { ring_ms, hold_ms, ends, local } = options;
  if (local.port === 0) throw new Error('An answerer needs a port: ask freePort() for one.');
  const scenario = answererScenario({ ring_ms, hold_ms, ends });
  const run = await SippRun.start(options.command, scenario, checkedLocal(local), options.seconds_max);
  while (!(await isBound(local))) {
    if (!run.isRunning) await run.finished();
    await delay(20);
  }
  return run;
}

/** The kernel's own list of UDP sockets, so that no packet is needed to ask. */
async function isBound(at: Address): Promise<boolean> {
  const octets = at.address.split('.').reverse();
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
  const wanted = `${octets.map((octet) => hex(Number(octet), 2)).join('')}:${hex(at.port, 4)}`;
  return (await readFile('/proc/net/udp', 'utf8')).includes(` ${wanted} `);
}
