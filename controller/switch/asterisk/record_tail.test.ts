import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SwitchRecord } from '../switch.ts';
import { RecordTail } from './record_tail.ts';

function line(call: string, answer = '1700000001.000002'): string {
  return `${call}*1,ch-${call},1700000000.000001,${answer},1700000002.000003,8,0,PJSIP/x\n`;
}

describe('the tail of the record file', () => {
  let folder: string;
  let file: string;
  let tail: RecordTail | null;
  let records: SwitchRecord[];
  let problems: Error[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tail-'));
    file = join(folder, 'calls.csv');
    tail = null;
    records = [];
    problems = [];
  });

  afterEach(async () => {
    await tail?.stop();
    await rm(folder, { recursive: true });
  });

  async function follow(position: string | null = null): Promise<void> {
    const record = (one: SwitchRecord): void => void records.push(one);
    tail = new RecordTail(file, position, { record, problem: (error) => problems.push(error) });
    await tail.start();
  }

  function calls(): string[] {
    return records.map((record) => record.call_id);
  }

  it('tells what is there, with microseconds, and what comes later', async () => {
    await writeFile(file, line('a'));
    await follow();
    expect(records).toMatchObject([
      {
        call_id: 'a',
        attempt: 1,
        answered_at_us: 1_700_000_001_000_002n,
        ended_at_us: 1_700_000_002_000_003n,
        cause: 16,
      },
    ]);
    await appendFile(file, line('b', '0.000000'));
    await vi.waitFor(() => expect(calls()).toEqual(['a', 'b']), { timeout: 3_000 });
    expect(records[1]?.answered_at_us).toBeNull();
  });

  it('waits for a file that does not exist yet', async () => {
    await follow();
    await writeFile(file, line('a'));
    await vi.waitFor(() => expect(calls()).toEqual(['a']), { timeout: 3_000 });
  });

  it('waits for the rest of a partial last line', async () => {
    await writeFile(file, line('a') + line('b').slice(0, 20));
    await follow();
    expect(calls()).toEqual(['a']);
    await appendFile(file, line('b').slice(20));
    await vi.waitFor(() => expect(calls()).toEqual(['a', 'b']), { timeout: 3_000 });
  });

  it('goes on after a stored position, whatever the file is called by now', async () => {
    await writeFile(file, line('a') + line('b'));
    await follow();
    const position = records[0]?.position ?? '';
    await tail?.stop();
    await rename(file, `${file}.1`);
    await writeFile(file, line('c'));
    records = [];
    await follow(position);
    expect(calls()).toEqual(['b', 'c']);
  });

  it('reads a rotated file to its end before the new one', async () => {
    await writeFile(file, line('a'));
    await follow();
    await appendFile(file, line('b'));
    await rename(file, `${file}.1`);
    await writeFile(file, line('c'));
    await vi.waitFor(() => expect(calls()).toEqual(['a', 'b', 'c']), { timeout: 3_000 });
  });

  it('begins anew when the file was truncated', async () => {
    await writeFile(file, line('a') + line('b'));
    await follow();
    await truncate(file, 0);
    await appendFile(file, line('c'));
    await vi.waitFor(() => expect(calls()).toEqual(['a', 'b', 'c']), { timeout: 3_000 });
  });

  it('tells a position whose file is gone, and goes on from what there is', async () => {
    await writeFile(file, line('a'));
    await follow('1:500');
    expect(problems).toHaveLength(1);
    expect(calls()).toEqual(['a']);
  });

  it('skips calls that are not ours or were refused, and tells a line that is no record', async () => {
    await writeFile(file, `${line('a').replace('a*1', '')}${line('b').replace('b*1', 'b*0')}rubbish\n${line('c')}`);
    await follow();
    expect(calls()).toEqual(['c']);
    expect(problems).toHaveLength(1);
  });

  it('reads more than one chunk', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => line(`call-${index}`));
    await writeFile(file, many.join(''));
    await follow();
    expect(records).toHaveLength(5_000);
    expect(calls().at(-1)).toBe('call-4999');
  });
});
