import { randomInt } from 'node:crypto';
import { holdName } from './hold_name.ts';

/**
 * The first three octets of a network on loopback, `127.x.y`, that nobody else is told of while this process lives: every well-known
 * port is free there.
 */
export async function freeNetwork(draw: (least: number, beyond: number) => number = randomInt): Promise<string> {
  for (;;) {
    const network = `${draw(16, 250)}.${draw(0, 250)}`;
    if (await holdName(`network-${network}`)) return `127.${network}`;
  }
}
