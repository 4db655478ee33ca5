import { readFile } from 'node:fs/promises';
import { CDR_COLUMNS } from '../../dialplan/asterisk/contract.ts';
import type { SwitchAccess } from '../parts/asterisk.ts';

/** By the id of each answered call, how long the switch itself says that it lasted. Read here anew, not by the controller's eyes. */
export async function answeredBySwitch(cdr_file: string): Promise<ReadonlyMap<string, number>> {
  const [account, answer, end] = (['accountcode', 'answer', 'end'] as const).map((name) => CDR_COLUMNS.indexOf(name));
  const answered = new Map<string, number>();
  for (const line of (await readFile(cdr_file, 'utf8')).split('\n')) {
    const fields = line.split(',');
    const call_id = fields[account ?? -1]?.split('*')[0] ?? '';
    const answered_s = Number(fields[answer ?? -1] ?? 0);
    if (call_id !== '' && answered_s > 0) answered.set(call_id, (Number(fields[end ?? -1]) - answered_s) * 1000);
  }
  return answered;
}

/** How many channels and bridges the switch has. */
export async function countRemains(access: SwitchAccess): Promise<number> {
  const [channels, bridges] = await Promise.all([countOf(access, 'channels'), countOf(access, 'bridges')]);
  return channels + bridges;
}

async function countOf(access: SwitchAccess, things: 'channels' | 'bridges'): Promise<number> {
  const { ASTERISK_ARI_URL: url, ASTERISK_ARI_USER: user, ASTERISK_ARI_PASSWORD: password } = access;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const response = await fetch(`${url}/ari/${things}`, { headers: { authorization } });
  const list: unknown = await response.json();
  if (!Array.isArray(list)) throw new Error(`The switch did not list its ${things}: ${response.status}.`);
  return list.length;
}
